#pragma once
// What tiles of several steps and tiles of several passes both do: they copy parts of a grid into the cache, and find
// the rows round those that they compute, there or in the grid.

#include <cstddef>  // size_t, ptrdiff_t
#include <vector>   // vector

#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/exec/stencil_row.hpp"          // row_neighbours
#include "tartan/patterns/stencil/edges.hpp"    // edge_index
#include "tartan/patterns/stencil/options.hpp"  // edge, edge_rule
#include "tartan/patterns/stencil/rings.hpp"    // block_extents, block_view, copy_short, field_rings, prefetch_line

namespace tartan::inline TARTAN_ABI::detail {

/// Where a grid ends for those who walk over it.
struct grid_ends {
  edge kind;

  [[nodiscard]] bool wraps() const noexcept { return kind == edge::wrap; }
  /// i, or the end of the grid where that comes first and nothing lies behind it.
  [[nodiscard]] std::ptrdiff_t low(std::ptrdiff_t i) const noexcept { return wraps() || i > 0 ? i : 0; }
  [[nodiscard]] std::ptrdiff_t high(std::ptrdiff_t i, std::ptrdiff_t n) const noexcept {
    return wraps() || i < n ? i : n;
  }
  [[nodiscard]] bool outside(std::ptrdiff_t i, std::ptrdiff_t n) const noexcept {
    return !wraps() && (i < 0 || i >= n);
  }
};

/// Rows y0 to y1, columns x0 to x1 of a plane.
struct plane_part {
  std::ptrdiff_t y0, y1, x0, x1;
};

/// That part of the tile and of what lies up to dy rows and dx columns round it which the grid has.
[[nodiscard]] inline plane_part part_round(tile const& t, grid_ends const& ends, block_extents const& size,
                                           std::ptrdiff_t dy, std::ptrdiff_t dx) noexcept {
  return {ends.low(t.row_begin - dy), ends.high(t.row_end + dy, size.rows), ends.low(t.column_begin - dx),
          ends.high(t.column_end + dx, size.columns)};
}

/// copy[x0] to copy[x1] become those elements of a row of n, which comes round at both ends.
template <class T>
void stage_columns(T const* row, std::ptrdiff_t n, T* copy, std::ptrdiff_t x0, std::ptrdiff_t x1) {
  std::ptrdiff_t const own0 = x0 < 0 ? 0 : x0, own1 = x1 > n ? n : x1;
  copy_short(row + own0, own1 - own0, copy + own0);
  for (std::ptrdiff_t x = x0; x < 0; ++x) copy[x] = row[edge_index(edge::wrap, x, n)];
  for (std::ptrdiff_t x = n; x < x1; ++x) copy[x] = row[edge_index(edge::wrap, x, n)];
}

/// Asks for some columns of a row that a tile copies later: nothing where the grid has no such plane. A few lines at
/// once: of many at once the processor drops most.
template <class T>
void prefetch_row(block_view<T const> const& grid, block_extents const& size, std::ptrdiff_t z, std::ptrdiff_t y,
                  columns const& due) {
  if (z < 0 || z >= size.planes) return;
  T const* const row = grid.row(z, y);
  std::ptrdiff_t const end = due.end < size.columns ? due.end : size.columns;
  for (std::ptrdiff_t x = due.begin > 0 ? due.begin : 0; x < end; x += line_elements<T>) prefetch_line(row + x);
}

/// The rings of one field (or of the state before one pass), and where the planes lie that are looked at now.
template <class T>
class held_field {
 public:
  field_rings<T> ring;
  std::ptrdiff_t row_stride = 0;  ///< of the planes that are looked at
  std::ptrdiff_t ahead = 0;       ///< see row_neighbours

  /// For functions that look `radius` planes far, of which up to `together` are computed at once.
  void prepare(field_rings<T> const& rings, std::ptrdiff_t radius, std::size_t together, bool rows_of_planes) {
    ring = rings;
    radius_ = radius;
    std::size_t const all = 2 * static_cast<std::size_t>(radius) + together;
    planes_.resize(all);
    rows_.resize(rows_of_planes ? all : 0);
  }

  /// Finds row 0 of the planes round the `count` planes from z on: by place(p) for plane p, of which the grid has n.
  template <class EdgeValue, class Place>
  void look_round(std::ptrdiff_t z, std::ptrdiff_t count, std::ptrdiff_t n, edge_rule<EdgeValue> const& edges,
                  std::ptrdiff_t stride, Place const& place) {
    grid_ends const ends{edges.kind};
    row_stride = stride;
    looked_at_ = static_cast<std::size_t>(2 * radius_ + count);
    for (std::size_t i = 0; i != looked_at_; ++i) {
      std::ptrdiff_t const p = z + static_cast<std::ptrdiff_t>(i) - radius_;
      bool const outside = ends.outside(p, n);
      if (outside && edges.kind == edge::constant)
        planes_[i] = ring.constant_plane();
      else
        planes_[i] = place(outside ? edge_index(edges.kind, p, n) : p);
    }
  }

  /// Row y of those planes.
  [[nodiscard]] row_neighbours<T> neighbours(std::ptrdiff_t y) {
    if (rows_.empty()) return {planes_.data() + radius_, row_stride, ahead};
    for (std::size_t i = 0; i != looked_at_; ++i) rows_[i] = planes_[i] + y * row_stride;
    return {rows_.data() + radius_, row_stride, ahead};
  }

 private:
  std::ptrdiff_t radius_ = 0;
  std::size_t looked_at_ = 0;
  std::vector<T const*> planes_;  ///< row 0 of each plane round those that are computed
  std::vector<T const*> rows_;    ///< the row of each that is at the height of the one that is computed
};

}  // namespace tartan::inline TARTAN_ABI::detail
