#pragma once
// How a grid is cut into tiles and how many steps a tile takes at once.

#include <algorithm>  // max, min
#include <array>      // array
#include <cstddef>    // size_t, ptrdiff_t
#include <limits>     // numeric_limits

#include "tartan/core/caches.hpp"                   // caches
#include "tartan/core/config.hpp"                   // TARTAN_ABI
#include "tartan/patterns/stencil/ring_layout.hpp"  // ring_layout
#include "tartan/patterns/stencil/rings.hpp"        // block_extents, round_up, tile

namespace tartan::inline TARTAN_ABI::detail {

/// Rows and columns of a tile, the number of bands that the planes are cut into, and the steps at once.
struct tiling {
  std::ptrdiff_t depth, rows, columns, bands;
};

/// What the choice depends on.
struct tiling_problem {
  block_extents size;
  std::array<std::ptrdiff_t, 3> radius;
  std::size_t steps;        ///< that are still to do
  std::size_t wanted;       ///< steps at once that the user asked for; 0 lets the estimate decide
  std::size_t point_bytes;  ///< of all fields that a step reads or writes, at one point
  std::ptrdiff_t unit;      ///< tiles begin at multiples of so many columns
  std::size_t workers;
  std::ptrdiff_t history;  ///< see ring_layout
  std::size_t dimensions;
};

/// Tiles of as even a width as the unit allows: not more than n.
[[nodiscard]] inline std::ptrdiff_t tile_columns(tiling_problem const& p, std::ptrdiff_t n) noexcept {
  auto const workers = static_cast<std::ptrdiff_t>((std::max)(p.workers, std::size_t{1}));
  if (p.size.planes == 1 && n > 1) n = round_up(n, workers);  // else bands of planes even the workers' shares
  return round_up((p.size.columns + n - 1) / n, p.unit);
}

/// The tiling of least estimated time. The estimate weighs what a deeper tile saves (passes over memory) against what
/// it costs (points of the halo computed twice), under the condition that its rows stay in the cache.
[[nodiscard]] inline tiling choose_tiling(tiling_problem const& p) {
  constexpr double compute = 1.0;           // a point computed in the cache; the other costs are relative to it
  constexpr double memory_byte = 0.35;      // a byte from and to memory, per point
  constexpr double cache_byte = 0.08;       // the same where the whole grid stays in the last-level cache
  constexpr double first_level = 28 << 10;  // what rows may take of the smallest first-level cache, 32 KiB
  static constexpr std::ptrdiff_t depths[] = {1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64};
  auto const bytes = static_cast<double>(p.point_bytes);
  auto const points = static_cast<double>(p.size.planes * p.size.rows * p.size.columns);
  double const whole = bytes * 2 * points;
  double const begin_alone = 4000, begin_shared = 40000;  // what it costs to hand out tiles, and to wait for the last
  double const byte_cost = whole < caches().middle / 2 ? 0.02 : whole < caches().last / 4 ? cache_byte : memory_byte;

  // What rings may take, in second-level caches. More than one is faster where each tile has a halo to compute twice: a
  // larger tile has less of it, and what does not fit comes from the worker's share of the last-level cache.
  double const share = caches().last / (3 * static_cast<double>((std::max)(p.workers, std::size_t{1})));
  double const wish = caches().middle * (p.size.planes == 1 ? 0.6 : p.size.rows == 1 ? 1.25 : 3.5);
  double const room = (std::max)(caches().middle * 0.6, (std::min)(wish, share));
  tiling best{1, p.size.rows, p.size.columns, 1};
  double best_cost = (std::numeric_limits<double>::max)();
  for (std::ptrdiff_t depth : depths) {
    if (p.wanted != 0) {
      if (depth != 1) break;
      depth = static_cast<std::ptrdiff_t>((std::min)(p.wanted, p.steps));
    }
    ring_layout const layout{p.radius, depth, p.history, p.dimensions};
    bool const never_rings = p.history == 0 && p.radius[0] == 0;
    if (static_cast<std::size_t>(depth) > p.steps || (depth > 32 && p.wanted == 0 && !never_rings)) break;
    for (std::ptrdiff_t across = 1, columns = 0; columns != p.unit; across += (across + 2) / 3) {
      if (std::ptrdiff_t const next = tile_columns(p, across); next != columns)
        columns = next;
      else
        continue;
      for (std::ptrdiff_t rows = p.size.rows; rows >= 1; rows = rows == 1 ? 0 : (rows + 1) / 2) {
        auto const halo_y = static_cast<double>(depth * p.radius[1]), halo_x = static_cast<double>(depth * p.radius[2]);
        double const y = static_cast<double>(rows), x = static_cast<double>(columns);
        bool const whole_x = columns >= p.size.columns, whole_y = rows >= p.size.rows;
        double const planes = static_cast<double>(layout.all_planes());
        double const held = (y + 2 * halo_y) * (x + 2 * halo_x + 64) * planes * bytes;
        double const fits = depth == 1 ? caches().middle * 0.75 : room;
        double const computed = (whole_y ? 1 : (y + halo_y) / y) * (whole_x ? 1 : (x + halo_x) / x);
        double const read = (whole_y ? 1 : (y + 2 * halo_y) / y) * (whole_x ? 1 : (x + 2 * halo_x) / x);
        double const line_waste = whole_x ? 1 : 1 + 16 / x;  // prefetchers run past the ends of short rows
        double const row_ends = 1 + 40 / x;  // the first and last vectors of a row, and what a row costs at all
        double cost =
            compute * computed * row_ends + byte_cost * bytes * (read + 1) * line_waste / static_cast<double>(depth);
        // A line has no bands of planes: taken whole it is one worker's, who waits for nobody.
        bool const line = p.size.planes == 1, alone = p.workers == 1 || (line && whole_x && whole_y);
        double const all = line ? static_cast<double>(p.workers) : 1;
        if (alone) cost *= all;
        cost += all * (alone ? begin_alone : begin_shared) / (points * static_cast<double>(depth));
        if (held > fits) cost += 0.5 * bytes * (held / fits - 1);
        if (layout.alternates() && held > first_level) cost += (std::min)(0.3, held / first_level - 1);
        if (cost < best_cost) {
          best_cost = cost;
          best = {depth, rows, columns, 1};
        }
      }
    }
  }
  std::ptrdiff_t const across =
      ((p.size.rows + best.rows - 1) / best.rows) * ((p.size.columns + best.columns - 1) / best.columns);
  // Enough tiles for all workers, and as many for each.
  auto const workers = static_cast<std::ptrdiff_t>(p.workers);
  if (workers > 1) {
    std::ptrdiff_t bands = 1;
    while (bands < 4 * workers && (across * bands < 2 * workers || across * bands % workers != 0)) ++bands;
    std::ptrdiff_t const least = (std::max)(std::ptrdiff_t{1}, 2 * best.depth * p.radius[0]);
    best.bands = (std::max)(std::ptrdiff_t{1}, (std::min)(bands, p.size.planes / least));
  }
  return best;
}

/// Tile number i.
[[nodiscard]] inline tile tile_of(tiling const& t, block_extents const& size, std::ptrdiff_t i) noexcept {
  std::ptrdiff_t const across_x = (size.columns + t.columns - 1) / t.columns;
  std::ptrdiff_t const across_y = (size.rows + t.rows - 1) / t.rows;
  std::ptrdiff_t const x = i % across_x, y = i / across_x % across_y, z = i / (across_x * across_y);
  return {size.planes * z / t.bands,
          size.planes * (z + 1) / t.bands,
          y * t.rows,
          (std::min)(size.rows, (y + 1) * t.rows),
          x * t.columns,
          (std::min)(size.columns, (x + 1) * t.columns)};
}

[[nodiscard]] inline std::ptrdiff_t tile_count(tiling const& t, block_extents const& size) noexcept {
  return ((size.columns + t.columns - 1) / t.columns) * ((size.rows + t.rows - 1) / t.rows) * t.bands;
}

}  // namespace tartan::inline TARTAN_ABI::detail
