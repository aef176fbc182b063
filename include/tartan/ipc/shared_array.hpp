#pragma once
// Arrays and single values in shared memory: workers read and write them in place.

#include <atomic>            // atomic
#include <cstddef>           // ptrdiff_t, size_t
#include <cstdint>           // uint64_t, uintptr_t
#include <initializer_list>  // initializer_list
#include <iterator>          // contiguous_iterator_tag, random_access_iterator_tag
#include <memory>            // destroy_at, destroy_n, uninitialized_*, uninitialized_construct_using_allocator
#include <memory_resource>   // polymorphic_allocator
#include <ranges>            // begin, enable_borrowed_range, enable_view, forward_range, size, subrange
#include <type_traits>       // is_trivially_destructible_v, remove_cv_t
#include <utility>           // exchange, forward

#include "tartan/core/codec.hpp"     // by_bytes, codec
#include "tartan/core/config.hpp"    // TARTAN_ABI
#include "tartan/core/errors.hpp"    // bad_argument, raise
#include "tartan/core/shipping.hpp"  // travels_in_place
#include "tartan/ipc/segment.hpp"    // known_segment, segment
#include "tartan/ipc/start.hpp"      // start_process_host

namespace tartan::inline TARTAN_ABI {

/// Specialise as true for a class whose objects mean the same in every process: no pointers but into shared memory, no
/// descriptors, no locks of one process.
template <class T>
inline constexpr bool enable_sharing = false;

namespace detail {

template <class T>
inline constexpr bool is_atomic = false;
template <class T>
inline constexpr bool is_atomic<std::atomic<T>> = by_bytes<T> && std::atomic<T>::is_always_lock_free;

template <class T>
inline constexpr bool lives_in_shared_memory = enable_sharing<T> || by_bytes<T> || is_atomic<T>;

/// Containers of std::pmr: built with shared_memory(), they keep all that they hold there.
template <class T>
concept pmr_container = std::uses_allocator_v<T, std::pmr::polymorphic_allocator<>>;

template <class T>
consteval void require_sharing() {
  static_assert(
      lives_in_shared_memory<std::remove_cv_t<T>> || pmr_container<T>,
      "tartan: shared memory holds numbers, enumerations, aggregates of such, lock-free atomics, and (in a "
      "shared_value) containers of std::pmr: a pointer or a std::string refers to memory of one process. If this "
      "type is safe, specialise tartan::enable_sharing<T> as true");
}

/// An address in the arena as it travels.
template <class T>
void write_address(frame_writer& out, T* p) {
  auto const* const arena = known_segment();
  if (p != nullptr && (arena == nullptr || !arena->contains(p)))
    raise<not_shippable>("tartan: a shared span refers to memory of this process: make it from a shared_array");
  out.raw(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(p)));
}

template <class T>
T* read_address(frame_reader& in, std::size_t bytes) {
  auto const at = static_cast<std::uintptr_t>(in.raw<std::uint64_t>());
  auto* const p = reinterpret_cast<T*>(at);
  auto const* const arena = known_segment();
  bool const valid = p == nullptr ? bytes == 0 : arena != nullptr && arena->contains(p, bytes) && at % alignof(T) == 0;
  if (!valid) frame_reader::wrong_value();
  return p;
}

}  // namespace detail

/// A pointer into shared memory that patterns recognise: what it refers to is not copied to a worker.
template <class T>
class shared_iterator {
 public:
  using iterator_concept = std::contiguous_iterator_tag;
  using iterator_category = std::random_access_iterator_tag;
  using value_type = std::remove_cv_t<T>;
  using element_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = T*;
  using reference = T&;

  shared_iterator() = default;
  explicit shared_iterator(T* at) noexcept : at_(at) {}
  operator shared_iterator<T const>() const noexcept
    requires(!std::is_const_v<T>)
  {
    return shared_iterator<T const>(at_);
  }

  reference operator*() const noexcept { return *at_; }
  pointer operator->() const noexcept { return at_; }
  reference operator[](difference_type n) const noexcept { return at_[n]; }
  shared_iterator& operator++() noexcept { return ++at_, *this; }
  shared_iterator operator++(int) noexcept { return shared_iterator(at_++); }
  shared_iterator& operator--() noexcept { return --at_, *this; }
  shared_iterator operator--(int) noexcept { return shared_iterator(at_--); }
  shared_iterator& operator+=(difference_type n) noexcept { return at_ += n, *this; }
  shared_iterator& operator-=(difference_type n) noexcept { return at_ -= n, *this; }
  friend shared_iterator operator+(shared_iterator i, difference_type n) noexcept { return shared_iterator(i.at_ + n); }
  friend shared_iterator operator+(difference_type n, shared_iterator i) noexcept { return shared_iterator(i.at_ + n); }
  friend shared_iterator operator-(shared_iterator i, difference_type n) noexcept { return shared_iterator(i.at_ - n); }
  friend difference_type operator-(shared_iterator a, shared_iterator b) noexcept { return a.at_ - b.at_; }
  friend bool operator==(shared_iterator, shared_iterator) = default;
  friend auto operator<=>(shared_iterator, shared_iterator) = default;

 private:
  T* at_ = nullptr;
};

/// A view of consecutive objects in shared memory. Travels to workers, which see the same objects.
template <class T>
class shared_span {
 public:
  using element_type = T;
  using value_type = std::remove_cv_t<T>;
  using iterator = shared_iterator<T>;

  shared_span() = default;
  /// Of memory that shared_memory() gave.
  shared_span(T* first, std::size_t size) noexcept : first_(first), size_(size) {}
  operator shared_span<T const>() const noexcept
    requires(!std::is_const_v<T>)
  {
    return {first_, size_};
  }

  [[nodiscard]] iterator begin() const noexcept { return iterator(first_); }
  [[nodiscard]] iterator end() const noexcept { return iterator(first_ + size_); }
  [[nodiscard]] T* data() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) const noexcept { return first_[i]; }

  /// `count` elements from `offset` on; throws bad_argument if they are not there.
  [[nodiscard]] shared_span subspan(std::size_t offset, std::size_t count) const {
    if (offset > size_ || count > size_ - offset)
      detail::raise<bad_argument>("tartan: shared_span::subspan goes beyond the end of the span");
    return {first_ + offset, count};
  }

 private:
  T* first_ = nullptr;
  std::size_t size_ = 0;
};

template <class T>
struct codec<shared_span<T>> {
  static std::size_t size(shared_span<T> const&) noexcept { return 2 * sizeof(std::uint64_t); }
  static void write(frame_writer& out, shared_span<T> const& s) {
    out.raw(static_cast<std::uint64_t>(s.size()));
    detail::write_address(out, s.data());
  }
  static shared_span<T> read(frame_reader& in) {
    auto const n = in.raw<std::uint64_t>();
    if (n > std::uint64_t{1} << 48) frame_reader::wrong_value();
    auto* const at = detail::read_address<T>(in, static_cast<std::size_t>(n) * sizeof(T));
    return {at, static_cast<std::size_t>(n)};
  }
};

/// A part of a shared range, as patterns cut it.
template <class T>
struct codec<std::ranges::subrange<shared_iterator<T>>> {
  using part = std::ranges::subrange<shared_iterator<T>>;
  static std::size_t size(part const&) noexcept { return 2 * sizeof(std::uint64_t); }
  static void write(frame_writer& out, part const& p) {
    codec<shared_span<T>>::write(out, {p.begin().operator->(), static_cast<std::size_t>(p.size())});
  }
  static part read(frame_reader& in) {
    auto const s = codec<shared_span<T>>::read(in);
    return {s.begin(), s.end()};
  }
};

template <class T>
inline constexpr bool travels_in_place<std::ranges::subrange<shared_iterator<T>>> = true;

/// An array in shared memory, which workers change in place.
///
///     tartan::shared_array<double> a(n);
///     tartan::for_each(tartan::processes, a, [](double& x) { x *= 2; });
///
/// T holds no pointers: numbers, enumerations, aggregates of such, lock-free atomics. Pass span() to tasks; it is valid
/// as long as the array lives. Throws out_of_shared_memory, and what start_processes() throws.
/// Thread safety: as std::vector, across processes.
template <class T>
class shared_array {
 public:
  using value_type = T;
  using iterator = shared_iterator<T>;
  using const_iterator = shared_iterator<T const>;

  shared_array() = default;

  /// n elements, value-initialised.
  explicit shared_array(std::size_t n) : shared_array(room_for(n)) {
    std::uninitialized_value_construct_n(first_, n);
    size_ = n;
  }

  /// n copies.
  shared_array(std::size_t n, T const& value) : shared_array(room_for(n)) {
    std::uninitialized_fill_n(first_, n, value);
    size_ = n;
  }

  shared_array(std::initializer_list<T> values) : shared_array(room_for(values.size())) {
    std::uninitialized_copy(values.begin(), values.end(), first_);
    size_ = values.size();
  }

  /// The elements of a range.
  template <std::ranges::forward_range R>
    requires(!std::is_same_v<std::remove_cvref_t<R>, shared_array>)
  explicit shared_array(R&& range) : shared_array(room_for(static_cast<std::size_t>(std::ranges::distance(range)))) {
    size_ = static_cast<std::size_t>(std::ranges::distance(range));
    T* to = first_;
    for (auto&& x : range) ::new (static_cast<void*>(to++)) T(std::forward<decltype(x)>(x));
  }

  shared_array(shared_array&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  shared_array& operator=(shared_array&& other) noexcept {
    if (this != &other) {
      drop();
      first_ = std::exchange(other.first_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~shared_array() { drop(); }

  [[nodiscard]] iterator begin() noexcept { return iterator(first_); }
  [[nodiscard]] iterator end() noexcept { return iterator(first_ + size_); }
  [[nodiscard]] const_iterator begin() const noexcept { return const_iterator(first_); }
  [[nodiscard]] const_iterator end() const noexcept { return const_iterator(first_ + size_); }
  [[nodiscard]] T* data() noexcept { return first_; }
  [[nodiscard]] T const* data() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { return first_[i]; }
  T const& operator[](std::size_t i) const noexcept { return first_[i]; }

  /// What tasks get.
  [[nodiscard]] shared_span<T> span() noexcept { return {first_, size_}; }
  [[nodiscard]] shared_span<T const> span() const noexcept { return {first_, size_}; }

 private:
  struct room {
    T* first;
  };

  static room room_for(std::size_t n) {
    detail::require_sharing<T>();
    constexpr std::size_t most = ~std::size_t{0} / sizeof(T);
    auto& arena = detail::start_process_host().arena();
    std::size_t const bytes = n <= most ? n * sizeof(T) : ~std::size_t{0};
    return {static_cast<T*>(arena.allocate(bytes, alignof(T) > 64 ? alignof(T) : 64))};
  }
  explicit shared_array(room r) noexcept : first_(r.first) {}  // delegated to: the destructor then frees the room

  void drop() noexcept {
    if (first_ == nullptr || !detail::known_process_host()->is_host()) return;  // a forked copy's end is not ours
    std::destroy_n(first_, size_);
    detail::known_segment()->deallocate(first_);
  }

  T* first_ = nullptr;
  std::size_t size_ = 0;
};

/// One object in shared memory: a number, an aggregate, an atomic, or a container of std::pmr, which then keeps its
/// elements there too.
///
///     tartan::shared_value<std::atomic<long>> hits(0);
///     tartan::for_each(tartan::processes, files, tartan::closure(hits.span(), [](auto hits, auto const&) { ++hits[0];
///     }));
///
/// Thread safety: that of T, across processes.
template <class T>
class shared_value {
 public:
  template <class... Args>
  explicit shared_value(Args&&... args) {
    detail::require_sharing<T>();
    auto& host = detail::start_process_host();
    at_ = static_cast<T*>(host.arena().allocate(sizeof(T), alignof(T) > 64 ? alignof(T) : 64));
    struct cleanup {
      void* block;
      ~cleanup() {
        if (block != nullptr) detail::known_segment()->deallocate(block);
      }
    } guard{at_};
    if constexpr (detail::pmr_container<T> && !detail::lives_in_shared_memory<T>)
      std::uninitialized_construct_using_allocator(at_, std::pmr::polymorphic_allocator<>(&host.resource()),
                                                   std::forward<Args>(args)...);
    else
      ::new (static_cast<void*>(at_)) T(std::forward<Args>(args)...);
    guard.block = nullptr;
  }
  shared_value(shared_value&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  shared_value& operator=(shared_value&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~shared_value() {
    if (at_ == nullptr || !detail::known_process_host()->is_host()) return;  // a forked copy's end is not ours
    std::destroy_at(at_);
    detail::known_segment()->deallocate(at_);
  }

  T& operator*() const noexcept { return *at_; }
  T* operator->() const noexcept { return at_; }

  /// What tasks get: a span of one.
  [[nodiscard]] shared_span<T> span() const noexcept { return {at_, 1}; }

 private:
  T* at_ = nullptr;
};

}  // namespace tartan::inline TARTAN_ABI

template <class T>
inline constexpr bool std::ranges::enable_view<tartan::shared_span<T>> = true;
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<tartan::shared_span<T>> = true;
