#pragma once
// Sorting by something smaller than the elements: a key or an index each, and one move of each element at the end.

#include <algorithm>    // copy_n
#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <iterator>     // iter_value_t
#include <ranges>       // iter_move, iter_swap
#include <string_view>  // string_view
#include <utility>      // move

#include "tartan/algorithms/sort/keys.hpp"        // text_key_at, text_window
#include "tartan/algorithms/sort/merge_sort.hpp"  // merge_sort
#include "tartan/algorithms/sort/radix.hpp"       // radix_sort
#include "tartan/core/slots.hpp"                  // slots
#include "tartan/exec/leaf.hpp"                   // advanced, at

namespace tartan::inline TARTAN_ABI::detail {

/// Where an element is, and what decides where it goes.
struct sort_entry {
  std::uint64_t key;
  std::size_t index;
};
struct key_of_entry {
  TARTAN_ALWAYS_INLINE std::uint64_t operator()(sort_entry const& e) const noexcept { return e.key; }
};

/// Puts element source(i) at place i, for all i < n. `alignment`: see for_range.
template <class Backend, class It, class Source>
void permute(Backend const& backend, properties const& props, It first, std::size_t n, std::size_t alignment,
             Source source) {
  using T = std::iter_value_t<It>;
  if constexpr (std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>) {
    slots<T> moved(n);
    backend.for_range(props, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i)
        moved.make(i, [&]() -> T { return std::ranges::iter_move(advanced(first, source(i))); });
    });
    backend.for_range(props, n, alignment, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) at(first, i) = std::move(moved[i]);
    });
  } else {  // cycle by cycle, by swaps: a move that throws leaves behind what the swap leaves behind
    slots<bool> done(n);
    for (std::size_t i = 0; i != n; ++i) done[i] = false;
    for (std::size_t i = 0; i != n; ++i) {
      for (std::size_t j = i; !done[j];) {
        done[j] = true;
        std::size_t const from = source(j);
        if (from == i) break;
        std::ranges::iter_swap(advanced(first, j), advanced(first, from));
        j = from;
      }
    }
  }
}

/// Sorts entries by the texts that text_of(index) gives, seven characters at a time.
template <bool Descending, class TextOf, class Backend>
class text_sort {
 public:
  text_sort(Backend const& backend, properties const& props, TextOf text_of)
      : backend_(backend), props_(props), text_of_(text_of), radix_(backend, props, key_of{}) {}

  /// Sorts a[0, n), texts that are equal before `offset`; other has room for as many.
  void operator()(sort_entry* a, sort_entry* other, std::size_t n, std::size_t offset = 0) const {
    backend_.for_range(props_, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) {
        std::uint64_t const k = text_key_at(text_of_(a[i].index), offset);
        a[i].key = Descending ? ~k : k;
      }
    });
    radix_(a, other, n);
    backend_.for_range(props_, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        if (i != 0 && a[i].key == a[i - 1].key) continue;  // its run began before
        if (((Descending ? ~a[i].key : a[i].key) & 255) != 8) continue;
        std::size_t last = i + 1;
        while (last != n && a[last].key == a[i].key) ++last;
        if (last - i > 1) sort_run(a + i, other + i, last - i, offset + text_window);
      }
    });
  }

 private:
  struct key_of {
    std::uint64_t operator()(sort_entry const& e) const noexcept { return e.key; }
  };
  static constexpr std::size_t few = 64;          // entries: by comparison
  static constexpr std::size_t deepest = 70 * 7;  // characters: by comparison, so that the stack stays small

  void sort_run(sort_entry* a, sort_entry* other, std::size_t n, std::size_t offset) const {
    if (n <= few) {
      sort_entry copy[few];
      std::copy_n(a, n, copy);
      sort_copy(a, copy, other, n, offset);
    } else {
      slots<sort_entry> copy(n);
      std::copy_n(a, n, copy.data());
      sort_copy(a, copy.data(), other, n, offset);
    }
  }

  /// Other workers may look at the keys in a while they look for the ends of runs: only the indices change there.
  void sort_copy(sort_entry* a, sort_entry* copy, sort_entry* other, std::size_t n, std::size_t offset) const {
    if (n <= few || offset > deepest) {
      auto less = [&](sort_entry const& x, sort_entry const& y) {
        std::string_view const tx = text_of_(x.index), ty = text_of_(y.index);
        return Descending ? ty.substr(offset) < tx.substr(offset) : tx.substr(offset) < ty.substr(offset);
      };
      merge_sort<sort_entry, decltype(less), Backend>(backend_, props_, less).into(copy, other, n);
      copy = other;
    } else {
      (*this)(copy, other, n, offset);
    }
    for (std::size_t i = 0; i != n; ++i) a[i].index = copy[i].index;
  }

  Backend const& backend_;
  properties props_;
  TextOf text_of_;
  radix_sort<sort_entry, key_of, Backend> radix_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
