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
