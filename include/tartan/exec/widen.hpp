#pragma once
// Elements as numbers of a type of the caller's choice: functions that leaves know by name.

#include <type_traits>  // is_arithmetic_v

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// A number, or a pack of them (whose to<T> is found beside it), as T.
template <class T, class X>
constexpr auto as_type(X const& x) {
  if constexpr (std::is_arithmetic_v<X>)
    return static_cast<T>(x);
  else
    return to<T>(x);
}

/// The element, in T.
template <class T>
struct widened {
  template <class X>
  constexpr auto operator()(X const& x) const {
    return as_type<T>(x);
  }
};

/// The product of both members of a pair, in T.
template <class T>
struct widened_product {
  template <class Pair>
  constexpr auto operator()(Pair const& pair) const {
    auto const& [x, y] = pair;
    return as_type<T>(as_type<T>(x) * as_type<T>(y));
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
