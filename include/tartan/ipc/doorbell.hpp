#pragma once
// How one side sleeps until the other has published something; the proof is in README.md.

#include <chrono>   // nanoseconds
#include <climits>  // INT_MAX
#include <cstdint>  // uint32_t

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/ipc/shared_atomics.hpp"  // shared_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// Lets threads of one process sleep without missing what another process publishes at the same moment.
///
///     sleeper (S)                                   publisher (P)
///     S1  word = armed                              P1  publish (a ring's head, a death record, ...)
///     S2  fence                        [D1]         P2  fence                               [D1]
///     S3  look at everything again                  P3  word == armed ? no: done
///     S4  sleep while word == armed    [D2]         P4  word: armed -> quiet; it was armed: wake all
///
/// [D1] Store-load on both sides (Dekker): whichever fence is first in their single order, the other side's read sees
///      that side's write. S3 sees the publication, or P3 sees the arming.
/// [D2] The futex sits on the very word that P4 changes: a P4 between S3 and S4 makes S4 return at once.
/// Only P4 ever disarms. A sleeper that wakes for another reason leaves the word armed, because others may sleep on
/// it; that costs one needless wake-up. A process that dies at any line leaves the word armed or quiet, never stuck.
/// Checked by tests/ipc/doorbell_test.cpp ("no wake-up is lost").
template <class Atomics = shared_atomics>
class doorbell {
 public:
  /// S1 and S2. After it, look again at everything; sleep() only if there was nothing.
  void arm() noexcept {
    word_.store(armed, std::memory_order_relaxed);  // relaxed: ordered by the fence [D1]
    Atomics::full_fence();
  }

  /// S4. Returns after a ring, after `limit` (negative: none), or for no reason.
  void sleep(std::chrono::nanoseconds limit = std::chrono::nanoseconds{-1}) noexcept {
    Atomics::wait(word_, armed, limit);
  }

  /// P2 to P4.
  TARTAN_ALWAYS_INLINE void ring() noexcept {
    Atomics::full_fence();
    if (word_.load(std::memory_order_relaxed) == armed) [[unlikely]]  // relaxed: ordered by the fence [D1]
      wake();
  }

 private:
  static constexpr std::uint32_t quiet = 0;
  static constexpr std::uint32_t armed = 1;

  void wake() noexcept {
    // relaxed: what was published is read by its own acquire; the futex call orders the word for S4
    if (word_.exchange(quiet, std::memory_order_relaxed) == armed) Atomics::wake(word_, INT_MAX);
  }

  typename Atomics::template atomic<std::uint32_t> word_{quiet};
};

}  // namespace tartan::inline TARTAN_ABI::detail
