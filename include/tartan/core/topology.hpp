#pragma once
// What the machine grants this process.

#include <sched.h>  // cpu_set_t, sched_getaffinity

#include <cstdlib>  // getenv, strtol

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Cores that the scheduler may give to this process; at least 1.
inline unsigned hardware_cores() noexcept {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int const n = CPU_COUNT(&set);
  return n > 0 ? static_cast<unsigned>(n) : 1;
}

}  // namespace tartan::inline TARTAN_ABI::detail

namespace tartan::inline TARTAN_ABI {

/// How many workers this process should use: TARTAN_WORKERS if set, else what the machine grants; at least 1.
inline unsigned available_workers() {
  if (char const* const wish = std::getenv("TARTAN_WORKERS"))
    if (long const n = std::strtol(wish, nullptr, 10); n >= 1 && n <= 4096) return static_cast<unsigned>(n);
  return detail::hardware_cores();
}

}  // namespace tartan::inline TARTAN_ABI
