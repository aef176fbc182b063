#pragma once
// Elements that change places by their index: reverse, rotate.

#include <algorithm>    // ranges::rotate, reverse, rotate
#include <cstddef>      // size_t
#include <iterator>     // indirectly_swappable, permutable
#include <ranges>       // begin, iter_swap, iterator_t
#include <type_traits>  // remove_cvref_t

#include "tartan/algorithms/in_memory.hpp"   // check_works_in_memory
#include "tartan/algorithms/map.hpp"         // write_alignment
#include "tartan/algorithms/unattended.hpp"  // unattended
#include "tartan/core/errors.hpp"            // cancelled, raise
#include "tartan/exec/policy.hpp"            // execution_policy
#include "tartan/exec/source.hpp"            // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class P, class It>
void reverse_part(P const& policy, properties const& props, It first, std::size_t n) {
  policy.backend().for_range(props, n / 2, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i != end; ++i) std::ranges::iter_swap(advanced(first, i), advanced(first, n - 1 - i));
  });
}

}  // namespace detail

/// Turns the order of the elements of r round.
///
///     tartan::reverse(tartan::par, v);
///
/// @param r  A random-access range with a size. A std::vector<bool> is turned round by the calling thread.
///
/// Complexity: n / 2 swaps; no extra memory. Exceptions: of a swap as for_each; a stop that comes meanwhile leaves some
/// pairs as they were (`cancelled`). Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range R>
void reverse(P const& policy, R&& r) {
  detail::check_works_in_memory<P>();
  static_assert(
      detail::write_alignment<std::remove_cvref_t<R>> != 1 || std::indirectly_swappable<std::ranges::iterator_t<R>>,
      "tartan: reverse(policy, range) needs a range whose elements can be swapped");
  if constexpr (detail::write_alignment<std::remove_cvref_t<R>> != 1)
    std::reverse(std::ranges::begin(r), detail::advanced(std::ranges::begin(r), detail::length(r)));
  else
    detail::reverse_part(policy, policy.props(), std::ranges::begin(r), detail::length(r));
}

/// Moves the elements from `middle` on to the front and those before it behind them; returns an iterator to what was
/// the first element.
///
///     tartan::rotate(tartan::par, v, v.begin() + 1);   // the first element goes to the end
///
/// @param middle  An iterator into r, or its end.
///
/// Complexity: n swaps; no extra memory. A stop is looked at before the first swap only. With one worker (and for a
/// std::vector<bool>) it is std::rotate. Everything else as reverse.
template <execution_policy P, divisible_range R>
auto rotate(P const& policy, R&& r, std::ranges::iterator_t<R> middle) {
  detail::check_works_in_memory<P>();
  static_assert(detail::write_alignment<std::remove_cvref_t<R>> != 1 || std::permutable<std::ranges::iterator_t<R>>,
                "tartan: rotate(policy, range, middle) needs a range whose elements can be moved and swapped");
  auto const first = std::ranges::begin(r);
  std::size_t const n = detail::length(r), k = static_cast<std::size_t>(middle - first);
  auto const result = detail::advanced(first, n - k);
  if (policy.props().stop.requested()) detail::raise<cancelled>();
  if (k == 0 || k == n) return result;
  if constexpr (detail::write_alignment<std::remove_cvref_t<R>> == 1) {
    if (policy.backend().width(policy.props()) != 1) {
      properties const props = detail::unattended(policy.props());
      detail::reverse_part(policy, props, first, k);
      detail::reverse_part(policy, props, middle, n - k);
      detail::reverse_part(policy, props, first, n);
      return result;
    }
    std::ranges::rotate(first, middle, detail::advanced(first, n));  // it takes proxies as iterators, those of a zip
  } else {
    std::rotate(first, middle, detail::advanced(first, n));
  }
  return result;
}

}  // namespace tartan::inline TARTAN_ABI
