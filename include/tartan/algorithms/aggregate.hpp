#pragma once
// A fold into a state of the user's own making.

#include <concepts>     // invocable
#include <cstddef>      // size_t
#include <functional>   // invoke
#include <ranges>       // begin, input_range, range_reference_t
#include <type_traits>  // decay_t, invoke_result_t
#include <utility>      // move

#include "tartan/core/slots.hpp"    // slots
#include "tartan/exec/backend.hpp"  // shared_memory_backend
#include "tartan/exec/plan.hpp"     // aggregate_blocks
#include "tartan/exec/policy.hpp"   // execution_policy, supports
#include "tartan/exec/source.hpp"   // for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What travels to a worker that does not see the caller's memory: a block in, its state out.
template <class Make, class Accumulate>
struct aggregate_work {
  [[no_unique_address]] Make make;
  [[no_unique_address]] Accumulate accumulate;
  template <class Part>
  auto operator()(Part& part) const {
    auto state = std::invoke(make);
    for (auto&& element : part) std::invoke(accumulate, state, std::forward<decltype(element)>(element));
    return state;
  }
};

/// merge(a, b) may change a or return the merged state.
template <class State, class Merge>
void merge_into(State& a, State&& b, Merge& merge) {
  if constexpr (std::is_void_v<std::invoke_result_t<Merge&, State&, State&&>>)
    std::invoke(merge, a, std::move(b));
  else
    a = std::invoke(merge, a, std::move(b));
}

}  // namespace detail

/// Feeds the elements of r into states of the user's own type, one a block, and merges the states in order.
///
///     auto stats = tartan::aggregate(tartan::par, v, [] { return welford{}; },
///                                    [](welford& w, double x) { w.add(x); },
///                                    [](welford& a, welford&& b) { a.merge(b); });
///
/// @param make        Makes an empty state; called once a block, at most 256 times for a divisible range.
/// @param accumulate  accumulate(state, x), for the elements of a block in order.
/// @param merge       merge(a, std::move(b)): a takes in what b, the block to its right, has seen. Associative.
/// @returns           The merged state; make() for an empty range.
///
/// Complexity: n accumulate, at most 255 merge. A block is never split: with fewer than 256 elements each has its own.
/// Determinism: blocks and the order of merging are fixed by n: the same result on every run and backend.
/// Exceptions, Blocking, Thread safety: as for_each.
template <execution_policy P, std::ranges::input_range R, class Make, class Accumulate, class Merge>
[[nodiscard]] auto aggregate(P const& policy, R&& r, Make make, Accumulate accumulate, Merge merge) {
  static_assert(
      std::invocable<Make&>,
      "tartan: aggregate(policy, range, make, accumulate, merge): make() must compile; make is a function that "
      "returns an empty state, as in [] { return stats{}; }");
  using state = std::decay_t<std::invoke_result_t<Make&>>;
  static_assert(std::invocable<Accumulate&, state&, std::ranges::range_reference_t<R>>,
                "tartan: aggregate(policy, range, make, accumulate, merge): accumulate(state&, element) must compile");
  static_assert(std::invocable<Merge&, state&, state&&>,
                "tartan: aggregate(policy, range, make, accumulate, merge): merge(state&, state&&) must compile");
  static_assert(
      supports < P, property::grain | property::relaxed >,
      "tartan: aggregate does not support a property of this policy (it takes workers, stop, progress, name, on)");
  std::vector<state> total;  // at most one: a state need not be assignable
  auto const take = [&](state&& right) {
    if (total.empty())
      total.push_back(std::move(right));
    else
      detail::merge_into(total.front(), std::move(right), merge);
  };
  detail::for_parts(r, [&](auto&& part, std::size_t) {
    auto const first = std::ranges::begin(part);
    block_plan const plan = detail::aggregate_blocks(detail::length(part));
    if constexpr (shared_memory_backend<typename P::backend_type>) {
      detail::slots<state> states(plan.count());
      std::size_t const length = plan.count() == 0 ? 1 : plan[0].size();
      policy.backend().for_range(policy.props(), plan.elements(), length, [&](std::size_t begin, std::size_t end) {
        for (std::size_t b = begin / length; b * length < end; ++b)
          states.make(b, [&] {
            state s = std::invoke(make);
            for (std::size_t i = plan[b].begin; i != plan[b].end; ++i) std::invoke(accumulate, s, detail::at(first, i));
            return s;
          });
      });
      for (std::size_t b = 0; b != plan.count(); ++b) take(std::move(states[b]));
    } else {
      auto states = policy.backend().template collect<state>(
          policy.props(), plan, detail::subrange_of{first}, detail::aggregate_work<Make, Accumulate>{make, accumulate});
      for (state& s : states) take(std::move(s));
    }
  });
  return total.empty() ? state(std::invoke(make)) : std::move(total.front());
}

}  // namespace tartan::inline TARTAN_ABI
