#pragma once
// to<T> and saturate<T>: another lane type, asked for by name.

#include <concepts>     // integral
#include <cstddef>      // size_t
#include <limits>       // numeric_limits
#include <type_traits>  // is_arithmetic_v
#include <utility>      // cmp_less, cmp_greater

#include "tartan/core/config.hpp"     // TARTAN_INLINE_KERNEL
#include "tartan/leaves/convert.hpp"  // convert
#include "tartan/leaves/pack.hpp"     // pack
#include "tartan/leaves/select.hpp"   // min, max

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

/// a with what To cannot hold moved to To's nearest end; both ends are compared only where From reaches past them.
template <class To, class From, std::size_t N>
TARTAN_INLINE_KERNEL pack<From, N> clamp_to(pack<From, N> a) {
  constexpr From below = static_cast<From>((std::numeric_limits<To>::min)());
  constexpr From above = static_cast<From>((std::numeric_limits<To>::max)());
  if constexpr (std::cmp_less((std::numeric_limits<From>::min)(), (std::numeric_limits<To>::min)()))
    a = (max)(a, below);
  if constexpr (std::cmp_greater((std::numeric_limits<From>::max)(), (std::numeric_limits<To>::max)()))
    a = (min)(a, above);
  return a;
}

}  // namespace impl

/// Each lane as static_cast<To> makes it of a number: integers wrap, fractions are cut off.
///
///     auto sum = to<std::int32_t>(bytes) + to<std::int32_t>(more);
template <lane_type To, lane_type From, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL pack<To, N> to(pack<From, N> const& a) {
  return impl::convert<To>(a);
}

template <lane_type To, class From>
  requires std::is_arithmetic_v<From>
[[nodiscard]] constexpr To to(From a) {
  return static_cast<To>(a);
}

/// Each integer lane as the nearest To: what is outside To's range becomes its end.
///
///     saturate<std::uint8_t>(a + b)                 // 255 where the sum is greater
template <lane_type To, lane_type From, std::size_t N>
  requires(std::integral<To> && std::integral<From>)
[[nodiscard]] TARTAN_INLINE_KERNEL pack<To, N> saturate(pack<From, N> const& a) {
  return impl::convert<To>(impl::clamp_to<To>(a));
}

template <lane_type To, std::integral From>
[[nodiscard]] constexpr To saturate(From a) {
  if (std::cmp_less(a, (std::numeric_limits<To>::min)())) return (std::numeric_limits<To>::min)();
  if (std::cmp_greater(a, (std::numeric_limits<To>::max)())) return (std::numeric_limits<To>::max)();
  return static_cast<To>(a);
}

}  // namespace tartan::inline TARTAN_ABI::lanes
