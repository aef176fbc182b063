#pragma once
// A function of each point of a grid and its neighbours, step after step.

#include <algorithm>    // max
#include <array>        // array
#include <concepts>     // same_as
#include <cstddef>      // size_t, ptrdiff_t
#include <functional>   // less
#include <limits>       // numeric_limits
#include <memory>       // addressof
#include <string>       // string, to_string
#include <tuple>        // get, tuple
#include <type_traits>  // remove_cvref_t, remove_reference_t
#include <utility>      // index_sequence, move
#include <vector>       // vector

#include "tartan/core/caches.hpp"               // caches
#include "tartan/core/config.hpp"               // TARTAN_ABI
#include "tartan/core/errors.hpp"               // bad_argument, raise
#include "tartan/exec/backend.hpp"              // shared_memory_backend
#include "tartan/exec/grid.hpp"                 // grid, grid_view, grid_access
#include "tartan/exec/policy.hpp"               // execution_policy, supports
#include "tartan/exec/scratch.hpp"              // scratch
#include "tartan/exec/stencil_row.hpp"          // scalar_point
#include "tartan/patterns/stencil/edges.hpp"    // least_extent
#include "tartan/patterns/stencil/options.hpp"  // steps, until, radius, boundary, fields, fixed
#include "tartan/patterns/stencil/plan.hpp"     // choose_tiling, tile_of
#include "tartan/patterns/stencil/strips.hpp"   // run_strips
#include "tartan/patterns/stencil/sweep.hpp"    // stencil_sweep

namespace tartan::inline TARTAN_ABI {

/// The extents of grids, or of a grid and the radius, do not fit each other.
struct bad_extents : bad_argument {
  using bad_argument::bad_argument;
};

/// What a stencil did. `last` is the largest change of the last step that was looked at (until only).
template <class T>
struct stencil_result {
  std::size_t steps = 0;
  T last{};
};

namespace detail {

template <class G>
inline constexpr bool is_grid = false;
template <class T, std::size_t D, class Memory>
inline constexpr bool is_grid<grid<T, D, Memory>> = true;
template <class G>
inline constexpr bool is_view = false;
template <class T, std::size_t D>
inline constexpr bool is_view<grid_view<T, D>> = true;
template <class G>
inline constexpr bool is_fixed = false;
template <class G>
inline constexpr bool is_fixed<fixed_field<G>> = true;
template <class G>
inline constexpr bool is_fields = false;
template <class... G>
inline constexpr bool is_fields<field_list<G...>> = true;

template <class T, std::size_t D>
[[nodiscard]] block_extents block_of(std::array<std::size_t, D> const& e) {
  auto const at = [&](std::size_t d) { return static_cast<std::ptrdiff_t>(e[d]); };
  if constexpr (D == 1) return {1, 1, at(0)};
  if constexpr (D == 2) return {at(0), 1, at(1)};
  if constexpr (D == 3) return {at(0), at(1), at(2)};
}

template <class T, std::size_t D>
[[nodiscard]] block_view<T> block_of(grid_view<T, D> const& v) {
  if constexpr (D == 1) return {v.data, 0, 0};
  if constexpr (D == 2) return {v.data, v.strides[0], 0};
  if constexpr (D == 3) return {v.data, v.strides[0], v.strides[1]};
}

/// The radius as planes, rows and columns.
template <std::size_t D>
[[nodiscard]] std::array<std::ptrdiff_t, 3> radii(reach const& r) {
  if (r.given != 1 && r.given != D)
    raise<bad_argument>(
        "tartan: radius(...) takes one number for all dimensions, or one for each dimension of the grid");
  auto const at = [&](std::size_t d) { return r.given == 1 ? r.by[0] : r.by[d]; };
  if constexpr (D == 1) return {0, 0, at(0)};
  if constexpr (D == 2) return {at(0), 0, at(1)};
  if constexpr (D == 3) return {at(0), at(1), at(2)};
}

inline void require_extents(block_extents const& size, std::array<std::ptrdiff_t, 3> const& radius, edge kind) {
  std::ptrdiff_t const n[] = {size.planes, size.rows, size.columns};
  for (std::size_t d = 0; d != 3; ++d)
    if (n[d] < least_extent(kind, radius[d]))
      raise<bad_extents>("tartan: an extent of " + std::to_string(n[d]) + " is too small for a radius of " +
                         std::to_string(radius[d]) + " with this boundary, which needs at least " +
                         std::to_string(least_extent(kind, radius[d])));
}

/// One field of a call: a grid that moves, or one that stays.
template <class G>
struct field_type {
  using grid_type = std::remove_cvref_t<G>;
  static constexpr bool moves = true;
};
template <class G>
struct field_type<fixed_field<G>> {
  using grid_type = G;
  static constexpr bool moves = false;
};
template <class G>
using grid_of = typename field_type<std::remove_cvref_t<G>>::grid_type;

template <class G>
[[nodiscard]] decltype(auto) unwrapped(G& g) {
  if constexpr (is_fixed<std::remove_cvref_t<G>>)
    return (g.grid);
  else
    return (g);
}

/// Copies between a grid and a view of any strides.
template <class From, class To, std::size_t D>
void copy_grid(grid_view<From, D> const& from, grid_view<To, D> const& to) {
  std::array<std::size_t, 3> n{1, 1, 1};
  std::array<std::ptrdiff_t, 3> a{}, b{};
  for (std::size_t d = 0; d != D; ++d) {
    n[3 - D + d] = from.extents[d];
    a[3 - D + d] = from.strides[d];
    b[3 - D + d] = to.strides[d];
  }
  for (std::size_t z = 0; z != n[0]; ++z)
    for (std::size_t y = 0; y != n[1]; ++y)
      for (std::size_t x = 0; x != n[2]; ++x) {
        auto const iz = static_cast<std::ptrdiff_t>(z), iy = static_cast<std::ptrdiff_t>(y),
                   ix = static_cast<std::ptrdiff_t>(x);
        to.data[iz * b[0] + iy * b[1] + ix * b[2]] = from.data[iz * a[0] + iy * a[1] + ix * a[2]];
      }
}

template <std::size_t D, class F, class... In>
using stencil_value = std::invoke_result_t<F&, scalar_point<In, D>...>;

/// The numbers 0 to n - 1 whose field moves.
template <class... G>
[[nodiscard]] consteval auto moving_fields() {
  constexpr std::size_t count = ((field_type<std::remove_cvref_t<G>>::moves ? std::size_t{1} : std::size_t{0}) + ...);
  std::array<std::size_t, count + 1> out{};
  std::size_t i = 0, m = 0;
  ((field_type<std::remove_cvref_t<G>>::moves ? void(out[m++] = i++) : void(i++)), ...);
  return out;
}

/// Whether workers that do not see the caller's memory see this grid: it says so itself.
template <class G>
inline constexpr bool lies_in_shared_memory = false;
template <class T, std::size_t D, class Memory>
inline constexpr bool lies_in_shared_memory<grid<T, D, Memory>> = requires { requires Memory::crosses_processes; };

/// Runs all tiles of one pass.
template <class P, class Sweep>
void run_tiles(P const& policy, Sweep const& sweep, tiling const& cut, scratch<ring_memory>& memory) {
  auto const count = static_cast<std::size_t>(tile_count(cut, sweep.size));
  if constexpr (!shared_memory_backend<typename P::backend_type>)
    return run_strips(policy, sweep, cut, count);
  else
    policy.backend().for_range(policy.props(), count, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      auto rings = memory.take();
      for (std::size_t i = begin; i != end; ++i)
        sweep.run(tile_of(cut, sweep.size, static_cast<std::ptrdiff_t>(i)), *rings);
    });
}

/// The largest |a - b| of two states. NaN where one of them is, so that no test of convergence overlooks it.
template <class P, class T>
[[nodiscard]] T largest_change(P const& policy, block_extents const& size, block_view<T> const& a,
                               block_view<T> const& b) {
  auto const rows = static_cast<std::size_t>(size.planes * size.rows);
  std::vector<T> largest(rows);
  auto const look_at = [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r != end; ++r) {
      auto const z = static_cast<std::ptrdiff_t>(r) / size.rows, y = static_cast<std::ptrdiff_t>(r) % size.rows;
      T const* const p = a.row(z, y);
      T const* const q = b.row(z, y);
      T most{};
      bool ordered = true;
      for (std::ptrdiff_t x = 0; x != size.columns; ++x) {
        T const change = static_cast<T>(p[x] < q[x] ? q[x] - p[x] : p[x] - q[x]);
        ordered &= change == change;
        most = most < change ? change : most;
      }
      if constexpr (std::is_floating_point_v<T>)
        if (!ordered) most = std::numeric_limits<T>::quiet_NaN();
      largest[r] = most;
    }
  };
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    properties props = policy.props();
    props.progress = {};
    policy.backend().for_range(props, rows, std::size_t{1}, look_at);
  } else {
    look_at(0, rows);  // cheaper here than to send
  }
  T most{};
  for (T const& one : largest) {
    if (one != one) return one;
    most = most < one ? one : most;
  }
  return most;
}

/// A call of stencil on grids that own their elements.
template <class P, class F, class EdgeValue, class... G>
class stencil_call {
  static constexpr std::size_t D = std::tuple_element_t<0, std::tuple<grid_of<G>...>>::rank;
  static constexpr auto moving_index = moving_fields<G...>();
  static constexpr std::size_t moving = moving_index.size() - 1;
  static_assert(moving >= 1, "tartan: at least one field of a stencil is not fixed");
  static_assert(((grid_of<G>::rank == D) && ...), "tartan: the fields of a stencil have the same number of dimensions");

  using value = stencil_value<D, F, typename grid_of<G>::value_type...>;
  static constexpr std::size_t outs = [] {
    if constexpr (is_tuple_like<value>)
      return std::tuple_size_v<value>;
    else
      return std::size_t{1};
  }();
  static_assert(outs == 1 || outs == moving,
                "tartan: the function of a stencil returns one value, or a tuple with one for each field that changes");
  static constexpr bool history = outs == 1 && moving > 1;

  template <std::size_t M>
  using moving_value = typename std::tuple_element_t<moving_index[M], std::tuple<grid_of<G>...>>::value_type;
  using first_value = moving_value<0>;
  static_assert(shared_memory_backend<typename P::backend_type> || (lies_in_shared_memory<grid_of<G>> && ...),
                "tartan: the workers of this policy do not see the caller's memory, so the grids of a stencil must lie "
                "where they do: make them tartan::shared_grid<T, D>");

 public:
  stencil_call(P const& policy, F& f, reach const& r, edge_rule<EdgeValue> const& edges, std::tuple<G&...> grids)
      : policy_(policy), f_(f), radius_(radii<D>(r)), edges_(edges), grids_(grids) {
    auto const& extents = moving_grid<0>().extents();
    size_ = block_of<first_value, D>(extents);
    std::apply(
        [&](auto&... g) {
          if (((unwrapped(g).extents() != extents) || ...))
            raise<bad_extents>("tartan: the fields of a stencil must have the same extents");
        },
        grids_);
    require_extents(size_, radius_, edges.kind);
    require_distinct();
  }

  stencil_result<first_value> run(step_count const& s) {
    advance(s.count, s.block);
    return {s.count, {}};
  }

  template <class Done>
  stencil_result<first_value> run(step_until<Done> const& until) {
    stencil_result<first_value> result;
    while (result.steps < until.most) {
      std::size_t const more = (std::min)(until.every, until.most - result.steps);
      if (more > 1) advance(more - 1, 0);
      pass(1, 1);  // of one step, so that its two states can be compared
      result.steps += more;
      result.last = largest_change(policy_, size_, block_of(moving_grid<0>().view()),
                                   block_of(grid_access<grid_of_moving<0>>::next(moving_grid<0>())));
      if (until.done(result.last)) break;
    }
    return result;
  }

 private:
  template <std::size_t M>
  using grid_of_moving = std::tuple_element_t<moving_index[M], std::tuple<grid_of<G>...>>;
  template <std::size_t M>
  [[nodiscard]] grid_of_moving<M>& moving_grid() const {
    return std::get<moving_index[M]>(grids_);
  }
  template <class Body>
  static void each_moving(Body&& body) {
    [&]<std::size_t... M>(std::index_sequence<M...>) {
      (body(std::integral_constant<std::size_t, M>{}), ...);
    }(std::make_index_sequence<moving>{});
  }

  void require_distinct() const {
    std::array<void const*, sizeof...(G)> where{};
    std::size_t n = 0;
    std::apply([&](auto&... g) { ((where[n++] = std::addressof(unwrapped(g))), ...); }, grids_);
    each_moving([&](auto m) {
      for (std::size_t i = 0; i != sizeof...(G); ++i)
        if (i != moving_index[m] && where[i] == where[moving_index[m]])
          raise<bad_argument>(
              "tartan: a grid stands twice among the fields of a stencil; give each field its own grid");
    });
  }

  void advance(std::size_t steps, std::size_t wanted) {
    while (steps != 0) steps -= pass(steps, wanted);
  }

  /// One walk over the grid; returns the steps that it took.
  std::size_t pass(std::size_t steps, std::size_t wanted) {
    if constexpr (history) static_assert(same_values(), "tartan: the grids of a history hold the same type");
    std::size_t const point_bytes = (sizeof(typename grid_of<G>::value_type) + ...);
    tiling const cut = choose_tiling({size_, radius_, steps, wanted, point_bytes,
                                      (std::max)({line_elements<typename grid_of<G>::value_type>...}),
                                      policy_.backend().width(policy_.props())});
    double const state =
        static_cast<double>(point_bytes) * static_cast<double>(size_.planes * size_.rows * size_.columns);
    auto const sweep = make_sweep(cut.depth, state > caches().middle * 4, std::make_index_sequence<sizeof...(G)>{},
                                  std::make_index_sequence<outs>{}, std::make_index_sequence<moving>{});
    run_tiles(policy_, sweep, cut, memory_);
    turn(static_cast<std::size_t>(cut.depth));
    return static_cast<std::size_t>(cut.depth);
  }

  [[nodiscard]] static consteval bool same_values() {
    return []<std::size_t... M>(std::index_sequence<M...>) {
      return (std::same_as<moving_value<M>, first_value> && ...);
    }(std::make_index_sequence<moving>{});
  }

  template <std::size_t... I, std::size_t... O, std::size_t... M>
  [[nodiscard]] auto make_sweep(std::ptrdiff_t depth, bool bypass, std::index_sequence<I...>, std::index_sequence<O...>,
                                std::index_sequence<M...>) const {
    using sweep = stencil_sweep<typename P::leaf_type, D, F, EdgeValue, std::tuple<typename grid_of<G>::value_type...>,
                                std::tuple<moving_value<O>...>, moving_index[M]...>;
    sweep s{f_,
            size_,
            radius_,
            edges_,
            depth,
            bypass,
            {block_of(std::as_const(unwrapped(std::get<I>(grids_))).view())...},
            {block_of(grid_access<grid_of_moving<O>>::next(moving_grid<O>()))...},
            {}};
    if constexpr (history) ((s.past[M] = block_of(grid_access<grid_of_moving<M>>::next(moving_grid<M>()))), ...);
    return s;
  }

  /// The next states become the present ones. In a history whose states are older than this pass, a state moves on to
  /// the next grid.
  void turn(std::size_t depth) {
    if constexpr (history) {
      // After `depth` steps grid m holds the state of depth - m: written by this pass where that is above zero, else
      // the present state of grid m - depth. Going down, no state is overwritten before it has moved on.
      each_moving([&](auto up) {
        constexpr std::size_t m = moving - 1 - up;
        each_moving([&](auto from) {
          if constexpr (from < m)
            if (m - from == depth) grid_access<grid_of_moving<m>>::take_now(moving_grid<m>(), moving_grid<from>());
        });
      });
      each_moving([&](auto m) {
        if (m < depth) grid_access<grid_of_moving<m>>::turn(moving_grid<m>());
      });
    } else {
      each_moving([&](auto m) { grid_access<grid_of_moving<m>>::turn(moving_grid<m>()); });
    }
  }

  P const& policy_;
  F& f_;
  std::array<std::ptrdiff_t, 3> radius_;
  edge_rule<EdgeValue> edges_;
  std::tuple<G&...> grids_;
  block_extents size_{};
  scratch<ring_memory> memory_{policy_.backend().width(policy_.props())};
};

template <class P>
constexpr void require_stencil_policy() {
  static_assert(
      supports<P, property::relaxed>,
      "tartan: stencil does not support a property of this policy (it takes workers, stop, progress, name, on)");
}

}  // namespace detail

/// Replaces each element of a grid by f of its neighbourhood, step after step.
///
///     tartan::stencil(tartan::par_simd, g, tartan::steps(100), tartan::radius(1), tartan::boundary::clamp,
///                     [](auto at) { return .25f * (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)); });
///
/// @param grids  A grid, or fields(...) of several of the same extents.
/// @param when   steps(n), or until(done, every). steps(n).temporal(1) makes one sweep over the grid a step; by itself
/// a
///               call takes several steps while rows are in the cache. Both give the same bits.
/// @param r      How far f looks. It must not look farther.
/// @param edges  boundary::clamp, wrap, reflect, symmetric, constant(v), or none, which leaves the rim as it is.
/// @param f      Called with a point of each field: at(dy, dx) is a neighbour, at.index() the place. It returns the
///               new value, or a tuple with one for each field that is not fixed; see fields. Under simd it gets packs
///               where it is generic. Called at least once for each point and step, some points more often, from
///               several threads at once; it must depend on its arguments only.
/// @returns      {steps, last}: the steps taken and, with until, the largest change of the last one.
///
/// Complexity: steps times elements calls. Needs a second state, which a grid keeps after its first stencil.
/// Determinism: the same bits for any policy, number of workers and depth; see the notes on contraction of a
/// multiplication and an addition for what the compiler may do to f itself.
/// Exceptions: of f; bad_extents, bad_argument. The grid then holds the state before the steps in progress.
/// Blocking: returns when all is done; the calling thread takes part.
/// Processes: grids are shared_grid, f travels. A worker's death is worker_died, and the grid holds the state before
/// the steps in progress; under retries(n) those steps are done again, which never shows.
template <execution_policy P, class Grids, class When, class EdgeValue, class F>
auto stencil(P const& policy, Grids&& grids, When const& when, detail::reach const& r,
             detail::edge_rule<EdgeValue> const& edges, F f) {
  detail::require_stencil_policy<P>();
  using G = std::remove_cvref_t<Grids>;
  if constexpr (detail::is_fields<G>) {
    return std::apply(
        [&](auto&... g) {
          return detail::stencil_call<P, F, EdgeValue, std::remove_reference_t<decltype(g)>...>(
                     policy, f, r, edges, std::tuple<std::remove_reference_t<decltype(g)>&...>{g...})
              .run(when);
        },
        grids.grids);
  } else if constexpr (detail::is_view<G>) {
    static_assert(
        shared_memory_backend<typename P::backend_type>,
        "tartan: on processes a stencil works on grids in shared memory, not on views: tartan::shared_grid<T, D>");
    grid<typename G::value_type, G::rank> own(grids.extents);
    detail::copy_grid(grids, own.view());
    auto result = stencil(policy, own, when, r, edges, std::move(f));
    detail::copy_grid(std::as_const(own).view(), grids);
    return result;
  } else {
    static_assert(detail::is_grid<G>, "tartan: stencil works on a grid, a grid_view, or fields(...) of grids");
    return detail::stencil_call<P, F, EdgeValue, G>(policy, f, r, edges, std::tuple<G&>{grids}).run(when);
  }
}

/// Writes f of each neighbourhood of `in` to `out`, which may hold another type.
///
///     tartan::stencil_into(tartan::par_simd, image, edges, tartan::radius(1), tartan::boundary::reflect, sobel);
///
/// Both are grids or views of the same extents (a view's rows must be adjacent elements) and must not overlap: typed
/// errors otherwise. Under boundary::none the rim of `out` is not written. All else: see stencil.
template <execution_policy P, class In, class Out, class EdgeValue, class F>
void stencil_into(P const& policy, In const& in, Out&& out, detail::reach const& r,
                  detail::edge_rule<EdgeValue> const& edges, F f) {
  detail::require_stencil_policy<P>();
  using G = std::remove_cvref_t<Out>;
  static_assert(shared_memory_backend<typename P::backend_type> ||
                    (detail::lies_in_shared_memory<In> && detail::lies_in_shared_memory<G>),
                "tartan: the workers of this policy do not see the caller's memory, so the grids of a stencil must lie "
                "where they do: make them tartan::shared_grid<T, D>");
  static_assert(In::rank == G::rank, "tartan: stencil_into needs two grids with the same number of dimensions");
  auto const view_of = [](auto&& g) {
    if constexpr (detail::is_view<std::remove_cvref_t<decltype(g)>>)
      return g;
    else
      return g.view();
  };
  constexpr std::size_t D = In::rank;
  using from_type = typename In::value_type;
  using to_type = typename G::value_type;
  auto const from = view_of(in);
  auto const to = view_of(out);
  if (from.extents != to.extents)
    detail::raise<bad_extents>("tartan: in and out of stencil_into must have the same extents");
  if (from.strides[D - 1] != 1 || to.strides[D - 1] != 1)
    detail::raise<bad_argument>(
        "tartan: the rows of a view must be adjacent elements (last stride 1); copy it to a grid");
  auto const size = detail::block_of<from_type, D>(from.extents);
  auto const radius = detail::radii<D>(r);
  detail::require_extents(size, radius, edges.kind);
  auto const a = detail::block_of(from);
  auto const b = detail::block_of(to);
  auto const before = [](void const* p, void const* q) { return std::less<>{}(p, q); };
  if (before(a.row(0, 0), b.row(size.planes - 1, size.rows - 1) + size.columns) &&
      before(b.row(0, 0), a.row(size.planes - 1, size.rows - 1) + size.columns))
    detail::raise<bad_argument>("tartan: in and out of stencil_into overlap; use stencil to change a grid in place");

  using sweep_type =
      detail::stencil_sweep<typename P::leaf_type, D, F, EdgeValue, std::tuple<from_type>, std::tuple<to_type>>;
  detail::block_view<from_type const> const source{a.data, a.plane_stride, a.row_stride};
  std::size_t const workers = policy.backend().width(policy.props());
  double const state =
      static_cast<double>(sizeof(to_type)) * static_cast<double>(size.planes * size.rows * size.columns);
  sweep_type const sweep{f, size, radius, edges, 1, state > detail::caches().middle * 4, {source}, {b}, {}};
  detail::tiling const cut =
      detail::choose_tiling({size, radius, 1, 0, sizeof(from_type) + sizeof(to_type),
                             (std::max)(detail::line_elements<from_type>, detail::line_elements<to_type>), workers});
  detail::scratch<detail::ring_memory> memory(workers);
  detail::run_tiles(policy, sweep, cut, memory);
}

}  // namespace tartan::inline TARTAN_ABI
