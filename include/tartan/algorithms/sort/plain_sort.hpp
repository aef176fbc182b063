#pragma once
// The sort of elements that are plain bytes, which uses what is in order.

#include <algorithm>  // copy_n, max, min, reverse
#include <array>      // array
#include <bit>        // bit_width
#include <cstddef>    // size_t

#include "tartan/algorithms/sort/merge_sort.hpp"      // merge_sort
#include "tartan/algorithms/sort/nearly_sorted.hpp"   // nearly_sorted
#include "tartan/algorithms/sort/partition_sort.hpp"  // partition_sort
#include "tartan/algorithms/sort/small_sort.hpp"      // copied_freely, insertion_sort
#include "tartan/core/config.hpp"                     // TARTAN_ABI
#include "tartan/core/smaller.hpp"                    // smaller
#include "tartan/exec/properties.hpp"                 // properties

namespace tartan::inline TARTAN_ABI::detail {

/// Stable. As many parts as there are workers are sorted at once and merged; of each part what is in order is used:
/// few runs are merged, few stragglers are brought to their places, and what descends is turned; all else is left to
/// `unordered(first, scratch, n)`. What less throws comes out; all elements are there then.
template <class T, class Less, class Backend, class Unordered = partition_sort<T, Less, Backend>>
class plain_sort {
  static_assert(copied_freely<T>);

 public:
  plain_sort(Backend const& backend, properties const& props, Less& less)
      : plain_sort(backend, props, less, Unordered(backend, props, less)) {}
  plain_sort(Backend const& backend, properties const& props, Less& less, Unordered const& unordered)
      : backend_(backend), props_(props), less_(less), merges_(backend, props, less), unordered_(unordered) {}

  /// Whether a look at a few elements says that most are in order, or most the other way round.
  [[nodiscard]] static bool looks_ordered(T* a, std::size_t n, Less& less) {
    std::size_t const asked = smaller(n - 1, samples), down = descents(a, n, asked, less);
    return down <= asked / 16 || asked - down <= asked / 16;
  }

  /// Sorts a[0, n); scratch has room for as many.
  void operator()(T* a, T* scratch, std::size_t n) {
    part_ = (std::max)(n / backend_.width(props_) + 1, smallest_part);
    share(a, scratch, n, true);
    merges_.rethrow();
  }

 private:
  using merges = merge_sort<T, Less, Backend>;
  static constexpr std::size_t smallest_part = 8192;  // elements
  static constexpr std::size_t most_runs = 256;
  static constexpr std::size_t samples = 64;
  static constexpr std::size_t cached = (std::size_t{1} << 18) / sizeof(T);  // elements

  /// The result goes back to where the elements are (`stay`) or to `other`.
  void share(T* from, T* other, std::size_t n, bool stay) noexcept {
    if (n <= part_) {
      merges_.attempt([&] { sort_part(from, other, n); });
      if (!stay) std::copy_n(from, n, other);
      return;
    }
    std::size_t const half = n / 2;
    backend_.fork_join(
        props_, [&] { share(from, other, half, !stay); }, [&] { share(from + half, other + half, n - half, !stay); });
    stay ? merges_.merge(other, half, n, from) : merges_.merge(from, half, n, other);
  }

  void sort_part(T* a, T* scratch, std::size_t n) {
    std::size_t const asked = smaller(n - 1, samples);
    std::size_t down = descents(a, n, asked, less_);
    bool const turned = asked - down <= asked / 8;
    if (turned) {
      std::reverse(a, a + n);
      down = asked - down;
    }
    if (!by_runs(a, scratch, n) && !(down <= asked * 2 / 5 && far_descents(a, n, asked) == 0 && by_insertion(a, n)) &&
        !(down <= asked / 4 && nearly_sorted<T, Less, Backend>(backend_, props_, less_)(a, n)))
      unordered(a, scratch, n, true);
    if (turned) turn_equals(a, n, less_);
  }

  /// Large elements that do not fit the cache: merges move each fewer times.
  void unordered(T* from, T* other, std::size_t n, bool stay) {
    if (sizeof(T) <= 32 || n <= cached) {
      unordered_(from, other, n);
      if (!stay) std::copy_n(from, n, other);
    } else {
      std::size_t const half = n / 2;
      unordered(from, other, half, !stay);
      unordered(from + half, other + half, n - half, !stay);
      merges own(backend_, props_, less_);
      own.merge(stay ? other : from, half, n, stay ? from : other);
      own.rethrow();
    }
  }

  /// Returns false if elements are farther from their places than a few.
  bool by_insertion(T* a, std::size_t n) {
    for (std::size_t i = 1, moves = 0; i != n; ++i) {
      if (!less_(a[i], a[i - 1])) continue;
      if (moves > 256 + 4 * i) return false;
      carried<T> c(a + i);
      do {
        *c.place = c.place[-1];
        --c.place;
        ++moves;
      } while (c.place != a && less_(c.x, c.place[-1]));
    }
    return true;
  }

  // ---- runs --------------------------------------------------------------------------------------------------------

  struct runs {
    std::array<std::size_t, most_runs + 1> begin;  // and where the last one ends
    std::size_t count = 0;
  };

  /// Returns false, soon, if there are so many that their merges would take longer than a partition.
  bool by_runs(T* a, T* scratch, std::size_t n) {
    std::size_t const most = (std::min)(most_runs, std::size_t{1} << (std::bit_width(n) / 3));
    runs r;
    for (std::size_t i = 0; i != n; ++r.count) {
      if (r.count == most) return false;
      r.begin[r.count] = i;
      i = end_of_run(a, i, n);
    }
    r.begin[r.count] = n;
    merges own(backend_, props_, less_);  // other parts may fail meanwhile
    merge_runs(own, r, 0, r.count, a, scratch, true);
    own.rethrow();
    return true;
  }

  /// What descends without equals is turned.
  std::size_t end_of_run(T* a, std::size_t begin, std::size_t n) {
    std::size_t end = begin + 1;
    if (end == n) return n;
    if (!less_(a[end], a[begin])) {
      do ++end;
      while (end != n && !less_(a[end], a[end - 1]));
    } else {
      do ++end;
      while (end != n && less_(a[end], a[end - 1]));
      std::reverse(a + begin, a + end);
    }
    return end;
  }

  void merge_runs(merges& own, runs const& r, std::size_t first, std::size_t last, T* from, T* other,
                  bool stay) noexcept {
    std::size_t const begin = r.begin[first], n = r.begin[last] - begin;
    if (last - first == 1) {
      if (!stay) std::copy_n(from + begin, n, other + begin);
      return;
    }
    std::size_t cut = first + 1;  // the one next to the middle
    while (cut + 1 != last && r.begin[cut + 1] - begin <= n / 2) ++cut;
    if (cut + 1 != last && r.begin[cut + 1] - begin - n / 2 < n / 2 - (std::min)(n / 2, r.begin[cut] - begin)) ++cut;
    merge_runs(own, r, first, cut, from, other, !stay);
    merge_runs(own, r, cut, last, from, other, !stay);
    T *const source = (stay ? other : from) + begin, *const to = (stay ? from : other) + begin;
    own.merge(source, r.begin[cut] - begin, n, to);
  }

  // ---- descents ----------------------------------------------------------------------------------------------------

  /// Of `asked` pairs of neighbours.
  static std::size_t descents(T* a, std::size_t n, std::size_t asked, Less& less) {
    std::size_t const stride = (n - 1) / asked;
    std::size_t found = 0;
    for (std::size_t k = 0; k != asked; ++k) found += less(a[k * stride + 1], a[k * stride]) ? 1U : 0U;
    return found;
  }

  /// Of neighbours of those.
  std::size_t far_descents(T* a, std::size_t n, std::size_t asked) {
    std::size_t const stride = (n - 1) / asked;
    std::size_t found = 0;
    for (std::size_t k = 1; k != asked; ++k) found += less_(a[k * stride], a[(k - 1) * stride]) ? 1U : 0U;
    return found;
  }

  Backend const& backend_;
  properties const& props_;
  Less& less_;
  merges merges_;
  Unordered unordered_;
  std::size_t part_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI::detail
