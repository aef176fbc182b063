#pragma once
// Containers in a process of their own, which every worker may use: each call is atomic.

#include <atomic>         // memory_order_*
#include <chrono>         // seconds
#include <concepts>       // convertible_to, default_initializable, equality_comparable
#include <cstddef>        // size_t
#include <cstdint>        // uint64_t
#include <deque>          // deque
#include <functional>     // hash, invoke
#include <map>            // map
#include <memory>         // make_shared, make_unique, shared_ptr, unique_ptr
#include <optional>       // optional
#include <stdexcept>      // out_of_range
#include <string>         // to_string
#include <string_view>    // string_view
#include <thread>         // yield
#include <type_traits>    // conditional_t, decay_t, invoke_result_t, is_invocable_v, is_void_v
#include <unordered_map>  // unordered_map
#include <utility>        // exchange, move
#include <vector>         // vector

#include "tartan/backends/process.hpp"    // process
#include "tartan/core/code_address.hpp"   // code_address_of
#include "tartan/core/codec.hpp"          // codec, require_shippable
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"         // error, raise
#include "tartan/core/result.hpp"         // invoke_regular, regular_result
#include "tartan/ipc/process_errors.hpp"  // manager_gone
#include "tartan/ipc/service.hpp"         // service_call, service_handle, service_server
#include "tartan/ipc/start.hpp"           // known_process_host

namespace tartan::inline TARTAN_ABI {

namespace detail {

// ---- in the server
// ----------------------------------------------------------------------------------------------------

/// The objects that a server holds, by number.
class served_objects {
 public:
  template <class Object>
  std::uint64_t add(Object object) {
    objects_[++last_] = std::make_unique<holder<Object>>(std::move(object));
    return last_;
  }

  template <class Object>
  Object& get(std::uint64_t number) {
    auto const at = objects_.find(number);
    if (at == objects_.end() || at->second->type() != holder<Object>::name()) frame_reader::wrong_value();
    return static_cast<holder<Object>&>(*at->second).object;
  }

  void drop(std::uint64_t number) { objects_.erase(number); }

 private:
  struct holder_base {
    virtual ~holder_base() = default;
    [[nodiscard]] virtual std::string_view type() const noexcept = 0;
  };
  template <class Object>
  struct holder final : holder_base {
    explicit holder(Object&& o) : object(std::move(o)) {}
    [[nodiscard]] std::string_view type() const noexcept override { return name(); }
    static std::string_view name() noexcept { return __PRETTY_FUNCTION__; }  // the same in all modules, without RTTI
    Object object;
  };

  std::unordered_map<std::uint64_t, std::unique_ptr<holder_base>> objects_;
  std::uint64_t last_ = 0;
};

/// The trampoline of calls of an object.
template <class Object, class Call>
void serve_call(served_objects& objects, std::uint64_t number, frame_reader& in, service_answer& answer) {
  auto call = decode_from<Call>(in);
  answer.value(invoke_regular(call, objects.get<Object>(number)));
}

/// The trampoline of calls that make or drop objects.
template <class Call>
void serve_order(served_objects& objects, std::uint64_t, frame_reader& in, service_answer& answer) {
  auto call = decode_from<Call>(in);
  answer.value(invoke_regular(call, objects));
}

template <class Object>
struct make_object {
  Object first;
  std::uint64_t operator()(served_objects& all) { return all.add(std::move(first)); }
};

struct drop_object {
  std::uint64_t number;
  void operator()(served_objects& all) const { all.drop(number); }
};

inline void serve(service_handle const& handle) {
  served_objects objects;
  service_server(*handle.shared_state()).run(objects);
}

// ---- what each call does there: plain data, since it travels
// ------------------------------------------------------------

/// f(value) as an update of it: in place if f returns nothing, else its result.
template <class F, class V>
V updated(F const& f, V value) {
  static_assert(std::is_invocable_v<F const&, V&>, "tartan: update(f) calls f with the value that is there");
  if constexpr (std::is_void_v<std::invoke_result_t<F const&, V&>>)
    std::invoke(f, value);
  else
    value = static_cast<V>(std::invoke(f, value));
  return value;
}

template <class V>
struct adds {
  V n;
  void operator()(V& value) const { value = static_cast<V>(value + n); }
};

// Hashed where the key can be, else sorted.
template <class K>
concept hashable = requires(K const& k) {
  { std::hash<K>{}(k) } -> std::convertible_to<std::size_t>;
} && std::equality_comparable<K>;

template <class K, class V>
struct dict_of {
  using type = std::map<K, V>;
};
template <hashable K, class V>
struct dict_of<K, V> {
  using type = std::unordered_map<K, V>;
};

template <class Map, class K = typename Map::key_type, class V = typename Map::mapped_type>
struct dict_calls {
  struct set {
    K key;
    V value;
    void operator()(Map& m) { m.insert_or_assign(std::move(key), std::move(value)); }
  };
  struct insert {
    K key;
    V value;
    bool operator()(Map& m) { return m.try_emplace(std::move(key), std::move(value)).second; }
  };
  struct get {
    K key;
    std::optional<V> operator()(Map& m) const {
      auto const at = m.find(key);
      return at == m.end() ? std::nullopt : std::optional<V>(at->second);
    }
  };
  struct contains {
    K key;
    bool operator()(Map& m) const { return m.contains(key); }
  };
  struct erase {
    K key;
    bool operator()(Map& m) const { return m.erase(key) != 0; }
  };
  template <class F>
  struct update {
    K key;
    F f;
    V operator()(Map& m) {
      auto const at = m.find(key);
      V next = updated(f, at == m.end() ? V{} : at->second);
      m.insert_or_assign(std::move(key), next);
      return next;
    }
  };
  struct fetch_add {
    K key;
    V n;
    V operator()(Map& m) {
      V& value = m.try_emplace(std::move(key)).first->second;
      V const before = value;
      adds<V>{n}(value);
      return before;
    }
  };
  struct keys {
    std::vector<K> operator()(Map& m) const {
      std::vector<K> all;
      all.reserve(m.size());
      for (auto const& entry : m) all.push_back(entry.first);
      return all;
    }
  };
};

template <class List, class T = typename List::value_type>
struct list_calls {
  struct push_back {
    T value;
    void operator()(List& l) { l.push_back(std::move(value)); }
  };
  struct append {
    std::vector<T> values;
    void operator()(List& l) {
      for (std::size_t i = 0; i != values.size(); ++i) l.push_back(std::move(values[i]));
    }
  };
  struct pop_front {
    std::optional<T> operator()(List& l) const {
      if (l.empty()) return std::nullopt;
      std::optional<T> value(std::move(l.front()));
      l.pop_front();
      return value;
    }
  };
  struct pop_back {
    std::optional<T> operator()(List& l) const {
      if (l.empty()) return std::nullopt;
      std::optional<T> value(std::move(l.back()));
      l.pop_back();
      return value;
    }
  };
  static T& at(List& l, std::uint64_t i) {
    if (i >= l.size())
      raise<std::out_of_range>("tartan: a managed list of " + std::to_string(l.size()) +
                               " elements has none at index " + std::to_string(i));
    return l[static_cast<std::size_t>(i)];
  }
  struct get {
    std::uint64_t index;
    T operator()(List& l) const { return at(l, index); }
  };
  struct set {
    std::uint64_t index;
    T value;
    void operator()(List& l) { at(l, index) = std::move(value); }
  };
  template <class F>
  struct update {
    std::uint64_t index;
    F f;
    T operator()(List& l) { return at(l, index) = updated(f, T(at(l, index))); }
  };
  struct fetch_add {
    std::uint64_t index;
    T n;
    T operator()(List& l) {
      T const before = at(l, index);
      adds<T>{n}(at(l, index));
      return before;
    }
  };
};

/// One value. A class of its own, because a served object may be of any type that travels.
template <class T>
struct cell {
  T value;
};

template <class T>
struct cell_calls {
  struct get {
    T operator()(cell<T>& c) const { return c.value; }
  };
  struct exchange {
    T value;
    T operator()(cell<T>& c) { return std::exchange(c.value, std::move(value)); }
  };
  template <class F>
  struct update {
    F f;
    T operator()(cell<T>& c) { return c.value = updated(f, T(c.value)); }
  };
  struct fetch_add {
    T n;
    T operator()(cell<T>& c) {
      T const before = c.value;
      adds<T>{n}(c.value);
      return before;
    }
  };
};

struct sizes {
  template <class C>
  std::uint64_t operator()(C& c) const {
    return c.size();
  }
};
struct clears {
  template <class C>
  void operator()(C& c) const {
    c.clear();
  }
};
struct copies {
  template <class C>
  C operator()(C& c) const {
    return c;
  }
};

// ---- in the processes that use it
// -----------------------------------------------------------------------------------------

/// The server and its shared state; in the host.
class running_service {
 public:
  running_service() : server_(std::make_unique<process>(&serve, state_)) {
    server_->name("tartan-manager").start();
    while (state().begun.load(std::memory_order_acquire) == 0) {  // with the server's release store: it holds its lock
      if (!server_->alive()) raise<manager_gone>();
      std::this_thread::yield();
    }
  }
  running_service(running_service const&) = delete;
  running_service& operator=(running_service const&) = delete;
  ~running_service() {
    if (!known_process_host()->is_host()) {
      static_cast<void>(server_.release());  // the end of a forked copy is not the server's
      return;
    }
    // The server reads the bell before it looks whether it is closed: release, with its acquire.
    state().closed.store(1, std::memory_order_release);
    state().bell.value().fetch_add(1, std::memory_order_seq_cst);
    state().bell.changed();
    static_cast<void>(server_->join_for(std::chrono::seconds(2)));  // a function that hangs in it is killed
  }

  [[nodiscard]] service_state& state() const noexcept { return *state_.shared_state(); }
  [[nodiscard]] process const& server() const noexcept { return *server_; }

 private:
  service_handle state_;
  std::unique_ptr<process> server_;
};

/// One object that a server holds: copies of a handle, also those that travelled to workers, mean one object. It ends
/// with the last handle in the host.
template <class Object>
class managed {
 public:
  struct place {
    std::uint64_t service;
    std::uint64_t number;
  };

  [[nodiscard]] place where() const noexcept { return {reinterpret_cast<std::uintptr_t>(service_), number_}; }

 protected:
  managed(std::shared_ptr<running_service> const& service, Object first) : service_(&service->state()) {
    struct owner {
      std::shared_ptr<running_service> service;
      std::uint64_t number = 0;
      ~owner() {
        if (number == 0 || !known_process_host()->is_host()) return;
#if TARTAN_EXCEPTIONS
        try {
          order(service->state(), drop_object{number});
        } catch (...) {  // then it ends with its server
        }
#else
        order(service->state(), drop_object{number});
#endif
      }
    };
    auto const mine = std::make_shared<owner>(service);
    mine->number = number_ = order(*service_, make_object<Object>{std::move(first)});
    owner_ = mine;
  }
  managed(service_state& service, std::uint64_t number) noexcept : service_(&service), number_(number) {}

  template <class Call>
  auto ask(Call const& call) const {
    using result = regular_result<std::invoke_result_t<Call&, Object&>>;
    require_shippable<Call>();
    require_shippable<result>();
    return service_call(*service_).ask<result>(address<&serve_call<Object, Call>>(), number_, call);
  }

 private:
  template <class Call>
  static auto order(service_state& service, Call const& call) {
    using result = regular_result<std::invoke_result_t<Call&, served_objects&>>;
    require_shippable<Call>();
    return service_call(service).ask<result>(address<&serve_order<Call>>(), 0, call);
  }

  template <auto Function>
  static code_address const& address() {
    static code_address const where = code_address_of(reinterpret_cast<void const*>(Function));
    return where;
  }

  service_state* service_;
  std::uint64_t number_ = 0;
  std::shared_ptr<void> owner_;  // empty in workers, which borrow
};

template <class T>
concept managed_handle = requires(T const& t, service_state& s) {
  t.where().number;
  T(s, std::uint64_t{});
};

}  // namespace detail

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
