#pragma once
// Where the extremes are: min_element, max_element, minmax_element.

#include <atomic>       // atomic, memory_order_relaxed
#include <cstddef>      // size_t
#include <functional>   // identity, invoke, less, ranges::less
#include <memory>       // to_address
#include <ranges>       // begin, contiguous_range, range_reference_t, range_value_t
#include <type_traits>  // is_arithmetic_v, is_same_v, is_volatile_v, remove_reference_t
#include <utility>      // forward, move, pair

#include "tartan/algorithms/projected.hpp"  // tests_pair
#include "tartan/core/slots.hpp"            // slots
#include "tartan/exec/backend.hpp"          // shared_memory_backend
#include "tartan/exec/plan.hpp"             // block_plan, reduction_blocks
#include "tartan/exec/policy.hpp"           // execution_policy, supports
#include "tartan/exec/source.hpp"           // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The best index of [begin, end), looked at one after another.
template <class Better>
struct best_one_by_one {
  Better const& better;
  std::size_t operator()(std::size_t begin, std::size_t end) const {
    std::size_t i = begin;
    for (std::size_t j = i + 1; j != end; ++j)
      if (better(j, i)) [[unlikely]]
        i = j;
    return i;
  }
};

/// The same of numbers in their natural order: groups are compared without a branch, and looked at one after another
/// only if one of them is better than the best before them.
template <bool Largest, class T>
std::size_t best_of_numbers(T const* first, std::size_t begin, std::size_t end) {
  constexpr std::size_t group = 16;
  auto const better = [](T a, T b) { return Largest ? b < a : a < b; };
  std::size_t i = begin, j = begin + 1;
  auto const look_at = [&](std::size_t last) {
    for (; j != last; ++j)
      if (better(first[j], first[i])) i = j;
  };
  while (end - j >= group) {
    T const best = first[i];
    bool any = false;
    for (std::size_t k = 0; k != group; ++k) any |= better(first[j + k], best);
    if (any) [[unlikely]]
      look_at(j + group);
    else
      j += group;
  }
  look_at(end);
  return i;
}

/// What in_block(begin, end) finds in the blocks of [0, n), n > 0, joined from left to right. Comparisons may be Dear:
/// then there are many blocks where elements are few.
template <bool Dear, class Found, class P, class InBlock, class Join>
Found over_blocks(P const& policy, std::size_t n, InBlock const& in_block, Join const& join) {
  static_assert(shared_memory_backend<typename P::backend_type>,
                "tartan: min_element and its like need workers that see the caller's memory; use seq, par or par_simd, "
                "or reduce with tartan::minimum");
  static_assert(supports<P, (property::grain | property::relaxed)>,
                "tartan: min_element and its like do not support a property of this policy (they take workers, stop, "
                "progress, name, on)");
  std::size_t const most = reduction_blocks(n)[0].size();
  std::size_t length = Dear && n < 64 * most ? n / 64 + 1 : most;
  // One block is enough where nobody shares or watches it.
  if (!Dear && policy.backend().width(policy.props()) == 1 && !policy.props().watched()) length = n;
  block_plan const plan(n, length);
  slots<Found> found(plan.count());
  policy.backend().for_range(policy.props(), n, length, [&](std::size_t begin, std::size_t end) {
    for (std::size_t b = begin / length; b * length < end; ++b)
      found.make(b, [&] { return in_block(plan[b].begin, plan[b].end); });
  });
  Found all = found[0];
  for (std::size_t b = 1; b != plan.count(); ++b) all = join(all, found[b]);
  return all;
}

/// The best index of [0, n), n > 0: better(i, j) says whether i takes the place of j, which lies to its left;
/// in_block(begin, end) gives the best of a block.
template <bool Dear, class P, class Better, class InBlock>
std::size_t best_index(P const& policy, std::size_t n, Better const& better, InBlock const& in_block) {
  return over_blocks<Dear, std::size_t>(policy, n, in_block,
                                        [&](std::size_t i, std::size_t j) { return better(j, i) ? j : i; });
}

template <class P, class Better>
std::size_t best_index(P const& policy, std::size_t n, Better const& better) {
  return best_index<true>(policy, n, better, best_one_by_one<Better>{better});
}

/// The same policy for another look at the same elements.
template <class P>
P uncounted(P const& policy) {
  return P(policy.backend(), policy.props().uncounted());
}

/// The order of numbers of type T, which leaves know; not one of the user's, nor that of another type.
template <class Compare, class T>
inline constexpr bool natural_order = std::is_same_v<Compare, std::ranges::less> ||
                                      std::is_same_v<Compare, std::less<>> || std::is_same_v<Compare, std::less<T>>;

template <class R, class Compare, class Proj>
inline constexpr bool plain_numbers =
    std::ranges::contiguous_range<R> && std::is_arithmetic_v<std::ranges::range_value_t<R>> &&
    !std::is_volatile_v<std::remove_reference_t<std::ranges::range_reference_t<R>>> &&
    natural_order<Compare, std::ranges::range_value_t<R>> && std::is_same_v<Proj, std::identity>;

/// The first smallest or largest element's index, n > 0: in packs where the leaf has a way.
template <bool Largest, class P, class R, class Compare, class Proj, class Better>
std::size_t extreme_index(P const& policy, R& r, std::size_t n, Better const& better) {
  using leaf = typename P::leaf_type;
  auto const first = std::ranges::begin(r);
  if constexpr (natural_order<Compare, std::ranges::range_value_t<R>> && std::is_same_v<Proj, std::identity> &&
                requires { leaf::template extreme_block<Largest>(first, n); }) {
    std::atomic<bool> disorder{false};  // relaxed: it is read after the join
    std::size_t const best = best_index<false>(policy, n, better, [&](std::size_t begin, std::size_t end) {
      std::size_t const i = leaf::template extreme_block<Largest>(advanced(first, begin), end - begin);
      if (i != end - begin) return begin + i;
      disorder.store(true, std::memory_order_relaxed);  // the join publishes it
      return begin;
    });
    // With NaN among the numbers the cut into blocks shows: then the one of the other policies is taken.
    bool const any = disorder.load(std::memory_order_relaxed);  // relaxed: behind the join
    return any ? best_index(uncounted(policy), n, better) : best;
  } else if constexpr (plain_numbers<R, Compare, Proj>) {
    auto const* const numbers = std::to_address(first);
    // In the blocks of best_index without a kernel: with NaN among the numbers they show.
    return best_index<true>(policy, n, better, [numbers](std::size_t begin, std::size_t end) {
      return best_of_numbers<Largest>(numbers, begin, end);
    });
  } else {
    return best_index(policy, n, better);
  }
}

/// The first smallest's and the last largest's index, n > 0: in one look where the leaf has a way.
template <class P, class R, class Compare, class Proj, class Less>
std::pair<std::size_t, std::size_t> extreme_indices(P const& policy, R& r, std::size_t n, Less const& less) {
  using leaf = typename P::leaf_type;
  using both = std::pair<std::size_t, std::size_t>;
  auto const first = std::ranges::begin(r);
  auto const not_less = [&](std::size_t i, std::size_t j) { return !less(i, j); };
  if constexpr (natural_order<Compare, std::ranges::range_value_t<R>> && std::is_same_v<Proj, std::identity> &&
                requires { leaf::extremes_block(first, n); }) {
    std::atomic<bool> disorder{false};  // as in extreme_index
    both const found = over_blocks<false, both>(
        policy, n,
        [&](std::size_t begin, std::size_t end) -> both {
          auto const [i, j] = leaf::extremes_block(advanced(first, begin), end - begin);
          if (i != end - begin) return {begin + i, begin + j};
          disorder.store(true, std::memory_order_relaxed);  // the join publishes it
          return {begin, begin};
        },
        [&](both const& a, both const& b) -> both {
          return {less(b.first, a.first) ? b.first : a.first, not_less(b.second, a.second) ? b.second : a.second};
        });
    if (!disorder.load(std::memory_order_relaxed)) return found;  // after the join
    return {best_index(uncounted(policy), n, less), best_index(uncounted(policy), n, not_less)};
  } else {
    return {best_index(policy, n, less), best_index(uncounted(policy), n, not_less)};
  }
}

template <class R, class Compare, class Proj>
auto index_less(R& r, Compare& compare, Proj& proj) {
  return [first = std::ranges::begin(r), &compare, &proj](std::size_t i, std::size_t j) -> bool {
    return static_cast<bool>(std::invoke(compare, std::invoke(proj, at(first, i)), std::invoke(proj, at(first, j))));
  };
}

}  // namespace detail

/// An iterator to the smallest element, the first of them; the end of an empty range.
///
///     auto youngest = tartan::min_element(tartan::par, people, {}, &person::age);
///
/// @param r        A random-access range with a size, which must outlive the result.
/// @param compare  A strict weak order, called from several threads at once; as proj.
///
/// Complexity: n comparisons. Determinism: the same element on every run.
/// Exceptions, Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range R, class Compare = std::ranges::less, class Proj = std::identity>
[[nodiscard]] auto min_element(P const& policy, R&& r, Compare compare = {}, Proj proj = {}) {
  static_assert(detail::tests_pair<Compare, Proj, R, Proj, R>,
                "tartan: min_element needs a comparator that takes two projected elements");
  auto const less = detail::index_less(r, compare, proj);
  std::size_t const n = detail::length(r);
  return detail::advanced(std::ranges::begin(r),
                          n == 0 ? 0 : detail::extreme_index<false, P, R, Compare, Proj>(policy, r, n, less));
}

/// An iterator to the largest element, the first of them; the end of an empty range. Else as min_element.
template <execution_policy P, divisible_range R, class Compare = std::ranges::less, class Proj = std::identity>
[[nodiscard]] auto max_element(P const& policy, R&& r, Compare compare = {}, Proj proj = {}) {
  static_assert(detail::tests_pair<Compare, Proj, R, Proj, R>,
                "tartan: max_element needs a comparator that takes two projected elements");
  auto const less = detail::index_less(r, compare, proj);
  auto const greater = [&](std::size_t i, std::size_t j) { return less(j, i); };
  std::size_t const n = detail::length(r);
  return detail::advanced(std::ranges::begin(r),
                          n == 0 ? 0 : detail::extreme_index<true, P, R, Compare, Proj>(policy, r, n, greater));
}

/// The first smallest and, as in the standard library, the last largest element. Complexity: 2 n comparisons.
/// Else as min_element.
template <execution_policy P, divisible_range R, class Compare = std::ranges::less, class Proj = std::identity>
[[nodiscard]] auto minmax_element(P const& policy, R&& r, Compare compare = {}, Proj proj = {}) {
  static_assert(detail::tests_pair<Compare, Proj, R, Proj, R>,
                "tartan: minmax_element needs a comparator that takes two projected elements");
  auto const less = detail::index_less(r, compare, proj);
  std::size_t const n = detail::length(r);
  auto const first = std::ranges::begin(r);
  auto const found =
      n == 0 ? std::pair<std::size_t, std::size_t>{} : detail::extreme_indices<P, R, Compare, Proj>(policy, r, n, less);
  return std::pair(detail::advanced(first, found.first), detail::advanced(first, found.second));
}

}  // namespace tartan::inline TARTAN_ABI
