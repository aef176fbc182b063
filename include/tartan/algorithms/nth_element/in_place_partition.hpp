#pragma once
// Elements to either side of a boundary, in place and by many workers, in one order whoever does it.

#include <algorithm>    // clamp, max, min
#include <cstddef>      // size_t
#include <cstdint>      // uint8_t
#include <iterator>     // iter_value_t
#include <ranges>       // iter_swap
#include <type_traits>  // is_trivially_copyable_v
#include <vector>       // vector

#include "tartan/core/config.hpp"      // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/exec/leaf.hpp"        // advanced, at
#include "tartan/exec/properties.hpp"  // properties

namespace tartan::inline TARTAN_ABI::detail {

/// The range is cut where the boundary is expected. A piece from the left of that point and one from the right of it
/// exchange what is on the wrong side, all such pairs at the same time; what is wrong then because the expectation was,
/// is exchanged between the pieces. Elements only ever swap places: a test that throws loses none.
/// Source: Edelkamp, Weiss: BlockQuicksort (2016), for the exchange without branches.
template <class Backend, class It>
class in_place_partition {
 public:
  /// `alone`: elements may not be written by two workers at a time.
  in_place_partition(Backend const& backend, properties const& props, It first, bool alone)
      : backend_(backend), props_(props), first_(first), alone_(alone) {}

  /// Brings the elements of [begin, end) for which to_left(x) holds before the others; gives the boundary.
  template <class ToLeft>
  std::size_t operator()(std::size_t begin, std::size_t end, std::size_t expected, ToLeft const& to_left) const {
    std::size_t const n = end - begin, cut = std::clamp(expected, begin, end);
    std::size_t const pairs = alone_ ? 1 : std::clamp<std::size_t>(n / piece, 1, most_pairs);
    std::vector<part> parts(2 * pairs);
    for (std::size_t p = 0; p != pairs; ++p) {
      parts[p] = {begin + share(cut - begin, p, pairs), begin + share(cut - begin, p + 1, pairs), 0};
      parts[pairs + p] = {cut + share(end - cut, p, pairs), cut + share(end - cut, p + 1, pairs), 0};
    }
    each(pairs, [&](std::size_t p) { exchange(parts[p], parts[pairs + p], to_left); });
    std::size_t boundary = begin;
    for (part const& p : parts) boundary += p.boundary - p.begin;
    swap_misplaced(parts, boundary);
    return boundary;
  }

 private:
  static constexpr std::size_t piece = std::size_t{1} << 15, most_pairs = 256;
  static constexpr std::size_t looked_at = 128;  // elements at a time
  static constexpr bool cheap =
      std::is_trivially_copyable_v<std::iter_value_t<It>> && sizeof(std::iter_value_t<It>) <= 16;

  /// [begin, boundary) belongs to the left, [boundary, end) to the right.
  struct part {
    std::size_t begin, end, boundary;
  };
  /// Elements of one side that are on the wrong one: those at base + offset[first ...], or base - 1 - offset[...].
  struct wrong_side {
    std::uint8_t offset[looked_at];
    std::size_t base = 0, first = 0, count = 0;
  };
  struct stretch {
    std::size_t begin, size;
  };

  static std::size_t share(std::size_t n, std::size_t p, std::size_t pairs) noexcept {
    return n / pairs * p + n % pairs * p / pairs;
  }
  void swap(std::size_t i, std::size_t j) const { std::ranges::iter_swap(advanced(first_, i), advanced(first_, j)); }

  template <class ToLeft>
  TARTAN_ALWAYS_INLINE void look(wrong_side& w, std::size_t n, bool left, ToLeft const& to_left) const {
    w.first = w.count = 0;
    for (std::size_t k = 0; k != n; ++k) {
      w.offset[w.count] = static_cast<std::uint8_t>(k);
      w.count += left ? !to_left(at(first_, w.base + k)) : to_left(at(first_, w.base - 1 - k));
    }
  }

  /// One side runs dry first; the rest of the other is put in order by itself.
  template <class ToLeft>
  void exchange(part& left, part& right, ToLeft const& to_left) const {
    wrong_side l, r;
    std::size_t i = left.begin, j = right.end;
    for (;;) {
      if (l.count == 0 && i != left.end) {
        l.base = i;
        i += (std::min)(looked_at, left.end - i);
        look(l, i - l.base, true, to_left);
        continue;
      }
      if (r.count == 0 && j != right.begin) {
        r.base = j;
        j -= (std::min)(looked_at, j - right.begin);
        look(r, r.base - j, false, to_left);
        continue;
      }
      std::size_t const n = (std::min)(l.count, r.count);
      if (n == 0) break;
      for (std::size_t k = 0; k != n; ++k) swap(l.base + l.offset[l.first + k], r.base - 1 - r.offset[r.first + k]);
      l.first += n, l.count -= n;
      r.first += n, r.count -= n;
    }
    left.boundary = gather(l.count == 0 ? i : l.base + l.offset[l.first], left.end, to_left);
    right.boundary = gather(right.begin, r.count == 0 ? j : r.base - r.offset[r.first], to_left);
  }

  template <class ToLeft>
  std::size_t gather(std::size_t begin, std::size_t end, ToLeft const& to_left) const {
    for (std::size_t i = begin; i != end; ++i) {
      bool const goes = to_left(at(first_, i));
      if (cheap || (goes && i != begin)) swap(i, begin);
      begin += goes;
    }
    return begin;
  }

  void swap_misplaced(std::vector<part> const& parts, std::size_t boundary) const {
    std::vector<stretch> to_right, to_left, a, b;
    for (part const& p : parts) {
      if (p.boundary < (std::min)(p.end, boundary))
        to_right.push_back({p.boundary, (std::min)(p.end, boundary) - p.boundary});
      if ((std::max)(p.begin, boundary) < p.boundary)
        to_left.push_back({(std::max)(p.begin, boundary), p.boundary - (std::max)(p.begin, boundary)});
    }
    for (std::size_t i = 0, j = 0; i != to_right.size() && j != to_left.size();) {
      stretch &x = to_right[i], &y = to_left[j];
      std::size_t const n = (std::min)({x.size, y.size, piece});
      a.push_back({x.begin, n}), b.push_back({y.begin, n});
      x.begin += n, x.size -= n;
      y.begin += n, y.size -= n;
      i += x.size == 0, j += y.size == 0;
    }
    each(a.size(), [&](std::size_t s) {
      for (std::size_t k = 0; k != a[s].size; ++k) swap(a[s].begin + k, b[s].begin + k);
    });
  }

  template <class F>
  void each(std::size_t n, F const& f) const {
    if (n == 1 || alone_) {
      for (std::size_t i = 0; i != n; ++i) f(i);
      return;
    }
    backend_.for_range(props_, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) f(i);
    });
  }

  Backend const& backend_;
  properties props_;
  It first_;
  bool alone_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
