#pragma once
// What the machine grants this process.

#include <sched.h>  // cpu_set_t, sched_getaffinity

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
