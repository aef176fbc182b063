#pragma once
// log(x), the natural logarithm, of packs and numbers.

#include <concepts>  // floating_point
#include <cstddef>   // size_t
#include <limits>    // numeric_limits

#include "tartan/core/config.hpp"         // TARTAN_INLINE_KERNEL
#include "tartan/leaves/cast.hpp"         // to
#include "tartan/leaves/math/kernel.hpp"  // polynomial, to_bits, finished
#include "tartan/leaves/pack.hpp"         // pack

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

/// x = m * 2^exponent with m in [sqrt(1/2), sqrt(2)), or in [3/4, 3/2) where the processor splits a float.
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

/// Where fractions lie; of numbers below 0 it is NaN.
inline constexpr int half_to_one = 0b1010, three_quarters_to_three_halves = 0b1011;

/// The fraction; 1 of 0 and infinity, -1 of -0, NaN of NaN.
template <int Where, class T, std::size_t L>
TARTAN_INLINE_KERNEL vec<T, L> fraction_of(vec<T, L> const& x) {
  if constexpr (std::is_same_v<T, float> && L == 16)
    return __builtin_ia32_getmantps512_mask(x, Where, x, every_lane{}, 4);
  else if constexpr (std::is_same_v<T, float> && L == 8)
    return __builtin_ia32_getmantps256_mask(x, Where, x, every_lane{});
  else if constexpr (std::is_same_v<T, float>)
    return __builtin_ia32_getmantps128_mask(x, Where, x, every_lane{});
  else if constexpr (L == 8)
    return __builtin_ia32_getmantpd512_mask(x, Where, x, every_lane{}, 4);
  else if constexpr (L == 4)
    return __builtin_ia32_getmantpd256_mask(x, Where, x, every_lane{});
  else
    return __builtin_ia32_getmantpd128_mask(x, Where, x, every_lane{});
}

/// The whole part of log2 |x|: -infinity of 0, infinity of infinity.
template <class T, std::size_t L>
TARTAN_INLINE_KERNEL vec<T, L> exponent_of(vec<T, L> const& x) {
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
TARTAN_INLINE_KERNEL split_number<P> split(P const& x) {
  using T = float_of<P>;
  auto const exponent = [](P const& a) TARTAN_INLINE_LAMBDA {
    return by_register<P>([](auto const& v) TARTAN_INLINE_LAMBDA { return exponent_of<T, P::register_lanes>(v); }, a);
  };
  if constexpr (std::is_same_v<T, float>) {
    P const m = by_register<P>(
        [](auto const& v)
            TARTAN_INLINE_LAMBDA { return fraction_of<three_quarters_to_three_halves, T, P::register_lanes>(v); },
        x);
    return {m, exponent(x) - exponent(m)};  // -0 has no exponent, which outweighs its fraction -1
  } else {
    P const positive = x + T{0};  // not -0
    P const half = by_register<P>(
        [](auto const& v) TARTAN_INLINE_LAMBDA { return fraction_of<half_to_one, T, P::register_lanes>(v); }, positive);
    P const below = exponent(positive);
    auto const small = half < T(0.70710678118654752);
    return {select(small, half + half, half), select(small, below, below + T{1})};
  }
}

#endif

template <any_pack P>
TARTAN_INLINE_KERNEL split_number<P> split(P const& x) {
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
TARTAN_INLINE_KERNEL pack<float, N> log_of(split_number<pack<float, N>> const& s) {
  using P = pack<float, N>;
  // (log(1 + f) - f + f^2 / 2) / f^3, relative error 6e-9 (of the second one 1e-8) against log(1 + f).
  static constexpr float by_root[] = {0x1.555554p-2F, -0x1.000226p-2F, 0x1.99a008p-3F, -0x1.547244p-3F,
                                      0x1.22da1cp-3F, -0x1.0d853ep-3F, 0x1.055b6ap-3F, -0x1.38b58cp-4F};
  static constexpr float by_quarters[] = {0x1.5555a4p-2F, -0x1.00004p-2F,  0x1.9969bp-3F,  -0x1.54efdcp-3F,
                                          0x1.28847cp-3F, -0x1.0d8a8cp-3F, 0x1.ac90bcp-4F, -0x1.7140cp-5F};
  P const f = s.m - 1.0F;
  P const square = f * f;
  P const cubic = polynomial(f, split_by_instructions<P> ? by_quarters : by_root) * f;
  P low = multiply_add(s.exponent, P{0x1.7f7d1cp-20F}, multiply_add(cubic, square, square * -0.5F));
  return multiply_add(s.exponent, P{0x1.62e4p-1F}, f + low);
}

template <std::size_t N>
TARTAN_INLINE_KERNEL pack<double, N> log_of(split_number<pack<double, N>> const& s) {
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
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> log(pack<T, N> const& x) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  using wide = impl::scalar_pack<T>;
  if constexpr (impl::split_by_instructions<wide> && N < wide::size) {
    wide all{T{1}};
    for (std::size_t i = 0; i != N; ++i) all.set(i, x[i]);
    all = log(all);
    return pack<T, N>::generate([&](std::size_t i) { return all[i]; });
  }
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
