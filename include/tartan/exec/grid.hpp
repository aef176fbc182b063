#pragma once
// Grids of numbers in one, two or three dimensions, in rows that vector code likes.

#include <array>        // array
#include <atomic>       // atomic
#include <concepts>     // convertible_to
#include <cstddef>      // size_t, ptrdiff_t
#include <span>         // span
#include <type_traits>  // is_trivially_copyable_v, remove_const_t
#include <utility>      // exchange, swap

#if __has_include(<mdspan>)
#include <mdspan>  // mdspan
#endif

#include "tartan/core/config.hpp"        // TARTAN_ABI
#include "tartan/core/errors.hpp"        // bad_argument, raise
#include "tartan/core/large_memory.hpp"  // large_memory

namespace tartan::inline TARTAN_ABI {

namespace detail {

inline constexpr std::size_t grid_alignment = 64;

/// Bytes from row to row: a multiple of a cache line, and not near a multiple of 4 KiB, where the rows above and below
/// a point would compete for the same few places of the cache.
[[nodiscard]] constexpr std::size_t row_bytes(std::size_t elements, std::size_t element_size) noexcept {
  std::size_t bytes = (elements * element_size + grid_alignment - 1) / grid_alignment * grid_alignment;
  if (bytes >= 1024 && (bytes % 4096 < 256 || bytes % 4096 > 4096 - 256)) bytes += 320;
  return bytes;
}

/// Zeroed memory for a grid. Two grids begin at different places within 4 KiB, so that the same element of both is
/// never in the same place of the cache.
class grid_memory {
 public:
  grid_memory() = default;
  explicit grid_memory(std::size_t bytes) : bytes_(bytes) {
    static std::atomic<unsigned> grids{0};
    std::size_t const shift = 576 * (grids.fetch_add(1, std::memory_order_relaxed) % 7);  // relaxed: any number will do
    whole_ = large_memory(bytes + shift);
    first_ = whole_.data() + shift;
    for (std::size_t i = 0; i != bytes; ++i) first_[i] = std::byte{0};
  }

  [[nodiscard]] void* data() const noexcept { return first_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  large_memory whole_;
  std::byte* first_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace detail

/// Elements of a grid that lie somewhere else: a pointer, extents and strides (in elements). The last index is the row.
///
///     tartan::grid_view<float, 2> picture{pixels, {height, width}, {stride, 1}};
template <class T, std::size_t D>
struct grid_view {
  static_assert(D >= 1 && D <= 3, "tartan: grids have 1, 2 or 3 dimensions");
  using value_type = std::remove_const_t<T>;
  static constexpr std::size_t rank = D;

  T* data = nullptr;
  std::array<std::size_t, D> extents{};
  std::array<std::ptrdiff_t, D> strides{};

  grid_view() = default;
  grid_view(T* first, std::array<std::size_t, D> size, std::array<std::ptrdiff_t, D> step)
      : data(first), extents(size), strides(step) {}
  /// Rows that follow each other without a gap.
  grid_view(T* first, std::array<std::size_t, D> size) : data(first), extents(size) {
    std::ptrdiff_t step = 1;
    for (std::size_t d = D; d-- != 0;) {
      strides[d] = step;
      step *= static_cast<std::ptrdiff_t>(size[d]);
    }
  }
#if defined(__cpp_lib_mdspan)
  template <class E, class L, class A>
  grid_view(std::mdspan<T, E, L, A> const& m) : data(m.data_handle()) {
    static_assert(E::rank() == D, "tartan: the mdspan has another number of dimensions");
    for (std::size_t d = 0; d != D; ++d) {
      extents[d] = static_cast<std::size_t>(m.extent(d));
      strides[d] = static_cast<std::ptrdiff_t>(m.stride(d));
    }
  }
#endif

  template <std::convertible_to<std::size_t>... I>
    requires(sizeof...(I) == D)
  [[nodiscard]] T& operator()(I... index) const {
    std::ptrdiff_t offset = 0;
    std::size_t d = 0;
    ((offset += static_cast<std::ptrdiff_t>(index) * strides[d++]), ...);
    return data[offset];
  }
};

/// A grid that owns its elements: g(i), g(i, j) or g(i, j, k). Rows are padded to cache lines.
///
///     tartan::grid<float, 2> g(rows, columns);          // zeros
///     g(3, 4) = 1;   for (float& x : g.row(3)) x += 1;
///
/// Memory is where they lie; see shared_grid. Thread safety: as std::vector.
template <class T, std::size_t D, class Memory = detail::grid_memory>
class grid {
  static_assert(D >= 1 && D <= 3, "tartan: grids have 1, 2 or 3 dimensions");
  static_assert(std::is_trivially_copyable_v<T>,
                "tartan: the elements of a grid are plain values (trivially copyable)");

 public:
  using value_type = T;
  using memory_type = Memory;
  static constexpr std::size_t rank = D;

  grid() = default;

  /// One extent a dimension. Throws bad_argument where one is zero.
  template <std::convertible_to<std::size_t>... N>
    requires(sizeof...(N) == D)
  explicit grid(N... extents) : grid(std::array<std::size_t, D>{static_cast<std::size_t>(extents)...}) {}

  explicit grid(std::array<std::size_t, D> extents) : extents_(extents) {
    for (std::size_t n : extents)
      if (n == 0) detail::raise<bad_argument>("tartan: each extent of a grid is at least 1");
    stride_ = detail::row_bytes(extents[D - 1], sizeof(T)) / sizeof(T);
    if (stride_ * sizeof(T) % detail::grid_alignment != 0)
      stride_ = extents[D - 1];  // elements of odd sizes: no padding
    now_ = Memory(rows() * stride_ * sizeof(T));
  }

  grid(grid const& other) : grid(other.extents_) {
    for (std::size_t i = 0; i != rows() * stride_; ++i) data()[i] = other.data()[i];
  }
  grid(grid&& other) noexcept { swap(other); }
  grid& operator=(grid other) noexcept {
    swap(other);
    return *this;
  }
  ~grid() = default;

  [[nodiscard]] std::size_t extent(std::size_t d) const noexcept { return extents_[d]; }
  [[nodiscard]] std::array<std::size_t, D> extents() const noexcept { return extents_; }
  /// Elements, without the padding of the rows.
  [[nodiscard]] std::size_t size() const noexcept { return rows() * extents_[D - 1]; }

  template <std::convertible_to<std::size_t>... I>
    requires(sizeof...(I) == D)
  [[nodiscard]] T& operator()(I... index) noexcept {
    return data()[offset(static_cast<std::size_t>(index)...)];
  }
  template <std::convertible_to<std::size_t>... I>
    requires(sizeof...(I) == D)
  [[nodiscard]] T const& operator()(I... index) const noexcept {
    return data()[offset(static_cast<std::size_t>(index)...)];
  }

  /// The row with these leading indices: row() of a line, row(i) of a plane, row(i, j) of a block.
  template <std::convertible_to<std::size_t>... I>
    requires(sizeof...(I) == D - 1)
  [[nodiscard]] std::span<T> row(I... index) noexcept {
    return {&(*this)(index..., std::size_t{0}), extents_[D - 1]};
  }
  template <std::convertible_to<std::size_t>... I>
    requires(sizeof...(I) == D - 1)
  [[nodiscard]] std::span<T const> row(I... index) const noexcept {
    return {&(*this)(index..., std::size_t{0}), extents_[D - 1]};
  }

  void fill(T const& value) noexcept {
    for (std::size_t r = 0; r != rows(); ++r)
      for (std::size_t i = 0; i != extents_[D - 1]; ++i) data()[r * stride_ + i] = value;
  }

  [[nodiscard]] grid_view<T, D> view() noexcept { return {data(), extents_, strides()}; }
  [[nodiscard]] grid_view<T const, D> view() const noexcept { return {data(), extents_, strides()}; }

  /// The same extents and elements.
  [[nodiscard]] friend bool operator==(grid const& a, grid const& b) noexcept {
    if (a.extents_ != b.extents_) return false;
    for (std::size_t r = 0; r != a.rows(); ++r)
      for (std::size_t i = 0; i != a.extents_[D - 1]; ++i)
        if (!(a.data()[r * a.stride_ + i] == b.data()[r * b.stride_ + i])) return false;
    return true;
  }

  void swap(grid& other) noexcept {
    std::swap(extents_, other.extents_);
    std::swap(stride_, other.stride_);
    std::swap(now_, other.now_);
    std::swap(next_, other.next_);
  }

 private:
  template <class>
  friend struct grid_access;

  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(now_.data()); }
  [[nodiscard]] std::size_t rows() const noexcept {
    std::size_t n = 1;
    for (std::size_t d = 0; d + 1 < D; ++d) n *= extents_[d];
    return n;
  }
  template <class... I>
  [[nodiscard]] std::size_t offset(I... index) const noexcept {
    std::array<std::size_t, D> const at{index...};
    std::size_t r = 0;
    for (std::size_t d = 0; d + 1 < D; ++d) r = r * extents_[d] + at[d];
    return r * stride_ + at[D - 1];
  }
  [[nodiscard]] std::array<std::ptrdiff_t, D> strides() const noexcept {
    std::array<std::ptrdiff_t, D> out{};
    out[D - 1] = 1;
    if constexpr (D >= 2) out[D - 2] = static_cast<std::ptrdiff_t>(stride_);
    if constexpr (D >= 3) out[D - 3] = static_cast<std::ptrdiff_t>(stride_ * extents_[D - 2]);
    return out;
  }

  std::array<std::size_t, D> extents_{};
  std::size_t stride_ = 0;
  Memory now_;
  Memory next_;  // where stencils write the next state; made by the first one, and kept
};

/// What stencils need to see of a grid: the memory of its next state.
template <class Grid>
struct grid_access;

template <class T, std::size_t D, class Memory>
struct grid_access<grid<T, D, Memory>> {
  using grid_type = grid<T, D, Memory>;

  [[nodiscard]] static grid_view<T, D> next(grid_type& g) {
    if (g.next_.bytes() == 0) g.next_ = Memory(g.now_.bytes());
    return {static_cast<T*>(g.next_.data()), g.extents_, g.strides()};
  }
  static void turn(grid_type& g) noexcept { std::swap(g.now_, g.next_); }
  /// a's state becomes b's next one, without a copy: used to pass states along a history.
  static void exchange_next(grid_type& a, grid_type& b) noexcept { std::swap(a.next_, b.next_); }
  static void take_now(grid_type& a, grid_type& b) noexcept { std::swap(a.now_, b.now_); }
};

}  // namespace tartan::inline TARTAN_ABI
