#pragma once
// The leaf contract: what runs inside one block, on one thread. This is the scalar leaf, the meaning of the others.

#include <cstddef>      // size_t
#include <cstring>      // memset
#include <iterator>     // contiguous_iterator (and to_address, which defines it), iter_difference_t, iter_reference_t
#include <new>          // placement new
#include <type_traits>  // decay_t, invoke_result_t, is_floating_point_v, is_same_v
#include <utility>      // move

#include "tartan/core/config.hpp"            // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/core/function_objects.hpp"  // identity, invoke
#include "tartan/core/smaller.hpp"           // smaller
#include "tartan/exec/combine.hpp"           // in_lanes

namespace tartan::inline TARTAN_ABI {

struct simd_leaf;  // leaves/simd.hpp

namespace detail {

/// Pointers where the iterator is one in disguise: compilers vectorise loops over pointers.
template <class It>
TARTAN_INLINE_KERNEL constexpr auto plain(It first) {
  if constexpr (std::contiguous_iterator<It>)
    return std::to_address(first);
  else
    return first;
}

/// first[i] for any random-access iterator, without sign warnings at every use.
template <class It>
TARTAN_INLINE_KERNEL constexpr decltype(auto) at(It const& first, std::size_t i) {
  return first[static_cast<std::iter_difference_t<It>>(i)];
}

template <class It>
TARTAN_INLINE_KERNEL constexpr It advanced(It first, std::size_t n) {
  return first + static_cast<std::iter_difference_t<It>>(n);
}

/// Values must lie in memory here: keeps the compiler from contracting a multiplication before this point with an
/// addition behind it, which g++ does and clang does not.
template <class T>
TARTAN_INLINE_KERNEL void settle(T const* values) noexcept {
  asm volatile("" : : "r"(values) : "memory");
}

inline constexpr std::size_t lane_count = 64;

/// Folds the elements of one block in the shape that fixes the bits of a reduction:
///
///   lanes (arithmetic T, commuting combine): element i goes to lane i % 64, each lane combines left to right; then
///   lane j takes in lane j + stride for stride = 32, 16, 8, 4, 2, 1. Lanes that got no element are skipped.
///   order (everything else): left to right.
///
/// add() and add_mapped() may be mixed; each call but the last brings a multiple of 64 elements.
template <class T, class Map, class Combine, bool Lanes = in_lanes<Combine, T>>
class scalar_reducer;

/// As many lanes as fill eight vector registers: they are combined in registers, the others wait in memory.
template <class T>
inline constexpr std::size_t lanes_at_once = [] {
#if defined(__AVX512F__)
  constexpr std::size_t bytes = 8 * 64;
#elif defined(__AVX__)
  constexpr std::size_t bytes = 8 * 32;
#else
  constexpr std::size_t bytes = 8 * 16;
#endif
  std::size_t const lanes = bytes / sizeof(T);
  return lanes < lane_count ? lanes : lane_count;
}();

template <class T, class Map, class Combine>
class scalar_reducer<T, Map, Combine, true> {
 public:
  scalar_reducer(Map& map, Combine& combine) noexcept : map_(map), combine_(combine) {}

  template <class It>
  void add(It first, std::size_t n) {
    auto const from = plain(first);
    auto const mapped_at = [&](std::size_t i) { return static_cast<T>(detail::invoke(map_, at(from, i))); };
    if constexpr (buffered<It>) {
      std::size_t i = 0;
      if (filled_ == 0) add_stretch(0, i = smaller(n, lane_count), mapped_at);
      for (; i + stretch <= n; i += stretch) add_whole_stretch(i, mapped_at);
      for (; i != n;) {
        std::size_t const m = smaller(n - i, lane_count);
        add_stretch(i, i + m, mapped_at);
        i += m;
      }
    } else {
      fold(n, mapped_at);
    }
  }

  template <class M>
  void add_mapped(M const* values, std::size_t n) {
    fold(n, [values](std::size_t i) { return static_cast<T>(values[i]); });
  }

  /// At least one element has been added.
  [[nodiscard]] T finish() {
    if (filled_ == lane_count) {
      halve<lane_count / 2>();
    } else {
      for (std::size_t stride = lane_count / 2; stride != 0; stride /= 2)
        for (std::size_t j = 0; j + stride < filled_ && j != stride; ++j)
          lane_[j] = static_cast<T>(combine_(lane_[j], lane_[j + stride]));
    }
    return lane_[0];
  }

 private:
  /// The tree of full lanes, in loops of known length.
  template <std::size_t Stride>
  TARTAN_INLINE_KERNEL void halve() {
    for (std::size_t j = 0; j != Stride; ++j) lane_[j] = static_cast<T>(combine_(lane_[j], lane_[j + Stride]));
    if constexpr (Stride != 1) halve<Stride / 2>();
  }

  /// A map that only hands its element through has nothing to contract.
  template <class It>
  static constexpr bool buffered = std::is_floating_point_v<T> && !std::is_same_v<std::decay_t<Map>, std::identity>;

  /// Mapped values that are kept at a time. Few, as no element is loaded while they are folded, which is felt where the
  /// elements come from memory.
  static constexpr std::size_t stretch = 4 * lane_count;

  /// Of known length, so that g++ makes of each loop what it makes of a loop over an array.
  template <class Mapped>
  TARTAN_INLINE_KERNEL void add_whole_stretch(std::size_t begin, Mapped const& mapped_at) {
    T mapped[stretch];
    for (std::size_t j = 0; j != stretch; ++j) mapped[j] = mapped_at(begin + j);
    settle(mapped);
    fold_whole(0, stretch, [&](std::size_t j) { return mapped[j]; });
  }

  /// At most as many as there are lanes.
  template <class Mapped>
  TARTAN_INLINE_KERNEL void add_stretch(std::size_t begin, std::size_t end, Mapped const& mapped_at) {
    T mapped[lane_count];
    for (std::size_t j = 0; j != end - begin; ++j) mapped[j] = mapped_at(begin + j);
    settle(mapped);
    fold(end - begin, [&](std::size_t j) { return mapped[j]; });
  }

  /// value(i) goes to lane i % 64, for i in [0, n).
  template <class Value>
  TARTAN_INLINE_KERNEL void fold(std::size_t n, Value value) {
    std::size_t done = 0;
    if (filled_ == 0) [[unlikely]] {
      done = filled_ = n < lane_count ? n : lane_count;
      for (std::size_t j = 0; j != done; ++j) lane_[j] = value(j);
    }
    std::size_t const whole = (n - done) / lane_count * lane_count;
    if (whole != 0) fold_whole(done, done + whole, value);
    for (std::size_t i = done + whole, j = 0; i < n; ++i, ++j) lane_[j] = static_cast<T>(combine_(lane_[j], value(i)));
  }

  /// Rounds of all lanes; a group of them at a time stays in registers.
  template <class Value>
  TARTAN_INLINE_KERNEL void fold_whole(std::size_t begin, std::size_t end, Value value) {
    constexpr std::size_t group = lanes_at_once<T>;
    for (std::size_t g = 0; g != lane_count; g += group) {
      T acc[group];
      for (std::size_t j = 0; j != group; ++j) acc[j] = lane_[g + j];
      for (std::size_t i = begin; i != end; i += lane_count)
        for (std::size_t j = 0; j != group; ++j) acc[j] = static_cast<T>(combine_(acc[j], value(i + g + j)));
      for (std::size_t j = 0; j != group; ++j) lane_[g + j] = acc[j];
    }
  }

  Map& map_;
  Combine& combine_;
  std::size_t filled_ = 0;
  T lane_[lane_count];
};

template <class T, class Map, class Combine>
class scalar_reducer<T, Map, Combine, false> {
 public:
  scalar_reducer(Map& map, Combine& combine) noexcept : map_(map), combine_(combine) {
    // g++ does not see that value_ is read only after any_ is set, and would warn in the user's own functions.
    if constexpr (sizeof(T) <= 64) std::memset(static_cast<void*>(&value_), 0, sizeof(T));
  }
  scalar_reducer(scalar_reducer const&) = delete;
  scalar_reducer& operator=(scalar_reducer const&) = delete;
  ~scalar_reducer() {
    if (any_) value_.~T();
  }

  template <class It>
  void add(It first, std::size_t n) {
    auto const from = plain(first);
    using mapped_t = std::decay_t<std::invoke_result_t<Map&, std::iter_reference_t<It>>>;
    if constexpr (std::is_floating_point_v<mapped_t> && !std::is_same_v<std::decay_t<Map>, std::identity>) {
      mapped_t mapped[lane_count];
      for (std::size_t i = 0; i < n; i += lane_count) {
        std::size_t const m = n - i < lane_count ? n - i : lane_count;
        for (std::size_t j = 0; j != m; ++j) mapped[j] = detail::invoke(map_, at(from, i + j));
        settle(mapped);
        take(m, [&](std::size_t j) { return mapped[j]; });
      }
    } else {
      take(n, [&](std::size_t i) -> decltype(auto) { return detail::invoke(map_, at(from, i)); });
    }
  }

  /// Moves the values out.
  template <class M>
  void add_mapped(M* values, std::size_t n) {
    take(n, [&](std::size_t i) -> M&& { return std::move(values[i]); });
  }

  /// At least one element has been added.
  [[nodiscard]] T finish() { return std::move(value_); }

 private:
  /// mapped(i) goes in for each i in [0, n); into a local object, which g++ can keep in registers.
  template <class Mapped>
  TARTAN_INLINE_KERNEL void take(std::size_t n, Mapped const& mapped) {
    if (n == 0) return;
    std::size_t i = 0;
    if (!any_) {
      ::new (static_cast<void*>(&value_)) T(mapped(i++));
      any_ = true;
    }
    T value = std::move(value_);
    for (; i != n; ++i) value = detail::invoke(combine_, std::move(value), mapped(i));
    value_ = std::move(value);
  }

  Map& map_;
  Combine& combine_;
  bool any_ = false;
  union {
    T value_;
  };
};

}  // namespace detail

/// Scalars, vectorised by the compiler where the user's code allows it. Other leaves override what they do faster and
/// must give the same bits.
struct scalar_leaf {
  static constexpr bool vector = false;

  /// f(first[i]) for each i, in order.
  template <class It, class F>
  TARTAN_INLINE_KERNEL static void for_block(It first, std::size_t n, F& f) {
    auto const from = detail::plain(first);
    for (std::size_t i = 0; i != n; ++i) detail::invoke(f, detail::at(from, i));
  }

  /// out[i] = f(first[i]) for each i, in order.
  template <class It, class Out, class F>
  TARTAN_INLINE_KERNEL static void map_block(It first, std::size_t n, Out out, F& f) {
    auto const from = detail::plain(first);
    auto const to = detail::plain(out);
    for (std::size_t i = 0; i != n; ++i) detail::at(to, i) = detail::invoke(f, detail::at(from, i));
  }

  /// The fold of one block; see detail::scalar_reducer for the operations and the shape.
  template <class T, class Map, class Combine>
  using reducer = detail::scalar_reducer<T, Map, Combine>;
};

namespace detail {
/// The reducer of a leaf; under relaxed() the one that gives up the bits, where the leaf has one.
template <class Leaf, bool Relaxed, class T, class Map, class Combine>
struct reducer_of {
  using type = typename Leaf::template reducer<T, Map, Combine>;
};
template <class Leaf, class T, class Map, class Combine>
  requires requires { typename Leaf::template relaxed_reducer<T, Map, Combine>; }
struct reducer_of<Leaf, true, T, Map, Combine> {
  using type = typename Leaf::template relaxed_reducer<T, Map, Combine>;
};

/// What or_scalar() makes of a leaf: leaves that can fall back specialise it.
template <class Leaf>
struct or_scalar_of {
  using type = Leaf;
};
}  // namespace detail
template <class Leaf>
using or_scalar_t = typename detail::or_scalar_of<Leaf>::type;

}  // namespace tartan::inline TARTAN_ABI
