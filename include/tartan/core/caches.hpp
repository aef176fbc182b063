#pragma once
// How large the caches of this machine are.

#include <unistd.h>  // sysconf

#include <cstdio>  // fclose, fopen, fscanf, snprintf

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

struct cache_sizes {
  double middle, last;
};

/// The number at the beginning of a file of /sys, with its unit of K or M; 0 where there is none.
[[nodiscard]] inline double size_in_file(char const* path) noexcept {
  std::FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  double size = 0;
  char unit = 0;
  int const read = std::fscanf(file, "%lf%c", &size, &unit);
  std::fclose(file);
  if (read < 1) return 0;
  return size * (unit == 'K' ? 1024.0 : unit == 'M' ? 1024.0 * 1024.0 : 1.0);
}

/// The cache of that level which holds data of the first processor, in bytes; 0 where the system does not tell.
[[nodiscard]] inline double cache_of_level(int level) noexcept {
  char path[64];
  double size = 0;
  for (int i = 0; i != 10; ++i) {  // the last one of a level holds data, or data and instructions
    std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
    if (static_cast<int>(size_in_file(path)) != level) continue;
    std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
    size = size_in_file(path);
  }
  return size;
}

/// The second-level cache of one core and the last-level one, in bytes; a modest guess where the system does not tell.
/// The C library is asked second: glibc 2.36 takes the last level of some virtual machines for ten times as large.
[[nodiscard]] inline cache_sizes const& caches() noexcept {
  auto const ask = [](int level, int name, double otherwise) {
    double const told = cache_of_level(level);
    long const bytes = told > 0 || name < 0 ? 0 : ::sysconf(name);
    return told > 0 ? told : bytes > 0 ? static_cast<double>(bytes) : otherwise;
  };
#if defined(_SC_LEVEL2_CACHE_SIZE) && defined(_SC_LEVEL3_CACHE_SIZE)
  static cache_sizes const known{ask(2, _SC_LEVEL2_CACHE_SIZE, 512 << 10), ask(3, _SC_LEVEL3_CACHE_SIZE, 8 << 20)};
#else
  static cache_sizes const known{ask(2, -1, 512 << 10), ask(3, -1, 8 << 20)};
#endif
  return known;
}

}  // namespace tartan::inline TARTAN_ABI::detail
