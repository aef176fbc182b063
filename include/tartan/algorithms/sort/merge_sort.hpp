#pragma once
// A stable merge sort for any comparator, also one that throws or lies.

#include <cstddef>      // ptrdiff_t, size_t
#include <type_traits>  // is_nothrow_move_assignable_v, is_nothrow_move_constructible_v
#include <utility>      // move

#include "tartan/algorithms/sort/small_sort.hpp"  // copied_freely, insertion_sort
#include "tartan/core/range.hpp"                  // first_error
#include "tartan/exec/properties.hpp"             // properties

namespace tartan::inline TARTAN_ABI::detail {

/// Every element is always in one of two arrays of the same length, and a comparison only chooses which of two existing
/// elements moves next: whatever less answers, the result is a permutation, and nothing outside is read. Once less has
/// thrown it is not called again; the elements go home in any order, and then the exception goes on.
template <class T, class Less, class Backend>
class merge_sort {
  static_assert(std::is_nothrow_move_assignable_v<T> && std::is_nothrow_move_constructible_v<T>);

 public:
  merge_sort(Backend const& backend, properties const& props, Less& less)
      : backend_(backend), props_(props), less_(less) {}

  /// Sorts the n elements of `from` into `home`, both of which hold objects.
  void into(T* from, T* home, std::size_t n) {
    sort(from, home, n, false);
    rethrow();
  }

  /// Sorts the n elements of `home`; `other` holds as many objects.
  void in_place(T* home, T* other, std::size_t n) {
    sort(home, other, n, true);
    rethrow();
  }

  /// Merges the sorted parts [from, from + half) and [from + half, from + n) into `to`. What less throws is kept.
  void merge(T* from, std::size_t half, std::size_t n, T* to) noexcept {
    merge({from, from + half, from + half, from + n, to});
  }

  /// f(), unless a comparison has thrown before.
  template <class F>
  void attempt(F f) noexcept {
    if (failed()) return;
#if TARTAN_EXCEPTIONS
    try {
      f();
    } catch (...) {
      error_.record(0);
    }
#else
    f();
#endif
  }

  void rethrow() { error_.rethrow(); }

 private:
  static constexpr std::size_t few = 20;             // elements: insertion
  static constexpr std::size_t fork_from = 256;      // elements
  static constexpr std::size_t share_merge = 16384;  // elements
  static constexpr std::size_t worth_pairing = 256;  // elements
  static constexpr std::ptrdiff_t group = 8;         // elements

  /// The result goes back to where the elements are (`stay`) or to `other`.
  void sort(T* from, T* other, std::size_t n, bool stay) noexcept {
    if (n <= few) {
      attempt([&] { insertion_sort(from, n, less_); });
      if (!stay) move_all(from, from + n, other);
      return;
    }
    std::size_t const half = n / 2;
    auto const left = [&] { sort(from, other, half, !stay); };
    auto const right = [&] { sort(from + half, other + half, n - half, !stay); };
    if (n < fork_from) {
      left();
      right();
    } else {
      backend_.fork_join(props_, left, right);
    }
    stay ? merge(other, half, n, from) : merge(from, half, n, other);
  }

  /// Two neighbouring sorted parts on their way to `out`.
  struct pair_of_parts {
    T *l, *l_end, *r, *r_end, *out;
    unsigned wait = 7, left_to_wait = 0;  // groups, before one is looked at as a whole again
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>((l_end - l) + (r_end - r)); }
    [[nodiscard]] bool both() const noexcept { return l != l_end && r != r_end; }
    [[nodiscard]] bool both(std::ptrdiff_t n) const noexcept { return l_end - l >= n && r_end - r >= n; }
  };

  /// Cuts both parts near the middle: what is left in `p` comes before what is returned. Equal elements of the left
  /// part stay to the left of those of the right.
  pair_of_parts cut(pair_of_parts& p) {
    auto const nl = static_cast<std::size_t>(p.l_end - p.l), nr = static_cast<std::size_t>(p.r_end - p.r);
    T *l_cut = p.l + nl / 2, *r_cut = p.r + nr / 2;
    if (nl >= nr)
      r_cut = lowest(p.r, nr, [&](T& x) { return !less_(x, *l_cut); });
    else
      l_cut = lowest(p.l, nl, [&](T& x) { return less_(*r_cut, x); });
    pair_of_parts const upper{l_cut, p.l_end, r_cut, p.r_end, p.out + (l_cut - p.l) + (r_cut - p.r)};
    p.l_end = l_cut;
    p.r_end = r_cut;
    return upper;
  }

  void merge(pair_of_parts p) noexcept {
    if (p.size() < share_merge || failed()) return merge_alone(p);
    pair_of_parts upper{p.l_end, p.l_end, p.r_end, p.r_end, p.out + p.size()};
    attempt([&] { upper = cut(p); });
    backend_.fork_join(props_, [&] { merge(p); }, [&] { merge(upper); });
  }

  void merge_alone(pair_of_parts p) noexcept {
    pair_of_parts upper{p.l_end, p.l_end, p.r_end, p.r_end, p.out + p.size()};
    attempt([&] {
      if (!p.both() || !less_(*p.r, p.l_end[-1])) return;
      if (less_(p.r_end[-1], *p.l)) {
        p.out = move_all(p.r, p.r_end, p.out);
        p.r = p.r_end;
        return;
      }
      if (copied_freely<T> && p.size() >= worth_pairing) {
        upper = cut(p);
        while (p.both(group) && upper.both(group)) take_groups(p, upper);
        while (p.both() && upper.both()) {
          take_next(p);
          take_next(upper);
        }
      }
      take_until_one_ends(p);
      take_until_one_ends(upper);
    });
    move_rest(p);
    move_rest(upper);
  }

  static void move_rest(pair_of_parts const& p) noexcept { move_all(p.r, p.r_end, move_all(p.l, p.l_end, p.out)); }

  /// Takes groups of two pairs of parts, each of which has one on either side. Side by side: neither waits for the
  /// other's comparison.
  TARTAN_ALWAYS_INLINE void take_groups(pair_of_parts& p, pair_of_parts& q) {
    bool const p_done = take_whole_group(p), q_done = take_whole_group(q);
    if (!p_done && !q_done) {
      for (std::ptrdiff_t i = 0; i != group; ++i) {
        take_next(p);
        take_next(q);
      }
    } else if (!p_done || !q_done) {
      pair_of_parts& other = p_done ? q : p;
      for (std::ptrdiff_t i = 0; i != group; ++i) take_next(other);
    }
  }

  TARTAN_ALWAYS_INLINE void take_until_one_ends(pair_of_parts& p) {
    if constexpr (copied_freely<T>)
      while (p.both(group))
        if (!take_whole_group(p))
          for (std::ptrdiff_t i = 0; i != group; ++i) take_next(p);
    while (p.both()) take_next(p);
  }

  /// Of parts that are nearly in order, or hold many equal elements, whole groups come from one side. Where they do
  /// not, the comparisons that this takes become rare.
  TARTAN_ALWAYS_INLINE bool take_whole_group(pair_of_parts& p) {
    if (p.left_to_wait != 0) {
      --p.left_to_wait;
      return false;
    }
    if (!less_(*p.r, p.l[group - 1])) {
      p.out = move_all(p.l, p.l + group, p.out);
      p.l += group;
    } else if (less_(p.r[group - 1], *p.l)) {
      p.out = move_all(p.r, p.r + group, p.out);
      p.r += group;
    } else {
      p.left_to_wait = p.wait = p.wait < 15 ? 2 * p.wait + 1 : 15;
      return false;
    }
    p.wait = 0;
    return true;
  }

  TARTAN_ALWAYS_INLINE void take_next(pair_of_parts& p) {
    bool const right = less_(*p.r, *p.l);
    if constexpr (copied_freely<T>) {  // no branch: it would be a coin toss
      T const* const next = right ? p.r : p.l;
      *p.out = *next;
      p.r += right;
      p.l += !right;
    } else {
      *p.out = right ? std::move(*p.r++) : std::move(*p.l++);
    }
    ++p.out;
  }

  /// The first of n elements for which `is` holds, if it holds for all behind it.
  template <class Is>
  static T* lowest(T* first, std::size_t n, Is is) {
    while (n != 0) {
      std::size_t const half = n / 2;
      if (is(first[half])) {
        n = half;
      } else {
        first += half + 1;
        n -= half + 1;
      }
    }
    return first;
  }

  static T* move_all(T* first, T* last, T* out) noexcept {
    for (; first != last; ++first, ++out) *out = std::move(*first);
    return out;
  }

  [[nodiscard]] bool failed() const noexcept { return error_.skips(1); }

  Backend const& backend_;
  properties props_;
  Less& less_;
  first_error error_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
