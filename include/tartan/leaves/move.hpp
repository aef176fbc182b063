#pragma once
// slide, reverse, interleave, gather: lanes from other places.

#include <concepts>  // integral
#include <cstddef>   // size_t
#include <utility>   // index_sequence, pair

#include "tartan/core/config.hpp"    // TARTAN_INLINE_KERNEL
#include "tartan/leaves/pack.hpp"    // pack
#include "tartan/leaves/vector.hpp"  // vec, unroll

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

/// Lanes First, First + 1, ... of a's lanes followed by b's.
template <class T, std::size_t L, std::size_t First>
TARTAN_INLINE_KERNEL vec<T, L> window(vec<T, L> const& a, vec<T, L> const& b) {
#if TARTAN_REGISTER_BYTES == 64 && !defined(__clang__)
  // One instruction, for which g++ 12 would take a general permutation with an index register.
  if constexpr (sizeof(T) == 4 && L == 16)
    return bits<vec<T, L>>(__builtin_ia32_alignd512_mask(bits<vec<int, 16>>(b), bits<vec<int, 16>>(a), First,
                                                         vec<int, 16>{}, every_lane{}));
  if constexpr (sizeof(T) == 8 && L == 8)
    return bits<vec<T, L>>(__builtin_ia32_alignq512_mask(bits<vec<long long, 8>>(b), bits<vec<long long, 8>>(a), First,
                                                         vec<long long, 8>{}, every_lane{}));
#endif
  return [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    return __builtin_shufflevector(a, b, static_cast<int>(First + I)...);
  }(std::make_index_sequence<L>{});
}

template <class P, std::size_t Register>
TARTAN_INLINE_KERNEL auto const& register_of_pair(P const& a, P const& b) {
  if constexpr (Register < P::registers)
    return a.part[Register];
  else
    return b.part[Register - P::registers];
}

}  // namespace impl

/// Lane i is lane i + K of a's lanes followed by b's.
///
///     auto east  = slide<1>(here, next);            // the right neighbours of `here`
///     auto moved = slide<P::size - 1>(P{0}, here);  // one lane up, a zero below
template <std::size_t K, lane_type T, std::size_t N>
  requires(K <= N)
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> slide(pack<T, N> const& a, pack<T, N> const& b) {
  using P = pack<T, N>;
  constexpr std::size_t width = P::register_lanes;
  P out;
  impl::unroll<P::registers>([&](auto r) TARTAN_INLINE_LAMBDA {
    constexpr std::size_t first = r * width + K;
    auto const& low = impl::register_of_pair<P, first / width>(a, b);
    if constexpr (first % width == 0)
      out.part[r] = low;
    else
      out.part[r] = impl::window<T, width, first % width>(low, impl::register_of_pair<P, first / width + 1>(a, b));
  });
  return out;
}

/// The lanes in reverse order.
template <lane_type T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> reverse(pack<T, N> const& a) {
  using P = pack<T, N>;
  P out;
  impl::unroll<P::registers>([&](auto r) TARTAN_INLINE_LAMBDA {
    [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
      auto const& from = a.part[P::registers - 1 - r];
      out.part[r] = __builtin_shufflevector(from, from, static_cast<int>(sizeof...(I) - 1 - I)...);
    }(std::make_index_sequence<P::register_lanes>{});
  });
  return out;
}

/// Lane i is base[index[i]]. On x86 this is no faster than N scalar loads, and it is written as those.
template <lane_type T, std::integral I, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> gather(T const* base, pack<I, N> const& index) {
  T lane[N];
  I at[N];
  index.store(at);
  for (std::size_t i = 0; i != N; ++i) lane[i] = base[at[i]];
  return pack<T, N>::load(lane);
}

/// base[index], so that one generic function serves numbers and packs.
template <lane_type T, std::integral I>
[[nodiscard]] constexpr T gather(T const* base, I index) {
  return base[index];
}

}  // namespace tartan::inline TARTAN_ABI::lanes
