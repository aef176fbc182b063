#pragma once
// Hashes for tables that use the high bits.

#include <bit>      // endian
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t, uint64_t
#include <cstring>  // memcpy

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

/// Both halves of a product: every bit of either factor reaches every bit of the result.
TARTAN_ALWAYS_INLINE std::uint64_t fold_product(std::uint64_t a, std::uint64_t b) noexcept {
#if defined(__SIZEOF_INT128__)
  __extension__ using wide = unsigned __int128;
  wide const product = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
  a = (a ^ (b << 32 | b >> 32)) * 0x9e3779b97f4a7c15ULL;
  a = (a ^ a >> 32) * 0xd6e8feb86659fd93ULL;
  return a ^ a >> 32;
#endif
}

inline constexpr std::uint64_t hash_salt[2] = {0x2d358dccaa6c78a5ULL, 0x8bb84b93962eacc9ULL};

TARTAN_ALWAYS_INLINE std::uint64_t hash_words(std::uint64_t low, std::uint64_t high) noexcept {
  return fold_product(low ^ hash_salt[0], high ^ hash_salt[1]);
}

/// Of a whole number. Of neighbours the highest bits differ as much as they can (multiples of the golden ratio are
/// never close to each other): keys that are dense, as numbers of things are, meet nobody in a table, and what is never
/// taken is never mispredicted. What lies 65536 apart is thrown in at random, so that no stride of keys crowds
/// together.
TARTAN_ALWAYS_INLINE std::uint64_t hash_number(std::uint64_t x) noexcept {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ULL;
  return x * golden ^ hash_words(x >> 16, 0);
}

/// An integer whose lowest byte is p[0], whatever the machine's byte order.
template <class T>
TARTAN_ALWAYS_INLINE T load_little(char const* p) noexcept {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, p, sizeof(T));
  } else {
    for (std::size_t i = sizeof(T); i-- != 0;) value = static_cast<T>(value << 8 | static_cast<unsigned char>(p[i]));
  }
  return value;
}

/// Of at least 16 characters.
inline std::uint64_t hash_long_text(char const* text, std::size_t size) noexcept {
  std::uint64_t h = size;
  for (std::size_t i = 0; i + 16 < size; i += 16)
    h = hash_words(h ^ load_little<std::uint64_t>(text + i), load_little<std::uint64_t>(text + i + 8));
  char const* const last = text + size - 16;
  return hash_words(h ^ load_little<std::uint64_t>(last), load_little<std::uint64_t>(last + 8));
}

}  // namespace tartan::inline TARTAN_ABI::detail
