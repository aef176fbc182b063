#pragma once
// The atomics of memory that several processes share: as core's, but the futex is not private to one process, and
// the asymmetric fence, which reaches the threads of one process only, is never granted.

#include <linux/futex.h>  // FUTEX_WAIT, FUTEX_WAKE
#include <sys/syscall.h>  // SYS_futex
#include <time.h>         // timespec
#include <unistd.h>       // syscall

#include <atomic>   // atomic
#include <chrono>   // nanoseconds
#include <cstdint>  // uint32_t

#include "tartan/core/atomics.hpp"  // real_atomics
#include "tartan/core/config.hpp"   // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

struct shared_atomics : real_atomics {
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free,
                "tartan: shared memory needs lock-free 64-bit atomics");

  static bool asymmetric_available() noexcept { return false; }

  /// Sleeps while `word == expected`; may wake spuriously. A negative `limit` means no limit.
  static void wait(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                   std::chrono::nanoseconds limit = std::chrono::nanoseconds{-1}) noexcept {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    timespec const relative{static_cast<time_t>(seconds.count()), static_cast<long>((limit - seconds).count())};
    ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, limit.count() < 0 ? nullptr : &relative, nullptr, 0);
  }

  static void wake(std::atomic<std::uint32_t>& word, int count = 1) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAKE, count, nullptr, nullptr, 0);
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
