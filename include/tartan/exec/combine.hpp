#pragma once
// What is known of a combine function: whether its operands may change places.

#include <type_traits>  // is_arithmetic_v, is_floating_point_v, remove_cvref_t
#include <utility>      // forward, move

#include "tartan/core/config.hpp"            // TARTAN_ABI
#include "tartan/core/function_objects.hpp"  // bit_and, bit_or, bit_xor, multiplies, plus

namespace tartan::inline TARTAN_ABI {

/// The larger of two values; of equal ones the left.
struct maximum {
  template <class A>
  [[nodiscard]] constexpr A operator()(A const& a, A const& b) const {
    return a < b ? b : a;
  }
};

/// The smaller of two values; of equal ones the left.
struct minimum {
  template <class A>
  [[nodiscard]] constexpr A operator()(A const& a, A const& b) const {
    return b < a ? b : a;
  }
};

/// Promises that f(a, b) equals f(b, a), which lets reductions use vector lanes.
template <class F>
struct commutative {
  F f;
  template <class A, class B>
  [[nodiscard]] constexpr decltype(auto) operator()(A&& a, B&& b) const {
    return f(std::forward<A>(a), std::forward<B>(b));
  }
};
template <class F>
commutative(F) -> commutative<F>;

namespace detail {

template <class Combine, class T>
inline constexpr bool known_to_commute = false;
template <class T, class U>
inline constexpr bool known_to_commute<std::plus<U>, T> = true;
template <class T, class U>
inline constexpr bool known_to_commute<std::multiplies<U>, T> = true;
template <class T, class U>
inline constexpr bool known_to_commute<std::bit_and<U>, T> = true;
template <class T, class U>
inline constexpr bool known_to_commute<std::bit_or<U>, T> = true;
template <class T, class U>
inline constexpr bool known_to_commute<std::bit_xor<U>, T> = true;
template <class T>
inline constexpr bool known_to_commute<maximum, T> = true;
template <class T>
inline constexpr bool known_to_commute<minimum, T> = true;
template <class T, class F>
inline constexpr bool known_to_commute<commutative<F>, T> = true;

/// Combines run in 64 lanes where that cannot be seen but in the last bits: arithmetic T, commuting combine.
template <class Combine, class T>
inline constexpr bool in_lanes = std::is_arithmetic_v<T> && known_to_commute<std::remove_cvref_t<Combine>, T>;

/// Whether regrouping changes nothing at all: whole numbers under a commuting combine.
template <class Combine, class T>
inline constexpr bool exact = std::is_integral_v<T> && known_to_commute<std::remove_cvref_t<Combine>, T>;

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
