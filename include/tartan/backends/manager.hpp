#pragma once
// Containers in a process of their own, which every worker may use: each call is atomic.

#include <concepts>     // default_initializable
#include <cstddef>      // size_t
#include <cstdint>      // uint64_t, uintptr_t
#include <deque>        // deque
#include <memory>       // make_shared, shared_ptr
#include <optional>     // optional
#include <type_traits>  // decay_t
#include <utility>      // move
#include <vector>       // vector

#include "tartan/backends/manager/calls.hpp"   // dict_calls, list_calls, cell_calls and what they need
#include "tartan/backends/manager/handle.hpp"  // managed, managed_handle, running_service
#include "tartan/core/codec.hpp"               // codec, frame_reader, frame_writer
#include "tartan/core/config.hpp"              // TARTAN_ABI
#include "tartan/ipc/segment.hpp"              // known_segment
#include "tartan/ipc/service.hpp"              // service_state

namespace tartan::inline TARTAN_ABI {

class manager;

/// A dictionary that a manager serves. Every call is one step: nobody sees a half of it.
///
/// K and V travel by value. What f throws in update() comes here, and then nothing has changed. Throws manager_gone.
template <class K, class V>
class managed_dict : public detail::managed<typename detail::dict_of<K, V>::type> {
  using base = detail::managed<typename detail::dict_of<K, V>::type>;
  using calls = detail::dict_calls<typename detail::dict_of<K, V>::type>;

 public:
  using map_type = typename detail::dict_of<K, V>::type;

  managed_dict(detail::service_state& service, std::uint64_t number) noexcept : base(service, number) {}

  void set(K key, V value) const { this->ask(typename calls::set{std::move(key), std::move(value)}); }
  /// False, and nothing changed, if the key was there.
  bool insert(K key, V value) const { return this->ask(typename calls::insert{std::move(key), std::move(value)}); }
  [[nodiscard]] std::optional<V> get(K key) const { return this->ask(typename calls::get{std::move(key)}); }
  [[nodiscard]] bool contains(K key) const { return this->ask(typename calls::contains{std::move(key)}); }
  /// Whether it was there.
  bool erase(K key) const { return this->ask(typename calls::erase{std::move(key)}); }

  /// f(value) in the server, on V{} where the key is missing: changes it in place, or returns the new value. f travels
  /// as on `processes`: no captures, or a closure(). Returns the new value.
  template <class F>
  V update(K key, F f) const {
    return this->ask(typename calls::template update<std::decay_t<F>>{std::move(key), std::move(f)});
  }
  /// Adds n (to V{} where the key is missing); returns the value before.
  V fetch_add(K key, V n) const { return this->ask(typename calls::fetch_add{std::move(key), std::move(n)}); }

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(this->ask(detail::sizes{})); }
  void clear() const { this->ask(detail::clears{}); }
  [[nodiscard]] std::vector<K> keys() const { return this->ask(typename calls::keys{}); }
  /// All of it as it stands.
  [[nodiscard]] map_type copy() const { return this->ask(detail::copies{}); }

 private:
  friend class manager;
  managed_dict(std::shared_ptr<detail::running_service> const& service, map_type first)
      : base(service, std::move(first)) {}
};

/// A list that a manager serves; see managed_dict. An index beyond its end throws std::out_of_range.
template <class T>
class managed_list : public detail::managed<std::deque<T>> {
  using base = detail::managed<std::deque<T>>;
  using calls = detail::list_calls<std::deque<T>>;

 public:
  managed_list(detail::service_state& service, std::uint64_t number) noexcept : base(service, number) {}

  void push_back(T value) const { this->ask(typename calls::push_back{std::move(value)}); }
  /// All at once: nothing of others comes between.
  void append(std::vector<T> values) const { this->ask(typename calls::append{std::move(values)}); }
  /// Takes one out; nothing if it is empty.
  std::optional<T> pop_front() const { return this->ask(typename calls::pop_front{}); }
  std::optional<T> pop_back() const { return this->ask(typename calls::pop_back{}); }
  [[nodiscard]] T get(std::size_t i) const { return this->ask(typename calls::get{i}); }
  void set(std::size_t i, T value) const { this->ask(typename calls::set{i, std::move(value)}); }
  template <class F>
  T update(std::size_t i, F f) const {
    return this->ask(typename calls::template update<std::decay_t<F>>{i, std::move(f)});
  }
  T fetch_add(std::size_t i, T n) const { return this->ask(typename calls::fetch_add{i, std::move(n)}); }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(this->ask(detail::sizes{})); }
  void clear() const { this->ask(detail::clears{}); }
  [[nodiscard]] std::deque<T> copy() const { return this->ask(detail::copies{}); }

 private:
  friend class manager;
  managed_list(std::shared_ptr<detail::running_service> const& service, std::deque<T> first)
      : base(service, std::move(first)) {}
};

/// One value that a manager serves; see managed_dict.
template <class T>
class managed_value : public detail::managed<detail::cell<T>> {
  using base = detail::managed<detail::cell<T>>;
  using calls = detail::cell_calls<T>;

 public:
  managed_value(detail::service_state& service, std::uint64_t number) noexcept : base(service, number) {}

  [[nodiscard]] T get() const { return this->ask(typename calls::get{}); }
  void set(T value) const { static_cast<void>(exchange(std::move(value))); }
  /// Returns the value before.
  T exchange(T value) const { return this->ask(typename calls::exchange{std::move(value)}); }
  template <class F>
  T update(F f) const {
    return this->ask(typename calls::template update<std::decay_t<F>>{std::move(f)});
  }
  T fetch_add(T n) const { return this->ask(typename calls::fetch_add{std::move(n)}); }

 private:
  friend class manager;
  managed_value(std::shared_ptr<detail::running_service> const& service, T first)
      : base(service, detail::cell<T>{std::move(first)}) {}
};

/// A process that holds containers for all others.
///
///     tartan::manager mg;
///     auto hits = mg.dict<std::string, int>();
///     tartan::for_each(tartan::processes, lines, tartan::closure(hits, [](auto const& hits, std::string const& line) {
///       hits.fetch_add(line, 1); }));
///     int of_root = hits.get("/").value_or(0);
///
/// Slower than memory that is shared (a call is a round trip between processes, some 10 us to 50 us), but for any type
/// that travels, without locks, and the death of a worker leaves it whole: each call is carried out in the server, all
/// of it or nothing. Handles travel to workers; those in the host must outlive the tasks that use them.
/// The server ends with the manager and the last handle of its objects in the host.
/// Exceptions: process_start_error, out_of_shared_memory, manager_gone.
/// Thread safety: any thread of any process may call.
class manager {
 public:
  manager() : service_(std::make_shared<detail::running_service>()) {}

  template <class K, class V>
  [[nodiscard]] managed_dict<K, V> dict(typename managed_dict<K, V>::map_type first = {}) {
    static_assert(
        std::default_initializable<V>,
        "tartan: update() and fetch_add() of a key that is missing begin with V{}: give V a default constructor");
    return {service_, std::move(first)};
  }
  template <class T>
  [[nodiscard]] managed_list<T> list(std::deque<T> first = {}) {
    return {service_, std::move(first)};
  }
  template <class T>
  [[nodiscard]] managed_value<T> value(T first = {}) {
    return {service_, std::move(first)};
  }

  /// Process number of the server.
  [[nodiscard]] int pid() const noexcept { return service_->server().pid(); }

 private:
  std::shared_ptr<detail::running_service> service_;
};

template <detail::managed_handle T>
struct codec<T> {
  using place = typename T::place;
  static std::size_t size(T const&) noexcept { return sizeof(place); }
  static void write(frame_writer& out, T const& handle) { out.raw(handle.where()); }
  static T read(frame_reader& in) {
    auto const at = in.raw<place>();
    auto* const service = reinterpret_cast<detail::service_state*>(static_cast<std::uintptr_t>(at.service));
    auto const* const arena = detail::known_segment();
    if (arena == nullptr || !arena->contains(service, sizeof *service) ||
        at.service % alignof(detail::service_state) != 0)
      frame_reader::wrong_value();
    return T(*service, at.number);
  }
};

}  // namespace tartan::inline TARTAN_ABI
