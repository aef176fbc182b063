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
// What lies at the ends of a row is put there right after the row is computed, for the same reason. Levels of rows
// share the places of all rows but those that the next tick looks at again: see passing_rows. A level needs r more rows
// and columns on each side than the next, so tiles overlap by K radii and compute the overlap twice; they never wait
// for each other. Every point is computed by the same function from the same values as in plain sweeps, so the depth
// and the cut into tiles never show in the result.

#include <algorithm>  // copy_n, fill, fill_n, max, min
#include <array>      // array
#include <cstddef>    // size_t, ptrdiff_t
#include <tuple>      // get, tuple
#include <utility>    // index_sequence

#include "tartan/core/config.hpp"                   // TARTAN_ABI
#include "tartan/exec/stencil_row.hpp"              // stencil_rows, row_neighbours, row_extent
#include "tartan/patterns/stencil/edges.hpp"        // edge_index, fill_row_ends, fill_rows_outside
#include "tartan/patterns/stencil/options.hpp"      // edge, edge_rule
#include "tartan/patterns/stencil/ring_layout.hpp"  // field_role, ring_layout
#include "tartan/patterns/stencil/rings.hpp"        // block_view, columns, copy_short, field_rings, row_group, tile
#include "tartan/patterns/stencil/staging.hpp"      // held_field, plane_part, prefetch_row, stage_columns

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
      field_rings<T> const ring = layout().rings(reinterpret_cast<T*>(at), t, role<i>);
      std::get<i>(all.fields).prepare(ring, r, rows_at_once, D == 3);
      at += bytes_of<i>(t);
    });
    all.direct = direct_columns(t);
    each_in([&](auto i) { fill_idle<i>(all, t); });
    std::ptrdiff_t const at_once = planes_at_once();
    for (std::ptrdiff_t tick = t.plane_begin - depth * r; tick < t.plane_end + depth * r; tick += at_once) {
      for (std::ptrdiff_t z = ends().low(tick); z < ends().high(tick + at_once, size.planes); ++z)
        each_in([&](auto i) { stage<i>(all, t, z); });
      for (std::ptrdiff_t k = 1; k <= depth; ++k) {
        std::ptrdiff_t const first = tick - k * r, margin = (depth - k) * r;
        std::ptrdiff_t const begin = (std::max)(first, ends().low(t.plane_begin - margin));
        std::ptrdiff_t const end = (std::min)(first + at_once, ends().high(t.plane_end + margin, size.planes));
        std::ptrdiff_t const width = t.column_end - t.column_begin;
        columns const due{t.column_begin + width * (k - 1) / depth, t.column_begin + width * k / depth};
        for (std::ptrdiff_t z = begin; z < end;) {
          std::ptrdiff_t const count = planes_together(z, end);
          all.coming = {tick + at_once + (z - first), due};
          if (D == 2 && depth != 1) each_in([&](auto i) { prefetch<i>(all.coming, count, 0); });
          compute(all, t, k, z, count);
          z += count;
        }
      }
    }
    if (bypass) finish_bypassing_writes();
  }

 private:
  /// What a later tick copies, and which columns of it are asked for now.
  struct coming_part {
    std::ptrdiff_t plane;
    columns due;
  };
  struct rings {
    std::tuple<held_field<In>...> fields;
    columns direct{};  ///< What step 1 reads from the grid itself.
    coming_part coming{-1, {}};
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
  template <std::size_t I>
  static constexpr field_role role{moves<I>, produced<I>};

  [[nodiscard]] grid_ends ends() const noexcept { return {edges.kind}; }
  [[nodiscard]] bool wraps() const noexcept { return ends().wraps(); }
  [[nodiscard]] bool keeps_rim() const noexcept { return edges.kind == edge::none; }
  /// What a tile needs of the state after k steps.
  [[nodiscard]] plane_part part(tile const& t, std::ptrdiff_t k) const noexcept {
    return part_round(t, ends(), size, (depth - k) * radius[1], (depth - k) * radius[2]);
  }

  template <std::size_t I>
  [[nodiscard]] std::size_t bytes_of(tile const& t) const noexcept {
    return layout().template bytes<in_type<I>>(t, role<I>);
  }
  [[nodiscard]] ring_layout layout() const noexcept {
    return {radius, depth, history ? static_cast<std::ptrdiff_t>(moving) : 0, D};
  }
  /// Planes that a tick takes, in whole groups of those computed at once.
  [[nodiscard]] std::ptrdiff_t planes_at_once() const noexcept {
    if (layout().passes_rows()) return row_group;
    std::ptrdiff_t most = 64;
    each_in([&](auto i) { most = (std::min)(most, layout().planes_at_once(role<i>)); });
    constexpr auto group = static_cast<std::ptrdiff_t>(rows_at_once);
    return most > group ? most / group * group : most;
  }

  /// The columns of a part that are no rim.
  [[nodiscard]] columns inner_columns(plane_part const& p) const noexcept {
    if (!keeps_rim()) return {p.x0, p.x1};
    return {(std::max)(p.x0, radius[2]), (std::min)(p.x1, size.columns - radius[2])};
  }

  /// How many of the planes from z to end are computed at once: rows of a 2D grid share what they load.
  [[nodiscard]] std::ptrdiff_t planes_together(std::ptrdiff_t z, std::ptrdiff_t end) const noexcept {
    constexpr auto most = static_cast<std::ptrdiff_t>(rows_at_once);
    bool const whole = end - z >= most && !is_rim_plane(z) && !is_rim_plane(z + most - 1);
    return whole ? most : 1;
  }
  [[nodiscard]] bool is_rim_plane(std::ptrdiff_t z) const noexcept {
    return keeps_rim() && (z < radius[0] || z >= size.planes - radius[0]);
  }

  /// Asks for the due columns of row y of `count` planes while a step computes as many; those of all steps together are
  /// the whole. (A single sweep of a plane asks in its rows.)
  template <std::size_t I>
  void prefetch(coming_part const& part, std::ptrdiff_t count, std::ptrdiff_t y) const {
    for (std::ptrdiff_t q = 0; q != count; ++q) prefetch_row(std::get<I>(from), size, part.plane + q, y, part.due);
  }

  /// Idle vector lanes compute with what the rings held before: let that be an element of the grid. Of a single sweep
  /// that reads the grid itself they see the ends of the rows only.
  template <std::size_t I>
  void fill_idle(rings const& all, tile const& t) const {
    using T = in_type<I>;
    auto const& ring = std::get<I>(all.fields).ring;
    T const any = *std::get<I>(from).row(0, 0);
    if (edges.kind == edge::constant) std::fill_n(ring.memory(), ring.plane_elements(), static_cast<T>(edges.value));
    auto const w = layout().template window<T>(t);
    std::ptrdiff_t const planes = layout().planes(role<I>);
    columns const unseen{all.direct.begin + x_reach(), all.direct.end - x_reach()};
    if (depth != 1 || unseen.begin >= unseen.end || unseen.begin < w.column_begin || unseen.end > w.column_end) {
      std::fill(ring.memory() + ring.plane_elements(), ring.memory() + bytes_of<I>(t) / sizeof(T), any);
      return;
    }
    for (std::ptrdiff_t z = 0; z != planes; ++z)
      for (std::ptrdiff_t y = w.row_begin; y != w.row_end; ++y) {
        T* const row = ring.plane(0, z) + y * ring.row_stride();
        std::fill(row + w.column_begin, row + unseen.begin, any);
        std::fill(row + unseen.end, row + w.column_begin + ring.row_stride(), any);
      }
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
    std::ptrdiff_t const margin = round_up(radius[2], unit) + unit;
    auto const [y0, y1, x0, x1] = part(t, 1);
    std::ptrdiff_t const last = size.columns - margin - unit;
    columns const direct{x0 >= margin ? x0 : margin, x1 <= last ? x1 : round_down(last, unit)};
    bool const whole = direct.begin == x0 && direct.end == x1;
    return whole || direct.end - direct.begin >= worth_pieces * unit ? direct : columns{x1, x1};
  }

  /// Copies what step 1 does not find in the grid of a plane of the present state, its halo included.
  template <std::size_t I>
  void stage(rings const& all, tile const& t, std::ptrdiff_t z) const {
    auto const& ring = std::get<I>(all.fields).ring;
    plane_part const p = part(t, 0), next = part(t, 1);
    std::ptrdiff_t const zs = edge_index(edges.kind, z, size.planes);
    bool const whole = !reads_grid<I>() || all.direct.begin == all.direct.end;
    bool const needs_left = next.x0<all.direct.begin, needs_right = next.x1> all.direct.end;
    if (std::ptrdiff_t const later = z + planes_at_once(); D == 2 && depth == 1 && !whole && later < size.planes) {
      if (needs_left) prefetch<I>({later, {p.x0, all.direct.begin + x_reach()}}, 1, 0);
      if (needs_right) prefetch<I>({later, {all.direct.end - x_reach(), p.x1}}, 1, 0);
    }
    in_type<I>* copy = ring.plane(0, z) + p.y0 * ring.row_stride();
    for (std::ptrdiff_t y = p.y0; y != p.y1; ++y, copy += ring.row_stride()) {
      auto const* const row = std::get<I>(from).row(zs, edge_index(edges.kind, y, size.rows));
      if (whole) {
        stage_columns(row, size.columns, copy, p.x0, p.x1);
      } else {
        if (needs_left) stage_columns(row, size.columns, copy, p.x0, all.direct.begin + x_reach());
        if (needs_right) stage_columns(row, size.columns, copy, all.direct.end - x_reach(), p.x1);
      }
      if (has_ends()) fill_row_ends(copy, size, p.x0 == 0, p.x1 == size.columns, radius[2], edges);
    }
    finish_plane<I>(all, t, 0, z);
  }
  /// Columns that a vector may look at beside its own.
  [[nodiscard]] std::ptrdiff_t x_reach() const noexcept {
    return radius[2] + 2 * (std::max)({line_elements<In>..., line_elements<Out>...});
  }

  /// Whether something lies behind the ends of the rows of a level, and is no other row's.
  [[nodiscard]] bool has_ends() const noexcept { return !wraps() && !keeps_rim(); }

  /// Fills in the rows behind the rim of a plane of level k whose own rows are known.
  template <std::size_t I>
  void finish_plane(rings const& all, tile const& t, std::ptrdiff_t k, std::ptrdiff_t z) const {
    if (!has_ends()) return;
    using T = in_type<I>;
    auto const& ring = std::get<I>(all.fields).ring;
    auto const [y0, y1, x0, x1] = part(t, k);
    fill_rows_outside(
        ring_plane<T>{ring.plane(k, z), ring.row_stride(), layout().template window<T>(t), y0, y1, x0, x1}, size,
        radius, edges);
  }

  /// Finds the planes round the `count` planes from z on of field I, as step k sees them: in the grid itself, or in
  /// copies and results. A single sweep asks for the next rows of the grid while it computes: at the end of each group
  /// of rows the processor would otherwise begin anew to see where it leads.
  template <std::size_t I>
  void look_round(rings& all, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t count, bool in_grid) const {
    auto& field = std::get<I>(all.fields);
    field.ahead = D == 2 && in_grid && depth == 1 ? (radius[0] + count) * std::get<I>(from).plane_stride : 0;
    if (in_grid)
      field.look_round(z, count, size.planes, edges, std::get<I>(from).row_stride, [&](std::ptrdiff_t p) {
        return std::get<I>(from).row(edge_index(edges.kind, p, size.planes), 0);
      });
    else
      field.look_round(z, count, size.planes, edges, field.ring.row_stride(),
                       [&](std::ptrdiff_t p) { return plane_of<I>(all, k - 1, p); });
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
    plane_part const p = part(t, k);
    bool const rim_only = is_rim_plane(z) || inner_columns(p).begin >= inner_columns(p).end;
    if (!rim_only) compute_rows(all, p, k, z, count);
    for (std::ptrdiff_t end = z + count; z != end; ++z) {
      if (keeps_rim() && (rim_only || p.y0 < radius[1] || p.y1 > size.rows - radius[1]))
        copy_rim_rows(all, p, k, z, rim_only);
      if (k != depth)
        each_in([&](auto i) {
          if constexpr (produced<i>) finish_plane<i>(all, t, k, z);
        });
      if constexpr (history) keep_history(all, t, k, z);
    }
  }

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

  void compute_rows(rings& all, plane_part const& p, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t count) const {
    bool const last = k == depth;
    row_extent extent{p.x0,
                      p.x1,
                      0,
                      edge_index(edges.kind, z, size.planes),
                      0,
                      wraps() ? size.planes : 0,
                      wraps() ? size.columns : 0,
                      static_cast<int>((std::max)({radius[0], radius[1], radius[2]})),
                      static_cast<int>(radius[0]),
                      static_cast<int>(radius[1]),
                      !last,
                      last && bypass};
    if (keeps_rim()) {
      extent.begin = inner_columns(p).begin;
      extent.end = inner_columns(p).end;
      if constexpr (moving != 0) extent.room = extent.begin - p.x0;  // the rim is put right behind it
    }
    if (!last) extent.room = line_elements<char>;
    columns const whole{extent.begin, extent.end};
    columns const direct{k == 1 ? (std::max)(whole.begin, all.direct.begin) : whole.end,
                         k == 1 ? (std::min)(whole.end, all.direct.end) : whole.end};
    auto const piece = [&](columns const& c, bool in_grid) {
      if (c.begin >= c.end) return;
      if (c.begin != whole.begin) extent.room = 0;
      extent.begin = c.begin;
      extent.end = c.end;
      compute_columns(all, p, k, z, count, extent, in_grid, c.end == whole.end);
    };
    if (direct.begin >= direct.end) return piece(whole, false);
    piece({whole.begin, direct.begin}, false);
    piece(direct, true);
    piece({direct.end, whole.end}, false);
  }

  void compute_columns(rings& all, plane_part const& p, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t count,
                       row_extent& extent, bool in_grid, bool last_piece) const {
    each_in([&](auto i) { look_round<i>(all, k, z, count, in_grid && reads_grid<i>()); });
    std::ptrdiff_t const y0 = keeps_rim() ? (std::max)(p.y0, radius[1]) : p.y0;
    std::ptrdiff_t const y1 = keeps_rim() ? (std::min)(p.y1, size.rows - radius[1]) : p.y1;
    bool const ends_here = keeps_rim() ? p.x0 < radius[2] || p.x1 > size.columns - radius[2]
                                       : !wraps() && (p.x0 == 0 || p.x1 == size.columns);
    bool const finishes = last_piece && ends_here;
    for (std::ptrdiff_t y = y0; y < y1; ++y) {
      extent.row = edge_index(edges.kind, y, size.rows);
      if (D == 3) each_in([&](auto i) { prefetch<i>(all.coming, count, extent.row); });
      if (rows_at_once != 1 && count != 1)
        compute_row<rows_at_once>(all, p, k, z, y, extent, finishes);
      else
        compute_row<1>(all, p, k, z, y, extent, finishes);
    }
  }

  /// Row y of R planes.
  template <std::size_t R>
  void compute_row(rings& all, plane_part const& p, std::ptrdiff_t k, std::ptrdiff_t z, std::ptrdiff_t y,
                   row_extent const& extent, bool finishes) const {
    [&]<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {
      std::tuple<row_neighbours<In>...> const rows{std::get<I>(all.fields).neighbours(y)...};
      std::tuple<Out*...> targets[R];
      for (std::size_t q = 0; q != R; ++q)
        ((std::get<O>(targets[q]) = target<O>(all, k, z + static_cast<std::ptrdiff_t>(q), y)), ...);
      stencil_rows<Leaf, D>(f, rows, targets, extent);
      if constexpr (moving != 0)
        if (finishes)
          for (std::size_t q = 0; q != R; ++q)
            (finish_row(p, k, std::get<O>(targets[q]), std::get<moving_index[O]>(rows).planes[q]), ...);
    }(std::make_index_sequence<ins>{}, std::make_index_sequence<outs>{});
  }

  /// What lies at and behind the ends of a row that step k computed, while the row is in the first-level cache. Under
  /// none the rim is that of the step before.
  template <class T>
  void finish_row(plane_part const& p, std::ptrdiff_t k, T* row, T const* before) const {
    if (keeps_rim()) {
      for (std::ptrdiff_t x = p.x0; x < (std::min)(p.x1, radius[2]); ++x) row[x] = before[x];
      for (std::ptrdiff_t x = (std::max)(p.x0, size.columns - radius[2]); x < p.x1; ++x) row[x] = before[x];
    } else if (k != depth) {
      fill_row_ends(row, size, p.x0 == 0, p.x1 == size.columns, radius[2], edges);
    }
  }

  /// Row y of plane z before step k.
  template <std::size_t I>
  [[nodiscard]] in_type<I> const* row_before(rings const& all, std::ptrdiff_t k, std::ptrdiff_t z,
                                             std::ptrdiff_t y) const {
    if (k == 1) return std::get<I>(from).row(z, y);
    return plane_of<I>(all, k - 1, z) + y * std::get<I>(all.fields).ring.row_stride();
  }

  /// Under boundary::none step k takes over the rows of the rim: all of them where the part has nothing else.
  void copy_rim_rows(rings const& all, plane_part const& p, std::ptrdiff_t k, std::ptrdiff_t z, bool rim_only) const {
    each_in([&](auto i) {
      if constexpr (produced<i>) {
        auto const copy = [&](std::ptrdiff_t y0, std::ptrdiff_t y1) {
          for (std::ptrdiff_t y = y0; y < y1; ++y)
            copy_short(row_before<i>(all, k, z, y) + p.x0, p.x1 - p.x0, target<rank<i>>(all, k, z, y) + p.x0);
        };
        if (rim_only) return copy(p.y0, p.y1);
        copy(p.y0, (std::min)(p.y1, radius[1]));
        copy((std::max)(p.y0, size.rows - radius[1]), p.y1);
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
