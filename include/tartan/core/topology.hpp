#pragma once
// What the machine grants this process.

#include <errno.h>   // errno, EINVAL
#include <sched.h>   // CPU_ALLOC, CPU_ALLOC_SIZE, CPU_COUNT_S, CPU_FREE, sched_getaffinity
#include <unistd.h>  // sysconf

#include <cstddef>  // size_t
#include <cstdint>  // uint64_t
#include <cstdio>   // snprintf
#include <cstdlib>  // getenv, strtol

#include "tartan/core/cgroup.hpp"  // control_groups, no_limit, system_files
#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // bad_argument, raise

namespace tartan::inline TARTAN_ABI::detail {

/// The largest pool: a limit that turns a slip of the pen into a sentence.
inline constexpr unsigned most_workers = 4096;

/// Processors that the scheduler may use for this process; at least 1. `ask(bytes, set)` has the meaning of
/// sched_getaffinity, which refuses a set that is smaller than the kernel's.
template <class Ask>
unsigned count_affinity(Ask ask) noexcept {
  for (std::size_t processors = 1024; processors <= (std::size_t{1} << 20); processors *= 2) {
    cpu_set_t* const set = CPU_ALLOC(processors);
    if (set == nullptr) break;
    std::size_t const bytes = CPU_ALLOC_SIZE(processors);
    bool const known = ask(bytes, set) == 0;
    bool const too_small = !known && errno == EINVAL;
    int const n = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (n > 0) return static_cast<unsigned>(n);
    if (!too_small) break;
  }
  long const online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<unsigned>(online) : 1;
}

inline unsigned hardware_cores() noexcept {
  return count_affinity([](std::size_t bytes, cpu_set_t* set) { return ::sched_getaffinity(0, bytes, set); });
}

/// What `TARTAN_WORKERS` asks for; 0 when it is not set.
inline unsigned wished_workers(char const* wish) {
  if (wish == nullptr || *wish == '\0') return 0;
  char* end = nullptr;
  long const n = std::strtol(wish, &end, 10);
  if (*end != '\0' || n < 1 || n > static_cast<long>(most_workers)) {
    char sentence[256];
    std::snprintf(sentence, sizeof sentence,
                  "tartan: TARTAN_WORKERS is '%.99s'; set it to a whole number from 1 to 4096, or unset it to use what "
                  "the machine grants",
                  wish);
    raise<bad_argument>(static_cast<char const*>(sentence));
  }
  return static_cast<unsigned>(n);
}

/// min(processors, quotas rounded up), at least 1.
inline unsigned granted_workers(unsigned processors, control_groups const& groups) noexcept {
  std::uint64_t const quota = groups.processors();
  unsigned const least = quota < processors ? static_cast<unsigned>(quota) : processors;
  return least == 0 ? 1 : least;
}

/// Bytes that this process can still use without swapping or being killed; no_limit when nobody knows.
inline std::uint64_t available_memory(system_files files, control_groups const& groups) noexcept {
  std::uint64_t const system = files.read("/proc/", "meminfo").number_of("MemAvailable") * 1024;
  std::uint64_t const group = groups.memory();
  return system != 0 && system < group ? system : group;
}

/// available_workers() without needs: most programs compile no more than this.
inline unsigned usual_workers() {
  unsigned const wished = wished_workers(std::getenv("TARTAN_WORKERS"));
  return wished != 0 ? wished : granted_workers(hardware_cores(), control_groups(system_files{}));
}

}  // namespace tartan::inline TARTAN_ABI::detail

namespace tartan::inline TARTAN_ABI {

/// What each worker needs of the machine.
struct worker_needs {
  std::uint64_t memory_per_worker = 0;  ///< Bytes; 0 asks for none in particular.
};

/// How many workers this process should use.
///
///     tartan::thread_pool pool{tartan::available_workers({.memory_per_worker = 2'000'000'000})};
///
/// `TARTAN_WORKERS` wins when it is set; else the least of the processors that the scheduler may use, and the quotas of
/// the control groups (versions 1 and 2, parents included, rounded up). With `memory_per_worker`, also no more than fit
/// into the memory that is left by the control groups' limits and by the machine (MemAvailable), whatever
/// `TARTAN_WORKERS` says.
/// Returns: at least 1.
/// Exceptions: bad_argument if TARTAN_WORKERS is no number from 1 to 4096.
/// Complexity: reads some files of /proc and /sys; keep the answer.
inline unsigned available_workers(worker_needs needs = {}) {
  unsigned const workers = detail::usual_workers();
  if (needs.memory_per_worker == 0) return workers;
  detail::system_files const files;
  std::uint64_t const memory = detail::available_memory(files, detail::control_groups(files));
  if (memory == detail::no_limit) return workers;
  std::uint64_t const fit = memory / needs.memory_per_worker;
  return fit >= workers ? workers : fit == 0 ? 1 : static_cast<unsigned>(fit);
}

}  // namespace tartan::inline TARTAN_ABI
