#pragma once
// What lies behind the rim: which element an index outside the grid means, and rows with such elements filled in.

#include <cstddef>  // ptrdiff_t

#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/patterns/stencil/options.hpp"  // edge, edge_rule

namespace tartan::inline TARTAN_ABI::detail {

/// The element that index i of n means under a rule that repeats elements. |i| is less than n outside the grid.
[[nodiscard]] constexpr std::ptrdiff_t edge_index(edge kind, std::ptrdiff_t i, std::ptrdiff_t n) noexcept {
  if (i >= 0 && i < n) return i;
  switch (kind) {
    case edge::wrap:
      return (i % n + n) % n;
    case edge::reflect:
      return i < 0 ? -i : 2 * (n - 1) - i;
    case edge::symmetric:
      return i < 0 ? -1 - i : 2 * n - 1 - i;
    case edge::clamp:
    case edge::constant:
    case edge::none:
      break;
  }
  return i < 0 ? 0 : n - 1;
}

/// How many elements a dimension needs for a radius under a rule.
[[nodiscard]] constexpr std::ptrdiff_t least_extent(edge kind, std::ptrdiff_t radius) noexcept {
  switch (kind) {
    case edge::wrap:
    case edge::symmetric:
      return radius < 1 ? 1 : radius;
    case edge::reflect:
      return radius + 1;
    case edge::none:
      return 2 * radius + 1;
    case edge::clamp:
    case edge::constant:
      break;
  }
  return 1;
}

/// Writes the elements behind both ends of a row of n (not for wrap and none), `left` and `right` of them. Behind
/// the radius, where only idle vector lanes look, the last element is repeated.
template <class T>
void fill_row_ends(T* row, std::ptrdiff_t n, std::ptrdiff_t left, std::ptrdiff_t right, std::ptrdiff_t radius,
                   edge kind, T value) {
  auto const outside = [&](std::ptrdiff_t i, std::ptrdiff_t distance) {
    if (distance > radius) return i < 0 ? row[0] : row[n - 1];
    return kind == edge::constant ? value : row[edge_index(kind, i, n)];
  };
  for (std::ptrdiff_t d = 1; d <= left; ++d) row[-d] = outside(-d, d);
  for (std::ptrdiff_t d = 1; d <= right; ++d) row[n - 1 + d] = outside(n - 1 + d, d);
}

}  // namespace tartan::inline TARTAN_ABI::detail
