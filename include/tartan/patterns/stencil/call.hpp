#pragma once
// One call of stencil on grids that own their elements: passes over them until all steps are taken.

#include <algorithm>    // max, min
#include <array>        // array
#include <concepts>     // convertible_to, default_initializable, same_as
#include <cstddef>      // size_t, ptrdiff_t
#include <limits>       // numeric_limits
#include <memory>       // addressof
#include <tuple>        // get, tuple
#include <type_traits>  // invoke_result_t, is_floating_point_v, is_integral_v, make_unsigned_t, remove_cvref_t
#include <utility>      // as_const, index_sequence, move
#include <vector>       // vector

#include "tartan/core/caches.hpp"               // caches
#include "tartan/core/config.hpp"               // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/core/errors.hpp"               // bad_argument, raise
#include "tartan/exec/backend.hpp"              // shared_memory_backend
#include "tartan/exec/grid.hpp"                 // grid_access
#include "tartan/exec/scratch.hpp"              // scratch
#include "tartan/patterns/stencil/grids.hpp"    // block_of, field_type, require_extents
#include "tartan/patterns/stencil/options.hpp"  // step_count, step_until, reach, edge_rule
#include "tartan/patterns/stencil/plan.hpp"     // choose_tiling, tile_of
#include "tartan/patterns/stencil/strips.hpp"   // run_strips
#include "tartan/patterns/stencil/sweep.hpp"    // stencil_sweep

namespace tartan::inline TARTAN_ABI {

/// What a stencil did. `last` is the change in the last step that was looked at (until only).
template <class T>
struct stencil_result {
  std::size_t steps = 0;
  T last{};
};
namespace detail {

/// Runs all tiles of one pass, which takes that many steps. They count: nobody outside knows how many tiles there are.
template <class P, class Sweep>
void run_tiles(P const& policy, Sweep const& sweep, tiling const& cut, scratch<ring_memory>& memory,
               std::size_t steps = 1) {
  auto const count = static_cast<std::size_t>(tile_count(cut, sweep.size));
  if constexpr (!shared_memory_backend<typename P::backend_type>)
    run_strips(policy, sweep, cut, count);
  else
    policy.backend().for_range(policy.props().uncounted(), count, std::size_t{1},
                               [&](std::size_t begin, std::size_t end) {
                                 auto rings = memory.take();
                                 for (std::size_t i = begin; i != end; ++i)
                                   sweep.run(tile_of(cut, sweep.size, static_cast<std::ptrdiff_t>(i)), *rings);
                               });
  policy.props().progress.finished(steps);
}

/// look_at(begin, end) for ranges of rows, on the threads of a policy that has some.
template <class P, class Body>
void each_row(P const& policy, std::size_t rows, Body const& look_at) {
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    policy.backend().for_range(policy.props().uncounted(), rows, std::size_t{1}, look_at);
  } else {
    look_at(0, rows);  // cheaper here than to send
  }
}

/// |a - b| as far as T holds it: a change is never taken for a smaller one, and none is none, of infinities too. NaN
/// where one of them is.
template <class T>
[[nodiscard]] TARTAN_ALWAYS_INLINE T distance_of(T a, T b) {
  if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    using U = std::make_unsigned_t<T>;
    auto const far =
        static_cast<U>(a < b ? static_cast<U>(b) - static_cast<U>(a) : static_cast<U>(a) - static_cast<U>(b));
    constexpr auto most = static_cast<U>((std::numeric_limits<T>::max)());
    return static_cast<T>(far < most ? far : most);
  } else {
    T const far = static_cast<T>(a < b ? b - a : a - b);
    return a == b ? T{} : far;
  }
}

/// The largest |a - b| of two states. NaN where one of them is, so that no test of convergence overlooks it.
template <class P, class T>
[[nodiscard]] T measure_change(P const& policy, largest_change_measure const&, block_extents const& size,
                               block_view<T> const& a, block_view<T> const& b) {
  std::vector<T> largest(static_cast<std::size_t>(size.planes * size.rows));
  each_row(policy, largest.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r != end; ++r) {
      auto const z = static_cast<std::ptrdiff_t>(r) / size.rows, y = static_cast<std::ptrdiff_t>(r) % size.rows;
      T const* const p = a.row(z, y);
      T const* const q = b.row(z, y);
      T most{};
      bool ordered = true;
      for (std::ptrdiff_t x = 0; x != size.columns; ++x) {
        T const change = distance_of(p[x], q[x]);
        ordered &= change == change;
        most = most < change ? change : most;
      }
      if constexpr (std::is_floating_point_v<T>)
        if (!ordered) most = std::numeric_limits<T>::quiet_NaN();
      largest[r] = most;
    }
  });
  T most{};
  for (T const& one : largest) {
    if (one != one) return one;
    most = most < one ? one : most;
  }
  return most;
}

/// The user's measure of the change from b to a.
template <class P, class Change, class Combine, class T>
[[nodiscard]] auto measure_change(P const& policy, reduced_changes<Change, Combine> const& measure,
                                  block_extents const& size, block_view<T> const& a, block_view<T> const& b) {
  using R = std::remove_cvref_t<std::invoke_result_t<Change const&, T const&, T const&>>;
  static_assert(std::default_initializable<R> && !std::same_as<R, bool>,
                "tartan: what until(...).of(change, combine) combines is default-constructible, and no bool");
  static_assert(std::convertible_to<std::invoke_result_t<Combine const&, R, R>, R>,
                "tartan: combine of until(...).of(change, combine) makes one change of two");
  std::vector<R> of_row(static_cast<std::size_t>(size.planes * size.rows));
  each_row(policy, of_row.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r != end; ++r) {
      auto const z = static_cast<std::ptrdiff_t>(r) / size.rows, y = static_cast<std::ptrdiff_t>(r) % size.rows;
      T const* const p = a.row(z, y);
      T const* const q = b.row(z, y);
      R sum = measure.change(p[0], q[0]);
      for (std::ptrdiff_t x = 1; x != size.columns; ++x)
        sum = measure.combine(std::move(sum), measure.change(p[x], q[x]));
      of_row[r] = std::move(sum);
    }
  });
  R sum = std::move(of_row[0]);
  for (std::size_t r = 1; r != of_row.size(); ++r) sum = measure.combine(std::move(sum), std::move(of_row[r]));
  return sum;
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
    require_extents(size_, radius_, edges);
    require_distinct();
  }

  stencil_result<first_value> run(step_count const& s) {
    advance(s.count, s.block);
    return {s.count, {}};
  }

  template <class Done, class Measure>
  auto run(step_until<Done, Measure> const& until) {
    auto const change = [&] {
      return measure_change(policy_, until.measure, size_, block_of(moving_grid<0>().view()),
                            block_of(grid_access<grid_of_moving<0>>::next(moving_grid<0>())));
    };
    stencil_result<decltype(change())> result;
    while (result.steps < until.most) {
      std::size_t const more = (std::min)(until.every, until.most - result.steps);
      if (more > 1) advance(more - 1, 0);
      pass(1, 1);  // of one step, so that its two states can be compared
      result.steps += more;
      result.last = change();
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
    tiling const cut = choose_tiling(
        {size_, radius_, steps, wanted, point_bytes, (std::max)({line_elements<typename grid_of<G>::value_type>...}),
         policy_.backend().width(policy_.props()), history ? static_cast<std::ptrdiff_t>(moving) : 0, D});
    double const state =
        static_cast<double>(point_bytes) * static_cast<double>(size_.planes * size_.rows * size_.columns);
    auto const sweep = make_sweep(cut.depth, state > caches().middle * 4, std::make_index_sequence<sizeof...(G)>{},
                                  std::make_index_sequence<outs>{}, std::make_index_sequence<moving>{});
    run_tiles(policy_, sweep, cut, memory_, static_cast<std::size_t>(cut.depth));
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

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
