#pragma once
// Several functions of neighbourhoods, one after another, of which only the last result is written to memory.
//
// A tile walks through the planes of its part of the grid, as a tile of several steps does (sweep.hpp). In one tick it
// copies some planes of the input into the cache (level 0) and computes, for each pass k, the planes that lie behind by
// the radii of the passes up to k (level k), from the planes of level k - 1 round them. A level is as much wider than
// its tile as the passes after it look, and what two tiles both need is computed twice: they never wait.

#include <algorithm>    // fill, fill_n, max, min
#include <array>        // array
#include <cstddef>      // byte, size_t, ptrdiff_t
#include <tuple>        // get, tuple
#include <type_traits>  // conditional_t, invoke_result_t, is_same_v
#include <utility>      // index_sequence

#include "tartan/core/caches.hpp"               // caches
#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/exec/stencil_row.hpp"          // stencil_rows, row_neighbours, row_extent
#include "tartan/patterns/stencil/edges.hpp"    // column_index, edge_index, fill_plane_ends
#include "tartan/patterns/stencil/options.hpp"  // edge, edge_rule
#include "tartan/patterns/stencil/plan.hpp"     // tiling
#include "tartan/patterns/stencil/rings.hpp"    // block_view, field_rings, ring_memory, tile
#include "tartan/patterns/stencil/staging.hpp"  // grid_ends, held_field, part_round, plane_part, stage_columns

namespace tartan::inline TARTAN_ABI::detail {

/// The types of the states: the input, what each pass but the last returns, and the output.
template <std::size_t D, class Out, class Known, class... F>
struct pass_states;
template <std::size_t D, class Out, class... Known, class Last>
struct pass_states<D, Out, std::tuple<Known...>, Last> {
  using type = std::tuple<Known..., Out>;
};
template <std::size_t D, class Out, class... Known, class F, class Next, class... More>
struct pass_states<D, Out, std::tuple<Known...>, F, Next, More...> {
  using from = std::tuple_element_t<sizeof...(Known) - 1, std::tuple<Known...>>;
  using made = std::remove_cvref_t<std::invoke_result_t<F&, scalar_point<from, D>>>;
  using held = std::conditional_t<std::is_same_v<made, bool>, unsigned char, made>;  // vectors hold no bool
  using type = typename pass_states<D, Out, std::tuple<Known..., held>, Next, More...>::type;
};

template <class Leaf, std::size_t D, class EdgeValue, class In, class Out, class... F>
class pass_sweep {
 public:
  static constexpr std::size_t passes = sizeof...(F);
  using states = typename pass_states<D, Out, std::tuple<In>, F...>::type;
  template <std::size_t K>
  using state = std::tuple_element_t<K, states>;

  std::tuple<F&...> functions;
  block_extents size;
  std::array<std::array<std::ptrdiff_t, 3>, passes> radius;  ///< planes, rows, columns
  edge_rule<EdgeValue> edges;
  bool bypass;  ///< the result does not fit the caches: write past them
  block_view<In const> from;
  block_view<Out> to;

  /// Tiles begin at multiples of so many columns.
  static constexpr std::ptrdiff_t unit = []<std::size_t... K>(std::index_sequence<K...>) {
    return (std::max)({line_elements<state<K>>...});
  }(std::make_index_sequence<passes + 1>{});

  [[nodiscard]] std::size_t ring_bytes(tile const& t) const {
    std::size_t total = 64;
    each_level([&](auto k) { total += bytes_of<k>(t); });
    return total;
  }

  void run(tile const& t, ring_memory& memory) const {
    levels all;
    std::byte* at = memory.reserve(ring_bytes(t));
    each_level([&](auto k) {
      using T = state<k>;
      field_rings<T> const ring(reinterpret_cast<T*>(at), window<k>(t), 1, ring_depth<k>());
      std::get<k>(all).prepare(ring, radius[k][0], planes_at_once, D == 3);
      if (edges.kind == edge::constant) std::fill_n(ring.memory(), ring.plane_elements(), static_cast<T>(edges.value));
      at += bytes_of<k>(t);
    });
    columns const direct = direct_columns(t);
    std::ptrdiff_t const before = margin(0)[0];
    for (std::ptrdiff_t tick = t.plane_begin - before; tick < t.plane_end + before; tick += planes_at_once) {
      std::ptrdiff_t const end = (std::min)(tick + planes_at_once, ends().high(t.plane_end + before, size.planes));
      for (std::ptrdiff_t z = (std::max)(tick, ends().low(t.plane_begin - before)); z < end; ++z)
        stage(all, t, z, direct);
      std::ptrdiff_t behind = 0;
      each_level([&](auto k) {
        behind += radius[k][0];
        std::ptrdiff_t const more = margin(k + 1)[0];
        std::ptrdiff_t z = (std::max)(tick - behind, ends().low(t.plane_begin - more));
        std::ptrdiff_t const last =
            (std::min)(tick - behind + planes_at_once, ends().high(t.plane_end + more, size.planes));
        for (std::ptrdiff_t count = 1; z < last; z += count) {
          count = last - z >= rows_at_once<k> ? rows_at_once<k> : 1;
          compute<k>(all, t, z, count, direct);
        }
      });
    }
    if (bypass) finish_bypassing_writes();
  }

 private:
  static constexpr std::ptrdiff_t planes_at_once = D == 2 ? 2 : 1;  // more would make rings twice as deep
  static constexpr std::ptrdiff_t worth_pieces = 40;  ///< Lines for which a row may begin and end three times.
  template <std::size_t K>
  using function = std::tuple_element_t<K, std::tuple<F...>>;
  template <std::size_t K>
  static constexpr std::ptrdiff_t rows_at_once =
      stencil_rows_at_once<Leaf, D, function<K>, state<K>> < 2 ? 1 : planes_at_once;

  /// The states before the passes.
  template <class>
  struct levels_of;
  template <std::size_t... K>
  struct levels_of<std::index_sequence<K...>> {
    using type = std::tuple<held_field<state<K>>...>;
  };
  using levels = typename levels_of<std::make_index_sequence<passes>>::type;

  template <class G>
  static void each_level(G&& g) {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      (g(std::integral_constant<std::size_t, K>{}), ...);
    }(std::make_index_sequence<passes>{});
  }

  [[nodiscard]] grid_ends ends() const noexcept { return {edges.kind}; }

  /// How much farther than the tile the state after `done` passes is needed.
  [[nodiscard]] std::array<std::ptrdiff_t, 3> margin(std::size_t done) const noexcept {
    std::array<std::ptrdiff_t, 3> sum{};
    for (std::size_t k = done; k != passes; ++k)
      for (std::size_t d = 0; d != 3; ++d) sum[d] += radius[k][d];
    return sum;
  }
  template <std::size_t K>
  [[nodiscard]] ring_window window(tile const& t) const noexcept {
    constexpr std::ptrdiff_t line = line_elements<state<K>>;
    auto const [dz, dy, dx] = margin(K);
    return {t.row_begin - dy, t.row_end + dy, round_down(t.column_begin - dx, line) - line,
            round_up(t.column_end + dx, line) + 2 * line};
  }
  template <std::size_t K>
  [[nodiscard]] std::ptrdiff_t ring_depth() const noexcept {
    std::ptrdiff_t power = 1;
    while (power < 2 * radius[K][0] + planes_at_once) power *= 2;
    return power;
  }
  template <std::size_t K>
  [[nodiscard]] std::size_t bytes_of(tile const& t) const noexcept {
    std::size_t const n = field_rings<state<K>>(nullptr, window<K>(t), 1, ring_depth<K>()).elements();
    return (n * sizeof(state<K>) + 63) / 64 * 64;
  }

  /// Which part of a plane of the state after K passes is known.
  template <std::size_t K, class T>
  [[nodiscard]] ring_plane<T> known(T* plane, std::ptrdiff_t stride, tile const& t) const noexcept {
    auto const [y0, y1, x0, x1] = part<K>(t);
    return {plane, stride, window<K>(t), y0, y1, x0, x1};
  }
  template <std::size_t K>
  [[nodiscard]] plane_part part(tile const& t) const noexcept {
    auto const [dz, dy, dx] = margin(K);
    return part_round(t, ends(), size, dy, dx);
  }
  /// Idle vector lanes compute with what stands beside the known part of a row: let that be elements of the row.
  template <std::size_t K, class T>
  void finish(ring_plane<T> const& p) const {
    for (std::ptrdiff_t y = p.y0; y != p.y1; ++y) {
      T* const row = p.first + y * p.stride;
      std::fill(row + p.window.column_begin, row + p.x0, row[p.x0]);
      std::fill(row + p.x1, row + p.window.column_end, row[p.x1 - 1]);
    }
    fill_plane_ends(p, size, radius[K], edges);
  }

  /// The columns of pass 1 for which all that vectors load lies inside the rows of the grid: it reads them there. None
  /// in three dimensions, and none where rows are short.
  [[nodiscard]] columns direct_columns(tile const& t) const noexcept {
    plane_part const p = part<1>(t);
    if constexpr (D == 3) return {p.x1, p.x1};
    std::ptrdiff_t const inside = round_up(radius[0][2], unit) + 2 * unit;
    columns const direct{(std::max)(round_up(p.x0, unit), inside),
                         p.x1 <= size.columns - inside ? p.x1 : round_down(size.columns - inside, unit)};
    return direct.end - direct.begin >= worth_pieces * unit ? direct : columns{p.x1, p.x1};
  }

  /// Copies what pass 1 does not find in the grid of plane z of the input.
  void stage(levels const& all, tile const& t, std::ptrdiff_t z, columns const& direct) const {
    auto const& ring = std::get<0>(all).ring;
    auto const p = known<0>(ring.plane(0, z), ring.row_stride(), t);
    std::ptrdiff_t const zs = edge_index(edges.kind, z, size.planes);
    std::ptrdiff_t const reach = radius[0][2] + 2 * unit;  // of a vector, beside its own columns
    In* copy = p.first + p.y0 * p.stride;
    for (std::ptrdiff_t y = p.y0; y != p.y1; ++y, copy += p.stride) {
      In const* const row = from.row(zs, edge_index(edges.kind, y, size.rows));
      if (direct.begin == direct.end) {
        stage_columns(row, size.columns, copy, p.x0, p.x1);
      } else {
        stage_columns(row, size.columns, copy, p.x0, direct.begin + reach);
        stage_columns(row, size.columns, copy, direct.end - reach, p.x1);
      }
    }
    finish<0>(p);
  }

  /// Finds the planes round the `count` planes from z on that pass K + 1 computes.
  template <std::size_t K>
  void look_round(levels& all, std::ptrdiff_t z, std::ptrdiff_t count, bool in_grid) const {
    auto& level = std::get<K>(all);
    level.ahead = D == 2 && in_grid ? (radius[K][0] + count) * from.plane_stride : 0;  // asked for meanwhile
    if constexpr (K == 0)
      if (in_grid)
        return level.look_round(z, count, size.planes, edges, 0,
                                [&](std::ptrdiff_t p) { return from.row(edge_index(edges.kind, p, size.planes), 0); });
    level.look_round(z, count, size.planes, edges, level.ring.row_stride(),
                     [&](std::ptrdiff_t p) { return level.ring.plane(0, p); });
  }

  /// Planes z to z + count of pass K + 1: one, or as many as the leaf computes at once.
  template <std::size_t K>
  void compute(levels& all, tile const& t, std::ptrdiff_t z, std::ptrdiff_t count, columns const& direct) const {
    constexpr bool last = K + 1 == passes;
    auto const [y0, y1, x0, x1] = part<K + 1>(t);
    auto const& r = radius[K];
    row_extent extent{x0,
                      x1,
                      last ? 0 : line_elements<char>,
                      edge_index(edges.kind, z, size.planes),
                      0,
                      ends().wraps() ? size.planes : 0,
                      ends().wraps() ? size.columns : 0,
                      static_cast<int>((std::max)({r[0], r[1], r[2]})),
                      static_cast<int>(r[0]),
                      static_cast<int>(r[1]),
                      !last,
                      last && bypass};
    if (K != 0 || direct.begin == direct.end) {
      compute_columns<K>(all, z, count, y0, y1, extent, false);
    } else {
      extent.end = direct.begin;
      compute_columns<K>(all, z, count, y0, y1, extent, false);
      if (x0 < direct.begin) extent.room = 0;
      extent.begin = direct.begin;
      extent.end = direct.end;
      compute_columns<K>(all, z, count, y0, y1, extent, true);
      extent.room = 0;
      extent.begin = direct.end;
      extent.end = x1;
      compute_columns<K>(all, z, count, y0, y1, extent, false);
    }
    if constexpr (!last) {
      auto const& ring = std::get<K + 1>(all).ring;
      for (std::ptrdiff_t q = 0; q != count; ++q)
        finish<K + 1>(known<K + 1>(ring.plane(0, z + q), ring.row_stride(), t));
    }
  }
  template <std::size_t K>
  void compute_columns(levels& all, std::ptrdiff_t z, std::ptrdiff_t count, std::ptrdiff_t y0, std::ptrdiff_t y1,
                       row_extent& extent, bool in_grid) const {
    if (extent.begin >= extent.end) return;
    look_round<K>(all, z, count, in_grid);
    for (std::ptrdiff_t y = y0; y < y1; ++y) {
      extent.row = edge_index(edges.kind, y, size.rows);
      if (rows_at_once<K> != 1 && count != 1)
        compute_row<K, static_cast<std::size_t>(rows_at_once<K>)>(all, z, y, extent);
      else
        compute_row<K, 1>(all, z, y, extent);
    }
  }
  template <std::size_t K, std::size_t R>
  void compute_row(levels& all, std::ptrdiff_t z, std::ptrdiff_t y, row_extent const& extent) const {
    std::tuple<state<K + 1>*> targets[R];
    for (std::size_t q = 0; q != R; ++q) {
      auto const plane = z + static_cast<std::ptrdiff_t>(q);
      if constexpr (K + 1 == passes) {
        targets[q] = to.row(plane, y);
      } else {
        auto const& ring = std::get<K + 1>(all).ring;
        targets[q] = ring.plane(0, plane) + y * ring.row_stride();
      }
    }
    stencil_rows<Leaf, D>(std::get<K>(functions), std::tuple{std::get<K>(all).neighbours(y)}, targets, extent);
  }
};

/// Tiles as wide as their rings stay in the first half of a core's own cache, and bands of planes for the workers.
template <class Sweep>
[[nodiscard]] tiling tile_passes(Sweep const& sweep, std::size_t workers) {
  tiling cut{1, sweep.size.rows, round_up(sweep.size.columns, Sweep::unit), 1};
  auto const bytes = [&] { return sweep.ring_bytes({0, 1, 0, cut.rows, 0, cut.columns}); };
  while (cut.columns > 16 * Sweep::unit && static_cast<double>(bytes()) > caches().middle / 2)
    cut.columns = round_up(cut.columns / 2, Sweep::unit);
  if (workers > 1)
    cut.bands =
        (std::max)(std::ptrdiff_t{1}, (std::min)(static_cast<std::ptrdiff_t>(4 * workers), sweep.size.planes / 16));
  return cut;
}

}  // namespace tartan::inline TARTAN_ABI::detail
