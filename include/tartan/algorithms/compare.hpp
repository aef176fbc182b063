#pragma once
// Two ranges side by side, and one inside the other: equal, mismatch, lexicographical_compare, search.

#include <algorithm>   // min
#include <cstddef>     // size_t
#include <functional>  // equal_to, identity, invoke, less
#include <ranges>      // begin
#include <utility>     // pair

#include "tartan/algorithms/find.hpp"       // find_index, first_that
#include "tartan/algorithms/projected.hpp"  // tests_pair
#include "tartan/exec/policy.hpp"           // execution_policy
#include "tartan/exec/source.hpp"           // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// test(i, j): f of element i of the one and element j of the other range, both projected.
template <class A, class B, class F, class ProjA, class ProjB>
auto pair_test(A& a, B& b, F& f, ProjA& proj_a, ProjB& proj_b) {
  return [left = std::ranges::begin(a), right = std::ranges::begin(b), &f, &proj_a, &proj_b](std::size_t i,
                                                                                             std::size_t j) -> bool {
    return static_cast<bool>(std::invoke(f, std::invoke(proj_a, at(left, i)), std::invoke(proj_b, at(right, j))));
  };
}

/// The lowest i < n for which holds(i), else n.
template <class P, class Holds>
std::size_t first_place(P const& policy, std::size_t n, Holds const& holds) {
  return find_index(policy, n, [&holds](std::size_t& i, std::size_t stop) { first_that(i, stop, holds); });
}

}  // namespace detail

/// Iterators to the first two elements at the same place that are not equal; the end of the shorter range, and the
/// element at that place of the other one, if there are none.
///
///     auto [here, there] = tartan::mismatch(tartan::par, old_lines, new_lines);
///
/// @param a, b   Random-access ranges with a size, which must outlive the result.
/// @param equal  Called at most once for each pair, from several threads at once.
///
/// Complexity: at most min(n, m) calls; elements behind a mismatch are skipped soon after it was found.
/// Determinism: always the first. Exceptions: what a serial loop would throw: nothing that lies behind the mismatch;
/// `cancelled` if a stop was requested and elements were skipped. Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range A, divisible_range B, class Equal = std::ranges::equal_to,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] auto mismatch(P const& policy, A&& a, B&& b, Equal equal = {}, ProjA proj_a = {}, ProjB proj_b = {}) {
  static_assert(detail::tests_pair<Equal, ProjA, A, ProjB, B>,
                "tartan: mismatch needs an equal that answers true or false for a projected element of each range");
  auto const same = detail::pair_test(a, b, equal, proj_a, proj_b);
  std::size_t const i = detail::first_place(policy, (std::min)(detail::length(a), detail::length(b)),
                                            [&](std::size_t place) { return !same(place, place); });
  return std::pair(detail::advanced(std::ranges::begin(a), i), detail::advanced(std::ranges::begin(b), i));
}

/// Whether both ranges are of one length and equal at every place. Everything else as mismatch; where lengths differ,
/// nothing is called.
///
///     bool same = tartan::equal(tartan::par, v, w);
template <execution_policy P, divisible_range A, divisible_range B, class Equal = std::ranges::equal_to,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] bool equal(P const& policy, A&& a, B&& b, Equal equal = {}, ProjA proj_a = {}, ProjB proj_b = {}) {
  static_assert(detail::tests_pair<Equal, ProjA, A, ProjB, B>,
                "tartan: equal needs an equal that answers true or false for a projected element of each range");
  std::size_t const n = detail::length(a);
  if (n != detail::length(b)) return false;
  auto const same = detail::pair_test(a, b, equal, proj_a, proj_b);
  return detail::first_place(policy, n, [&](std::size_t place) { return !same(place, place); }) == n;
}

/// Whether a comes before b in the order of dictionaries: at the first place where they differ a is less, or a is a
/// beginning of b.
///
///     bool before = tartan::lexicographical_compare(tartan::par, v, w);
///
/// @param compare  A strict weak order, called at most twice for each pair, and once more for the first that differs.
/// Everything else as mismatch.
template <execution_policy P, divisible_range A, divisible_range B, class Compare = std::ranges::less,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] bool lexicographical_compare(P const& policy, A&& a, B&& b, Compare compare = {}, ProjA proj_a = {},
                                           ProjB proj_b = {}) {
  static_assert(detail::tests_pair<Compare, ProjA, A, ProjB, B> && detail::tests_pair<Compare, ProjB, B, ProjA, A>,
                "tartan: lexicographical_compare needs a comparator that takes projected elements of both ranges, in "
                "either order");
  auto const less = detail::pair_test(a, b, compare, proj_a, proj_b);
  auto const greater = detail::pair_test(b, a, compare, proj_b, proj_a);
  std::size_t const n = detail::length(a), m = detail::length(b), shorter = (std::min)(n, m);
  std::size_t const i =
      detail::first_place(policy, shorter, [&](std::size_t k) { return less(k, k) || greater(k, k); });
  return i == shorter ? n < m : less(i, i);
}

/// An iterator to the first place in r where all of `pattern` stands, else the end. An empty pattern stands everywhere.
///
///     auto at = tartan::search(tartan::par, text, std::string_view("needle"));
///
/// @param r, pattern  Random-access ranges with a size; r must outlive the result.
/// @param equal       Called from several threads at once.
///
/// Complexity: at most n m calls, usually little more than n. Everything else as find_if.
template <execution_policy P, divisible_range R, divisible_range Pattern, class Equal = std::ranges::equal_to,
          class Proj = std::identity, class ProjPattern = std::identity>
[[nodiscard]] auto search(P const& policy, R&& r, Pattern&& pattern, Equal equal = {}, Proj proj = {},
                          ProjPattern proj_pattern = {}) {
  static_assert(detail::tests_pair<Equal, Proj, R, ProjPattern, Pattern>,
                "tartan: search needs an equal that answers true or false for a projected element of each range");
  auto const same = detail::pair_test(r, pattern, equal, proj, proj_pattern);
  std::size_t const n = detail::length(r), m = detail::length(pattern);
  std::size_t const places = n < m ? 0 : n - m + 1;
  std::size_t const i = detail::first_place(policy, places, [&](std::size_t place) {
    for (std::size_t j = 0; j != m; ++j)
      if (!same(place + j, j)) return false;
    return true;
  });
  return detail::advanced(std::ranges::begin(r), i == places ? n : i);
}

}  // namespace tartan::inline TARTAN_ABI
