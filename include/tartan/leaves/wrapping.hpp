#pragma once
// wrapping<T>: arithmetic that stays in a narrow integer, where C++ would go up to int.

#include <concepts>     // integral
#include <cstddef>      // size_t
#include <type_traits>  // is_arithmetic_v

#include "tartan/core/config.hpp"        // TARTAN_INLINE_KERNEL
#include "tartan/leaves/arithmetic.hpp"  // lift
#include "tartan/leaves/convert.hpp"     // convert
#include "tartan/leaves/pack.hpp"        // pack

namespace tartan::inline TARTAN_ABI::lanes {

/// A number of the unsigned type T (N is 0), or N of them; made by wrapping<T>.
template <std::unsigned_integral T, std::size_t N>
class wrapped {
  using lanes_type = pack<T, N == 0 ? 1 : N>;

 public:
  using value_type = std::conditional_t<N == 0, T, lanes_type>;

  TARTAN_INLINE_KERNEL constexpr explicit wrapped(value_type const& value) : value_(value) {}
  /// An integer stands in every lane, modulo 2 to the bits of T.
  template <std::integral I>
  TARTAN_INLINE_KERNEL constexpr wrapped(I number) : value_(static_cast<T>(number)) {}

  [[nodiscard]] TARTAN_INLINE_KERNEL constexpr value_type const& value() const { return value_; }

  TARTAN_INLINE_KERNEL friend constexpr wrapped operator+(wrapped const& a, wrapped const& b) {
    return each(a, b, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x + y; });
  }
  TARTAN_INLINE_KERNEL friend constexpr wrapped operator-(wrapped const& a, wrapped const& b) {
    return each(a, b, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x - y; });
  }
  TARTAN_INLINE_KERNEL friend constexpr wrapped operator*(wrapped const& a, wrapped const& b) {
    return each(a, b, [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x * y; });
  }
  /// @{ By less than the bits of T. Upwards, what leaves T is lost.
  TARTAN_INLINE_KERNEL friend constexpr wrapped operator<<(wrapped const& a, int by) {
    return each(a, wrapped(by), [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x << y; });
  }
  TARTAN_INLINE_KERNEL friend constexpr wrapped operator>>(wrapped const& a, int by) {
    return each(a, wrapped(by), [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { return x >> y; });
  }
  /// @}

 private:
  template <class F>
  TARTAN_INLINE_KERNEL static constexpr wrapped each(wrapped const& a, wrapped const& b, F&& f) {
    if constexpr (N == 0)
      return wrapped(static_cast<T>(f(static_cast<unsigned long long>(a.value_), b.value_)));
    else
      return wrapped(impl::by_register<lanes_type>(f, a.value_, b.value_));
  }

  value_type value_;
};

/// A number or a pack whose +, -, * and shifts stay in the unsigned type T and are modulo 2 to the bits of T. A sum of
/// bytes that fits 16 bits then takes half of the registers that C++'s promotion to int takes.
///
///     auto sum = tartan::wrapping<std::uint16_t>(at(0, -1)) + 2 * tartan::wrapping<std::uint16_t>(at(0, 0));
///     return tartan::to<std::uint8_t>(sum >> 2);
///
/// to<U> makes an ordinary number or pack of it.
template <std::unsigned_integral T, lane_type From, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL wrapped<T, N> wrapping(pack<From, N> const& a) {
  return wrapped<T, N>(impl::convert<T>(a));
}

template <std::unsigned_integral T, class From>
  requires std::is_arithmetic_v<From>
[[nodiscard]] TARTAN_INLINE_KERNEL constexpr wrapped<T, 0> wrapping(From a) {
  return wrapped<T, 0>(static_cast<T>(a));
}

/// The value as a number or a pack of To: what To does not hold wraps.
template <lane_type To, std::unsigned_integral T, std::size_t N>
[[nodiscard]] TARTAN_INLINE_KERNEL constexpr auto to(wrapped<T, N> const& a) {
  if constexpr (N == 0)
    return static_cast<To>(a.value());
  else
    return impl::convert<To>(a.value());
}

}  // namespace tartan::inline TARTAN_ABI::lanes
