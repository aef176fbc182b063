#pragma once
// The cheapest monotonic clock there is, for decisions about grain and patience (never for what users see).

#include <time.h>  // clock_gettime

#include <cstdint>  // uint64_t

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

/// Reads a counter that advances at a constant rate; 10 ns where steady_clock::now() takes 25.
TARTAN_ALWAYS_INLINE std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  std::uint64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
#endif
}

/// Ticks in a microsecond, to within a factor of two on x86 (time-stamp counters run at 2 to 4 GHz): enough for
/// thresholds, and it spares every program a calibration loop at start.
inline std::uint64_t ticks_per_us() noexcept {
#if defined(__x86_64__)
  return 2600;
#elif defined(__aarch64__)
  std::uint64_t hertz;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
  return hertz / 1'000'000 + 1;
#else
  return 1000;
#endif
}

}  // namespace tartan::inline TARTAN_ABI::detail
