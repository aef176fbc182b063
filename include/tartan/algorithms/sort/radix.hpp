#pragma once
// A stable radix sort: the highest digit first until a bucket fits the cache, then the lowest first.

#include <algorithm>    // clamp, copy_n, min
#include <array>        // array
#include <bit>          // bit_width
#include <cstddef>      // size_t
#include <cstdint>      // uint32_t
#include <memory>       // unique_ptr
#include <new>          // nothrow
#include <type_traits>  // is_trivially_copyable_v
#include <utility>      // exchange, swap

#include "tartan/exec/properties.hpp"  // properties

namespace tartan::inline TARTAN_ABI::detail {

/// Sorts elements that are plain bytes by key_of(element), an unsigned number; key_of must not throw.
///
/// A part that does not fit the cache is spread over 256 buckets by the highest bits in which its keys differ, by all
/// workers if it is large; buckets are sorted at the same time. A part that fits is sorted by its highest bits, as many
/// as tell most of its keys apart, from the lowest digit to the highest; runs that are still equal go on with the bits
/// below. So neither the number of passes nor the balance suffers from bits that are equal or keys that are frequent.
/// It allocates nothing that it cannot do without, so it cannot stop half-way.
template <class T, class KeyOf, class Backend>
class radix_sort {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  radix_sort(Backend const& backend, properties const& props, KeyOf key_of)
      : backend_(backend), props_(props), width_(backend.width(props)), key_of_(key_of) {}

  /// Sorts data[0, n); other has room for as many.
  void operator()(T* data, T* other, std::size_t n) const { sort(data, other, n, true); }

 private:
  using key = decltype(std::declval<KeyOf const&>()(std::declval<T const&>()));
  static constexpr unsigned digit_bits = 8;
  static constexpr std::size_t digits = std::size_t{1} << digit_bits;
  static constexpr std::size_t few = 24;                                     // elements: insertion
  static constexpr std::size_t cached = (std::size_t{1} << 19) / sizeof(T);  // elements: with `other`, half a cache
  static constexpr std::size_t worth_sharing = std::size_t{1} << 16;         // elements
  using counters = std::array<std::size_t, digits>;

  /// The result goes back to where the elements are (`stay`) or to `other`.
  void sort(T* from, T* other, std::size_t n, bool stay) const {
    if (n <= few) {
      insertion(from, n);
      if (!stay) std::copy_n(from, n, other);
      return;
    }
    auto const bits = static_cast<unsigned>(std::bit_width(differing_bits(from, n)));
    if (bits == 0) {
      if (!stay) std::copy_n(from, n, other);
    } else if (n <= cached) {
      lowest_first(from, other, n, bits, stay);
    } else {
      highest_first(from, other, n, bits, stay);
    }
  }

  void insertion(T* a, std::size_t n) const {
    for (std::size_t i = 1; i < n; ++i) {
      T const x = a[i];
      key const k = key_of_(x);
      std::size_t j = i;
      for (; j != 0 && k < key_of_(a[j - 1]); --j) a[j] = a[j - 1];
      a[j] = x;
    }
  }

  // ---- one bucket after the other ----------------------------------------------------------------------------------

  void highest_first(T* from, T* to, std::size_t n, unsigned bits, bool stay) const {
    unsigned const shift = bits > digit_bits ? bits - digit_bits : 0;
    counters ends = spread(from, to, n, shift);
    if (shift == 0) {
      if (stay) copy(to, from, n);
      return;
    }
    each(digits, [&](std::size_t d) {
      std::size_t const begin = d == 0 ? 0 : ends[d - 1];
      sort(to + begin, from + begin, ends[d] - begin, !stay);
    });
  }

  /// Stable: element by element within a block, block by block within a bucket. Returns where each bucket ends.
  counters spread(T const* from, T* to, std::size_t n, unsigned shift) const {
    std::size_t blocks = n < worth_sharing || width_ == 1 ? 1 : (std::min)(8 * width_, n / (worth_sharing / 8));
    counters alone;
    std::unique_ptr<counters[]> many(blocks == 1 ? nullptr : new (std::nothrow) counters[blocks]);
    if (many == nullptr) blocks = 1;
    counters* const count = many == nullptr ? &alone : many.get();
    std::size_t const length = n / blocks + (n % blocks != 0 ? 1 : 0);
    auto const block = [&](std::size_t b, auto&& f) {
      std::size_t const begin = (std::min)(n, b * length);
      f(from + begin, (std::min)(n, begin + length) - begin, count[b]);
    };
    each(blocks, [&](std::size_t b) {
      block(b, [&](T const* first, std::size_t m, counters& c) {
        c.fill(0);
        for (std::size_t i = 0; i != m; ++i) ++c[digit(first[i], shift)];
      });
    });
    counters ends;
    std::size_t sum = 0;
    for (std::size_t d = 0; d != digits; ++d) {
      for (std::size_t b = 0; b != blocks; ++b) sum += std::exchange(count[b][d], sum);
      ends[d] = sum;
    }
    each(blocks, [&](std::size_t b) {
      block(b, [&](T const* first, std::size_t m, counters& next) {
        for (std::size_t i = 0; i != m; ++i) to[next[digit(first[i], shift)]++] = first[i];
      });
    });
    return ends;
  }

  // ---- one digit after the other -----------------------------------------------------------------------------------

  void lowest_first(T* from, T* other, std::size_t n, unsigned bits, bool stay) const {
    unsigned const wanted = static_cast<unsigned>(std::bit_width(n)) + 4;  // one pair in 16 elements is not told apart
    unsigned const passes = ((std::min)(wanted, bits) + digit_bits - 1) / digit_bits;
    unsigned const low = bits - (std::min)(bits, passes * digit_bits);
    T* const home = from;
    std::array<std::array<std::uint32_t, digits>, 4> count{};
    for (std::size_t i = 0; i != n; ++i)
      for (unsigned p = 0; p != passes; ++p) ++count[p][digit(from[i], low + p * digit_bits)];
    for (unsigned p = 0; p != passes; ++p) {
      unsigned const shift = low + p * digit_bits;
      auto& next = count[p];
      if (next[digit(from[0], shift)] == n) continue;
      std::uint32_t sum = 0;
      for (std::uint32_t& c : next) sum += std::exchange(c, sum);
      for (std::size_t i = 0; i != n; ++i) other[next[digit(from[i], shift)]++] = from[i];
      std::swap(from, other);
    }
    if (low != 0) sort_runs(from, other, n, low);
    if ((from == home) != stay) std::copy_n(from, n, other);
  }

  /// Elements are in order but for their lowest bits.
  void sort_runs(T* a, T* other, std::size_t n, unsigned low) const {
    for (std::size_t begin = 0; begin != n;) {
      key const k = static_cast<key>(key_of_(a[begin]) >> low);
      std::size_t end = begin + 1;
      while (end != n && static_cast<key>(key_of_(a[end]) >> low) == k) ++end;
      if (end - begin > 1) sort(a + begin, other + begin, end - begin, true);
      begin = end;
    }
  }

  // ---- helpers -----------------------------------------------------------------------------------------------------

  TARTAN_ALWAYS_INLINE std::size_t digit(T const& x, unsigned shift) const {
    return static_cast<std::size_t>(key_of_(x) >> shift) % digits;
  }

  key differing_bits(T const* a, std::size_t n) const {
    if (n < worth_sharing) return differing_from(key_of_(a[0]), a, n);
    std::size_t const blocks = 64;
    std::array<key, blocks> bits;
    std::size_t const length = n / blocks + 1;
    each(blocks, [&](std::size_t b) {
      std::size_t const begin = (std::min)(n, b * length);
      bits[b] = differing_from(key_of_(a[0]), a + begin, (std::min)(n, begin + length) - begin);
    });
    key all = 0;
    for (key const k : bits) all = static_cast<key>(all | k);
    return all;
  }
  key differing_from(key k, T const* a, std::size_t n) const {
    key bits = 0;
    for (std::size_t i = 0; i != n; ++i) bits = static_cast<key>(bits | (key_of_(a[i]) ^ k));
    return bits;
  }

  void copy(T const* from, T* to, std::size_t n) const {
    std::size_t const length = worth_sharing;
    each(n / length + 1,
         [&](std::size_t b) { std::copy_n(from + b * length, (std::min)(length, n - b * length), to + b * length); });
  }

  template <class F>
  void each(std::size_t n, F&& f) const {
    if (n == 1) return f(std::size_t{0});
    backend_.for_range(props_, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) f(i);
    });
  }

  Backend const& backend_;
  properties props_;
  std::size_t width_;
  KeyOf key_of_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
