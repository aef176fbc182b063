#pragma once
// Two sorted ranges into one.

#include <concepts>     // constructible_from
#include <cstddef>      // size_t
#include <functional>   // identity, invoke, ranges::less
#include <iterator>     // iter_value_t
#include <memory>       // addressof
#include <ranges>       // begin, range_reference_t, range_value_t
#include <type_traits>  // is_assignable_v, is_lvalue_reference_v, is_same_v, is_trivially_copyable_v
#include <utility>      // forward

#include "tartan/algorithms/in_memory.hpp"   // check_works_in_memory
#include "tartan/algorithms/map.hpp"         // write_alignment
#include "tartan/algorithms/merge/cuts.hpp"  // merge_blocks, merge_cuts
#include "tartan/algorithms/projected.hpp"   // tests_pair
#include "tartan/algorithms/vector_of.hpp"   // vector_in_parts
#include "tartan/core/errors.hpp"            // bad_argument, raise
#include "tartan/exec/policy.hpp"            // execution_policy
#include "tartan/exec/source.hpp"            // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Elements that are cheap to copy are chosen without a branch, which would be a coin toss.
template <class A, class B>
inline constexpr bool merges_without_branch =
    std::is_same_v<std::ranges::range_reference_t<A>, std::ranges::range_reference_t<B>> &&
    std::is_lvalue_reference_v<std::ranges::range_reference_t<A>> &&
    std::is_trivially_copyable_v<std::ranges::range_value_t<A>> && sizeof(std::ranges::range_value_t<A>) <= 16;

/// Two pieces on their way to their places.
struct merge_run {
  std::size_t i, i_end, j, j_end;
  [[nodiscard]] bool both() const noexcept { return i != i_end && j != j_end; }
  [[nodiscard]] std::size_t size() const noexcept { return (i_end - i) + (j_end - j); }
};

template <bool WithoutBranch, class Left, class Right, class RightIsLess, class Put>
TARTAN_ALWAYS_INLINE void take_next(merge_run& p, Left left, Right right, RightIsLess& right_is_less, Put const& put) {
  bool const from_right = right_is_less(p.j, p.i);
  if constexpr (WithoutBranch) {
    auto const* const next = from_right ? std::addressof(at(right, p.j)) : std::addressof(at(left, p.i));
    put(p.i + p.j, *next);
  } else if (from_right) {
    put(p.i + p.j, at(right, p.j));
  } else {
    put(p.i + p.j, at(left, p.i));
  }
  p.j += from_right;
  p.i += !from_right;
}

template <bool WithoutBranch, class Left, class Right, class RightIsLess, class Put>
void merge_one(merge_run p, Left left, Right right, RightIsLess& right_is_less, Put const& put) {
  while (p.both()) take_next<WithoutBranch>(p, left, right, right_is_less, put);
  for (; p.i != p.i_end; ++p.i) put(p.i + p.j, at(left, p.i));
  for (; p.j != p.j_end; ++p.j) put(p.i + p.j, at(right, p.j));
}

/// Two halves side by side: neither waits for the other's comparison.
template <class Left, class Right, class RightIsLess, class Put>
void merge_halves(merge_run p, Left left, Right right, RightIsLess& right_is_less, Put const& put) {
  auto less = [&](std::size_t j, std::size_t i) -> bool { return right_is_less(p.j + j, p.i + i); };
  std::size_t const half = p.size() / 2, i = merged_from_left(half, p.i_end - p.i, p.j_end - p.j, less);
  merge_run lower{p.i, p.i + i, p.j, p.j + half - i}, upper{lower.i_end, p.i_end, lower.j_end, p.j_end};
  while (lower.both() && upper.both()) {
    take_next<true>(lower, left, right, right_is_less, put);
    take_next<true>(upper, left, right, right_is_less, put);
  }
  merge_one<true>(lower, left, right, right_is_less, put);
  merge_one<true>(upper, left, right, right_is_less, put);
}

/// Cuts the merge of both into blocks and gives what drive(cut, run) gives. cut(to) is the last end of a block up to
/// place `to`; run(begin, end, put), for two ends of blocks, calls put(k, x) for the elements of both that have the
/// places k of [begin, end).
template <class P, class A, class B, class Compare, class ProjA, class ProjB, class Drive>
auto merge_ranges(P const& policy, A& a, B& b, Compare& compare, ProjA& proj_a, ProjB& proj_b, std::size_t alignment,
                  Drive const& drive) {
  check_works_in_memory<P>();
  static_assert(
      tests_pair<Compare, ProjB, B, ProjA, A>,
      "tartan: merge needs a comparator that takes a projected element of the second range and one of the first");
  auto const left = plain(std::ranges::begin(a));
  auto const right = plain(std::ranges::begin(b));
  std::size_t const n = length(a), m = length(b);
  auto right_is_less = [&](std::size_t j, std::size_t i) -> bool {
    return static_cast<bool>(std::invoke(compare, std::invoke(proj_b, at(right, j)), std::invoke(proj_a, at(left, i))));
  };
  std::size_t const blocks = merge_blocks(n + m)[0].size();
  block_plan const plan(n + m, (blocks + alignment - 1) / alignment * alignment);
  auto const cuts = merge_cuts(policy.backend(), policy.props(), plan, n, m, right_is_less);
  std::size_t const size = plan.count() == 0 ? 1 : plan[0].size();
  auto const cut = [&](std::size_t to) { return to == n + m ? to : to / size * size; };
  return drive(cut, [&](std::size_t first, std::size_t last, auto const& put) {
    policy.backend().for_range(policy.props(), last - first, size, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = (first + begin) / size; k * size < first + end; ++k) {
        merge_run const run{cuts[k].left, cuts[k + 1].left, cuts[k].right, cuts[k + 1].right};
        if constexpr (merges_without_branch<A, B>)
          merge_halves(run, left, right, right_is_less, put);
        else
          merge_one<false>(run, left, right, right_is_less, put);
      }
    });
  });
}

}  // namespace detail

/// A vector of copies of the elements of two sorted ranges, sorted; of equal elements those of a come first.
///
///     std::vector<int> all = tartan::merge(tartan::par, sorted, other);
///     auto everybody = tartan::merge(tartan::par, members, guests, {}, &person::age, &person::age);
///
/// @param a, b     Random-access ranges with a size, each sorted by compare.
/// @param compare  A strict weak order; called from several threads at once, as the projections are.
///
/// Complexity: n + m copies and comparisons, and a binary search for each of up to n / 64 blocks; span O(log n) blocks.
/// Extra memory: 16 bytes a block. Determinism: blocks are fixed by n + m; the result is that of std::merge.
/// Exceptions: of the block that begins lowest; what was copied is destroyed. A compare that is no strict weak order,
/// or ranges that are not sorted, give all elements in some order. Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range A, divisible_range B, class Compare = std::ranges::less,
          class ProjA = std::identity, class ProjB = std::identity>
[[nodiscard]] auto merge(P const& policy, A&& a, B&& b, Compare compare = {}, ProjA proj_a = {}, ProjB proj_b = {}) {
  using T = std::ranges::range_value_t<A>;
  static_assert(std::constructible_from<T, std::ranges::range_reference_t<A>> &&
                    std::constructible_from<T, std::ranges::range_reference_t<B>>,
                "tartan: merge copies the elements of both ranges into a vector of the first one's element type");
  std::size_t const n = detail::length(a) + detail::length(b);
  return detail::merge_ranges(policy, a, b, compare, proj_a, proj_b, 1, [&](auto const& cut, auto const& run) {
    return detail::vector_in_parts<T>(policy, n, [&](std::size_t, std::size_t end) { return cut(end); }, run);
  });
}

/// The same, written to the elements of out; returns an iterator behind the last one written.
///
///     tartan::merge_into(tartan::par, sorted, other, out);
///
/// @param out  A random-access range of at least n + m elements that overlaps neither a nor b.
/// Exceptions: bad_argument if out is too short; otherwise as merge, and out is written in part.
template <execution_policy P, divisible_range A, divisible_range B, divisible_range Out,
          class Compare = std::ranges::less, class ProjA = std::identity, class ProjB = std::identity>
auto merge_into(P const& policy, A&& a, B&& b, Out&& out, Compare compare = {}, ProjA proj_a = {}, ProjB proj_b = {}) {
  static_assert(std::is_assignable_v<std::ranges::range_reference_t<Out>, std::ranges::range_reference_t<A>> &&
                    std::is_assignable_v<std::ranges::range_reference_t<Out>, std::ranges::range_reference_t<B>>,
                "tartan: merge_into needs an output range to whose elements those of both inputs can be assigned");
  std::size_t const n = detail::length(a) + detail::length(b);
  if (detail::length(out) < n)
    detail::raise<bad_argument>("tartan: merge_into needs an output range as long as both inputs together");
  auto const to = std::ranges::begin(out);
  detail::merge_ranges(policy, a, b, compare, proj_a, proj_b, detail::write_alignment<std::remove_cvref_t<Out>>,
                       [&](auto const&, auto const& run) {
                         run(0, n, [&](std::size_t k, auto&& x) { detail::at(to, k) = std::forward<decltype(x)>(x); });
                       });
  return detail::advanced(to, n);
}

}  // namespace tartan::inline TARTAN_ABI
