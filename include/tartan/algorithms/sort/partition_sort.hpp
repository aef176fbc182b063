#pragma once
// A stable quicksort without branches on comparisons.

#include <algorithm>  // copy_n
#include <bit>        // bit_width
#include <cstddef>    // size_t
#include <memory>     // addressof

#include "tartan/algorithms/sort/merge_sort.hpp"  // merge_sort
#include "tartan/algorithms/sort/small_sort.hpp"  // copied_freely, small_sort
#include "tartan/core/config.hpp"                 // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/exec/properties.hpp"             // properties

namespace tartan::inline TARTAN_ABI::detail {

/// Elements that are less than a pivot stay, the others go by way of a second array; elements that are equal to the
/// pivot of an enclosing part are put aside together, so that k distinct values take O(n log k). Pivots that cut badly
/// too often end in a merge sort. Whatever less answers or throws, all elements are there afterwards.
///
/// Source: R. Sedgewick, Quicksort with equal keys, 1977; the way by a second array as in Rust's driftsort (O. R. L.
/// Peters, L. Bergdoll, 2024).
template <class T, class Less, class Backend>
class partition_sort {
  static_assert(copied_freely<T>);

 public:
  partition_sort(Backend const& backend, properties const& props, Less& less)
      : backend_(backend), props_(props), less_(less), small_(less) {}

  /// Sorts a[0, n); scratch has room for as many.
  void operator()(T* a, T* scratch, std::size_t n) const {
    sort(a, scratch, n, 2 * static_cast<unsigned>(std::bit_width(n)), nullptr);
  }

 private:
  static constexpr std::size_t fork_from = 4096;  // elements

  /// No element is less than *bound, the pivot of an enclosing part, if there is one.
  void sort(T* a, T* scratch, std::size_t n, unsigned left_to_cut, T* bound) const {
    while (n > small_.most) {
      if (left_to_cut-- == 0) return merge_sort<T, Less, Backend>(backend_, props_, less_).in_place(a, scratch, n);
      T pivot = *median(a, n, n < 128 ? 1 : n < 4096 ? 2 : n < (std::size_t{1} << 18) ? 3 : 4);
      if (bound == nullptr || less_(*bound, pivot)) {
        std::size_t const low = partition(a, scratch, n, [&](T& x) { return less_(x, pivot); });
        if (low != 0) {
          auto const upper = [&] { sort(a + low, scratch + low, n - low, left_to_cut, std::addressof(pivot)); };
          if (n >= fork_from) {
            backend_.fork_join(props_, [&] { sort(a, scratch, low, left_to_cut, bound); }, upper);
            return;
          }
          upper();
          n = low;
          continue;
        }
      }
      std::size_t const equal = partition(a, scratch, n, [&](T& x) { return !less_(pivot, x); });
      a += equal;
      scratch += equal;
      n -= equal;
      bound = nullptr;
    }
    small_(a, scratch, n);
  }

  struct cut {
    T *a, *scratch;
    std::size_t done = 0, low = 0;
    ~cut() { std::copy_n(scratch, done - low, a + low); }
  };

  /// Stable. Returns how many stay.
  template <class Stays>
  static std::size_t partition(T* a, T* scratch, std::size_t n, Stays stays) {
    cut c{a, scratch};
    for (; c.done != n; ++c.done) {
      bool const stay = stays(a[c.done]);
      if constexpr (sizeof(T) <= 128) {  // two copies, one of which does no harm, are cheaper than a choice
        T const x = a[c.done];
        a[c.low] = x;
        scratch[c.done - c.low] = x;
      } else {
        T* const to = stay ? a + c.low : scratch + (c.done - c.low);
        *to = a[c.done];
      }
      c.low += stay;
    }
    return c.low;
  }

  /// Of 3^depth elements, by medians of three.
  T* median(T* a, std::size_t n, unsigned depth) const {
    if (depth == 0) return a + n / 2;
    std::size_t const third = n / 3;
    T *const x = median(a, third, depth - 1), *const y = median(a + third, third, depth - 1),
             *const z = median(a + 2 * third, n - 2 * third, depth - 1);
    bool const below = less_(*x, *y);
    if (below != less_(*x, *z)) return x;
    return below == less_(*y, *z) ? y : z;
  }

  Backend const& backend_;
  properties const& props_;
  Less& less_;
  small_sort<T, Less> small_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
