#pragma once
// Sorting what is in order but for a few elements.

#include <algorithm>  // copy, copy_backward
#include <bit>        // has_single_bit
#include <cstddef>    // size_t
#include <new>        // align_val_t, nothrow

#include "tartan/algorithms/sort/partition_sort.hpp"  // partition_sort
#include "tartan/algorithms/sort/small_sort.hpp"      // copied_freely
#include "tartan/core/smaller.hpp"                    // smaller
#include "tartan/exec/properties.hpp"                 // properties

namespace tartan::inline TARTAN_ABI::detail {

/// Puts the elements that are out of order aside, sorts them, and merges them back: one comparison for each of the
/// others. Stable: what is set aside knows how many elements stood before it that were not.
///
/// Source: an idea of E. Baumann's drop-merge sort, 2018, after C. Levcopoulos and O. Petersson, Splitsort, 1991.
template <class T, class Less, class Backend>
class nearly_sorted {
  static_assert(copied_freely<T>);

 public:
  nearly_sorted(Backend const& backend, properties const& props, Less& less)
      : backend_(backend), props_(props), less_(less) {}

  /// Sorts a[0, n), or returns false and leaves everything where it was, if too many elements are out of order.
  bool operator()(T* a, std::size_t n) const {
    std::size_t const most = n / worth + 2 * at_least;
    memory const aside(2 * most);
    if (aside.first == nullptr) return false;
    state s{a, aside.first, n};
    if (!set_aside(s)) return false;
    auto less = [this](straggler& x, straggler& y) -> bool { return less_(x.value, y.value); };
    s.in_order = false;
    partition_sort<straggler, decltype(less), Backend>(backend_, props_, less)(s.aside, s.aside + most, s.count);
    bring_back(s);
    return true;
  }

 private:
  static constexpr std::size_t worth = 3;     // one element of so many may be out of order
  static constexpr std::size_t at_least = 8;  // so many at the begin
  static constexpr std::size_t near = 32;     // so many that were set aside may have to change places with them
  static constexpr std::size_t group = 8;     // elements that are moved at once

  struct straggler {
    T value;
    std::size_t before;  // elements that stay
  };

  /// A sort that has begun must not end for want of it.
  struct memory {
    straggler* first;
    explicit memory(std::size_t n)
        : first(static_cast<straggler*>(
              ::operator new(n * sizeof(straggler), std::align_val_t{alignof(straggler)}, std::nothrow))) {}
    memory(memory const&) = delete;
    memory& operator=(memory const&) = delete;
    ~memory() { ::operator delete(first, std::align_val_t{alignof(straggler)}); }
  };

  /// a holds elements that stay in [0, kept), nothing in [kept, kept + count), and others behind it.
  struct state {
    T* a;
    straggler* aside;
    std::size_t n, kept = 0, count = 0;
    bool in_order = true;

    ~state() {
      if (in_order)
        restore();
      else
        for (std::size_t i = 0; i != count; ++i) a[kept + i] = aside[i].value;
    }
    void restore() {
      for (std::size_t end = kept + count; count != 0; --count) {
        straggler const& s = aside[count - 1];
        std::copy_backward(a + s.before, a + kept, a + end);
        end -= kept - s.before;
        kept = s.before;
        a[--end] = s.value;
      }
    }
    void put_aside(T const& x, std::size_t before) { aside[count++] = {x, before}; }

    /// The last `high` that were kept; between them is what was set aside between them.
    void put_aside_last(std::size_t high) {
      std::size_t const stay = kept - high;
      for (std::size_t from = count, to = count += high; kept != stay;) {
        bool const behind = from != 0 && aside[from - 1].before >= kept;
        aside[--to] = behind ? straggler{aside[--from].value, stay} : straggler{a[--kept], stay};
      }
    }
  };

  bool set_aside(state& s) const {
    T* const a = s.a;
    std::size_t in_row = 0;
    for (std::size_t i = 0; i != s.n;) {
      if (s.kept == 0 || !less_(a[i], a[s.kept - 1])) {
        a[s.kept++] = a[i++];
        in_row = 0;
        continue;
      }
      if (s.count > at_least + i / worth) return false;
      s.put_aside(a[i++], s.kept);
      ++in_row;
      if ((in_row == 1 || in_row >= 8) && std::has_single_bit(in_row))
        if (std::size_t const high = too_high(s, a[i - in_row / 2 - 1], in_row); high != 0) {
          s.count -= in_row;  // they are still where they were, too
          i -= in_row;
          s.put_aside_last(high);
          if (in_row == 1) a[s.kept++] = a[i++];
          in_row = 0;
        }
    }
    return true;
  }

  /// How many of the last that were kept are greater than x, if few are: then they were out of order, not the `in_row`
  /// elements that were set aside since.
  std::size_t too_high(state const& s, T& x, std::size_t in_row) const {
    // Half as many as were set aside, once those are many: an attempt at another sort may have left them all here.
    std::size_t const few = in_row < 16 ? smaller(in_row, std::size_t{8}) : in_row / 2;
    std::size_t const most = smaller(few, s.kept), others = s.count - in_row;
    for (std::size_t high = 1; high <= most; ++high) {
      if (others > near && s.aside[others - near - 1].before > s.kept - high) return 0;
      if (high == s.kept) return in_row == 1 ? 0 : high;
      if (!less_(x, s.a[s.kept - high - 1])) return high;
    }
    return 0;
  }

  /// From the end, so that what is left aside always fits the gap.
  void bring_back(state& s) const {
    while (s.count != 0) {
      straggler& x = s.aside[s.count - 1];
      while (s.kept >= group && goes_behind(s.kept - group, x, s.a)) {
        s.kept -= group;
        std::copy_backward(s.a + s.kept, s.a + s.kept + group, s.a + s.kept + group + s.count);
      }
      while (s.kept != 0 && goes_behind(s.kept - 1, x, s.a)) {
        s.a[s.kept - 1 + s.count] = s.a[s.kept - 1];
        --s.kept;
      }
      s.a[s.kept + --s.count] = x.value;
    }
  }

  /// Whether a[i], which stayed, goes behind x.
  TARTAN_ALWAYS_INLINE bool goes_behind(std::size_t i, straggler& x, T* a) const {
    return i < x.before ? less_(x.value, a[i]) : !less_(a[i], x.value);
  }

  Backend const& backend_;
  properties const& props_;
  Less& less_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
