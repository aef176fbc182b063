#pragma once
// exp(x) of packs and numbers.

#include <concepts>     // floating_point
#include <cstddef>      // size_t
#include <type_traits>  // is_same_v

#include "tartan/core/config.hpp"         // TARTAN_INLINE_KERNEL
#include "tartan/leaves/math/kernel.hpp"  // polynomial, round_product, finished
#include "tartan/leaves/pack.hpp"         // pack

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

template <class T>
struct exp_constants;

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, relative error 3.1e-9 against e^r.
template <>
struct exp_constants<float> {
  static constexpr float log2_e = 1.44269504F;
  static constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
  static constexpr float lowest = -104.0F, highest = 89.0F;  // below is 0, above infinity
  static constexpr float c[] = {0x1.fffffcp-2F, 0x1.555492p-3F, 0x1.5558f2p-5F, 0x1.1239e2p-7F, 0x1.6a2434p-10F};
};

/// The same, relative error 3.7e-18.
template <>
struct exp_constants<double> {
  static constexpr double log2_e = 1.44269504088896338700;
  static constexpr double ln2_high = 0x1.62e42ffp-1, ln2_low = -0x1.718432a1b0e26p-35;
  static constexpr double lowest = -746.0, highest = 710.0;
  static constexpr double c[] = {0x1.000000000000ap-1,  0x1.55555555554fap-3,  0x1.555555555087cp-5,
                                 0x1.1111111127be4p-7,  0x1.6c16c1842a147p-10, 0x1.a01a012a57cd8p-13,
                                 0x1.a0199a0c611a8p-16, 0x1.71df2552af8d2p-19, 0x1.28ad72d147d4ap-22,
                                 0x1.ad7f6d7911733p-26};
};

/// y * 2^n, right for results that are subnormal or overflow; `shifted` holds n in its low bits.
template <any_pack P>
TARTAN_INLINE_KERNEL P scale(P const& y, rounded<P> const& n) {
  using T = float_of<P>;
#if TARTAN_REGISTER_BYTES == 64 && __has_builtin(__builtin_ia32_scalefps512_mask) && \
    __has_builtin(__builtin_ia32_scalefpd512_mask) && __has_builtin(__builtin_ia32_scalefps128_mask)
  constexpr std::size_t L = P::register_lanes;
  using v = typename P::vec;
  if constexpr (L * sizeof(T) >= 16)
    return by_register<P>(
        [](v const& a, v const& b) TARTAN_INLINE_LAMBDA -> v {
          if constexpr (std::is_same_v<T, float> && L == 16)
            return __builtin_ia32_scalefps512_mask(a, b, a, every_lane{}, 4);
          else if constexpr (std::is_same_v<T, float> && L == 8)
            return __builtin_ia32_scalefps256_mask(a, b, a, every_lane{});
          else if constexpr (std::is_same_v<T, float>)
            return __builtin_ia32_scalefps128_mask(a, b, a, every_lane{});
          else if constexpr (L == 8)
            return __builtin_ia32_scalefpd512_mask(a, b, a, every_lane{}, 4);
          else if constexpr (L == 4)
            return __builtin_ia32_scalefpd256_mask(a, b, a, every_lane{});
          else
            return __builtin_ia32_scalefpd128_mask(a, b, a, every_lane{});
        },
        y, n.whole);
#endif
  // Two factors, as 2^n alone may be out of range where the product is not; only the second one may round.
  using I = typename ints_of<P>::value_type;
  constexpr I rounder = static_cast<I>(__builtin_bit_cast(I, format<T>::rounder));
  auto const whole = to_bits(n.shifted) - rounder;
  auto const half = whole >> 1;
  auto const power = [](auto const& k) TARTAN_INLINE_LAMBDA {
    return from_bits<P>((k + static_cast<I>(format<T>::bias)) << format<T>::fraction);
  };
  return y * power(half) * power(whole - half);
}

}  // namespace impl

/// e^x.
///
/// Error: at most 1.1 ulp. exp(-infinity) is 0, exp(infinity) and overflow are infinity, a NaN stays one, subnormal
/// results are right. exp(x) of a number runs the same kernel: the same bits in every leaf of one build.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> exp(pack<T, N> const& x) {
  using P = pack<T, N>;
  using k = impl::exp_constants<T>;
  // The NaN is min's and max's left argument, which they keep.
  P const a = (max)((min)(x, k::highest), k::lowest);
  auto const n = impl::round_product(a, k::log2_e);
  P r = impl::multiply_add(n.whole, P{-k::ln2_high}, a);
  r = impl::multiply_add(n.whole, P{-k::ln2_low}, r);
  P const tail = impl::multiply_add(impl::polynomial(r, k::c), r * r, r);
  return impl::finished(impl::scale(tail + T{1}, n));
}

/// e^x of a number; see exp of a pack.
template <std::floating_point T>
[[nodiscard]] T exp(T x) {
  return exp(impl::scalar_pack<T>{x})[0];
}

}  // namespace tartan::inline TARTAN_ABI::lanes
