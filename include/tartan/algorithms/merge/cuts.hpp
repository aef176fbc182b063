#pragma once
// Where two sorted sequences can be cut, so that the pieces can be merged at the same time.

#include <algorithm>  // clamp, max, min
#include <cstddef>    // size_t
#include <vector>     // vector

#include "tartan/algorithms/unattended.hpp"  // unattended
#include "tartan/exec/plan.hpp"              // block_plan
#include "tartan/exec/properties.hpp"        // properties

namespace tartan::inline TARTAN_ABI::detail {

/// So many elements of the left and of the right sequence lie before the cut.
struct merge_cut {
  std::size_t left, right;
};

/// The blocks of a merged sequence: long enough for a search in front of each, short enough to share.
[[nodiscard]] constexpr block_plan merge_blocks(std::size_t n) noexcept {
  constexpr std::size_t shortest = 64, longest = 8192;
  std::size_t const length = n / 256;
  return {n, length < shortest ? shortest : length > longest ? longest : length};
}

/// How many of the first k merged elements come from the left: n there, m on the right; equal ones of the left first.
/// right_is_less(j, i) compares element j of the right with element i of the left.
template <class RightIsLess>
std::size_t merged_from_left(std::size_t k, std::size_t n, std::size_t m, RightIsLess& right_is_less) {
  std::size_t low = k > m ? k - m : 0, high = (std::min)(k, n);
  while (low != high) {
    std::size_t const i = low + (high - low) / 2;  // among the first k unless k - i elements of the right are less
    if (right_is_less(k - 1 - i, i))
      high = i;
    else
      low = i + 1;
  }
  return low;
}

/// One cut before each block of the plan and one at the end; cut(k) gives that before merged element k.
template <class Backend, class Cut>
std::vector<merge_cut> cuts_of(Backend const& backend, properties const& props, block_plan plan, merge_cut end,
                               Cut const& cut) {
  std::vector<merge_cut> cuts(plan.count());
  if (plan.count() > 1)
    backend.for_range(unattended(props), plan.count() - 1, std::size_t{1}, [&](std::size_t begin, std::size_t last) {
      for (std::size_t b = begin; b != last; ++b) cuts[b + 1] = cut(plan[b + 1].begin);
    });
  cuts.push_back(end);
  return cuts;
}

/// Cuts before every block of the merged sequence. Whatever is answered by right_is_less, each block gets as many
/// elements as it is long, and every element is in one block.
template <class Backend, class RightIsLess>
std::vector<merge_cut> merge_cuts(Backend const& backend, properties const& props, block_plan plan, std::size_t n,
                                  std::size_t m, RightIsLess& right_is_less) {
  auto cuts = cuts_of(backend, props, plan, {n, m}, [&](std::size_t k) -> merge_cut {
    std::size_t const left = merged_from_left(k, n, m, right_is_less);
    return {left, k - left};
  });
  for (std::size_t b = 1; b < plan.count(); ++b) {
    std::size_t const k = plan[b].begin;
    std::size_t const least = (std::max)(cuts[b - 1].left, k > m ? k - m : 0);
    std::size_t const most = (std::min)(n, cuts[b - 1].left + plan[b - 1].size());
    cuts[b].left = std::clamp(cuts[b].left, least, most);
    cuts[b].right = k - cuts[b].left;
  }
  return cuts;
}

}  // namespace tartan::inline TARTAN_ABI::detail
