#pragma once
// sin(x) and cos(x) of packs and numbers.

#include <cmath>     // sin, cos
#include <concepts>  // floating_point
#include <cstddef>   // size_t

#include "tartan/core/config.hpp"         // TARTAN_INLINE_KERNEL
#include "tartan/leaves/cast.hpp"         // to
#include "tartan/leaves/math/kernel.hpp"  // polynomial, round_product, replace_lanes
#include "tartan/leaves/pack.hpp"         // pack

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

/// x = quarter * pi / 2 + rest, |rest| <= pi / 4; the quarter stands in the low bits of an integer.
template <class P>
struct turned {
  P rest;
  ints_of<P> quarter;
};

template <class T>
struct quarter_turn;

/// (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 as functions of r^2.
template <>
struct quarter_turn<float> {
  static constexpr float limit = 65536.0F;  // beyond, lanes are left to std::sin and std::cos
  static constexpr float sine[] = {-0x1.555546p-3F, 0x1.110736p-7F, -0x1.994222p-13F};
  static constexpr float cosine[] = {0x1.55554ap-5F, -0x1.6c0c86p-10F, 0x1.9a00cep-16F};
  static constexpr float parts[] = {0x1.921fb6p+0F, -0x1.777a5cp-25F, -0x1.ee59dap-50F};
};
template <>
struct quarter_turn<double> {
  static constexpr double limit = 524288.0;
  static constexpr double sine[] = {-0x1.5555555555548p-3, 0x1.111111110f7b0p-7,   -0x1.a01a019bf9b67p-13,
                                    0x1.71de356409028p-19, -0x1.ae5e578165ab9p-26, 0x1.5d8ee7aa4a4a2p-33};
  static constexpr double cosine[] = {0x1.555555555554cp-5,   -0x1.6c16c16c15162p-10, 0x1.a01a019caef32p-16,
                                      -0x1.27e4f807d5f53p-22, 0x1.1ee9ea6ca600fp-29,  -0x1.8fadd06293d1cp-37};
  static constexpr double parts[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
  // The same in pieces of 33 bits, whose products with whole numbers below 2^20 are exact without fused operations.
  static constexpr double short_parts[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104};
};

/// Takes away the quarter turns with fused operations: the first is exact, the others round once relative to what
/// is left.
template <any_pack P>
TARTAN_INLINE_KERNEL turned<P> reduce_fused(P const& x) {
  using k = quarter_turn<float_of<P>>;
  auto const n = round_product(x, float_of<P>(0.63661977236758134308));
  P rest = x;
  for (auto part : k::parts) rest = fma(n.whole, P{-part}, rest);
  return {rest, to_bits(n.shifted)};
}

/// The same by exact products and differences.
template <std::size_t N>
TARTAN_INLINE_KERNEL turned<pack<double, N>> reduce_split(pack<double, N> const& x) {
  auto const n = round_product(x, 0.63661977236758134308);
  auto rest = x;
  for (double part : quarter_turn<double>::short_parts) {
    auto product = n.whole * part;
    unroll<pack<double, N>::registers>([&](auto r) TARTAN_INLINE_LAMBDA { opaque(product.part[r]); });
    rest = rest - product;
  }
  return {rest, to_bits(n.shifted)};
}

template <any_pack P>
TARTAN_INLINE_KERNEL turned<P> reduce_turns(P const& x) {
  if constexpr (has_fused_multiply_add) {
    return reduce_fused(x);
  } else if constexpr (std::is_same_v<float_of<P>, double>) {
    return reduce_split(x);
  } else {
    auto const wide = reduce_split(to<double>(x));
    return {to<float>(wide.rest), to<std::int32_t>(wide.quarter)};
  }
}

/// sin(x + shift * pi / 2) for |x| <= limit, before the sign of x has had its say.
template <any_pack P>
TARTAN_INLINE_KERNEL P turn(P const& x, int shift, ints_of<P>& quarter) {
  using k = quarter_turn<float_of<P>>;
  using I = typename ints_of<P>::value_type;
  auto const reduced = reduce_turns(x);
  P const r = reduced.rest;
  P const z = r * r;
  P const sine = multiply_add(polynomial(z, k::sine) * z, r, r);
  P const cosine = multiply_add(multiply_add(polynomial(z, k::cosine), z, P{float_of<P>(-0.5)}), z, P{float_of<P>(1)});
  quarter = reduced.quarter + I(shift);
  return select((quarter & I{1}) != I{0}, cosine, sine);
}

/// Flips the sign of lanes whose `flip` has its sign bit set.
template <any_pack P>
TARTAN_INLINE_KERNEL P flip_sign(P const& a, ints_of<P> const& flip) {
  return from_bits<P>(to_bits(a) ^ (flip & (std::numeric_limits<typename ints_of<P>::value_type>::min)()));
}

template <any_pack P, class F>
TARTAN_INLINE_KERNEL P with_large_lanes(P computed, P const& x, F f) {
  constexpr auto limit = quarter_turn<float_of<P>>::limit;
  if (any_greater(abs(x), limit)) [[unlikely]] {  // NaN has become NaN anyway
    P right = computed, argument = x;             // copies, so that nothing but this branch needs them in memory
    auto const which = abs(x) > limit;
    replace_lanes(right, argument, which, f);
    computed = right;
  }
  return finished(computed);
}

}  // namespace impl

/// The sine of x radians.
///
/// Error: at most 1.6 ulp; 2.5 for double on targets without fused multiply-add. sin(-0) is -0, of an infinity NaN.
/// Lanes beyond 65536 (float) or 524288 (double) are left to std::sin, one at a time: right, and slow. sin(x) of a
/// number runs the same kernel.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> sin(pack<T, N> const& x) {
  using P = pack<T, N>;
  impl::ints_of<P> quarter;
  auto const value = impl::turn(abs(x), 0, quarter);
  auto const flip = (quarter << (8 * sizeof(T) - 2)) ^ impl::to_bits(x);
  return impl::with_large_lanes(impl::flip_sign(value, flip), x, [](T lane) { return std::sin(lane); });
}

/// The cosine of x radians; see sin.
template <std::floating_point T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> cos(pack<T, N> const& x) {
  using P = pack<T, N>;
  impl::ints_of<P> quarter;
  auto const value = impl::turn(abs(x), 1, quarter);
  auto const flip = quarter << (8 * sizeof(T) - 2);
  return impl::with_large_lanes(impl::flip_sign(value, flip), x, [](T lane) { return std::cos(lane); });
}

/// @{ The same of a number.
template <std::floating_point T>
[[nodiscard]] T sin(T x) {
  return sin(impl::scalar_pack<T>{x})[0];
}
template <std::floating_point T>
[[nodiscard]] T cos(T x) {
  return cos(impl::scalar_pack<T>{x})[0];
}
/// @}

}  // namespace tartan::inline TARTAN_ABI::lanes
