#pragma once
// The atomic operations that the lock-free parts are written against. They take this struct as the template
// parameter `Atomics`, so that the code that ships is also the code that the model checker in tests/model runs.

#include <linux/futex.h>       // FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE
#include <linux/membarrier.h>  // MEMBARRIER_CMD_*
#include <sys/syscall.h>       // SYS_futex, SYS_membarrier
#include <time.h>              // timespec
#include <unistd.h>            // syscall

#include <atomic>   // atomic, atomic_signal_fence, atomic_thread_fence
#include <cstdint>  // int64_t, uint32_t
#include <cstdio>   // fputs, stderr
#include <cstdlib>  // abort

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_COLD

namespace tartan::inline TARTAN_ABI::detail {

/// A hint to the processor that this is a spin loop.
TARTAN_ALWAYS_INLINE void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// Whether the kernel grants membarrier to this process (asked once, registered once).
inline bool membarrier_granted() noexcept {
  static bool const granted = [] {
    long const offered = ::syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if (offered < 0 || (offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return false;
    return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  }();
  return granted;
}

/// Others rely on it and have no fence of their own: to go on would be a race that nobody sees.
[[noreturn]] TARTAN_COLD inline void membarrier_withdrawn() noexcept {
  std::fputs(
      "tartan: membarrier() was granted at first use and is refused now; a seccomp filter that forbids it must be "
      "installed before the first call of tartan\n",
      stderr);
  std::abort();
}

/// The machine's own atomics.
///
/// The asymmetric fence is a pair: light_fence() on the side that runs often, heavy_fence() on the side that runs
/// seldom. A light fence and a heavy fence order like two seq_cst fences; two light fences order nothing. With
/// membarrier (`asymmetric == true`) the light side costs no instruction and the heavy side interrupts every
/// running thread of the process (0.3 us when the others are idle, 7 us when they run); without it both are full
/// fences, made of a read-modify-write, which costs 2 ns where clang's mfence costs 20.
struct real_atomics {
  template <class T>
  using atomic = std::atomic<T>;
  /// What is no atomic, but handed from thread to thread by those: the model checker watches it.
  template <class T>
  using plain = T;

  TARTAN_ALWAYS_INLINE static void full_fence() noexcept {
#if defined(__x86_64__)
    asm volatile("lock; orl $0, -8(%%rsp)" ::: "memory", "cc");
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);  // each call names the fence that it pairs with
#endif
  }

  /// The same right behind a seq_cst read-modify-write, which is one already on some machines.
  TARTAN_ALWAYS_INLINE static void full_fence_behind_rmw() noexcept {
#if defined(__x86_64__)
    std::atomic_signal_fence(std::memory_order_seq_cst);  // each call names the fence that it pairs with
#else
    full_fence();
#endif
  }

  TARTAN_ALWAYS_INLINE static void light_fence(bool asymmetric) noexcept {
    if (asymmetric) [[likely]]
      std::atomic_signal_fence(std::memory_order_seq_cst);  // with heavy_fence(): membarrier finds it a full fence
    else
      full_fence();
  }

  static void heavy_fence(bool asymmetric) noexcept {
    if (!asymmetric) return full_fence();
    if (::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) [[unlikely]]
      membarrier_withdrawn();
  }

  static bool asymmetric_available() noexcept { return membarrier_granted(); }

  static void pause() noexcept { cpu_pause(); }

  /// Sleeps while `word == expected`; may wake spuriously.
  static void wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
  }

  /// The same for at most `limit`, a std::chrono::nanoseconds (<chrono> is too dear for every includer of this file); a
  /// negative one means no limit.
  template <class Nanoseconds>
  static void wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, Nanoseconds limit) noexcept {
    static_assert(Nanoseconds::period::num == 1 && Nanoseconds::period::den == 1'000'000'000);
    std::int64_t const ns = limit.count();
    if (ns < 0) return wait(word, expected);
    timespec const relative{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, &relative, nullptr, 0);
  }

  /// Wakes up to `count` threads that sleep on `word`.
  static void wake(std::atomic<std::uint32_t>& word, int count = 1) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
