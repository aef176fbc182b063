#pragma once
// Random bits that any worker can compute for any index.

#include <concepts>     // integral, unsigned_integral
#include <cstddef>      // size_t
#include <cstdint>      // uint64_t
#include <type_traits>  // remove_cvref_t

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

/// A bijection of 64 bits in which every bit of the argument reaches every bit of the result.
TARTAN_ALWAYS_INLINE std::uint64_t mixed_bits(std::uint64_t x) noexcept {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

/// bits[i] for any i, all different. Streams of one seed are independent.
/// Source: Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014).
class random_bits {
 public:
  random_bits(std::uint64_t seed, std::uint64_t stream) noexcept
      : start_(mixed_bits(mixed_bits(seed + step) + stream * step)) {}
  TARTAN_ALWAYS_INLINE std::uint64_t operator[](std::uint64_t i) const noexcept {
    return mixed_bits(start_ + (i + 1) * step);
  }
  /// A number below n > 0; numbers differ in how likely they are by less than n / 2^64.
  TARTAN_ALWAYS_INLINE std::size_t below(std::size_t n, std::uint64_t i) const noexcept {
#if defined(__SIZEOF_INT128__)
    __extension__ using wide = unsigned __int128;
    return static_cast<std::size_t>(static_cast<wide>((*this)[i]) * n >> 64);
#else
    return static_cast<std::size_t>((*this)[i] % n);
#endif
  }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15ULL;
  std::uint64_t start_;
};

/// The upper half of a product; the lower one stays in a.
TARTAN_ALWAYS_INLINE std::uint64_t high_of_product(std::uint64_t& a, std::uint64_t b) noexcept {
#if defined(__SIZEOF_INT128__)
  __extension__ using wide = unsigned __int128;
  wide const product = static_cast<wide>(a) * b;
  a = static_cast<std::uint64_t>(product);
  return static_cast<std::uint64_t>(product >> 64);
#else
  constexpr std::uint64_t low = 0xffffffff;
  std::uint64_t const cross = (a >> 32) * (b & low) + ((a & low) * (b & low) >> 32);
  std::uint64_t const other = (a & low) * (b >> 32) + (cross & low);
  std::uint64_t const high = (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32);
  a *= b;
  return high;
#endif
}

/// Numbers that are below given bounds and as likely as each other, several from one word of bits.
/// Source: Brackett-Rozinsky, Lemire: Batched Ranged Random Integer Generation (2024); the words: Wang Yi: wyrand.
class random_numbers {
 public:
  random_numbers(std::uint64_t seed, std::uint64_t stream) noexcept : state_(random_bits(seed, stream)[0]) {}

  /// f(n, x) with 0 <= x < n for n = first, first + 1, ..., last - 1; first > 0.
  template <class F>
  TARTAN_ALWAYS_INLINE void ascending(std::size_t first, std::size_t last, F const& f) {
    std::size_t n = first;
    n = draw_while_below<4>(n, last, f);
    n = draw_while_below<3>(n, last, f);
    n = draw_while_below<2>(n, last, f);
    draw_while_below<1>(n, last, f);
  }

 private:
  static constexpr unsigned usual_bits = 56;  // of a product of K bounds: what is left of a word is rarely less

  template <unsigned K, class F>
  TARTAN_ALWAYS_INLINE std::size_t draw_while_below(std::size_t n, std::size_t last, F const& f) {
    std::size_t const most = K == 1 ? last : (std::size_t{1} << (usual_bits / K)) - K;
    for (; n + K <= last && n < most; n += K) draw<K>(n, f);
    return n;
  }

  template <unsigned K, class F>
  TARTAN_ALWAYS_INLINE void draw(std::uint64_t n, F const& f) {
    std::uint64_t x[K], rest = spread<K>(n, x);
    if (rest >> usual_bits == 0) [[unlikely]] {
      std::uint64_t product = n;
      for (unsigned k = 1; k != K; ++k) product *= n + k;
      while (rest < product && rest < (0 - product) % product) rest = spread<K>(n, x);
    }
    for (unsigned k = 0; k != K; ++k) f(static_cast<std::size_t>(n + k), static_cast<std::size_t>(x[k]));
  }

  template <unsigned K>
  TARTAN_ALWAYS_INLINE std::uint64_t spread(std::uint64_t n, std::uint64_t (&x)[K]) noexcept {
    state_ += 0x2d358dccaa6c78a5ULL;
    std::uint64_t rest = state_;
    std::uint64_t const high = high_of_product(rest, state_ ^ 0x8bb84b93962eacc9ULL);
    rest ^= high;
    for (unsigned k = 0; k != K; ++k) x[k] = high_of_product(rest, n + k);
    return rest;
  }

  std::uint64_t state_;
};

/// What std::uniform_random_bit_generator asks for, without what including <random> costs.
template <class G>
concept bit_generator = requires(G& g) {
  { g() } -> std::unsigned_integral;
  { (G::min)() } -> std::unsigned_integral;
};

/// A seed, or a generator that one is drawn from.
template <class S>
concept seeding = std::integral<std::remove_cvref_t<S>> || bit_generator<std::remove_cvref_t<S>>;

template <seeding S>
std::uint64_t seed_from(S& s) {
  if constexpr (std::integral<std::remove_cvref_t<S>>) {
    return static_cast<std::uint64_t>(s);
  } else {
    auto const high = static_cast<std::uint64_t>(s() - (std::remove_cvref_t<S>::min)());
    return mixed_bits(high) ^ static_cast<std::uint64_t>(s() - (std::remove_cvref_t<S>::min)());
  }
}

}  // namespace tartan::inline TARTAN_ABI::detail
