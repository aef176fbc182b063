#pragma once
// A function of each element where a failure is a result too.

#include <concepts>     // invocable
#include <cstddef>      // size_t
#include <functional>   // invoke
#include <ranges>       // begin, input_range, range_reference_t
#include <type_traits>  // decay_t, invoke_result_t, is_void_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/algorithms/map.hpp"  // starred
#include "tartan/core/slots.hpp"      // slots
#include "tartan/exec/backend.hpp"    // shared_memory_backend
#include "tartan/exec/outcome.hpp"    // attempt, outcome
#include "tartan/exec/policy.hpp"     // execution_policy, supports
#include "tartan/exec/source.hpp"     // for_parts, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class F, class R>
struct tried {
  using raw = std::invoke_result_t<F&, std::ranges::range_reference_t<R>>;
  using type = std::conditional_t<std::is_void_v<raw>, void, std::decay_t<raw>>;
};

}  // namespace detail

/// What became of f(x) for each element x of r, in order: never throws for a task, skips nothing.
///
///     for (auto const& o : tartan::try_map(tartan::par, files, parse))
///       if (!o) fmt::print("{}: {}\n", files[o.index()].string(), o.what());
///
/// @returns  std::vector<outcome<R>>; outcome i belongs to element i and holds f's result or what f threw.
///
/// Complexity: n calls. Exceptions: only `cancelled` after a stop, and what tartan itself throws (out of memory).
/// Blocking, Thread safety: as for_each.
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto try_map(P const& policy, R&& r, F f) {
  static_assert(std::invocable<F&, std::ranges::range_reference_t<R>>,
                "tartan: try_map(policy, range, f) needs an f that can be called with an element of the range");
  static_assert(
      supports < P, property::grain | property::relaxed >,
      "tartan: try_map does not support a property of this policy (it takes workers, grain, stop, progress, name, on)");
  using result = typename detail::tried<F, R>::type;
  std::vector<outcome<result>> out;
  detail::for_parts(r, [&](auto&& part, std::size_t offset) {
    std::size_t const n = detail::length(part);
    auto const first = std::ranges::begin(part);
    if constexpr (shared_memory_backend<typename P::backend_type>) {
      detail::slots<outcome<result>> results(n);
      policy.backend().for_range(policy.props(), n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i != end; ++i)
          results.make(i, [&] {
            return detail::attempt<result>(offset + i,
                                           [&]() -> decltype(auto) { return std::invoke(f, detail::at(first, i)); });
          });
      });
      out.reserve(offset + n);
      for (std::size_t i = 0; i != n; ++i) out.push_back(std::move(results[i]));
    } else {
      auto results = policy.backend().template try_collect<result>(policy.props(), part, f, offset);
      out.reserve(offset + n);
      for (auto& o : results) out.push_back(std::move(o));
    }
  });
  return out;
}

/// try_map with the members of each tuple, pair or array as arguments.
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto try_starmap(P const& policy, R&& r, F f) {
  return try_map(policy, std::forward<R>(r), detail::starred<F>{std::move(f)});
}

}  // namespace tartan::inline TARTAN_ABI
