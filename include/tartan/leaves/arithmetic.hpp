#pragma once
// The operators of packs: C++'s arithmetic, lane by lane.

#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <type_traits>  // is_arithmetic_v

#include "tartan/core/config.hpp"     // TARTAN_INLINE_KERNEL
#include "tartan/leaves/convert.hpp"  // convert
#include "tartan/leaves/isa.hpp"      // TARTAN_CONTRACT
#include "tartan/leaves/mask.hpp"     // mask
#include "tartan/leaves/pack.hpp"     // pack

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

template <class A>
struct lanes_of {
  using type = A;
  static constexpr std::size_t size = 0;
};
template <class T, std::size_t N>
struct lanes_of<pack<T, N>> {
  using type = T;
  static constexpr std::size_t size = N;
};

template <class A>
using lane_of = typename lanes_of<A>::type;

/// Lanes of an operation on A and B: one of them may be a scalar.
template <class A, class B>
inline constexpr std::size_t lanes_in = lanes_of<A>::size > lanes_of<B>::size ? lanes_of<A>::size : lanes_of<B>::size;

/// A pack and a pack of as many lanes, or a pack and a number.
template <class A, class B>
concept operands = (any_pack<A> || any_pack<B>) && lane_type<lane_of<A>> && lane_type<lane_of<B>> &&
                   (!any_pack<A> || !any_pack<B> || lanes_of<A>::size == lanes_of<B>::size);

/// A pack or a number as a pack of To.
template <class To, std::size_t N, class A>
TARTAN_INLINE_KERNEL pack<To, N> lift(A const& a) {
  if constexpr (any_pack<A>)
    return convert<To>(a);
  else
    return pack<To, N>{static_cast<To>(a)};
}

/// The lane type in which C++ computes with A and B.
template <class A, class B>
using meeting_type = decltype(lane_of<A>{} + lane_of<B>{});

template <class A>
using promoted = decltype(+lane_of<A>{});

template <class A, class B, class F>
TARTAN_INLINE_KERNEL auto binary(A const& a, B const& b, F&& f) {
  using out = pack<meeting_type<A, B>, lanes_in<A, B>>;
  return by_register<out>(f, lift<typename out::value_type, out::size>(a),
                          lift<typename out::value_type, out::size>(b));
}

template <class A, class B, class F>
TARTAN_INLINE_KERNEL auto compare(A const& a, B const& b, F&& f) {
  // Two packs of one type are compared as they are: promotion would not change the answer.
  using T = std::conditional_t<std::same_as<lane_of<A>, lane_of<B>>, lane_of<A>, meeting_type<A, B>>;
  constexpr std::size_t n = lanes_in<A, B>;
  using out = mask<sizeof(T), n>;
  using bits_type = typename out::lanes_type::vec;
  return out{by_register<typename out::lanes_type>([&](auto const& x, auto const& y)
                                                       TARTAN_INLINE_LAMBDA { return bits<bits_type>(f(x, y)); },
                                                   lift<T, n>(a), lift<T, n>(b))};
}

template <class A, class B, class F>
TARTAN_INLINE_KERNEL auto shift(A const& a, B const& b, F&& f) {
  using T = promoted<A>;
  return by_register<pack<T, lanes_in<A, B>>>(f, lift<T, lanes_in<A, B>>(a), lift<T, lanes_in<A, B>>(b));
}

}  // namespace impl

#define TARTAN_PACK_BINARY(op, kind)                                                                                   \
  template <class A, class B>                                                                                          \
    requires impl::operands<A, B>                                                                                      \
  [[nodiscard]] TARTAN_INLINE_KERNEL auto operator op(A const& a, B const& b) {                                        \
    return impl::kind(a, b, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { TARTAN_CONTRACT return x op y; }); \
  }

TARTAN_PACK_BINARY(+, binary)
TARTAN_PACK_BINARY(-, binary)
TARTAN_PACK_BINARY(*, binary)
TARTAN_PACK_BINARY(/, binary)
TARTAN_PACK_BINARY(%, binary)
TARTAN_PACK_BINARY(&, binary)
TARTAN_PACK_BINARY(|, binary)
TARTAN_PACK_BINARY(^, binary)
TARTAN_PACK_BINARY(<<, shift)
TARTAN_PACK_BINARY(>>, shift)
TARTAN_PACK_BINARY(==, compare)
TARTAN_PACK_BINARY(!=, compare)
TARTAN_PACK_BINARY(<, compare)
TARTAN_PACK_BINARY(<=, compare)
TARTAN_PACK_BINARY(>, compare)
TARTAN_PACK_BINARY(>=, compare)
#undef TARTAN_PACK_BINARY

#define TARTAN_PACK_ASSIGN(op)                                                 \
  template <lane_type T, std::size_t N, class B>                               \
    requires impl::operands<pack<T, N>, B>                                     \
  TARTAN_INLINE_KERNEL pack<T, N>& operator op##=(pack<T, N>& a, B const& b) { \
    return a = impl::convert<T>(a op b);                                       \
  }

TARTAN_PACK_ASSIGN(+)
TARTAN_PACK_ASSIGN(-)
TARTAN_PACK_ASSIGN(*)
TARTAN_PACK_ASSIGN(/)
TARTAN_PACK_ASSIGN(%)
TARTAN_PACK_ASSIGN(&)
TARTAN_PACK_ASSIGN(|)
TARTAN_PACK_ASSIGN(^)
TARTAN_PACK_ASSIGN(<<)
TARTAN_PACK_ASSIGN(>>)
#undef TARTAN_PACK_ASSIGN

template <any_pack P>
[[nodiscard]] TARTAN_INLINE_KERNEL auto operator+(P const& a) {
  return impl::convert<impl::promoted<P>>(a);
}

template <any_pack P>
[[nodiscard]] TARTAN_INLINE_KERNEL auto operator-(P const& a) {
  using out = pack<impl::promoted<P>, P::size>;
  return impl::by_register<out>([](auto const& x) TARTAN_INLINE_LAMBDA { return -x; }, +a);
}

template <any_pack P>
  requires std::integral<typename P::value_type>
[[nodiscard]] TARTAN_INLINE_KERNEL auto operator~(P const& a) {
  using out = pack<impl::promoted<P>, P::size>;
  return impl::by_register<out>([](auto const& x) TARTAN_INLINE_LAMBDA { return ~x; }, +a);
}

}  // namespace tartan::inline TARTAN_ABI::lanes
