#pragma once
// SHA-1 (FIPS 180-4) of messages that fit into one block, which is all that a splittable generator needs.

#include <array>    // array
#include <bit>      // rotl
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t
#include <span>     // span

namespace bench {

using digest = std::array<std::uint32_t, 5>;  // 20 bytes as big-endian words

/// The digest of up to 13 words, each of which stands for four bytes in big-endian order.
[[gnu::always_inline]] inline digest sha1(std::span<std::uint32_t const> message) noexcept {
  std::array<std::uint32_t, 16> w{};
  for (std::size_t i = 0; i != message.size(); ++i) w[i] = message[i];
  w[message.size()] = 0x80000000U;
  w[15] = static_cast<std::uint32_t>(message.size() * 32);

  digest const begin{0x67452301U, 0xEFCDAB89U, 0x98BADCFEU, 0x10325476U, 0xC3D2E1F0U};
  auto [a, b, c, d, e] = begin;
  auto const round = [&](std::size_t t, std::uint32_t f, std::uint32_t k) {
    if (t >= 16) w[t % 16] = std::rotl(w[(t + 13) % 16] ^ w[(t + 8) % 16] ^ w[(t + 2) % 16] ^ w[t % 16], 1);
    std::uint32_t const next = std::rotl(a, 5) + f + e + k + w[t % 16];
    e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
  };
#pragma GCC unroll 20
  for (std::size_t t = 0; t != 20; ++t) round(t, d ^ (b & (c ^ d)), 0x5A827999U);
#pragma GCC unroll 20
  for (std::size_t t = 20; t != 40; ++t) round(t, b ^ c ^ d, 0x6ED9EBA1U);
#pragma GCC unroll 20
  for (std::size_t t = 40; t != 60; ++t) round(t, (b & c) | (d & (b | c)), 0x8F1BBCDCU);
#pragma GCC unroll 20
  for (std::size_t t = 60; t != 80; ++t) round(t, b ^ c ^ d, 0xCA62C1D6U);
  return {begin[0] + a, begin[1] + b, begin[2] + c, begin[3] + d, begin[4] + e};
}

}  // namespace bench
