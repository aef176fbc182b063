#pragma once
// A function for each element.

#include <concepts>     // invocable
#include <cstddef>      // size_t
#include <ranges>       // begin, input_range, range_reference_t
#include <type_traits>  // invoke_result_t, remove_const_t
#include <variant>      // monostate

#include "tartan/core/shipping.hpp"  // travels_in_place
#include "tartan/exec/backend.hpp"   // shared_memory_backend
#include "tartan/exec/policy.hpp"    // execution_policy, supports
#include "tartan/exec/source.hpp"    // for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What travels to a worker that does not see the caller's memory.
template <class F>
struct for_each_work {
  [[no_unique_address]] F f;
  template <class Part>
  std::monostate operator()(Part& part) const {
    if constexpr (travels_in_place<Part>)
      for (auto& element : part) detail::invoke(f, element);
    else
      for (auto const& element : part) detail::invoke(f, element);
    return {};
  }
};

}  // namespace detail

/// Calls f(x) for each element x of r.
///
///     tartan::for_each(tartan::par, v, [](double& x) { x = std::sqrt(x); });
///
/// @param r  Any input range. Random-access sized ranges are used in place; others in windows of 4096 elements.
/// @param f  Called exactly once for each element, from several threads at once. Where memory is not shared it gets
///           copies, so it must take them by value or const reference. Give a lambda rather than the name of a
///           function: a name decays to a pointer, which is called for each element, not inlined, nor vectorised.
///
/// Complexity: n calls; span O(n / workers + cost of one call). With plain policies the cost of the calls decides what
/// runs in one piece: two calls of 100 ms run at the same time, a thousand of a nanosecond run as one loop.
/// Exceptions: rethrows what a serial loop would have thrown first; calls for later elements may be skipped, none for
/// earlier ones is. `cancelled` if a stop was requested and elements were skipped.
/// Blocking: returns when every call has ended; the calling thread takes part.
/// Thread safety: may be called from many threads and from inside tasks.
template <execution_policy P, std::ranges::input_range R, class F>
void for_each(P const& policy, R&& r, F f) {
  static_assert(std::invocable<F&, std::ranges::range_reference_t<R>>,
                "tartan: for_each(policy, range, f) needs an f that can be called with an element of the range");
  static_assert(supports < P, property::grain | property::relaxed >,
                "tartan: for_each does not support a property of this policy (it takes workers, grain, stop, progress, "
                "name, on)");
  detail::for_parts(r, [&](auto&& part, std::size_t) {
    auto const first = std::ranges::begin(part);
    std::size_t const n = detail::length(part);
    if constexpr (shared_memory_backend<typename P::backend_type>) {
      policy.backend().for_range(policy.props(), n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
        P::leaf_type::for_block(detail::advanced(first, begin), end - begin, f);
      });
    } else {
      using sent_part = std::invoke_result_t<detail::subrange_of<std::remove_const_t<decltype(first)>>, block>;
      static_assert(travels_in_place<sent_part> || std::invocable<F const&, std::ranges::range_value_t<R> const&>,
                    "tartan: here f gets copies of the elements; take them by value or by const reference, or use a "
                    "shared_array to change elements in place");
      std::size_t const length = policy.backend().block_length(policy.props(), n);
      static_cast<void>(policy.backend().template collect<std::monostate>(
          policy.props(), block_plan(n, length), detail::subrange_of{first}, detail::for_each_work<F>{f}));
    }
  });
}

}  // namespace tartan::inline TARTAN_ABI
