#pragma once
// One tile of a stencil, several steps deep.
//
// A tile walks through the planes of its part of the grid. In one tick it copies a plane of the present state into
// the cache (level 0) and computes, for each step k of its depth, the plane that lies k radii behind (level k), from
// the planes of level k - 1 round it:
//
//   tick t     level 0: plane t     level 1: plane t - r     level 2: plane t - 2r  ...  level K: plane t - Kr -> grid
//
// A tick takes a few neighbouring planes at once, so that a level finds most of what it reads in the first-level cache.
// A level needs r more rows and columns on each side than the next, so tiles overlap by K radii and compute the
// overlap twice; they never wait for each other. Every point is computed by the same function from the same values as
// in plain sweeps, so the depth and the cut into tiles never show in the result.

#include <algorithm>    // copy_n, fill_n, max, min
#include <array>        // array
#include <cstddef>      // size_t, ptrdiff_t
#include <tuple>        // get, tuple
#include <type_traits>  // remove_const_t
#include <utility>      // index_sequence
#include <vector>       // vector

#include "tartan/core/config.hpp"             // TARTAN_ABI
#include "tartan/exec/stencil_row.hpp"        // stencil_rows, row_neighbours, row_extent
#include "tartan/patterns/stencil/edges.hpp"  // edge_index, fill_plane_ends
#include "tartan/patterns/stencil/rings.hpp"  // block_view, copy_short, field_rings, prefetch_line, tile, ring_window

namespace tartan::inline TARTAN_ABI::detail {

/// Everything that the tiles of one pass share. `In` are the fields that the function sees, `Out` the values that it
/// returns; the first sizeof...(Out) changing fields are those values' own. `History` counts the changing fields when
/// the function returns one value for several of them.
template <class Leaf, std::size_t D, class F, class EdgeValue, class InList, class OutList, std::size_t... Moving>
class stencil_sweep;

template <class Leaf, std::size_t D, class F, class EdgeValue, class... In, class... Out, std::size_t... Moving>
class stencil_sweep<Leaf, D, F, EdgeValue, std::tuple<In...>, std::tuple<Out...>, Moving...> {
 public:
  static constexpr std::size_t ins = sizeof...(In), outs = sizeof...(Out), moving = sizeof...(Moving);
  static constexpr bool history = outs == 1 && moving > 1;
  using first_out = std::tuple_element_t<0, std::tuple<Out...>>;

  F& f;
  block_extents size;
  std::array<std::ptrdiff_t, 3> radius;  ///< planes, rows, columns
  edge_rule<EdgeValue> edges;
  std::ptrdiff_t depth;  ///< steps at once
  bool bypass;           ///< the new state does not fit the caches: write past them
  std::tuple<block_view<In const>...> from;
  std::tuple<block_view<Out>...> to;
  std::array<block_view<first_out>, moving + 1> past;  ///< where older states of a history go, [1] and on

  /// Bytes of rings that a tile needs.
  [[nodiscard]] std::size_t ring_bytes(tile const& t) const {
    std::size_t total = 64;
    each_in([&](auto i) { total += bytes_of<i>(t); });
    return total;
  }

  void run(tile const& t, ring_memory& memory) const {
    rings all;
    std::byte* at = memory.reserve(ring_bytes(t));
    std::ptrdiff_t const r = radius[0];
    each_in([&](auto i) {
      using T = in_type<i>;
      std::get<i>(all.fields).ring = field_rings<T>(reinterpret_cast<T*>(at), window<T>(t), ring_depth<i>());
      std::get<i>(all.fields).planes.resize(static_cast<std::size_t>(2 * r) + rows_at_once);
      std::get<i>(all.fields).rows.resize(D == 3 ? static_cast<std::size_t>(2 * r) + 1 : 0);
      at += bytes_of<i>(t);
      prepare<i>(std::get<i>(all.fields).ring, t);
    });
    std::ptrdiff_t const at_once = planes_at_once();
    all.direct = direct_columns(t);
    for (std::ptrdiff_t tick = t.plane_begin - depth * r; tick < t.plane_end + depth * r; tick += at_once) {
      for (std::ptrdiff_t z = low(tick); z < high(tick + at_once, size.planes); ++z)
        each_in([&](auto i) { stage<i>(all, t, z); });
      for (std::ptrdiff_t k = 1; k <= depth; ++k) {
        std::ptrdiff_t const first = tick - k * r, margin = (depth - k) * r;
        std::ptrdiff_t const begin = (std::max)(first, low(t.plane_begin - margin));
        std::ptrdiff_t const end = (std::min)(first + at_once, high(t.plane_end + margin, size.planes));
        std::ptrdiff_t const width = t.column_end - t.column_begin;
        columns const due{t.column_begin + width * (k - 1) / depth, t.column_begin + width * k / depth};
        for (std::ptrdiff_t z = begin; z < end;) {
          std::ptrdiff_t const count = planes_together(z, end);
          all.coming = {tick + at_once + (z - first), due};
          if (D == 2 && depth != 1) prefetch(t, count, all.coming);
          compute(all, t, k, z, count);
          z += count;
        }
      }
    }
    if (bypass) finish_bypassing_writes();
  }

 private:
  template <class T>
  struct field_state {
    field_rings<T> ring;
    std::vector<T const*> planes;  ///< row 0 of each plane round those that are computed
    std::vector<T const*> rows;    ///< the row of each that is at the height of the one that is computed
    std::ptrdiff_t row_stride = 0, ahead = 0;
  };
  /// What a later tick copies, and which columns of it are asked for now.
  struct coming_part {
    std::ptrdiff_t plane;
    columns due;
  };
  struct rings {
    std::tuple<field_state<In>...> fields;
    columns direct;  ///< What step 1 reads from the grid itself.
    coming_part coming;
  };
  template <std::size_t I>
  using in_type = std::tuple_element_t<I, std::tuple<In...>>;
  static constexpr std::array<std::size_t, moving + 1> moving_index{Moving..., 0};
  static constexpr std::size_t rows_at_once = stencil_rows_at_once<Leaf, D, F, In...>;
  static constexpr std::ptrdiff_t worth_pieces = 48;  ///< Vectors for which a row may begin and end three times.

  template <class G>
  static void each_in(G&& g) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (g(std::integral_constant<std::size_t, I>{}), ...);
    }(std::make_index_sequence<ins>{});
  }

  template <std::size_t I>
  static constexpr bool moves = ((I == Moving) || ...);
  /// The place of field I among those that move.
  template <std::size_t I>
  static constexpr std::size_t rank = [] {
    std::size_t r = 0;
    for (std::size_t m = 0; m != moving; ++m)
      if (moving_index[m] == I) r = m;
    return r;
  }();
  /// Whether levels above 0 of field I are computed (not for fixed fields and for the past).
  template <std::size_t I>
  static constexpr bool produced = moves<I> && rank<I> < outs;

  [[nodiscard]] bool wraps() const noexcept { return edges.kind == edge::wrap; }
  /// i, or the end of the grid where that comes first and nothing lies behind it.
  [[nodiscard]] std::ptrdiff_t low(std::ptrdiff_t i) const noexcept { return wraps() || i > 0 ? i : 0; }
  [[nodiscard]] std::ptrdiff_t high(std::ptrdiff_t i, std::ptrdiff_t n) const noexcept {
    return wraps() || i < n ? i : n;
  }

  /// Planes that a tick takes: as many as rings of the same size allow, in whole groups of those computed at once.
  [[nodiscard]] std::ptrdiff_t planes_at_once() const noexcept {
    std::ptrdiff_t most = 64;
    each_in([&](auto i) { most = (std::min)(most, ring_depth<i>() - held_behind<i>()); });
    constexpr auto group = static_cast<std::ptrdiff_t>(rows_at_once);
    return most > group ? most / group * group : most;
  }

  /// Planes that a level of field I needs beside those that a tick takes.
  template <std::size_t I>
  [[nodiscard]] std::ptrdiff_t held_behind() const noexcept {
    if constexpr (moves<I>)
      return (2 + static_cast<std::ptrdiff_t>(history ? moving : 0)) * radius[0];
    else
      return (1 + depth) * radius[0];
  }

  /// Planes that a level keeps, a power of two.
  template <std::size_t I>
  [[nodiscard]] std::ptrdiff_t ring_depth() const noexcept {
    std::ptrdiff_t const least = held_behind<I>() + (radius[0] == 0 ? 1 : D == 2 ? row_group : 2);
    std::ptrdiff_t power = 1;
    while (power < least) power *= 2;
    return power;
  }

  /// How many of the planes from z to end are computed at once: rows of a 2D grid share what they load.
  [[nodiscard]] std::ptrdiff_t planes_together(std::ptrdiff_t z, std::ptrdiff_t end) const noexcept {
    constexpr auto most = static_cast<std::ptrdiff_t>(rows_at_once);
    bool const whole = end - z >= most && !is_rim_plane(z) && !is_rim_plane(z + most - 1);
    return whole ? most : 1;
  }
  [[nodiscard]] bool is_rim_plane(std::ptrdiff_t z) const noexcept {
    return edges.kind == edge::none && (z < radius[0] || z >= size.planes - radius[0]);
  }

  /// Asks for the due columns of `count` planes while a step computes as many; those of all steps together are the
  /// whole. A few lines at once: of many at once the processor drops most. (A single sweep asks in its rows.)
  void prefetch(tile const& t, std::ptrdiff_t count, coming_part const& part) const {
    std::ptrdiff_t const end = (std::min)(part.plane + count, size.planes);
    for (std::ptrdiff_t z = (std::max)(part.plane, std::ptrdiff_t{0}); z < end; ++z)
      for (std::ptrdiff_t y = t.row_begin; y != t.row_end; ++y) prefetch_row(z, y, part.due);
  }
  void prefetch_row(std::ptrdiff_t z, std::ptrdiff_t y, columns const& due) const {
    each_in([&](auto i) { prefetch_part<i>(z, y, due); });
  }
  template <std::size_t I>
  void prefetch_part(std::ptrdiff_t z, std::ptrdiff_t y, columns const& due) const {
    auto const* const row = std::get<I>(from).row(z, y);
    std::ptrdiff_t const end = (std::min)(due.end, size.columns);
    for (std::ptrdiff_t x = (std::max)(due.begin, std::ptrdiff_t{0}); x < end; x += line_elements<in_type<I>>)
      prefetch_line(row + x);
  }

  template <class T>
  [[nodiscard]] ring_window window(tile const& t) const noexcept {
    std::ptrdiff_t const unit = line_elements<T>;
    // One radius more than the halo: where a halo ends at the rim, what lies behind it is filled in.
    std::ptrdiff_t const dy = (depth + 1) * radius[1], dx = (depth + 1) * radius[2];
    return {t.row_begin - dy, t.row_end + dy, round_down(t.column_begin - dx, unit) - unit,
            round_up(t.column_end + dx, unit) + 2 * unit};
  }
  template <std::size_t I>
  [[nodiscard]] std::size_t bytes_of(tile const& t) const noexcept {
    using T = in_type<I>;
    std::size_t const n = field_rings<T>::elements(window<T>(t), produced<I> ? depth : 1, ring_depth<I>());
    return (n * sizeof(T) + 63) / 64 * 64;
  }

  /// Idle vector lanes compute with what the rings held before: let that be an element of the grid.
  template <std::size_t I>
  void prepare(field_rings<in_type<I>> const& ring, tile const& t) const {
    using T = in_type<I>;
    std::fill_n(ring.memory(), bytes_of<I>(t) / sizeof(T), *std::get<I>(from).row(0, 0));
    if (edges.kind == edge::constant) std::fill_n(ring.memory(), ring.plane_elements(), static_cast<T>(edges.value));
  }

  /// Whether step 1 can read field I where it is, and not a copy of it in the cache.
  template <std::size_t I>
  [[nodiscard]] bool reads_grid() const noexcept {
    return depth == 1 || (produced<I> && !history);
  }

  /// The columns of step 1 for which all that a vector and its neighbours load lies inside the rows of the grid: a
  /// radius and a vector before them, as much and one more behind them. None in three dimensions: there the rows of a
  /// tile are too far apart for the caches, and copies are faster.
  [[nodiscard]] columns direct_columns(tile const& t) const noexcept {
    if constexpr (D == 3) return {};
    constexpr std::ptrdiff_t unit = (std::max)({line_elements<In>..., line_elements<Out>...});
    std::ptrdiff_t const margin = round_up(radius[2], unit) + unit, dx = (depth - 1) * radius[2];
    std::ptrdiff_t const x0 = low(t.column_begin - dx), x1 = high(t.column_end + dx, size.columns);
    std::ptrdiff_t const last = size.columns - margin - unit;
    columns const direct{x0 >= margin ? x0 : margin, x1 <= last ? x1 : round_down(last, unit)};
    bool const whole = direct.begin == x0 && direct.end == x1;
    return whole || direct.end - direct.begin >= worth_pieces * unit ? direct : columns{x1, x1};
  }

  /// Copies what step 1 does not find in the grid of a plane of the present state, its halo included.
  template <std::size_t I>
  void stage(rings const& all, tile const& t, std::ptrdiff_t z) const {
    auto const& ring = std::get<I>(all.fields).ring;
    std::ptrdiff_t const dy = depth * radius[1], dx = depth * radius[2];
    std::ptrdiff_t const y0 = low(t.row_begin - dy), y1 = high(t.row_end + dy, size.rows);
    std::ptrdiff_t const x0 = low(t.column_begin - dx), x1 = high(t.column_end + dx, size.columns);
    in_type<I>* const plane = ring.plane(0, z);
    std::ptrdiff_t const zs = edge_index(edges.kind, z, size.planes);
    std::ptrdiff_t const next0 = low(t.column_begin - dx + radius[2]);  // what step 1 computes
    std::ptrdiff_t const next1 = high(t.column_end + dx - radius[2], size.columns);
    bool const whole = !reads_grid<I>() || all.direct.begin == all.direct.end;
    columns const left{x0, all.direct.begin + x_reach()}, right{all.direct.end - x_reach(), x1};
    bool const needs_left = next0<all.direct.begin, needs_right = next1> all.direct.end;
    if (D == 2 && depth == 1 && !whole && z + planes_at_once() < size.planes) {
      if (needs_left) prefetch_part<I>(z + planes_at_once(), 0, left);
      if (needs_right) prefetch_part<I>(z + planes_at_once(), 0, right);
    }
    for (std::ptrdiff_t y = y0; y != y1; ++y) {
      if (whole) {
        stage_row<I>(plane, ring.row_stride(), zs, y, x0, x1);
      } else {
        if (needs_left) stage_row<I>(plane, ring.row_stride(), zs, y, left.begin, left.end);
        if (needs_right) stage_row<I>(plane, ring.row_stride(), zs, y, right.begin, right.end);
      }
    }
    finish_plane(plane, ring.row_stride(), t, y0, y1, x0, x1);
  }
  /// Columns that a vector may look at beside its own.
  [[nodiscard]] std::ptrdiff_t x_reach() const noexcept {
    return radius[2] + 2 * (std::max)({line_elements<In>..., line_elements<Out>...});
  }

  /// Columns x0 to x1 of row y.
  template <std::size_t I>
  void stage_row(in_type<I>* plane, std::ptrdiff_t stride, std::ptrdiff_t zs, std::ptrdiff_t y, std::ptrdiff_t x0,
                 std::ptrdiff_t x1) const {
    auto const* const row = std::get<I>(from).row(zs, edge_index(edges.kind, y, size.rows));
    in_type<I>* const copy = plane + y * stride;
    std::ptrdiff_t const own0 = x0 < 0 ? 0 : x0, own1 = x1 > size.columns ? size.columns : x1;
    copy_short(row + own0, own1 - own0, copy + own0);
    for (std::ptrdiff_t x = x0; x < 0; ++x) copy[x] = row[edge_index(edge::wrap, x, size.columns)];
    for (std::ptrdiff_t x = size.columns; x < x1; ++x) copy[x] = row[edge_index(edge::wrap, x, size.columns)];
  }

  /// Fills in what lies behind the rim of a plane of which rows y0 to y1, columns x0 to x1 are known.
  template <class T>
  void finish_plane(T* plane, std::ptrdiff_t stride, tile const& t, std::ptrdiff_t y0, std::ptrdiff_t y1,
                    std::ptrdiff_t x0, std::ptrdiff_t x1) const {
    fill_plane_ends(ring_plane<T>{plane, stride, window<T>(t), y0, y1, x0, x1}, size, radius, edges);
  }

  /// Finds row 0 of the planes round the `count` planes from z on of field I, as step k sees them: in the grid itself,
  /// or in copies and results. A single sweep asks for the next rows of the grid while it computes: at the end of each
  /// group of rows the processor would otherwise begin anew to see where it leads.
  template <std::size_t I>
  void look_round(rings& all, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t count, bool in_grid) const {
    std::ptrdiff_t const r = radius[0];
    auto& field = std::get<I>(all.fields);
    field.ahead = D == 2 && in_grid && depth == 1 ? (r + count) * std::get<I>(from).plane_stride : 0;
    field.row_stride = in_grid ? std::get<I>(from).row_stride : field.ring.row_stride();
    for (std::ptrdiff_t d = -r; d < r + count; ++d) {
      std::ptrdiff_t const p = z + d;
      bool const outside = !wraps() && (p < 0 || p >= size.planes);
      auto& plane = field.planes[static_cast<std::size_t>(d + r)];
      if (outside && edges.kind == edge::constant)
        plane = field.ring.constant_plane();
      else if (in_grid)
        plane = std::get<I>(from).row(edge_index(edges.kind, p, size.planes), 0);
      else
        plane = plane_of<I>(all, k - 1, outside ? edge_index(edges.kind, p, size.planes) : p);
    }
  }

  /// Row y of those planes.
  template <std::size_t I>
  [[nodiscard]] row_neighbours<in_type<I>> neighbours(rings& all, std::ptrdiff_t y) const {
    auto& field = std::get<I>(all.fields);
    if constexpr (D != 3) return {field.planes.data() + radius[0], field.row_stride, field.ahead};
    for (std::size_t d = 0; d != field.rows.size(); ++d) field.rows[d] = field.planes[d] + y * field.row_stride;
    return {field.rows.data() + radius[0], field.row_stride};
  }

  /// Plane z of field I in the state after `step` steps.
  template <std::size_t I>
  [[nodiscard]] in_type<I> const* plane_of(rings const& all, std::ptrdiff_t step, std::ptrdiff_t z) const {
    if constexpr (!moves<I>) {
      return std::get<I>(all.fields).ring.plane(0, z);
    } else if constexpr (!history) {
      return std::get<I>(all.fields).ring.plane(step, z);
    } else {
      auto const age = static_cast<std::ptrdiff_t>(rank<I>);
      if (step >= age) return std::get<moving_index[0]>(all.fields).ring.plane(step - age, z);
      in_type<I> const* found = nullptr;
      each_in([&](auto j) {
        if constexpr (moves<j>)
          if (static_cast<std::ptrdiff_t>(rank<j>) == age - step) found = std::get<j>(all.fields).ring.plane(0, z);
      });
      return found;
    }
  }

  /// The `count` planes of step k from z on: one, or rows_at_once of them.
  void compute(rings& all, tile const& t, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t count) const {
    std::ptrdiff_t const margin_y = (depth - k) * radius[1], margin_x = (depth - k) * radius[2];
    std::ptrdiff_t const y0 = low(t.row_begin - margin_y), y1 = high(t.row_end + margin_y, size.rows);
    std::ptrdiff_t const x0 = low(t.column_begin - margin_x), x1 = high(t.column_end + margin_x, size.columns);
    bool const last = k == depth;
    bool const keeps_rim = edges.kind == edge::none;
    bool const rim_plane = is_rim_plane(z);
    if (!rim_plane) {
      row_extent extent{x0,
                        x1,
                        0,
                        0,
                        0,
                        wraps() ? size.planes : 0,
                        wraps() ? size.columns : 0,
                        widest(),
                        static_cast<int>(radius[0]),
                        !last,
                        last && bypass};
      if (keeps_rim) {
        extent.begin = (std::max)(x0, radius[2]);
        extent.end = (std::min)(x1, size.columns - radius[2]);
        if constexpr (moving != 0) extent.room = extent.begin - x0;  // the rim is put right behind it
      }
      if (!last) extent.room = line_elements<char>;
      compute_rows(all, k, z, count, keeps_rim ? (std::max)(y0, radius[1]) : y0,
                   keeps_rim ? (std::min)(y1, size.rows - radius[1]) : y1, extent);
    }
    if (!history && !rim_plane && lies_inside(y0, y1, x0, x1)) return;
    for (std::ptrdiff_t end = z + count; z != end; ++z) {
      if (keeps_rim) copy_rim(all, k, z, y0, y1, x0, x1, rim_plane);
      if (!last)
        each_in([&](auto i) {
          if constexpr (produced<i>)
            finish_plane(std::get<i>(all.fields).ring.plane(k, z), std::get<i>(all.fields).ring.row_stride(), t, y0, y1,
                         x0, x1);
        });
      if constexpr (history) keep_history(all, t, k, z);
    }
  }

  /// Whether nothing behind the rim is next to these rows and columns of a plane, nor the rim itself that none keeps.
  [[nodiscard]] bool lies_inside(std::ptrdiff_t y0, std::ptrdiff_t y1, std::ptrdiff_t x0,
                                 std::ptrdiff_t x1) const noexcept {
    if (wraps()) return true;
    bool const keeps_rim = edges.kind == edge::none;
    std::ptrdiff_t const dy = keeps_rim ? radius[1] : D == 3 ? 1 : 0, dx = keeps_rim ? radius[2] : 1;
    return y0 >= dy && y1 <= size.rows - dy && x0 >= dx && x1 <= size.columns - dx;
  }

  [[nodiscard]] int widest() const noexcept { return static_cast<int>((std::max)({radius[0], radius[1], radius[2]})); }

  /// Where step k writes row y of plane z.
  template <std::size_t Output>
  [[nodiscard]] auto* target(rings const& all, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t y) const {
    using T = std::tuple_element_t<Output, std::tuple<Out...>>;
    if constexpr (moving == 0) {
      return std::get<Output>(to).row(z, y);
    } else {
      auto const& ring = std::get<moving_index[Output]>(all.fields).ring;
      return k == depth ? std::get<Output>(to).row(z, y) : static_cast<T*>(ring.plane(k, z) + y * ring.row_stride());
    }
  }

  void compute_rows(rings& all, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t count, std::ptrdiff_t y0,
                    std::ptrdiff_t y1, row_extent& extent) const {
    extent.plane = edge_index(edges.kind, z, size.planes);
    columns const whole{extent.begin, extent.end};
    columns const direct{k == 1 ? (std::max)(whole.begin, all.direct.begin) : whole.end,
                         k == 1 ? (std::min)(whole.end, all.direct.end) : whole.end};
    if (direct.begin >= direct.end) return compute_columns(all, k, z, count, y0, y1, extent, false);
    extent.end = direct.begin;
    compute_columns(all, k, z, count, y0, y1, extent, false);
    if (direct.begin != whole.begin) extent.room = 0;
    extent.begin = direct.begin;
    extent.end = direct.end;
    compute_columns(all, k, z, count, y0, y1, extent, true);
    extent.room = 0;
    extent.begin = direct.end;
    extent.end = whole.end;
    compute_columns(all, k, z, count, y0, y1, extent, false);
  }

  void compute_columns(rings& all, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t count, std::ptrdiff_t y0,
                       std::ptrdiff_t y1, row_extent& extent, bool in_grid) const {
    if (extent.begin >= extent.end) return;
    each_in([&](auto i) { look_round<i>(all, k, z, count, in_grid && reads_grid<i>()); });
    bool const ask = D == 3 && all.coming.plane >= 0 && all.coming.plane < size.planes;
    for (std::ptrdiff_t y = y0; y < y1; ++y) {
      extent.row = edge_index(edges.kind, y, size.rows);
      if (ask) prefetch_row(all.coming.plane, extent.row, all.coming.due);
      if (rows_at_once != 1 && count != 1)
        compute_row<rows_at_once>(all, k, z, y, extent);
      else
        compute_row<1>(all, k, z, y, extent);
    }
  }

  /// Row y of R planes.
  template <std::size_t R>
  void compute_row(rings& all, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t y, row_extent const& extent) const {
    [&]<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {
      std::tuple<Out*...> targets[R];
      for (std::size_t q = 0; q != R; ++q)
        ((std::get<O>(targets[q]) = target<O>(all, k, z + static_cast<std::ptrdiff_t>(q), y)), ...);
      stencil_rows<Leaf, D>(f, std::tuple<row_neighbours<In>...>{neighbours<I>(all, y)...}, targets, extent);
    }(std::make_index_sequence<ins>{}, std::make_index_sequence<outs>{});
  }

  /// Under boundary::none step k takes the rim over from the step before.
  void copy_rim(rings const& all, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t y0, std::ptrdiff_t y1,
                std::ptrdiff_t x0, std::ptrdiff_t x1, bool rim_plane) const {
    each_in([&](auto i) {
      if constexpr (produced<i>) {
        for (std::ptrdiff_t y = y0; y < y1; ++y) {
          auto const* const source = k == 1
                                         ? std::get<i>(from).row(z, y)
                                         : plane_of<i>(all, k - 1, z) + y * std::get<i>(all.fields).ring.row_stride();
          auto* const row = target<rank<i>>(all, k, z, y);
          auto const copy = [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
            if (end - begin > 16)
              std::copy_n(source + begin, end - begin, row + begin);
            else
              for (; begin < end; ++begin) row[begin] = source[begin];
          };
          if (rim_plane || y < radius[1] || y >= size.rows - radius[1]) {
            copy(x0, x1);
          } else {
            copy(x0, (std::min)(x1, radius[2]));
            copy((std::max)(x0, size.columns - radius[2]), x1);
          }
        }
      }
    });
  }

  /// The states before the last are part of the result of a history.
  void keep_history(rings const& all, tile const& t, std::ptrdiff_t k, std::ptrdiff_t z) const {
    std::ptrdiff_t const age = depth - k;
    if (age < 1 || age >= static_cast<std::ptrdiff_t>(moving) || z < t.plane_begin || z >= t.plane_end) return;
    auto const& ring = std::get<moving_index[0]>(all.fields).ring;
    for (std::ptrdiff_t y = t.row_begin; y != t.row_end; ++y)
      std::copy_n(ring.plane(k, z) + y * ring.row_stride() + t.column_begin, t.column_end - t.column_begin,
                  past[static_cast<std::size_t>(age)].row(z, y) + t.column_begin);
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
