#pragma once
// A stable merge sort for any comparator, also one that throws or lies.

#include <cstddef>      // size_t
#include <memory>       // to_address
#include <type_traits>  // is_nothrow_move_assignable_v, is_trivially_copyable_v
#include <utility>      // move

#include "tartan/core/range.hpp"       // first_error
#include "tartan/exec/properties.hpp"  // properties

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
    error_.rethrow();
  }

 private:
  static constexpr std::size_t few = 20;             // elements: insertion
  static constexpr std::size_t fork_from = 256;      // elements
  static constexpr std::size_t share_merge = 16384;  // elements

  /// The result goes back to where the elements are (`stay`) or to `other`.
  void sort(T* from, T* other, std::size_t n, bool stay) noexcept {
    if (n <= few) {
      attempt([&] { insertion(from, n); });
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
    T* const a = stay ? other : from;
    merge(a, a + half, a + half, a + n, stay ? from : other);
  }

  void insertion(T* a, std::size_t n) {
    for (std::size_t i = 1; i < n; ++i) {
      std::size_t j = i;
      while (j != 0 && less_(a[i], a[j - 1])) --j;
      if (j == i) continue;
      T x = std::move(a[i]);
      for (std::size_t k = i; k != j; --k) a[k] = std::move(a[k - 1]);
      a[j] = std::move(x);
    }
  }

  void merge(T* l, T* l_end, T* r, T* r_end, T* out) noexcept {
    auto const nl = static_cast<std::size_t>(l_end - l), nr = static_cast<std::size_t>(r_end - r);
    if (nl + nr < share_merge || failed()) return merge_alone(l, l_end, r, r_end, out);
    // Around the middle of the longer one; equal elements of the left stay to the left of those of the right.
    T *l_cut = l + nl / 2, *r_cut = r + nr / 2;
    attempt([&] {
      if (nl >= nr)
        r_cut = lowest(r, nr, [&](T& x) { return !less_(x, *l_cut); });
      else
        l_cut = lowest(l, nl, [&](T& x) { return less_(*r_cut, x); });
    });
    T* const out_cut = out + (l_cut - l) + (r_cut - r);
    backend_.fork_join(
        props_, [&] { merge(l, l_cut, r, r_cut, out); }, [&] { merge(l_cut, l_end, r_cut, r_end, out_cut); });
  }

  void merge_alone(T* l, T* l_end, T* r, T* r_end, T* out) noexcept {
    attempt([&] {
      if (l == l_end || r == r_end || !less_(*r, l_end[-1])) return;
      if (less_(r_end[-1], *l)) {
        out = move_all(r, r_end, out);
        r = r_end;
        return;
      }
      while (l != l_end && r != r_end) take_next(l, r, out);
    });
    out = move_all(l, l_end, out);
    move_all(r, r_end, out);
  }

  TARTAN_ALWAYS_INLINE void take_next(T*& l, T*& r, T*& out) {
    bool const right = less_(*r, *l);
    if constexpr (std::is_trivially_copyable_v<T>) {  // no branch: it would be a coin toss
      *out = right ? *r : *l;
      r += right;
      l += !right;
    } else {
      *out = right ? std::move(*r++) : std::move(*l++);
    }
    ++out;
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

  Backend const& backend_;
  properties props_;
  Less& less_;
  first_error error_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
