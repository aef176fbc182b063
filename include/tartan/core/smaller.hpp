#pragma once
// The smaller and the larger of two numbers.

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

// std::min and std::max would cost every includer of a pattern all of <algorithm>.

template <class T>
[[nodiscard]] constexpr T smaller(T a, T b) noexcept {
  return b < a ? b : a;
}

template <class T>
[[nodiscard]] constexpr T larger(T a, T b) noexcept {
  return a < b ? b : a;
}

}  // namespace tartan::inline TARTAN_ABI::detail
