#pragma once
// The k largest elements.

#include <algorithm>    // max, min, pop_heap, push_heap, sort_heap
#include <concepts>     // constructible_from, movable
#include <cstddef>      // ptrdiff_t, size_t
#include <cstdint>      // uint32_t, uint64_t
#include <functional>   // greater, identity, invoke, less
#include <iterator>     // make_move_iterator
#include <memory>       // addressof
#include <ranges>       // begin, input_range, range_value_t
#include <type_traits>  // conditional_t, is_arithmetic_v, is_same_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/algorithms/aggregate.hpp"  // aggregate
#include "tartan/algorithms/in_memory.hpp"  // check_works_in_memory
#include "tartan/algorithms/projected.hpp"  // tests_pair
#include "tartan/core/errors.hpp"           // bad_argument, raise
#include "tartan/core/slots.hpp"            // slots
#include "tartan/exec/backend.hpp"          // shared_memory_backend
#include "tartan/exec/plan.hpp"             // aggregate_blocks
#include "tartan/exec/policy.hpp"           // execution_policy
#include "tartan/exec/source.hpp"           // divisible_range, length

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
    if (k == 0 || (s.heap.size() == k && !beats(x, s.heap[0].value))) return;
    insert(s, std::forward<X>(x), place);
  }

  template <class X>
  [[nodiscard]] TARTAN_ALWAYS_INLINE bool beats(X const& x, T const& other) const {
    return static_cast<bool>(std::invoke(compare, std::invoke(proj, x), std::invoke(proj, other)));
  }

  /// x is better than the worst of k.
  template <class X>
  void insert(state& s, X&& x, std::size_t place) const {
    if (s.heap.size() == k) {
      std::pop_heap(s.heap.begin(), s.heap.end(), order());
      s.heap.pop_back();
    }
    s.heap.push_back({T(std::forward<X>(x)), place});
    std::push_heap(s.heap.begin(), s.heap.end(), order());
  }

  /// merge
  void operator()(state& a, state&& b) const { take_in(a, b); }

  void take_in(state& a, state& b) const {
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

/// Numbers in a plain order: nobody sees how often they are compared.
template <class T, class Compare, class Proj>
inline constexpr bool compared_freely =
    std::is_arithmetic_v<T> && std::is_same_v<Proj, std::identity> &&
    (std::is_same_v<Compare, std::ranges::greater> || std::is_same_v<Compare, std::ranges::less> ||
     std::is_same_v<Compare, std::greater<>> || std::is_same_v<Compare, std::less<>>);

/// Whether one of so many numbers beats the bound; without a branch, so that they are compared side by side.
template <std::size_t Stretch, class It, class T, class Ranking>
bool any_beats(It first, std::size_t begin, T const& bound, Ranking const& ranking) {
  using flag = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;  // as wide as what it is about
  flag any = 0;
  for (std::size_t i = begin; i != begin + Stretch; ++i) any |= ranking.beats(at(first, i), bound) ? flag{1} : flag{0};
  return any != 0;
}

/// Adds to `best`, which has seen all elements in front of `begin`, what is better than `bound` and than its own k.
template <class It, class T, class Compare, class Proj>
void rank_stretch(It first, std::size_t begin, std::size_t end, T const& bound, best_elements<T>& best,
                  rank_best<T, Compare, Proj> const& ranking) {
  constexpr std::size_t stretch = 64;
  T const* to_beat = best.heap.size() == ranking.k ? std::addressof(best.heap[0].value) : std::addressof(bound);
  for (std::size_t i = begin; i != end;) {
    if constexpr (compared_freely<T, Compare, Proj>) {
      while (end - i >= stretch && !any_beats<stretch>(first, i, *to_beat, ranking)) i += stretch;
    }
    for (std::size_t const near = i + (std::min)(stretch, end - i); i != near; ++i)
      if (ranking.beats(at(first, i), *to_beat)) [[unlikely]] {
        ranking.insert(best, at(first, i), i);
        if (best.heap.size() == ranking.k) to_beat = std::addressof(best.heap[0].value);
      }
  }
  best.seen = end;
}

/// Ranks a small part first: whoever does not beat the worst of its k best has no place, wherever it stands behind.
template <class P, class R, class T, class Compare, class Proj>
best_elements<T> best_of_range(P const& policy, R& r, rank_best<T, Compare, Proj> const& ranking) {
  check_works_in_memory<P>();
  auto const first = std::ranges::begin(r);
  std::size_t const n = length(r), shortest = std::size_t{1} << 12;
  std::size_t const head = (std::min)(n, (std::max)({shortest, n / 32, 4 * ranking.k}));
  best_elements<T> best;
  std::size_t const filled = (std::min)(head, ranking.k);
  for (std::size_t i = 0; i != filled; ++i) ranking(best, at(first, i));
  if (filled != head) rank_stretch(plain(first), filled, head, T(best.heap[0].value), best, ranking);
  policy.props().control().finished(head);
  block_plan const plan = aggregate_blocks(n - head);
  slots<best_elements<T>> others(plan.count());
  std::size_t const size = plan.count() == 0 ? 1 : plan[0].size();
  policy.backend().for_range(policy.props(), n - head, size, [&](std::size_t begin, std::size_t end) {
    for (std::size_t b = begin / size; b * size < end; ++b)
      others.make(b, [&] {
        auto const from = plain(advanced(first, head + plan[b].begin));
        best_elements<T> of_block;
        rank_stretch(from, std::size_t{0}, plan[b].size(), best.heap[0].value, of_block, ranking);
        return of_block;
      });
  });
  for (std::size_t b = 0; b != plan.count(); ++b) ranking.take_in(best, others[b]);
  return best;
}

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
/// Complexity: O(n log k), usually little more than n comparisons; the first n / 32 elements (at least 4096, and 4 k)
/// are ranked by the calling thread, so that the others know what to beat. Extra memory: k elements for each of at most
/// 256 blocks. For a k that is no small part of n, sort.
/// Determinism: the same elements on every run. Exceptions: bad_argument if k is negative; otherwise as for_each.
template <execution_policy P, std::ranges::input_range R, class Compare = std::ranges::greater,
          class Proj = std::identity>
[[nodiscard]] auto top_k(P const& policy, R&& r, std::ptrdiff_t k, Compare compare = {}, Proj proj = {}) {
  using T = std::ranges::range_value_t<R>;
  using rank = detail::rank_best<T, Compare, Proj>;
  static_assert(std::constructible_from<T, std::ranges::range_reference_t<R>> && std::movable<T>,
                "tartan: top_k copies the best elements; give them a copy constructor and an assignment");
  static_assert(detail::tests_pair<Compare const, Proj const, std::vector<T> const&, Proj const, std::vector<T> const&>,
                "tartan: top_k(policy, range, k, comparator, projection) needs a comparator that takes two projected "
                "elements, and both to be callable where they are const");
  if (k < 0) detail::raise<bad_argument>("tartan: top_k needs a k that is not negative");
  std::size_t most = static_cast<std::size_t>(k);
  if constexpr (divisible_range<R>) most = (std::min)(most, detail::length(r));  // there may be no worst of k to beat
  rank const ranking{most, std::move(compare), std::move(proj)};
  detail::best_elements<T> best;
  if constexpr (shared_memory_backend<typename P::backend_type> && divisible_range<R>)
    best = most == 0 ? best : detail::best_of_range(policy, r, ranking);
  else
    best = aggregate(policy, std::forward<R>(r), detail::make_best<T>{}, ranking, ranking);
  std::sort_heap(best.heap.begin(), best.heap.end(), ranking.order());
  std::vector<T> out;
  out.reserve(best.heap.size());
  for (auto& e : best.heap) out.push_back(std::move(e.value));
  return out;
}

}  // namespace tartan::inline TARTAN_ABI
