#pragma once
// What a leaf does to one block of a scan: the shape that fixes its bits, and the scalar way to compute it.

#include <cstddef>      // size_t
#include <iterator>     // iter_value_t
#include <type_traits>  // integral_constant, is_arithmetic_v, is_same_v, remove_cvref_t
#include <utility>      // forward, index_sequence, make_index_sequence

#include "tartan/core/config.hpp"   // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/exec/combine.hpp"  // exact
#include "tartan/exec/leaf.hpp"     // at, plain

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// out[i] = value, where the narrowing of numbers is the caller's wish.
template <class Out, class T>
TARTAN_INLINE_KERNEL void write_at(Out const& out, std::size_t i, T&& value) {
  using target = std::iter_value_t<Out>;
  if constexpr (std::is_arithmetic_v<target> && std::is_arithmetic_v<std::remove_cvref_t<T>>)
    at(out, i) = static_cast<target>(value);
  else
    at(out, i) = std::forward<T>(value);
}

/// Scans of numbers under a combine that works in lanes have this shape: groups of 64 bytes, each by itself in log2
/// steps (in step s = 1, 2, 4, ... element i of a group, where i has the bit s, takes in element (i & -s) - 1, the last
/// of the s before), then what came before the group on the left of all. It is as long as the widest vector register.
template <class T>
inline constexpr std::size_t scan_group = 64 / sizeof(T);

/// f(0), f(1), ... without a loop where their number is known: g++ would keep the elements in memory.
template <class Count, class F>
TARTAN_INLINE_KERNEL void for_indices(Count count, F&& f) {
  if constexpr (std::is_same_v<Count, std::size_t>)
    for (std::size_t i = 0; i != count; ++i) f(i);
  else
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f(I), ...); }(std::make_index_sequence<Count::value>{});
}

/// N elements, each with those before it.
template <std::size_t N, class T, class Combine>
TARTAN_INLINE_KERNEL void scan_within(T* x, Combine& combine) {
  if constexpr (N != 1) {
    constexpr std::size_t half = N / 2;
    scan_within<half>(x, combine);
    scan_within<half>(x + half, combine);
    for_indices(std::integral_constant<std::size_t, half>{},
                [&](std::size_t i) { x[half + i] = static_cast<T>(combine(x[half - 1], x[half + i])); });
  }
}

/// The first m elements of a group.
template <class T, class Combine>
void scan_within(T* x, std::size_t m, Combine& combine) {
  for (std::size_t step = 1; step < m; step *= 2)
    for (std::size_t begin = step; begin < m; begin += 2 * step)
      for (std::size_t i = begin; i != begin + step && i < m; ++i) x[i] = static_cast<T>(combine(x[begin - 1], x[i]));
}

/// Writes what has come together before (exclusive) or with (inclusive) each of n > 0 elements; gives what has come
/// together at the end. `before` is null only at the very left of an inclusive scan without init.
template <bool Inclusive, class T, class It, class Out, class Combine>
T scalar_scan_block(It first, Out out, std::size_t n, T const* before, Combine& combine) {
  auto const from = plain(first);
  auto const to = plain(out);
  constexpr std::size_t group = exact<Combine, T> ? 1 : scan_group<T>;  // whole numbers do not show the shape
  T running{};
  if (before != nullptr) running = *before;
  auto const scan_group_at = [&](std::size_t i, auto count) {
    std::size_t const m = count;
    T x[scan_group<T>];
    for_indices(count, [&](std::size_t j) { x[j] = static_cast<T>(at(from, i + j)); });
    if constexpr (std::is_same_v<decltype(count), std::size_t>)
      scan_within(x, m, combine);
    else
      scan_within<group>(x, combine);
    if (before != nullptr || i != 0)
      for_indices(count, [&](std::size_t j) { x[j] = static_cast<T>(combine(running, x[j])); });
    if constexpr (Inclusive) {
      for_indices(count, [&](std::size_t j) { write_at(to, i + j, x[j]); });
    } else {
      for_indices(count, [&](std::size_t j) { write_at(to, i + j, j == 0 ? running : x[j - 1]); });
    }
    running = x[m - 1];
  };
  std::size_t i = 0;
  for (; i + group <= n; i += group) scan_group_at(i, std::integral_constant<std::size_t, group>{});
  if (i != n) scan_group_at(i, n - i);
  return running;
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
