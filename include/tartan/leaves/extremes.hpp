#pragma once
// Where the smallest and the largest of a block of numbers are.

#include <cstddef>      // size_t
#include <iterator>     // iter_value_t
#include <type_traits>  // conditional_t, is_floating_point_v
#include <utility>      // pair

#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/core/smaller.hpp"       // smaller
#include "tartan/exec/combine.hpp"       // maximum, minimum
#include "tartan/leaves/arithmetic.hpp"  // operators
#include "tartan/leaves/combine.hpp"     // lane_combine
#include "tartan/leaves/isa.hpp"         // has_fused_multiply_add
#include "tartan/leaves/mask.hpp"        // any, first_true, last_true
#include "tartan/leaves/numeric.hpp"     // fma
#include "tartan/leaves/pack.hpp"        // native_pack
#include "tartan/leaves/reduce.hpp"      // fold_lanes
#include "tartan/leaves/source.hpp"      // source

namespace tartan::inline TARTAN_ABI::lanes::impl {

/// Elements that are compared before it is looked whether the best of them is better than all before; the place of the
/// best is looked for in one such piece only.
template <class T>
inline constexpr std::size_t extreme_piece = 32 * native_pack<T>::size;

/// The best of what it is shown, piece by piece: the first smallest, or the last smallest, first largest, ... No NaN
/// is among them.
template <bool Largest, bool Last, class T>
class extreme {
  using P = native_pack<T>;

 public:
  static constexpr std::size_t rows = 4;

  TARTAN_INLINE_KERNEL explicit extreme(T first) : best_(first) {}

  TARTAN_INLINE_KERNEL void begin(P const& x) {
    unroll<rows>([&](auto r) TARTAN_INLINE_LAMBDA { most_[r] = x; });
  }
  TARTAN_INLINE_KERNEL void take(std::size_t r, P const& x) { most_[r] = better(most_[r], x); }

  /// All of the piece that begins at place `at` have been taken.
  TARTAN_INLINE_KERNEL void end(std::size_t at) {
    P const all = better(better(most_[0], most_[1]), better(most_[2], most_[3]));
    if (!any(replaces(all, best_))) [[likely]]
      return;
    order combine;
    best_ = fold_lanes<lane_combine<order, T>>(all, combine);
    piece_ = at;
  }

  /// The place of the best, of n elements in all.
  template <class It>
  [[nodiscard]] std::size_t place(source<It> const& from, std::size_t n) const {
    constexpr std::size_t W = P::size;
    std::size_t const end = detail::smaller(n, piece_ + extreme_piece<T> + W);  // the first piece may be longer
    std::size_t found = piece_, i = piece_;
    if constexpr (!Last)
      for (; i + 4 * W <= end; i += 4 * W) {
        auto hit = from.template load<W>(i) == best_;
        unroll<3>([&](auto u) TARTAN_INLINE_LAMBDA { hit = hit | (from.template load<W>(i + (u + 1) * W) == best_); });
        if (any(hit)) break;
      }
    for (; i < end; i += W) {
      auto const hit = end - i >= W
                           ? from.template load<W>(i) == best_
                           : (from.template load_first<W>(i, end - i) == best_) & mask<sizeof(T), W>::first(end - i);
      if (!any(hit)) continue;
      if constexpr (!Last) return i + first_true(hit);
      found = i + last_true(hit);
    }
    return found;
  }

 private:
  using order = std::conditional_t<Largest, maximum, minimum>;

  TARTAN_INLINE_KERNEL static P better(P const& a, P const& b) {
    order combine;
    return lane_combine<order, T>::template apply<P::size>(combine, a, b);
  }
  TARTAN_INLINE_KERNEL static auto replaces(P const& a, T const& b) {
    if constexpr (Largest && Last)
      return a >= b;
    else if constexpr (Largest)
      return a > b;
    else if constexpr (Last)
      return a <= b;
    else
      return a < b;
  }

  P most_[rows];
  T best_;
  std::size_t piece_ = 0;
};

/// Shows n > 0 numbers to `seekers`. False where NaN is among them: it has no place in the order.
template <class It, class... Seekers>
TARTAN_INLINE_KERNEL bool seek(source<It> const& from, std::size_t n, Seekers&... seekers) {
  using T = typename source<It>::value_type;
  using P = native_pack<T>;
  constexpr std::size_t W = P::size, rows = 4;
  P sum[rows];  // NaN stays in a sum; infinities and overflow may put it there too, so that is not the last word
  [[maybe_unused]] P one{T{1}};
  opaque(one.part[0]);
  unroll<rows>([&](auto r) TARTAN_INLINE_LAMBDA { sum[r] = P{T{}}; });
  auto const take = [&](std::size_t r, P const& x) TARTAN_INLINE_LAMBDA {
    (seekers.take(r, x), ...);
    // A product with 1, because some processors add where they compare, and multiply elsewhere.
    if constexpr (std::is_floating_point_v<T> && has_fused_multiply_add) sum[r] = fma(x, one, sum[r]);
    if constexpr (std::is_floating_point_v<T> && !has_fused_multiply_add) sum[r] = sum[r] + x;
  };
  std::size_t i = n < W ? 0 : unaligned_elements(from);  // the first look takes them in
  for (std::size_t begin = 0; begin < n;) {
    std::size_t const end = detail::smaller(n, i + extreme_piece<T>);
    P const first = end - begin >= W ? from.template load<W>(begin) : from.template load_first<W>(begin, end - begin);
    (seekers.begin(first), ...);
    if (begin == 0) take(0, first);
    for (; i + rows * W <= end; i += rows * W)
      unroll<rows>([&](auto r) TARTAN_INLINE_LAMBDA { take(r, from.template load<W>(i + r * W)); });
    for (; i + W <= end; i += W) take(0, from.template load<W>(i));
    if (i != end) take(0, from.template load_first<W>(i, end - i));
    (seekers.end(begin), ...);
    begin = i = end;
  }
  if constexpr (std::is_floating_point_v<T>) {
    P const all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    if (any(all != all)) [[unlikely]]
      for (i = 0; i < n; i += W) {
        P const x = n - i >= W ? from.template load<W>(i) : from.template load_first<W>(i, n - i);
        if (any(x != x)) return false;
      }
  }
  return true;
}

/// The index of the first smallest (or largest) of n > 0 elements; n where NaN is among them.
template <bool Largest, class It>
TARTAN_FLATTEN std::size_t extreme_place(source<It> const& from, std::size_t n) {
  using T = typename source<It>::value_type;
  extreme<Largest, false, T> one(from.template load<1>(0)[0]);
  return seek(from, n, one) ? one.place(from, n) : n;
}

/// The first smallest and the last largest of n > 0 elements; n where NaN is among them.
template <class It>
TARTAN_FLATTEN std::pair<std::size_t, std::size_t> extreme_places(source<It> const& from, std::size_t n) {
  using T = typename source<It>::value_type;
  T const first = from.template load<1>(0)[0];
  extreme<false, false, T> least(first);
  extreme<true, true, T> most(first);
  if (!seek(from, n, least, most)) return {n, n};
  return {least.place(from, n), most.place(from, n)};
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
