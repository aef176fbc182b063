#pragma once
// A map that goes on while its caller does something else.

#include <concepts>     // invocable
#include <functional>   // invoke
#include <ranges>       // input_range, range_reference_t, range_value_t, views::all
#include <tuple>        // apply
#include <type_traits>  // decay_t, invoke_result_t, is_void_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/async/submit.hpp"  // submit
#include "tartan/async/when.hpp"    // when_all
#include "tartan/core/slots.hpp"    // slots
#include "tartan/exec/backend.hpp"  // shared_memory_backend
#include "tartan/exec/leaf.hpp"     // at
#include "tartan/exec/policy.hpp"   // execution_policy, supports
#include "tartan/exec/source.hpp"   // for_parts, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The map itself, inside of a task.
template <class R, class P, class Range, class F>
std::vector<R> map_in_task(P const& policy, Range& range, F& f) {
  std::vector<R> out;
  for_parts(range, [&](auto&& part, std::size_t) {
    auto const first = std::ranges::begin(part);
    slots<R> results(length(part));
    policy.backend().for_range(policy.props(), results.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) results.make(i, [&]() -> R { return std::invoke(f, at(first, i)); });
    });
    out.reserve(out.size() + results.size());
    for (std::size_t i = 0; i != results.size(); ++i) out.push_back(std::move(results[i]));
  });
  return out;
}

/// f of the members of a tuple-like element.
template <class F>
struct spread {
  [[no_unique_address]] F f;
  template <class Tuple>
  decltype(auto) operator()(Tuple&& t) const {
    return std::apply(f, std::forward<Tuple>(t));
  }
};

}  // namespace detail

/// A future of the vector of f(x) for each element x of r, in the order of r.
///
///     auto digests = tartan::map_async(tartan::par, paths, hash_file);
///     show(digests.get());
///
/// @param r  A range given as an lvalue is referred to and must stay as it is until the future is ready; any other
///           range is moved in. Where memory is not shared, elements are sent at once.
/// @param f  Copied in; called exactly once for each element, from several threads at once.
/// Exceptions: with get(): of those that f threw the one of the first element; `cancelled`. At once: as submit().
/// Blocking: no; under `seq` as long as the map.
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto map_async(P const& policy, R&& r, F f) {
  using reference = std::ranges::range_reference_t<R>;
  static_assert(std::invocable<F&, reference>,
                "tartan: map_async(policy, range, f) needs an f that can be called with an element of the range");
  static_assert(!std::is_void_v<std::invoke_result_t<F&, reference>>,
                "tartan: map_async needs an f that returns a value; submit a for_each for one that returns nothing");
  static_assert(supports < P, property::grain | property::relaxed >,
                "tartan: map_async does not support a property of this policy (it takes workers, grain, stop, "
                "progress, name, on)");
  using result = std::decay_t<std::invoke_result_t<F&, reference>>;
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    P const uncounted(policy.backend(), policy.props().uncounted());  // elements count, not the task of them all
    return submit(uncounted, [policy, range = std::views::all(std::forward<R>(r)), f = std::move(f)]() mutable {
      return detail::map_in_task<result>(policy, range, f);
    });
  } else {
    std::vector<future<result>> each;
    for (auto&& element : r) each.push_back(submit(policy, f, std::ranges::range_value_t<R>(element)));
    return when_all(std::move(each));
  }
}

/// map_async with the members of each tuple, pair or array as arguments.
///
///     auto areas = tartan::starmap_async(tartan::par, sizes, [](int w, int h) { return w * h; });
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto starmap_async(P const& policy, R&& r, F f) {
  return map_async(policy, std::forward<R>(r), detail::spread<F>{std::move(f)});
}

}  // namespace tartan::inline TARTAN_ABI
