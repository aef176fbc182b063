#pragma once
// What lies behind the rim: which element an index outside the grid means, and rows with such elements filled in.

#include <algorithm>  // copy_n, fill, fill_n
#include <array>      // array
#include <cstddef>    // ptrdiff_t

#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/patterns/stencil/options.hpp"  // edge, edge_rule
#include "tartan/patterns/stencil/rings.hpp"    // block_extents, line_elements, ring_window

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

/// The same in a row whose elements come in groups.
[[nodiscard]] constexpr std::ptrdiff_t column_index(edge kind, std::ptrdiff_t group, std::ptrdiff_t i,
                                                    std::ptrdiff_t n) noexcept {
  if (group == 1) return edge_index(kind, i, n);
  std::ptrdiff_t const which = i >= 0 ? i / group : -((group - 1 - i) / group);
  return edge_index(kind, which, n / group) * group + (i - which * group);
}

/// Writes the elements behind both ends of a row of n (not for wrap and none), `left` and `right` of them. Behind
/// the radius, where only idle vector lanes look, the last element is repeated.
template <class T, class EdgeValue>
void fill_row_ends(T* row, std::ptrdiff_t n, std::ptrdiff_t left, std::ptrdiff_t right, std::ptrdiff_t radius,
                   edge_rule<EdgeValue> const& edges) {
  std::ptrdiff_t const from_left = left < radius ? left : radius, from_right = right < radius ? right : radius;
  if (edges.kind == edge::constant) {
    std::fill_n(row - from_left, from_left, static_cast<T>(edges.value));
    std::fill_n(row + n, from_right, static_cast<T>(edges.value));
  } else {
    for (std::ptrdiff_t d = 1; d <= from_left; ++d) row[-d] = row[column_index(edges.kind, edges.group, -d, n)];
    for (std::ptrdiff_t d = 0; d < from_right; ++d) row[n + d] = row[column_index(edges.kind, edges.group, n + d, n)];
  }
  // An end that is not asked for may lie outside of the ring: its last element is not looked at.
  if (left > from_left) std::fill(row - left, row - from_left, row[0]);
  if (right > from_right) std::fill(row + n + from_right, row + n + right, row[n - 1]);
}

/// The same where a part of the row is known, and where that reaches its ends.
template <class T, class EdgeValue>
void fill_row_ends(T* row, block_extents const& size, bool left, bool right, std::ptrdiff_t radius,
                   edge_rule<EdgeValue> const& edges) {
  if (left || right)
    fill_row_ends(row, size.columns, left ? radius : 0, right ? radius + line_elements<T> : 0, radius, edges);
}

/// A plane in a ring, and which part of it is known.
template <class T>
struct ring_plane {
  T* first;  ///< row 0, column 0
  std::ptrdiff_t stride;
  ring_window window;
  std::ptrdiff_t y0, y1, x0, x1;  ///< rows and columns that are known
};

/// Fills in the rows behind the rim of the grid of `size` (not for wrap and none), where the known part reaches it.
template <class T, class EdgeValue>
void fill_rows_outside(ring_plane<T> const& p, block_extents const& size, std::array<std::ptrdiff_t, 3> const& radius,
                       edge_rule<EdgeValue> const& edges) {
  auto const copy_row = [&](std::ptrdiff_t y) {
    T* const row = p.first + y * p.stride + p.window.column_begin;
    std::ptrdiff_t const n = p.window.column_end - p.window.column_begin;
    if (edges.kind == edge::constant)
      std::fill_n(row, n, static_cast<T>(edges.value));
    else
      std::copy_n(p.first + edge_index(edges.kind, y, size.rows) * p.stride + p.window.column_begin, n, row);
  };
  if (p.y0 == 0)
    for (std::ptrdiff_t y = -radius[1]; y < 0; ++y) copy_row(y);
  if (p.y1 == size.rows)
    for (std::ptrdiff_t y = size.rows; y < size.rows + radius[1]; ++y) copy_row(y);
}

/// Fills in what lies behind the rim on all sides, where the known part reaches it.
template <class T, class EdgeValue>
void fill_plane_ends(ring_plane<T> const& p, block_extents const& size, std::array<std::ptrdiff_t, 3> const& radius,
                     edge_rule<EdgeValue> const& edges) {
  if (edges.kind == edge::wrap || edges.kind == edge::none) return;
  for (std::ptrdiff_t y = p.y0; y != p.y1; ++y)
    fill_row_ends(p.first + y * p.stride, size, p.x0 == 0, p.x1 == size.columns, radius[2], edges);
  fill_rows_outside(p, size, radius, edges);
}

}  // namespace tartan::inline TARTAN_ABI::detail
