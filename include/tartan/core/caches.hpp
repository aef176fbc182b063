#pragma once
// How large the caches of this machine are.

#include <unistd.h>  // sysconf

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

struct cache_sizes {
  double middle, last;
};

/// The second-level cache of one core and the last-level one, in bytes; a modest guess where the system does not tell.
[[nodiscard]] inline cache_sizes const& caches() noexcept {
  auto const ask = [](int name, long otherwise) {
    long const bytes = name < 0 ? 0 : ::sysconf(name);
    return static_cast<double>(bytes > 0 ? bytes : otherwise);
  };
#if defined(_SC_LEVEL2_CACHE_SIZE) && defined(_SC_LEVEL3_CACHE_SIZE)
  static cache_sizes const known{ask(_SC_LEVEL2_CACHE_SIZE, 512L << 10), ask(_SC_LEVEL3_CACHE_SIZE, 8L << 20)};
#else
  static cache_sizes const known{ask(-1, 512L << 10), ask(-1, 8L << 20)};
#endif
  return known;
}

}  // namespace tartan::inline TARTAN_ABI::detail
