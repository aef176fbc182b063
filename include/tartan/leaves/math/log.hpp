#pragma once
// log(x), the natural logarithm, of packs and numbers.

#include <concepts>  // floating_point
#include <cstddef>   // size_t
#include <limits>    // numeric_limits

#include "tartan/core/config.hpp"         // TARTAN_ALWAYS_INLINE
#include "tartan/leaves/cast.hpp"         // to
#include "tartan/leaves/math/kernel.hpp"  // polynomial, to_bits, finished
#include "tartan/leaves/pack.hpp"         // pack

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

/// x = m * 2^exponent with m in [sqrt(1/2), sqrt(2)).
template <class P>
struct split_number {
  P m, exponent;
};

#if TARTAN_REGISTER_BYTES == 64 && __has_builtin(__builtin_ia32_getmantps512_mask) && \
    __has_builtin(__builtin_ia32_getexpps512_mask)
#define TARTAN_SPLITS_NUMBERS 1
#else
#define TARTAN_SPLITS_NUMBERS 0
#endif

#if TARTAN_SPLITS_NUMBERS

/// The fraction in [1/2, 1), or 1 of 0 and infinity, or NaN of NaN and negative numbers.
template <class T, std::size_t L>
TARTAN_ALWAYS_INLINE vec<T, L> fraction_of(vec<T, L> const& x) {
  constexpr int half_to_one_else_nan = 0b1010;
  if constexpr (std::is_same_v<T, float> && L == 16)
    return __builtin_ia32_getmantps512_mask(x, half_to_one_else_nan, x, every_lane{}, 4);
  else if constexpr (std::is_same_v<T, float> && L == 8)
    return __builtin_ia32_getmantps256_mask(x, half_to_one_else_nan, x, every_lane{});
  else if constexpr (std::is_same_v<T, float>)
    return __builtin_ia32_getmantps128_mask(x, half_to_one_else_nan, x, every_lane{});
  else if constexpr (L == 8)
    return __builtin_ia32_getmantpd512_mask(x, half_to_one_else_nan, x, every_lane{}, 4);
  else if constexpr (L == 4)
    return __builtin_ia32_getmantpd256_mask(x, half_to_one_else_nan, x, every_lane{});
  else
    return __builtin_ia32_getmantpd128_mask(x, half_to_one_else_nan, x, every_lane{});
}

/// The whole part of log2 |x|: -infinity of 0, infinity of infinity.
template <class T, std::size_t L>
TARTAN_ALWAYS_INLINE vec<T, L> exponent_of(vec<T, L> const& x) {
  if constexpr (std::is_same_v<T, float> && L == 16)
    return __builtin_ia32_getexpps512_mask(x, x, every_lane{}, 4);
  else if constexpr (std::is_same_v<T, float> && L == 8)
    return __builtin_ia32_getexpps256_mask(x, x, every_lane{});
  else if constexpr (std::is_same_v<T, float>)
    return __builtin_ia32_getexpps128_mask(x, x, every_lane{});
  else if constexpr (L == 8)
    return __builtin_ia32_getexppd512_mask(x, x, every_lane{}, 4);
  else if constexpr (L == 4)
    return __builtin_ia32_getexppd256_mask(x, x, every_lane{});
  else
    return __builtin_ia32_getexppd128_mask(x, x, every_lane{});
}

#endif

/// Whether the processor splits a P, so that special values come out right by themselves.
template <any_pack P>
inline constexpr bool split_by_instructions = TARTAN_SPLITS_NUMBERS == 1 && sizeof(typename P::vec) >= 16;

#if TARTAN_SPLITS_NUMBERS

template <any_pack P>
  requires split_by_instructions<P>
TARTAN_ALWAYS_INLINE split_number<P> split(P const& x) {
  using T = float_of<P>;
  P const positive = x + T{0};  // not -0
  P const half =
      by_register<P>([](auto const& v) TARTAN_INLINE_LAMBDA { return fraction_of<T, P::register_lanes>(v); }, positive);
  P const below =
      by_register<P>([](auto const& v) TARTAN_INLINE_LAMBDA { return exponent_of<T, P::register_lanes>(v); }, positive);
  auto const small = half < T(0.70710678118654752);
  return {select(small, half + half, half), select(small, below, below + T{1})};
}

#endif

template <any_pack P>
TARTAN_ALWAYS_INLINE split_number<P> split(P const& x) {
  using T = float_of<P>;
  using I = typename ints_of<P>::value_type;
  constexpr int fraction = format<T>::fraction;
  // Subnormal numbers are brought among the normal ones, and the exponent is put right afterwards.
  auto const tiny = x < (std::numeric_limits<T>::min)();
  P const lifted = x * (T{1} / std::numeric_limits<T>::epsilon());
  auto const b = to_bits(select(tiny, lifted, x));
  constexpr I root_half = __builtin_bit_cast(I, std::is_same_v<T, float> ? T(0.70710678F) : T(0.70710678118654752));
  auto const e = (b - root_half) >> fraction;
  P const m = from_bits<P>(b - (e << fraction));
  P const exponent = to<T>(e);
  return {m, select(tiny, exponent - static_cast<T>(fraction), exponent)};
}

/// log of a positive finite number that was split.
template <std::size_t N>
TARTAN_ALWAYS_INLINE pack<float, N> log_of(split_number<pack<float, N>> const& s) {
  using P = pack<float, N>;
  // (log(1 + f) - f + f^2 / 2) / f^3, relative error 6e-9 against log(1 + f).
  static constexpr float c[] = {0x1.555554p-2F, -0x1.000226p-2F, 0x1.99a008p-3F, -0x1.547244p-3F,
                                0x1.22da1cp-3F, -0x1.0d853ep-3F, 0x1.055b6ap-3F, -0x1.38b58cp-4F};
  P const f = s.m - 1.0F;
  P const square = f * f;
  P const cubic = polynomial(f, c) * f;
  P low = multiply_add(s.exponent, P{0x1.7f7d1cp-20F}, multiply_add(cubic, square, square * -0.5F));
  return multiply_add(s.exponent, P{0x1.62e4p-1F}, f + low);
}

template <std::size_t N>
TARTAN_ALWAYS_INLINE pack<double, N> log_of(split_number<pack<double, N>> const& s) {
  using P = pack<double, N>;
  // With t = f / (2 + f): log(1 + f) = f - (f^2 / 2 - t * (f^2 / 2 + z * R(z))), z = t^2, R's error 1.3e-18.
  static constexpr double c[] = {0x1.5555555555592p-1, 0x1.999999997fd77p-2, 0x1.24924941f4fe6p-2, 0x1.c71c5206067bdp-3,
                                 0x1.74663fa2487dbp-3, 0x1.39a1a6f78d956p-3, 0x1.2f0634620e6b5p-3};
  P const f = s.m - 1.0;
  P const t = f / (f + 2.0);
  P const z = t * t;
  P const half_square = f * f * 0.5;
  P const inner = t * multiply_add(z, polynomial(z, c), half_square);
  P const low = half_square - multiply_add(s.exponent, P{0x1.f473de6af278fp-30}, inner);
  return multiply_add(s.exponent, P{0x1.62e42fep-1}, f - low);
}

}  // namespace impl

/// The natural logarithm.
///
/// Error: at most 1.6 ulp. log(0) is -infinity, of a negative number NaN, of infinity
/// infinity; a NaN stays one; subnormal arguments are right. log(x) of a number runs the same kernel.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_ALWAYS_INLINE pack<T, N> log(pack<T, N> const& x) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  auto result = impl::log_of(impl::split(x));
  if constexpr (impl::split_by_instructions<pack<T, N>>) return impl::finished(result);
  result = select(x < infinity, result, x);  // infinity and NaN are their own logarithms
  result = select(x > 0, result, select(x == 0, -infinity, select(x < 0, std::numeric_limits<T>::quiet_NaN(), x)));
  return impl::finished(result);
}

/// The natural logarithm of a number; see log of a pack.
template <std::floating_point T>
[[nodiscard]] T log(T x) {
  return log(impl::scalar_pack<T>{x})[0];
}

}  // namespace tartan::inline TARTAN_ABI::lanes
