#pragma once
// A function of each point of a grid and its neighbours, step after step.

#include <algorithm>    // max
#include <array>        // array
#include <cstddef>      // size_t, ptrdiff_t
#include <tuple>        // apply, tuple
#include <type_traits>  // is_const_v, remove_cv_t, remove_cvref_t, remove_pointer_t, remove_reference_t
#include <utility>      // as_const, move

#include "tartan/core/config.hpp"            // TARTAN_ABI
#include "tartan/core/errors.hpp"            // bad_argument, raise
#include "tartan/exec/backend.hpp"           // shared_memory_backend
#include "tartan/exec/grid.hpp"              // grid, grid_view
#include "tartan/exec/policy.hpp"            // execution_policy, supports
#include "tartan/exec/scratch.hpp"           // scratch
#include "tartan/patterns/stencil/call.hpp"  // stencil_call, run_tiles
#include "tartan/patterns/stencil/grids.hpp"  // block_of, copy_grid, grid_of, is_fixed, is_grid, is_view, require_extents
#include "tartan/patterns/stencil/options.hpp"  // steps, until, radius, boundary, fields, fixed, pass
#include "tartan/patterns/stencil/passes.hpp"   // pass_sweep, tile_passes
#include "tartan/patterns/stencil/plan.hpp"     // choose_tiling
#include "tartan/patterns/stencil/sweep.hpp"    // stencil_sweep

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class P>
constexpr void require_stencil_policy() {
  static_assert(
      supports<P, property::relaxed>,
      "tartan: stencil does not support a property of this policy (it takes workers, stop, progress, name, on)");
}

/// Whether these are grids that a stencil can change, or read; else says so in a sentence.
template <class... G>
consteval bool are_fields() {
  constexpr bool all_grids = (is_grid<grid_of<G>> && ...);
  static_assert(all_grids, "tartan: the fields of a stencil are grids, or fixed(grid); copy a view to a grid first");
  constexpr bool all_change = ((!std::is_const_v<G> || is_fixed<std::remove_cv_t<G>>) && ...);
  static_assert(all_change, "tartan: a stencil changes its grids; one that is const can only be read, as fixed(grid)");
  return all_grids && all_change;
}

template <class In, class Out>
constexpr void require_grids() {
  static_assert((is_grid<In> || is_view<In>) && (is_grid<Out> || is_view<Out>),
                "tartan: stencil_into reads a grid or grid_view and writes another");
}

/// Whether a call of stencil names, behind its grids, what it needs and in the order it needs it.
template <class... A>
inline constexpr bool is_stencil_call = false;
template <class When, class EdgeValue, class F>
inline constexpr bool is_stencil_call<When, reach, edge_rule<EdgeValue>, F> = is_when<When>;

/// The same of stencil_into, behind what it reads and writes.
template <class... A>
inline constexpr bool is_stencil_into_call = false;
template <class EdgeValue, class F>
inline constexpr bool is_stencil_into_call<reach, edge_rule<EdgeValue>, F> = true;
template <class EdgeValue, class... F>
inline constexpr bool is_stencil_into_call<edge_rule<EdgeValue>, pass_step<F>...> = sizeof...(F) >= 1;

}  // namespace detail

/// Replaces each element of a grid by f of its neighbourhood, step after step.
///
///     tartan::stencil(tartan::par_simd, g, tartan::steps(100), tartan::radius(1), tartan::boundary::clamp,
///                     [](auto at) { return .25f * (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)); });
///
/// @param grids  A grid, or fields(...) of several of the same extents.
/// @param when   steps(n), or until(done, every). steps(n).temporal(1) makes one sweep over the grid a step; by
///               itself a call takes several steps while rows are in the cache. Both give the same bits.
/// @param r      How far f looks. It must not look farther.
/// @param edges  boundary::clamp, wrap, reflect, symmetric, constant(v), or none, which leaves the rim as it is.
///               Where the elements of a row come in groups, as colours do: clamp.interleaved(3) and so on.
/// @param f      Called with a point of each field: at(dy, dx) is a neighbour, at.index() the place (an int for each
///               dimension, or packs of them). It returns the new value, or a tuple with one for each field that is
///               not fixed; see fields. Under simd it gets packs where it is generic. Called at least once for each
///               point and step, some points more often, from several threads at once; it must depend on its
///               arguments only.
/// @returns      {steps, last}: the steps taken and, with until, what it measured of the last one.
///
/// Complexity: steps times elements calls. Needs a second state, which a grid keeps after its first stencil.
/// Determinism: the same bits for any policy, number of workers and depth; see the notes on contraction of a
/// multiplication and an addition for what the compiler may do to f itself.
/// Exceptions: of f; bad_extents, bad_argument. The grid then holds the state before the steps in progress.
/// Blocking: returns when all is done; the calling thread takes part. Progress counts steps.
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
          if constexpr (detail::are_fields<std::remove_reference_t<decltype(g)>...>())
            return detail::stencil_call<P, F, EdgeValue, std::remove_reference_t<decltype(g)>...>(
                       policy, f, r, edges, std::tuple<std::remove_reference_t<decltype(g)>&...>{g...})
                .run(when);
        },
        grids.grids);
  } else if constexpr (detail::is_view<G>) {
    static_assert(
        shared_memory_backend<typename P::backend_type>,
        "tartan: on processes a stencil works on grids in shared memory, not on views: tartan::shared_grid<T, D>");
    static_assert(!std::is_const_v<std::remove_pointer_t<decltype(grids.data)>>,
                  "tartan: a stencil changes its grid; the elements of this view are const");
    grid<typename G::value_type, G::rank> own(grids.extents);
    detail::copy_grid(grids, own.view());
    auto result = stencil(policy, own, when, r, edges, std::move(f));
    detail::copy_grid(std::as_const(own).view(), grids);
    return result;
  } else {
    static_assert(detail::is_grid<G>, "tartan: stencil works on a grid, a grid_view, or fields(...) of grids");
    if constexpr (detail::are_fields<std::remove_reference_t<Grids>>())
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
  detail::require_grids<In, G>();
  static_assert(shared_memory_backend<typename P::backend_type> ||
                    (detail::lies_in_shared_memory<In> && detail::lies_in_shared_memory<G>),
                "tartan: the workers of this policy do not see the caller's memory, so the grids of a stencil must lie "
                "where they do: make them tartan::shared_grid<T, D>");
  using from_type = typename In::value_type;
  using to_type = typename G::value_type;
  auto const blocks = detail::blocks_of(in, out);
  auto const radius = detail::radii<In::rank>(r);
  detail::require_extents(blocks.size, radius, edges);

  using sweep_type =
      detail::stencil_sweep<typename P::leaf_type, In::rank, F, EdgeValue, std::tuple<from_type>, std::tuple<to_type>>;
  std::size_t const workers = policy.backend().width(policy.props());
  sweep_type const sweep{f, blocks.size, radius, edges, 1, blocks.exceeds_caches, {blocks.from}, {blocks.to}, {}};
  detail::tiling const cut = detail::choose_tiling(
      {blocks.size, radius, 1, 0, sizeof(from_type) + sizeof(to_type),
       (std::max)(detail::line_elements<from_type>, detail::line_elements<to_type>), workers, 0, In::rank});
  detail::scratch<detail::ring_memory> memory(workers);
  detail::run_tiles(policy, sweep, cut, memory);
}

/// Applies several functions one after another, as as many calls of stencil_into would, and keeps what lies between
/// them in the cache. A separable filter is two passes of few weights:
///
///     tartan::stencil_into(tartan::par_simd, image, out, tartan::boundary::clamp,
///                          tartan::pass(tartan::radius(0, 2), across), tartan::pass(tartan::radius(2, 0), down));
///
/// What a pass returns is what the next one sees, in the type that the function returns for numbers. Every pass has the
/// boundary; none is refused, as values in between would have no rim.
template <execution_policy P, class In, class Out, class EdgeValue, class... F>
  requires(sizeof...(F) >= 1)
void stencil_into(P const& policy, In const& in, Out&& out, detail::edge_rule<EdgeValue> const& edges,
                  detail::pass_step<F>... passes) {
  detail::require_stencil_policy<P>();
  detail::require_grids<In, std::remove_cvref_t<Out>>();
  static_assert(shared_memory_backend<typename P::backend_type>,
                "tartan: on processes stencil_into takes one pass; call it once for each, over shared grids");
  if (edges.kind == detail::edge::none)
    detail::raise<bad_argument>("tartan: passes need a boundary, and boundary::none has no values behind the rim");
  auto const blocks = detail::blocks_of(in, out);
  std::array<std::array<std::ptrdiff_t, 3>, sizeof...(F)> const radius{detail::radii<In::rank>(passes.r)...};
  for (auto const& r : radius) detail::require_extents(blocks.size, r, edges);
  detail::pass_sweep<typename P::leaf_type, In::rank, EdgeValue, typename In::value_type,
                     typename std::remove_cvref_t<Out>::value_type, F...> const sweep{
      {passes.f...}, blocks.size, radius, edges, blocks.exceeds_caches, blocks.from, blocks.to};
  std::size_t const workers = policy.backend().width(policy.props());
  detail::scratch<detail::ring_memory> memory(workers);
  if constexpr (shared_memory_backend<typename P::backend_type>)  // else the sentence above is enough
    detail::run_tiles(policy, sweep, detail::tile_passes(sweep, workers), memory);
}

/// Any other call gets a sentence.
template <execution_policy P, class Grids, class... A>
  requires(!detail::is_stencil_call<std::remove_cvref_t<A>...>)
void stencil(P const&, Grids&&, A&&...) {
  static_assert(sizeof(P) == 0,
                "tartan: stencil takes a policy, a grid or fields(...), steps(n) or until(done, every), radius(r), a "
                "boundary and a function, in this order");
}
template <execution_policy P, class In, class Out, class... A>
  requires(!detail::is_stencil_into_call<std::remove_cvref_t<A>...>)
void stencil_into(P const&, In&&, Out&&, A&&...) {
  static_assert(sizeof(P) == 0,
                "tartan: stencil_into takes a policy, a grid to read, a grid to write, radius(r), a boundary and a "
                "function; or, behind the grids, a boundary and pass(radius(r), function) once or several times");
}

}  // namespace tartan::inline TARTAN_ABI
