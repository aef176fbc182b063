#pragma once
// Sorts of a few elements.

#include <algorithm>    // copy_n, reverse
#include <cstddef>      // byte, size_t
#include <type_traits>  // is_copy_*, is_trivially_copyable_v
#include <utility>      // move

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

/// Copies of such elements may be left behind anywhere.
template <class T>
inline constexpr bool copied_freely =
    std::is_trivially_copyable_v<T> && std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>;

/// An element on its way. It comes to its place when a comparison throws, too.
template <class T>
struct carried {
  T x;
  T* place;
  explicit carried(T* from) noexcept : x(std::move(*from)), place(from) {}
  carried(carried const&) = delete;
  carried& operator=(carried const&) = delete;
  ~carried() { *place = std::move(x); }
};

/// As fast as std::sort where a few elements are in order. Moves must not throw.
template <class T, class Less>
void insertion_sort(T* a, std::size_t n, Less& less) {
  for (std::size_t i = 1; i < n; ++i) {
    if (!less(a[i], a[i - 1])) continue;
    carried<T> c(a + i);
    do {
      *c.place = std::move(c.place[-1]);
      --c.place;
    } while (c.place != a && less(c.x, c.place[-1]));
  }
}

/// Of neighbours.
template <class T, class Less>
std::size_t descents(T* a, std::size_t n, Less& less) {
  std::size_t found = 0;
  for (std::size_t i = 1; i < n; ++i) found += less(a[i], a[i - 1]) ? 1U : 0U;
  return found;
}

/// Equal elements, in order but from last to first.
template <class T, class Less>
void turn_equals(T* a, std::size_t n, Less& less) {
  for (std::size_t begin = 0, end = 1; begin != n; begin = end++) {
    while (end != n && !less(a[end - 1], a[end])) ++end;
    std::reverse(a + begin, a + end);
  }
}

/// Sorts at most `most` elements that are in no order, with few branches on comparisons: groups of four, then merges
/// from both ends to the middle. Whatever less answers or throws, all elements are there afterwards.
template <class T, class Less>
class small_sort {
  static_assert(copied_freely<T>);

 public:
  static constexpr std::size_t most = 32;

  explicit small_sort(Less& less) : less_(less) {}

  /// scratch has room for as many.
  void operator()(T* a, T* scratch, std::size_t n) const {
    if (n < 8 || descents(a, n, less_) <= n / 3)
      insertion_sort(a, n, less_);
    else
      sort_unordered(a, scratch, n);
  }

  void on_the_spot(T* a, std::size_t n) const {
    alignas(T) std::byte scratch[most * sizeof(T)];
    sort_unordered(a, reinterpret_cast<T*>(scratch), n);
  }

 private:
  void sort_unordered(T* a, T* scratch, std::size_t n) const {
    if (n <= 16) {
      groups<4>(a, a, n);
      merges<2>(a, scratch, n);
      merges_back<1>(scratch, a, n);
    } else {
      groups<8>(a, scratch, n);
      merges_back<4>(scratch, a, n);
      merges<2>(a, scratch, n);
      merges_back<1>(scratch, a, n);
    }
  }

  /// Groups of at most four.
  template <std::size_t Count>
  void groups(T* from, T* to, std::size_t n) const {
    for (std::size_t i = 0; i != Count; ++i) {
      std::size_t const begin = n * i / Count, m = n * (i + 1) / Count - begin;
      if (m == 4) {
        sort_four(from + begin, to + begin);
      } else {
        if (from != to) std::copy_n(from + begin, m, to + begin);
        insertion_sort(to + begin, m, less_);
      }
    }
  }

  /// Two pairs; that tells the first and the last of all but for one comparison each, and one more the other two.
  TARTAN_ALWAYS_INLINE void sort_four(T* a, T* to) const {
    bool const turned = less_(a[1], a[0]), also = less_(a[3], a[2]);
    T *const low = a + turned, *const high = a + !turned, *const low2 = a + 2 + also, *const high2 = a + 3 - also;
    bool const second = less_(*low2, *low), first = less_(*high2, *high);
    T* const left = second ? low : (first ? low2 : high);
    T* const right = first ? high2 : (second ? high : low2);
    bool const swapped = less_(*right, *left);
    T const sorted[4] = {second ? *low2 : *low, swapped ? *right : *left, swapped ? *left : *right,
                         first ? *high : *high2};
    std::copy_n(sorted, 4, to);
  }

  /// Merges neighbours out of 2 * Count groups.
  template <std::size_t Count>
  void merges(T* from, T* to, std::size_t n) const {
    for (std::size_t i = 0; i != Count; ++i) {
      std::size_t const begin = n * i / Count, cut = n * (2 * i + 1) / (2 * Count), end = n * (i + 1) / Count;
      merge(from + begin, cut - begin, end - begin, to + begin);
    }
  }

  /// The same, to where the elements must be whatever happens.
  template <std::size_t Count>
  void merges_back(T* from, T* to, std::size_t n) const {
    struct refill {
      T *from, *to;
      std::size_t n;
      ~refill() { std::copy_n(from, n, to); }
    } guard{from, to, n};
    merges<Count>(from, to, n);
    guard.n = 0;
  }

  /// The lengths of both parts differ by at most one, so neither ends before all but one of the elements have moved.
  TARTAN_ALWAYS_INLINE void merge(T* from, std::size_t half, std::size_t n, T* to) const {
    T *l = from, *r = from + half, *l_end = r, *r_end = from + n, *out = to, *out_end = to + n;
    for (std::size_t i = n / 2; i != 0; --i) {
      bool const right = less_(*r, *l);
      *out++ = *(right ? r : l);
      r += right;
      l += !right;
      bool const left = less_(r_end[-1], l_end[-1]);
      *--out_end = *(left ? l_end - 1 : r_end - 1);
      l_end -= left;
      r_end -= !left;
    }
    if (n % 2 != 0) {
      bool const left = l < l_end;
      *out = *(left ? l : r);
      l += left;
      r += !left;
    }
    if (l != l_end || r != r_end) std::copy_n(from, n, to);  // no order
  }

  Less& less_;
};

/// Sorts what is short, and what is not long and nearly in order or nearly turned. Returns false if it did nothing.
template <class T, class Less>
bool sort_on_the_spot(T* a, std::size_t n, Less& less) {
  if constexpr (!copied_freely<T> || sizeof(T) > 64) {
    constexpr std::size_t few = 20;
    if (n > few) return false;
    insertion_sort(a, n, less);
  } else {
    constexpr std::size_t not_many = 128;
    if (n > not_many) return false;
    if (n < 8) return insertion_sort(a, n, less), true;
    std::size_t const down = descents(a, n, less);
    bool const turned = n - 1 - down <= 1 + n / 8,
               nearly = turned || down <= (n <= small_sort<T, Less>::most ? n / 3 : n / 4);
    if (!nearly && n > small_sort<T, Less>::most) return false;
    if (turned) std::reverse(a, a + n);
    if (nearly && (down != n - 1))
      insertion_sort(a, n, less);
    else if (!nearly)
      small_sort<T, Less>(less).on_the_spot(a, n);
    if (turned && down != n - 1) turn_equals(a, n, less);
  }
  return true;
}

}  // namespace tartan::inline TARTAN_ABI::detail
