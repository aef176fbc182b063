#pragma once
// The element that sorting would put at one place.

#include <algorithm>    // min
#include <array>        // array
#include <cstddef>      // size_t
#include <cstdint>      // uint8_t
#include <functional>   // identity, invoke, ranges::less
#include <iterator>     // iter_value_t, sortable
#include <ranges>       // begin, iter_move, iterator_t
#include <type_traits>  // is_nothrow_move_*
#include <utility>      // exchange, move
#include <vector>       // vector

#include "tartan/algorithms/in_memory.hpp"    // check_works_in_memory
#include "tartan/algorithms/random/bits.hpp"  // random_bits
#include "tartan/algorithms/sort.hpp"         // sort_call
#include "tartan/algorithms/unattended.hpp"   // unattended
#include "tartan/core/errors.hpp"             // bad_argument, cancelled, raise
#include "tartan/core/slots.hpp"              // slots
#include "tartan/exec/policy.hpp"             // execution_policy
#include "tartan/exec/source.hpp"             // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Narrows the part in which the element is, by two pivots from a sorted sample that lie closely round it: what is less
/// than both goes to the front, what is greater to the back. Nothing moves before all comparisons of a round are done.
/// Source: Floyd, Rivest: Expected Time Bounds for Selection (1975).
template <class P, class It, class Compare, class Proj>
class nth_call {
  using T = std::iter_value_t<It>;

 public:
  nth_call(P const& policy, It first, std::size_t n, std::size_t nth, Compare& compare, Proj& proj)
      : backend_(policy.backend()),
        props_(unattended(policy.props())),
        first_(first),
        end_(n),
        nth_(nth),
        compare_(compare),
        proj_(proj) {}

  /// The part [begin, end) that must still be sorted.
  std::pair<std::size_t, std::size_t> narrow() {
    while (end_ - begin_ > few) {
      std::size_t const before = end_ - begin_;
      if (!round()) return {nth_, nth_};
      if (end_ - begin_ > before / 4 * 3) break;  // pivots that say little, or comparisons that contradict each other
    }
    return {begin_, end_};
  }

 private:
  static constexpr std::size_t few = 8192;     // elements: sorted
  static constexpr std::size_t sampled = 512;  // elements
  static constexpr std::size_t distance = 28;  // of the pivots from the wanted rank, in the sample
  enum part : std::uint8_t { front, middle, back };

  bool less(std::size_t i, std::size_t j) {
    return static_cast<bool>(
        std::invoke(compare_, std::invoke(proj_, at(first_, i)), std::invoke(proj_, at(first_, j))));
  }

  /// False if every element that is left is equal to the one that is sought.
  bool round() {
    std::size_t const n = end_ - begin_;
    std::vector<std::size_t> const sample = sorted_sample(n);
    std::size_t const rank = (nth_ - begin_) / (n / sampled);
    bool const has_low = rank >= distance, has_high = rank + distance < sampled;
    std::size_t const low = sample[has_low ? rank - distance : 0];
    std::size_t const high = sample[has_high ? rank + distance : sampled - 1];
    bool const one_value = has_low && has_high && !less(low, high);
    auto const part_of = [&](std::size_t i) -> std::uint8_t {  // no branch: it would be a coin toss
      bool const to_front = has_low && less(i, low), to_back = has_high && less(high, i);
      return static_cast<std::uint8_t>(middle - to_front + to_back);
    };
    return spread(n, part_of) || !one_value;
  }

  std::vector<std::size_t> sorted_sample(std::size_t n) {
    random_bits const random(n, 0);
    std::size_t const stride = n / sampled;
    std::vector<std::size_t> drawn(sampled), sorted(sampled);
    for (std::size_t i = 0; i != sampled; ++i) drawn[i] = begin_ + i * stride + random.below(stride, i);
    auto before = [this](std::size_t i, std::size_t j) { return less(i, j); };
    merge_sort<std::size_t, decltype(before), typename P::backend_type>(backend_, props_, before)
        .into(drawn.data(), sorted.data(), sampled);
    return sorted;
  }

  /// Brings the parts together and goes on with the one that holds the place; false if that is the middle one.
  template <class PartOf>
  bool spread(std::size_t n, PartOf const& part_of) {
    block_plan const plan(n, n / 256 + 1);
    slots<std::uint8_t> parts(n);
    std::vector<std::array<std::size_t, 3>> next(plan.count());
    each(plan.count(), [&](std::size_t b) {
      std::size_t in_front = 0, in_back = 0;
      for (std::size_t i = plan[b].begin; i != plan[b].end; ++i) {
        parts[i] = part_of(begin_ + i);
        in_front += parts[i] == front;
        in_back += parts[i] == back;
      }
      next[b] = {in_front, plan[b].size() - in_front - in_back, in_back};
    });
    std::array<std::size_t, 3> ends{};
    std::size_t sum = 0;
    for (std::size_t k = 0; k != 3; ++k) {
      for (auto& block : next) sum += std::exchange(block[k], sum);
      ends[k] = sum;
    }
    if (ends[front] != 0 || ends[middle] != n) move_parts(n, plan, parts, next);
    std::size_t const place = nth_ - begin_;
    part const holder = place < ends[front] ? front : place < ends[middle] ? middle : back;
    end_ = begin_ + ends[holder];
    if (holder != front) begin_ += ends[holder - 1];
    return holder != middle;
  }

  void move_parts(std::size_t n, block_plan plan, slots<std::uint8_t>& parts,
                  std::vector<std::array<std::size_t, 3>>& next) {
    slots<T> moved(n);
    each(plan.count(), [&](std::size_t b) {
      for (std::size_t i = plan[b].begin; i != plan[b].end; ++i)
        moved.make(next[b][parts[i]]++, [&]() -> T { return std::ranges::iter_move(advanced(first_, begin_ + i)); });
    });
    each(n / piece + 1, [&](std::size_t k) {
      for (std::size_t i = k * piece; i != (std::min)(n, (k + 1) * piece); ++i)
        at(first_, begin_ + i) = std::move(moved[i]);
    });
  }

  template <class F>
  void each(std::size_t n, F const& f) const {
    backend_.for_range(props_, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) f(i);
    });
  }

  static constexpr std::size_t piece = std::size_t{1} << 14;
  typename P::backend_type const& backend_;
  properties props_;
  It first_;
  std::size_t begin_ = 0, end_, nth_;
  Compare& compare_;
  Proj& proj_;
};

}  // namespace detail

/// Puts at place `nth` the element that would be there if r were sorted; none before it is greater, none behind it
/// less.
///
///     tartan::nth_element(tartan::par, v, v.begin() + v.size() / 2);   // the median
///
/// @param r        A random-access range with a size.
/// @param nth      An iterator into r; at its end nothing happens.
/// @param compare  A strict weak order; called from several threads at once, as proj is.
///
/// Complexity: about 2.5 n comparisons; if chance is against it, those of sort. Extra memory: a second array of n
/// elements and a byte for each. Elements that may throw when moved are sorted.
/// Determinism: the same order of the elements on every run, for any number of workers.
/// Exceptions: what compare or proj throws; the elements are then all there, in some order, as they are with a compare
/// that is no strict weak order. A stop is looked at before the first move only. Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range R, class Compare = std::ranges::less, class Proj = std::identity>
void nth_element(P const& policy, R&& r, std::ranges::iterator_t<R> nth, Compare compare = {}, Proj proj = {}) {
  using T = std::ranges::range_value_t<R>;
  static_assert(std::sortable<std::ranges::iterator_t<R>, Compare, Proj>,
                "tartan: nth_element(policy, range, nth, comparator, projection) needs a range whose elements can be "
                "moved and swapped, and a comparator that takes two projected elements");
  detail::check_works_in_memory<P>();
  auto const first = std::ranges::begin(r);
  std::size_t const n = detail::length(r), place = static_cast<std::size_t>(nth - first);
  if (place >= n) return;
  std::pair<std::size_t, std::size_t> rest(0, n);
  if (policy.props().stop.requested()) detail::raise<cancelled>();
  if constexpr (std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>)
    rest =
        detail::nth_call<P, std::remove_const_t<decltype(first)>, Compare, Proj>(policy, first, n, place, compare, proj)
            .narrow();
  detail::sort_call<P, std::remove_const_t<decltype(first)>, Compare, Proj>(policy, detail::advanced(first, rest.first),
                                                                            rest.second - rest.first, 1, compare, proj)
      .run();
}

}  // namespace tartan::inline TARTAN_ABI
