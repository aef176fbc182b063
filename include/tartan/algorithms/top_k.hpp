#pragma once
// The k largest elements.

#include <algorithm>   // min, pop_heap, push_heap, sort_heap
#include <cstddef>     // ptrdiff_t, size_t
#include <functional>  // greater, identity, invoke
#include <iterator>    // make_move_iterator
#include <ranges>      // input_range, range_value_t
#include <utility>     // forward, move
#include <vector>      // vector

#include "tartan/algorithms/aggregate.hpp"  // aggregate
#include "tartan/core/errors.hpp"           // bad_argument, raise
#include "tartan/exec/policy.hpp"           // execution_policy

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The best of the elements that one state has seen: a heap whose front is the worst of them. `place` is the position
/// among the elements seen; of equal elements the first is better.
template <class T>
struct best_elements {
  struct entry {
    T value;
    std::size_t place;
  };
  std::vector<entry> heap;
  std::size_t seen = 0;
};

template <class T>
struct make_best {
  best_elements<T> operator()() const { return {}; }
};

template <class T, class Compare, class Proj>
struct rank_best {
  std::size_t k;
  [[no_unique_address]] Compare compare;  // compare(a, b): a comes before b in the result
  [[no_unique_address]] Proj proj;
  using state = best_elements<T>;
  using entry = typename state::entry;

  [[nodiscard]] bool before(entry const& a, entry const& b) const {
    if (static_cast<bool>(std::invoke(compare, std::invoke(proj, a.value), std::invoke(proj, b.value)))) return true;
    if (static_cast<bool>(std::invoke(compare, std::invoke(proj, b.value), std::invoke(proj, a.value)))) return false;
    return a.place < b.place;
  }
  auto order() const {
    return [this](entry const& a, entry const& b) { return before(a, b); };
  }

  /// accumulate: x comes after all that the state has seen.
  template <class X>
  void operator()(state& s, X&& x) const {
    std::size_t const place = s.seen++;
    if (s.heap.size() == k) {
      if (k == 0 || !static_cast<bool>(std::invoke(compare, std::invoke(proj, x), std::invoke(proj, s.heap[0].value))))
        return;
      std::pop_heap(s.heap.begin(), s.heap.end(), order());
      s.heap.pop_back();
    }
    s.heap.push_back({T(std::forward<X>(x)), place});
    std::push_heap(s.heap.begin(), s.heap.end(), order());
  }

  /// merge
  void operator()(state& a, state&& b) const {
    for (entry& e : b.heap) {
      e.place += a.seen;
      if (a.heap.size() == k) {
        if (!before(e, a.heap[0])) continue;
        std::pop_heap(a.heap.begin(), a.heap.end(), order());
        a.heap.pop_back();
      }
      a.heap.push_back(std::move(e));
      std::push_heap(a.heap.begin(), a.heap.end(), order());
    }
    a.seen += b.seen;
  }
};

}  // namespace detail

/// The k first elements of r in the order of compare, sorted; of equal ones those that come first in r.
///
///     auto ten = tartan::top_k(tartan::par, v, 10);                                      // the ten largest
///     auto youngest = tartan::top_k(tartan::par, people, 3, std::ranges::less{}, &person::age);
///
/// @param r        Any input range; its elements are copied, at most k a block.
/// @param compare  A strict weak order; std::ranges::greater gives the largest first.
/// @returns        std::vector of min(k, n) elements.
///
/// Complexity: O(n log k), usually n comparisons. Extra memory: k elements for each of at most 256 blocks. For a k that
/// is no small part of n, sort.
/// Determinism: the same elements on every run. Exceptions: bad_argument if k is negative; otherwise as for_each.
template <execution_policy P, std::ranges::input_range R, class Compare = std::ranges::greater,
          class Proj = std::identity>
[[nodiscard]] auto top_k(P const& policy, R&& r, std::ptrdiff_t k, Compare compare = {}, Proj proj = {}) {
  using T = std::ranges::range_value_t<R>;
  using rank = detail::rank_best<T, Compare, Proj>;
  if (k < 0) detail::raise<bad_argument>("tartan: top_k needs a k that is not negative");
  rank const ranking{static_cast<std::size_t>(k), std::move(compare), std::move(proj)};
  auto best = aggregate(policy, std::forward<R>(r), detail::make_best<T>{}, ranking, ranking);
  std::sort_heap(best.heap.begin(), best.heap.end(), ranking.order());
  std::vector<T> out;
  out.reserve(best.heap.size());
  for (auto& e : best.heap) out.push_back(std::move(e.value));
  return out;
}

}  // namespace tartan::inline TARTAN_ABI
