#pragma once
// When a limited time is up.

#include <chrono>  // duration, duration_cast, steady_clock

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Now and `limit` later: now if that is not positive, the end of all time if it is beyond that.
template <class Rep, class Period>
[[nodiscard]] std::chrono::steady_clock::time_point deadline_after(std::chrono::duration<Rep, Period> limit) noexcept {
  using clock = std::chrono::steady_clock;
  using seconds = std::chrono::duration<double>;  // wide enough for every limit, and as exact as needed near the end
  auto const now = clock::now();
  seconds const wanted(limit);
  if (!(wanted > seconds::zero())) return now;
  if (wanted > seconds((clock::time_point::max)() - now) - seconds(1)) return (clock::time_point::max)();
  return now + std::chrono::ceil<clock::duration>(limit);
}

}  // namespace tartan::inline TARTAN_ABI::detail
