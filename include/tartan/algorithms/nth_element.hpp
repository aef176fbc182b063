#pragma once
// The element that sorting would put at one place.

#include <algorithm>    // clamp, min
#include <bit>          // bit_width
#include <cstddef>      // size_t
#include <functional>   // identity, invoke, ranges::less
#include <iterator>     // iter_value_t, sortable
#include <ranges>       // begin, iter_swap, iterator_t
#include <type_traits>  // is_nothrow_move_*, is_trivially_copyable_v
#include <utility>      // forward
#include <vector>       // vector

#include "tartan/algorithms/in_memory.hpp"                       // check_works_in_memory
#include "tartan/algorithms/map.hpp"                             // one_piece, write_alignment
#include "tartan/algorithms/nth_element/in_place_partition.hpp"  // in_place_partition
#include "tartan/algorithms/random/bits.hpp"                     // random_bits
#include "tartan/algorithms/sort.hpp"                            // sort_call
#include "tartan/algorithms/unattended.hpp"                      // unattended
#include "tartan/core/errors.hpp"                                // cancelled, raise
#include "tartan/exec/policy.hpp"                                // execution_policy
#include "tartan/exec/source.hpp"                                // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Narrows the part in which the element is, by two pivots from a sorted sample that lie closely round it: what is less
/// than both goes to the front, what is greater to the back, all in place.
/// Source: Floyd, Rivest: Expected Time Bounds for Selection (1975).
template <class P, class It, class Compare, class Proj>
class nth_call {
  using T = std::iter_value_t<It>;

 public:
  /// `alone`: elements may not be written by two workers at a time.
  nth_call(P const& policy, It first, std::size_t n, std::size_t nth, bool alone, Compare& compare, Proj& proj)
      : policy_(policy),
        props_(unattended(policy.props())),
        split_(policy.backend(), props_, first, alone),
        first_(first),
        end_(n),
        nth_(nth),
        alone_(alone),
        compare_(compare),
        proj_(proj) {}

  void run() {
    while (end_ - begin_ > few) {
      std::size_t const before = end_ - begin_;
      if (between_two_pivots()) return;
      if (end_ - begin_ <= few) break;  // too few for a sample
      if (end_ - begin_ > before / 4 * 3 && equal_to_one_pivot()) return;
      if (end_ - begin_ > before / 8 * 7)  // comparisons that contradict each other
        return sort_call<P, It, Compare, Proj>(policy_, advanced(first_, begin_), end_ - begin_, alone_ ? one_piece : 1,
                                               compare_, proj_)
            .run();
    }
    for (std::size_t i = begin_; i < end_; ++i)
      for (std::size_t j = i; j != begin_ && less(at(first_, j), at(first_, j - 1)); --j) swap(j, j - 1);
  }

 private:
  static constexpr std::size_t few = 32;  // elements: sorted by insertion
  static constexpr std::size_t fewest_drawn = 32, most_drawn = 512;
  static constexpr bool copies_pivots = std::is_trivially_copyable_v<T> && sizeof(T) <= 16;

  template <class X, class Y>
  TARTAN_ALWAYS_INLINE bool less(X&& x, Y&& y) const {
    return static_cast<bool>(
        std::invoke(compare_, std::invoke(proj_, std::forward<X>(x)), std::invoke(proj_, std::forward<Y>(y))));
  }
  void swap(std::size_t i, std::size_t j) const {
    if (i != j) std::ranges::iter_swap(advanced(first_, i), advanced(first_, j));
  }

  /// Indices of some elements of [begin_, end_), sorted by these.
  struct sample {
    std::vector<std::size_t> drawn;
    std::size_t stride;
    [[nodiscard]] std::size_t size() const noexcept { return drawn.size(); }
    [[nodiscard]] std::size_t rank_of(std::size_t nth) const noexcept { return (std::min)(size() - 1, nth / stride); }
  };

  sample draw() {
    std::size_t const n = end_ - begin_, m = std::clamp(n / 16, fewest_drawn, most_drawn);
    random_bits const random(n, 0);
    std::vector<std::size_t> drawn(m);
    sample s{std::vector<std::size_t>(m), n / m};
    for (std::size_t i = 0; i != m; ++i) drawn[i] = begin_ + i * s.stride + random.below(s.stride, i);
    auto before = [this](std::size_t i, std::size_t j) { return less(at(first_, i), at(first_, j)); };
    merge_sort<std::size_t, decltype(before), typename P::backend_type>(policy_.backend(), props_, before)
        .into(drawn.data(), s.drawn.data(), m);
    return s;
  }

  /// True if the element is found, as all that is left is equal.
  bool between_two_pivots() {
    sample const s = draw();
    std::size_t const rank = s.rank_of(nth_ - begin_), distance = std::size_t{1} << (std::bit_width(s.size()) / 2);
    bool const has_low = rank >= distance, has_high = rank + distance < s.size();
    std::size_t low = has_low ? s.drawn[rank - distance] : begin_, high = has_high ? s.drawn[rank + distance] : begin_;
    bool const one_value = has_low && has_high && !less(at(first_, low), at(first_, high));
    std::size_t const front = begin_ + before_pivot(s, rank - distance, has_low);
    std::size_t const back = begin_ + up_to_pivot(s, rank + distance, has_high);
    // The greater part goes first; the other pivot waits where nothing moves.
    if (nth_ - begin_ < (end_ - begin_) / 2) {
      if (has_low) {
        swap(begin_, low);
        if (high == begin_) high = low;
      }
      if (has_high && !leave_out_greater(high, back, has_low)) return false;
      return (!has_low || leave_out_less(begin_, front, false)) && one_value;
    }
    if (has_high) {
      swap(end_ - 1, high);
      if (low == end_ - 1) low = high;
    }
    if (has_low && !leave_out_less(low, front, has_high)) return false;
    return (!has_high || leave_out_greater(end_ - 1, back, false)) && one_value;
  }

  /// For many equal elements, between which no pivot tells. True if the element is found.
  bool equal_to_one_pivot() {
    sample const s = draw();
    std::size_t const rank = s.rank_of(nth_ - begin_);
    std::size_t const front = begin_ + before_pivot(s, rank, true), back = begin_ + up_to_pivot(s, rank, true);
    return leave_out_less(s.drawn[rank], front, false) && leave_out_greater(begin_, back, false);
  }

  /// About how many elements are less than the one of that rank in the sample; not greater.
  std::size_t before_pivot(sample const& s, std::size_t rank, bool wanted) const {
    if (!wanted) return 0;
    std::size_t i = rank;
    while (i != 0 && !less(at(first_, s.drawn[i - 1]), at(first_, s.drawn[rank]))) --i;
    return i * s.stride;
  }
  std::size_t up_to_pivot(sample const& s, std::size_t rank, bool wanted) const {
    if (!wanted) return 0;
    std::size_t i = rank + 1;
    while (i != s.size() && !less(at(first_, s.drawn[rank]), at(first_, s.drawn[i]))) ++i;
    return i * s.stride;
  }

  /// What is less than the pivot comes to the front. True if the wanted element is not there; else it is only there.
  /// `but_last`: the last element is known to be greater, or equal.
  bool leave_out_less(std::size_t pivot, std::size_t expected, bool but_last) {
    swap(begin_, pivot);
    std::size_t const boundary =
        split(begin_ + 1, end_ - but_last, expected, begin_, [this](auto&& x, auto&& p) { return this->less(x, p); });
    swap(begin_, boundary - 1);
    bool const found = nth_ >= boundary - 1;
    (found ? begin_ : end_) = boundary - 1;
    return found;
  }

  /// What is greater than the pivot comes to the back. `but_first`: the first element is known to be less, or equal.
  bool leave_out_greater(std::size_t pivot, std::size_t expected, bool but_first) {
    swap(end_ - 1, pivot);
    std::size_t const boundary = split(begin_ + but_first, end_ - 1, expected, end_ - 1,
                                       [this](auto&& x, auto&& p) { return !this->less(p, x); });
    swap(end_ - 1, boundary);
    bool const found = nth_ <= boundary;
    (found ? end_ : begin_) = boundary + 1;
    return found;
  }

  template <class ToLeft>
  std::size_t split(std::size_t begin, std::size_t end, std::size_t expected, std::size_t pivot,
                    ToLeft const& to_left) {
    if constexpr (copies_pivots) {
      T copy = at(first_, pivot);
      return split_(begin, end, expected, [&](auto&& x) -> bool { return to_left(x, copy); });
    } else {
      return split_(begin, end, expected, [&](auto&& x) -> bool { return to_left(x, at(first_, pivot)); });
    }
  }

  P const& policy_;
  properties props_;
  in_place_partition<typename P::backend_type, It> split_;
  It first_;
  std::size_t begin_ = 0, end_, nth_;
  bool alone_;
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
/// Complexity: about 1.7 n comparisons and few moves; with comparisons that contradict each other those of sort. Extra
/// memory: some kilobytes. Elements that may throw when moved are sorted, which takes what sort takes.
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
  if (policy.props().stop.requested()) detail::raise<cancelled>();
  using iterator = std::remove_const_t<decltype(first)>;
  constexpr std::size_t alignment = detail::write_alignment<std::remove_cvref_t<R>>;
  if constexpr (std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>)
    detail::nth_call<P, iterator, Compare, Proj>(policy, first, n, place, alignment != 1, compare, proj).run();
  else
    detail::sort_call<P, iterator, Compare, Proj>(policy, first, n, alignment, compare, proj).run();
}

}  // namespace tartan::inline TARTAN_ABI
