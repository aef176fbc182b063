#pragma once
// How far the memory of this process rises while something runs.

#include <cstddef>  // size_t
#include <cstdlib>  // strtoul
#include <fstream>  // ifstream, ofstream
#include <string>   // getline, string

#if defined(__GLIBC__)
#include <malloc.h>  // malloc_trim
#endif

namespace bench {

/// Bytes that the kernel counts for this process: "VmRSS:" or, since the last reset_peak(), "VmHWM:".
inline std::size_t resident_bytes(std::string const& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what)) return std::strtoul(line.c_str() + what.size(), nullptr, 10) * 1024;
  return 0;
}
inline bool reset_peak() {
  std::ofstream refs("/proc/self/clear_refs");
  refs << 5 << std::flush;
  return static_cast<bool>(refs);
}

/// The highest level of resident memory while f() runs, above the level before; negative where the kernel does not say.
template <class F>
double memory_of(F const& f) {
#if defined(__GLIBC__)
  malloc_trim(0);  // else what others gave back is used again and not seen
#endif
  if (!reset_peak()) return -1;
  std::size_t const before = resident_bytes("VmRSS:");
  f();
  std::size_t const peak = resident_bytes("VmHWM:");
  return peak > before ? static_cast<double>(peak - before) : 0.0;
}

}  // namespace bench
