#pragma once
// fma, sqrt and rounding: one correctly rounded operation a lane, for packs and for numbers.

#include <cmath>        // fma, sqrt
#include <concepts>     // floating_point
#include <cstddef>      // size_t
#include <type_traits>  // type_identity_t

#include "tartan/core/config.hpp"    // TARTAN_INLINE_KERNEL
#include "tartan/leaves/isa.hpp"     // TARTAN_FUSED_MULTIPLY_ADD
#include "tartan/leaves/pack.hpp"    // pack, by_register
#include "tartan/leaves/select.hpp"  // copysign, abs, select
#include "tartan/leaves/vector.hpp"  // vec

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

template <class T, std::size_t L>
TARTAN_INLINE_KERNEL vec<T, L> fused(vec<T, L> const& a, vec<T, L> const& b, vec<T, L> const& c) {
#if __has_builtin(__builtin_elementwise_fma)
  return __builtin_elementwise_fma(a, b, c);
#else
#if defined(__FMA__) && TARTAN_REGISTER_BYTES == 64 && !defined(__clang__)
  if constexpr (std::is_same_v<T, float> && L == 16) return __builtin_ia32_vfmaddps512_mask(a, b, c, every_lane{}, 4);
  if constexpr (std::is_same_v<T, double> && L == 8) return __builtin_ia32_vfmaddpd512_mask(a, b, c, every_lane{}, 4);
#endif
#if defined(__FMA__)
  if constexpr (std::is_same_v<T, float> && L == 8) return __builtin_ia32_vfmaddps256(a, b, c);
  if constexpr (std::is_same_v<T, double> && L == 4) return __builtin_ia32_vfmaddpd256(a, b, c);
  if constexpr (std::is_same_v<T, float> && L == 4) return __builtin_ia32_vfmaddps(a, b, c);
  if constexpr (std::is_same_v<T, double> && L == 2) return __builtin_ia32_vfmaddpd(a, b, c);
#endif
  vec<T, L> out{};
  for (std::size_t i = 0; i != L; ++i) {
    if constexpr (std::is_same_v<T, float>)
      out[i] = __builtin_fmaf(a[i], b[i], c[i]);
    else
      out[i] = __builtin_fma(a[i], b[i], c[i]);
  }
  return out;
#endif
}

template <class T, std::size_t L>
TARTAN_INLINE_KERNEL vec<T, L> square_root(vec<T, L> const& a) {
#if __has_builtin(__builtin_elementwise_sqrt)
  return __builtin_elementwise_sqrt(a);
#else
#if TARTAN_REGISTER_BYTES == 64
#if defined(__clang__)
  if constexpr (std::is_same_v<T, float> && L == 16) return __builtin_ia32_sqrtps512(a, 4);
  if constexpr (std::is_same_v<T, double> && L == 8) return __builtin_ia32_sqrtpd512(a, 4);
#else
  if constexpr (std::is_same_v<T, float> && L == 16)
    return __builtin_ia32_sqrtps512_mask(a, vec<float, 16>{}, every_lane{}, 4);
  if constexpr (std::is_same_v<T, double> && L == 8)
    return __builtin_ia32_sqrtpd512_mask(a, vec<double, 8>{}, every_lane{}, 4);
#endif
#endif
#if defined(__AVX__)
  if constexpr (std::is_same_v<T, float> && L == 8) return __builtin_ia32_sqrtps256(a);
  if constexpr (std::is_same_v<T, double> && L == 4) return __builtin_ia32_sqrtpd256(a);
#endif
#if defined(__SSE2__)
  if constexpr (std::is_same_v<T, float> && L == 4) return __builtin_ia32_sqrtps(a);
  if constexpr (std::is_same_v<T, double> && L == 2) return __builtin_ia32_sqrtpd(a);
#endif
  vec<T, L> out{};
  for (std::size_t i = 0; i != L; ++i) out[i] = std::sqrt(a[i]);
  return out;
#endif
}

/// Above this magnitude every floating-point number is whole.
template <class T>
inline constexpr T all_whole = std::is_same_v<T, float> ? T{8388608} : T{4503599627370496.0};

}  // namespace impl

/// a * b + c in one rounding, on every target; where it is no instruction it is a slow call a lane.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> fma(pack<T, N> const& a, std::type_identity_t<pack<T, N>> const& b,
                                                  std::type_identity_t<pack<T, N>> const& c) {
  return impl::by_register<pack<T, N>>(
      [](auto const& x, auto const& y, auto const& z)
          TARTAN_INLINE_LAMBDA { return impl::fused<T, pack<T, N>::register_lanes>(x, y, z); },
      a, b, c);
}

/// The square root, correctly rounded.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> sqrt(pack<T, N> const& a) {
  return impl::by_register<pack<T, N>>(
      [](auto const& x) TARTAN_INLINE_LAMBDA { return impl::square_root<T, pack<T, N>::register_lanes>(x); }, a);
}

/// The nearest whole number, halves to the even one, as std::nearbyint in the default rounding mode.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> nearbyint(pack<T, N> const& a) {
  // Adding and subtracting 2^23 (2^52) rounds to even; opaque() keeps the compiler from cancelling the two.
  auto const magnitude = abs(a);
  pack<T, N> shifted = magnitude + impl::all_whole<T>;
  impl::unroll<pack<T, N>::registers>([&](auto r) TARTAN_INLINE_LAMBDA { impl::opaque(shifted.part[r]); });
  return select(magnitude < impl::all_whole<T>, copysign(shifted - impl::all_whole<T>, a), a);
}

/// The greatest whole number that is not above a.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> floor(pack<T, N> const& a) {
  auto const near = nearbyint(a);
  return copysign(select(near > a, near - T{1}, near), a);
}

/// The least whole number that is not below a.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> ceil(pack<T, N> const& a) {
  auto const near = nearbyint(a);
  return copysign(select(near < a, near + T{1}, near), a);
}

/// The whole part.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> trunc(pack<T, N> const& a) {
  return copysign(floor(abs(a)), a);
}

/// @{ The same of numbers.
template <std::floating_point T>
[[nodiscard]] T fma(T a, std::type_identity_t<T> b, std::type_identity_t<T> c) {
  return std::fma(a, b, c);
}
template <std::floating_point T>
[[nodiscard]] T sqrt(T a) {
  return std::sqrt(a);
}
template <std::floating_point T>
[[nodiscard]] T nearbyint(T a) {
  return std::nearbyint(a);
}
template <std::floating_point T>
[[nodiscard]] T floor(T a) {
  return std::floor(a);
}
template <std::floating_point T>
[[nodiscard]] T ceil(T a) {
  return std::ceil(a);
}
template <std::floating_point T>
[[nodiscard]] T trunc(T a) {
  return std::trunc(a);
}
/// @}

}  // namespace tartan::inline TARTAN_ABI::lanes
