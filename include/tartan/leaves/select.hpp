#pragma once
// select, min, max, abs, copysign: choices between lanes, for packs and for numbers.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <limits>       // numeric_limits
#include <type_traits>  // is_arithmetic_v, make_unsigned_t

#include "tartan/core/config.hpp"        // TARTAN_INLINE_KERNEL
#include "tartan/leaves/arithmetic.hpp"  // meeting_type, lift
#include "tartan/leaves/mask.hpp"        // mask
#include "tartan/leaves/pack.hpp"        // pack

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

/// The lane type of select(m, a, b): that of m ? a : b.
template <class A, class B>
using chosen_type = std::conditional_t<std::same_as<lane_of<A>, lane_of<B>>, lane_of<A>, meeting_type<A, B>>;

/// b < a ? b : a of registers. g++ 12 makes a comparison and a blend of it where one operand is a constant.
template <class T, std::size_t L>
TARTAN_INLINE_KERNEL vec<T, L> lesser(vec<T, L> const& a, vec<T, L> const& b) {
#if defined(__x86_64__) && !defined(__clang__)
#if TARTAN_REGISTER_BYTES == 64
  if constexpr (std::is_same_v<T, float> && L == 16) return __builtin_ia32_minps512_mask(b, a, a, every_lane{}, 4);
  if constexpr (std::is_same_v<T, double> && L == 8) return __builtin_ia32_minpd512_mask(b, a, a, every_lane{}, 4);
#endif
#if TARTAN_REGISTER_BYTES >= 32
  if constexpr (std::is_same_v<T, float> && L == 8) return __builtin_ia32_minps256(b, a);
  if constexpr (std::is_same_v<T, double> && L == 4) return __builtin_ia32_minpd256(b, a);
#endif
  if constexpr (std::is_same_v<T, float> && L == 4) return __builtin_ia32_minps(b, a);
  if constexpr (std::is_same_v<T, double> && L == 2) return __builtin_ia32_minpd(b, a);
#endif
  return b < a ? b : a;
}

/// a < b ? b : a of registers.
template <class T, std::size_t L>
TARTAN_INLINE_KERNEL vec<T, L> greater(vec<T, L> const& a, vec<T, L> const& b) {
#if defined(__x86_64__) && !defined(__clang__)
#if TARTAN_REGISTER_BYTES == 64
  if constexpr (std::is_same_v<T, float> && L == 16) return __builtin_ia32_maxps512_mask(b, a, a, every_lane{}, 4);
  if constexpr (std::is_same_v<T, double> && L == 8) return __builtin_ia32_maxpd512_mask(b, a, a, every_lane{}, 4);
#endif
#if TARTAN_REGISTER_BYTES >= 32
  if constexpr (std::is_same_v<T, float> && L == 8) return __builtin_ia32_maxps256(b, a);
  if constexpr (std::is_same_v<T, double> && L == 4) return __builtin_ia32_maxpd256(b, a);
#endif
  if constexpr (std::is_same_v<T, float> && L == 4) return __builtin_ia32_maxps(b, a);
  if constexpr (std::is_same_v<T, double> && L == 2) return __builtin_ia32_maxpd(b, a);
#endif
  return a < b ? b : a;
}

}  // namespace impl

/// Lane i is a's where m's is true, otherwise b's. Both are computed, as with every function of packs.
///
///     auto root = select(x < 0, 0, sqrt(x));
template <std::size_t Bytes, std::size_t N, class A, class B>
  requires(lane_type<impl::lane_of<A>> && lane_type<impl::lane_of<B>> &&
           (impl::lanes_of<A>::size == N || !any_pack<A>) && (impl::lanes_of<B>::size == N || !any_pack<B>))
[[nodiscard]] TARTAN_INLINE_KERNEL auto select(mask<Bytes, N> const& m, A const& a, B const& b) {
  using T = impl::chosen_type<A, B>;
  mask<sizeof(T), N> const fitting = m;
  return impl::by_register<pack<T, N>>([](auto const& c, auto const& x, auto const& y)
                                           TARTAN_INLINE_LAMBDA { return c ? x : y; },
                                       fitting.lanes, impl::lift<T, N>(a), impl::lift<T, N>(b));
}

/// Chooses between two masks.
template <std::size_t Bytes, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL mask<Bytes, N> select(mask<Bytes, N> const& m, mask<Bytes, N> const& a,
                                                         mask<Bytes, N> const& b) {
  return (m & a) | (!m & b);
}

/// m ? a : b, so that one generic function serves numbers and packs.
template <class A, class B>
  requires(std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
[[nodiscard]] constexpr auto select(std::same_as<bool> auto m, A a, B b) {
  return m ? a : b;
}

/// The lesser; a where neither is less, as std::min: a NaN on the right is passed over, one on the left is kept.
template <class A, class B>
  requires impl::operands<A, B>
[[nodiscard]] TARTAN_INLINE_KERNEL auto(min)(A const& a, B const& b) {
  using T = impl::chosen_type<A, B>;
  constexpr std::size_t n = impl::lanes_in<A, B>;
  return impl::by_register<pack<T, n>>(
      [](auto const& x, auto const& y)
          TARTAN_INLINE_LAMBDA { return impl::lesser<T, pack<T, n>::register_lanes>(x, y); },
      impl::lift<T, n>(a), impl::lift<T, n>(b));
}

/// The greater; a where neither is greater, as std::max.
template <class A, class B>
  requires impl::operands<A, B>
[[nodiscard]] TARTAN_INLINE_KERNEL auto(max)(A const& a, B const& b) {
  using T = impl::chosen_type<A, B>;
  constexpr std::size_t n = impl::lanes_in<A, B>;
  return impl::by_register<pack<T, n>>(
      [](auto const& x, auto const& y)
          TARTAN_INLINE_LAMBDA { return impl::greater<T, pack<T, n>::register_lanes>(x, y); },
      impl::lift<T, n>(a), impl::lift<T, n>(b));
}

/// @{ std::min and std::max of two numbers.
template <class T>
  requires std::is_arithmetic_v<T>
[[nodiscard]] constexpr T const&(min)(T const& a, T const& b) {
  return b < a ? b : a;
}
template <class T>
  requires std::is_arithmetic_v<T>
[[nodiscard]] constexpr T const&(max)(T const& a, T const& b) {
  return a < b ? b : a;
}
/// @}

/// The magnitude. Of the most negative integer it is that integer, as no overflow is detected.
template <any_pack P>
[[nodiscard]] TARTAN_INLINE_KERNEL auto abs(P const& a) {
  using T = impl::promoted<P>;
  using out = pack<T, P::size>;
  if constexpr (std::is_floating_point_v<T>) {
    using I = impl::int_lane<sizeof(T)>;
    using ints = impl::vec<I, out::register_lanes>;
    constexpr I magnitude = (std::numeric_limits<I>::max)();
    return impl::by_register<out>(
        [](auto const& x)
            TARTAN_INLINE_LAMBDA { return impl::bits<typename out::vec>(impl::bits<ints>(x) & magnitude); },
        a);
  } else if constexpr (std::is_unsigned_v<T>) {
    return +a;
  } else {
    using U = std::make_unsigned_t<T>;
    auto const wide = +a;
    return impl::convert<T>(select(wide < 0, U{0} - impl::convert<U>(wide), impl::convert<U>(wide)));
  }
}

/// The magnitude of a number.
template <class T>
  requires std::is_arithmetic_v<T>
[[nodiscard]] constexpr auto abs(T a) {
  if constexpr (std::is_same_v<T, float>)
    return __builtin_fabsf(a);
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(__builtin_fabsl(a));
  else if constexpr (std::is_unsigned_v<T>)
    return +a;
  else
    return a < 0 ? -a : +a;
}

/// a's magnitude with s's sign.
template <class T, std::size_t N>
  requires std::is_floating_point_v<T>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<T, N> copysign(pack<T, N> const& a, std::type_identity_t<pack<T, N>> const& s) {
  using I = impl::int_lane<sizeof(T)>;
  using ints = impl::vec<I, pack<T, N>::register_lanes>;
  constexpr I sign = (std::numeric_limits<I>::min)();
  return impl::by_register<pack<T, N>>(
      [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA {
        return impl::bits<typename pack<T, N>::vec>((impl::bits<ints>(x) & ~sign) | (impl::bits<ints>(y) & sign));
      },
      a, s);
}

}  // namespace tartan::inline TARTAN_ABI::lanes
