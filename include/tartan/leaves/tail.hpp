#pragma once
// A part of a register to and from memory, without touching what lies behind it.

#include <cstddef>  // size_t
#include <cstring>  // memcpy

#include "tartan/core/config.hpp"    // TARTAN_INLINE_KERNEL
#include "tartan/leaves/isa.hpp"     // TARTAN_REGISTER_BYTES
#include "tartan/leaves/vector.hpp"  // vec

namespace tartan::inline TARTAN_ABI::lanes::impl {

#if TARTAN_REGISTER_BYTES == 64 && __has_builtin(__builtin_ia32_loaddquqi512_mask) && \
    __has_builtin(__builtin_ia32_storedquqi512_mask)
#define TARTAN_BYTE_MASKS 1
#else
#define TARTAN_BYTE_MASKS 0
#endif

#if TARTAN_BYTE_MASKS

using bytes64 = vec<char, 64>;
#if defined(__clang__)
using bytes64_from = bytes64 const*;
using bytes64_to = bytes64*;
#else
using bytes64_from = char const*;
using bytes64_to = char*;
#endif

TARTAN_INLINE_KERNEL unsigned long long first_bytes(std::size_t count) {
  return count >= 64 ? ~0ull : (1ull << count) - 1;
}

#endif

/// The first min(count, N) elements at `from`, zeros in the other lanes.
template <class T, std::size_t N>
TARTAN_INLINE_KERNEL vec<T, N> load_bytes(T const* from, std::size_t count) {
  if (count > N) count = N;
#if TARTAN_BYTE_MASKS
  // One masked load of 64 bytes serves registers of every width: what the mask leaves out cannot fault.
  bytes64 const all =
      __builtin_ia32_loaddquqi512_mask(reinterpret_cast<bytes64_from>(from), bytes64{}, first_bytes(count * sizeof(T)));
  return extract<T, 64 / sizeof(T), 0, N>(bits<vec<T, 64 / sizeof(T)>>(all));
#else
  T lane[N]{};
  for (std::size_t i = 0; i != N; ++i)
    if (i < count) lane[i] = from[i];
  vec<T, N> out;
  std::memcpy(&out, lane, sizeof(out));
  return out;
#endif
}

/// Writes the first min(count, N) lanes.
template <class T, std::size_t N>
TARTAN_INLINE_KERNEL void store_bytes(T* to, vec<T, N> const& value, std::size_t count) {
  if (count > N) count = N;
#if TARTAN_BYTE_MASKS
  bytes64 all{};
  std::memcpy(&all, &value, sizeof(value));
  __builtin_ia32_storedquqi512_mask(reinterpret_cast<bytes64_to>(to), all, first_bytes(count * sizeof(T)));
#else
  T lane[N];
  std::memcpy(lane, &value, sizeof(value));
  for (std::size_t i = 0; i != N; ++i)
    if (i < count) to[i] = lane[i];
#endif
}

/// Writes a register past the caches where the target can.
template <class T, class V>
TARTAN_INLINE_KERNEL void bypass(T* to, V const& value) {
#if defined(__clang__)
  __builtin_nontemporal_store(value, reinterpret_cast<V*>(to));
#elif defined(__SSE2__)
  auto* const place = reinterpret_cast<float*>(to);
  if constexpr (sizeof(V) == 16) __builtin_ia32_movntps(place, bits<vec<float, 4>>(value));
#if TARTAN_REGISTER_BYTES >= 32
  if constexpr (sizeof(V) == 32) __builtin_ia32_movntps256(place, bits<vec<float, 8>>(value));
#endif
#if TARTAN_REGISTER_BYTES >= 64
  if constexpr (sizeof(V) == 64) __builtin_ia32_movntps512(place, bits<vec<float, 16>>(value));
#endif
  if constexpr (sizeof(V) < 16) std::memcpy(to, &value, sizeof(V));
#else
  std::memcpy(to, &value, sizeof(V));
#endif
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
