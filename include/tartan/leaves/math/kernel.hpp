#pragma once
// What the math kernels share: polynomials, bits of floating-point numbers, and the scalar form of a kernel.

#include <concepts>     // floating_point
#include <cstddef>      // size_t
#include <cstdint>      // int32_t, int64_t, uint16_t, uint8_t
#include <limits>       // numeric_limits
#include <type_traits>  // is_same_v

#include "tartan/core/config.hpp"        // TARTAN_INLINE_KERNEL
#include "tartan/leaves/arithmetic.hpp"  // operators of packs
#include "tartan/leaves/isa.hpp"         // has_fused_multiply_add
#include "tartan/leaves/numeric.hpp"     // fma
#include "tartan/leaves/pack.hpp"        // pack
#include "tartan/leaves/select.hpp"      // select, min, max

namespace tartan::inline TARTAN_ABI::lanes::impl {

template <class P>
using float_of = typename P::value_type;

/// The integers in which P's lanes are held.
template <class P>
using ints_of = pack<int_lane<sizeof(float_of<P>)>, P::size>;

/// Exponent bias, bits of the fraction, and 1.5 * 2^fraction: adding that rounds to a whole number, which then
/// stands in the low bits.
template <class T>
struct format;
template <>
struct format<float> {
  static constexpr int bias = 127, fraction = 23;
  static constexpr float rounder = 12582912.0F;
};
template <>
struct format<double> {
  static constexpr int bias = 1023, fraction = 52;
  static constexpr double rounder = 6755399441055744.0;
};

/// a * b + c: fused where that is an instruction, in two roundings elsewhere.
template <any_pack P>
TARTAN_INLINE_KERNEL P multiply_add(P const& a, P const& b, P const& c) {
  if constexpr (has_fused_multiply_add)
    return fma(a, b, c);
  else
    return a * b + c;
}

/// c[0] + x * (c[1] + x * (c[2] + ...)).
template <any_pack P, std::size_t Terms>
TARTAN_INLINE_KERNEL P polynomial(P const& x, float_of<P> const (&c)[Terms]) {
  P sum = c[Terms - 1];
  for (std::size_t i = Terms - 1; i-- != 0;) sum = multiply_add(sum, x, P{c[i]});
  return sum;
}

template <any_pack P>
TARTAN_INLINE_KERNEL ints_of<P> to_bits(P const& a) {
  return by_register<ints_of<P>>([](auto const& x) TARTAN_INLINE_LAMBDA { return bits<typename ints_of<P>::vec>(x); },
                                 a);
}

template <any_pack P>
TARTAN_INLINE_KERNEL P from_bits(ints_of<P> const& a) {
  return by_register<P>([](auto const& x) TARTAN_INLINE_LAMBDA { return bits<typename P::vec>(x); }, a);
}

/// The whole number nearest to a, as a number and (after from_rounded) in the low bits of `shifted`.
template <class P>
struct rounded {
  P shifted, whole;
};

template <any_pack P>
TARTAN_INLINE_KERNEL rounded<P> round_product(P const& a, float_of<P> factor) {
  P shifted = multiply_add(a, P{factor}, P{format<float_of<P>>::rounder});
  unroll<P::registers>([&](auto r) TARTAN_INLINE_LAMBDA { opaque(shifted.part[r]); });
  return {shifted, shifted - format<float_of<P>>::rounder};
}

/// What a kernel returns: opaque, so that the caller's additions contract with nothing inside and a number and a
/// lane get the same bits.
template <any_pack P>
TARTAN_INLINE_KERNEL P finished(P a) {
  unroll<P::registers>([&](auto r) TARTAN_INLINE_LAMBDA { opaque(a.part[r]); });
  return a;
}

/// A pack of one 128-bit register, in which the scalar functions run the same kernel.
template <class T>
using scalar_pack = pack<T, 16 / sizeof(T)>;

/// any(a > limit). (g++ 12 makes whole registers of what comparisons answer, and bits of them again.)
template <any_pack P>
TARTAN_INLINE_KERNEL bool any_greater(P const& a, float_of<P> limit) {
#if TARTAN_REGISTER_BYTES == 64 && !defined(__clang__) && __has_builtin(__builtin_ia32_cmpps512_mask) && \
    __has_builtin(__builtin_ia32_cmppd512_mask)
  if constexpr (sizeof(typename P::vec) == 64) {
    constexpr int is_greater = 30;
    unsigned lanes = 0;
    unroll<P::registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      auto const all = broadcast<float_of<P>, P::register_lanes>(limit);
      if constexpr (std::is_same_v<float_of<P>, float>)
        lanes |= static_cast<std::uint16_t>(__builtin_ia32_cmpps512_mask(a.part[r], all, is_greater, every_lane{}, 4));
      else
        lanes |= static_cast<std::uint8_t>(__builtin_ia32_cmppd512_mask(a.part[r], all, is_greater, every_lane{}, 4));
    });
    return lanes != 0;
  }
#endif
  return any(a > limit);
}

/// Replaces the lanes of `computed` that `m` names by f of the argument, one at a time.
template <any_pack P, class M, class F>
TARTAN_NOINLINE void replace_lanes(P& computed, P const& argument, M const& m, F f) {
  for (std::size_t i = 0; i != P::size; ++i)
    if (m[i]) computed.set(i, f(argument[i]));
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
