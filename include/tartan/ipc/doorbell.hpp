#pragma once
// How one side sleeps until the other has published something; the proof is in README.md.

#include <chrono>   // nanoseconds
#include <climits>  // INT_MAX
#include <cstdint>  // uint32_t

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/ipc/shared_atomics.hpp"  // shared_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// Lets threads of several processes sleep without missing what another publishes at the same moment.
///
///     sleeper (S)                                   publisher (P)
///     S1  word |= 1; token = word                   P1  publish (a ring's head, a death record, ...)
///     S2  fence                        [D1]         P2  fence                               [D1]
///     S3  look at everything again                  P3  is word odd? no: done
///     S4  sleep while word == token    [D2]         P4  word: v -> v + 1; if it was v still: wake all
///
/// [D1] Store-load on both sides (Dekker): whichever fence is first in their single order, the other side's read sees
///      that side's write. S3 sees the publication, or P3 sees the arming.
/// [D2] The futex sits on the very word that P4 changes, and a word that P4 has changed never takes that value again
///      (until it wraps, after 2^31 rings between S3 and S4): a P4 between S3 and S4 makes S4 return at once, even if
///      another sleeper has armed the bell anew.
/// Only P4 ever disarms. A sleeper that wakes for another reason leaves the word armed, because others may sleep on
/// it; that costs one needless wake-up. A process that dies at any line leaves the word armed or quiet, never stuck.
/// Checked by tests/ipc/doorbell_test.cpp ("no wake-up is lost") and tests/model/ring_test.cpp.
template <class Atomics = shared_atomics>
class doorbell {
 public:
  using token = std::uint32_t;

  /// S1 and S2. After it, look again at everything; sleep(token) only if there was nothing.
  [[nodiscard]] token arm() noexcept {
    token const seen = word_.fetch_or(armed, std::memory_order_relaxed) | armed;  // relaxed: ordered by the fence [D1]
    Atomics::full_fence();
    return seen;
  }

  /// S4. Returns after a ring, after `limit` (negative: none), or for no reason.
  void sleep(token seen, std::chrono::nanoseconds limit = std::chrono::nanoseconds{-1}) noexcept {
    Atomics::wait(word_, seen, limit);
  }

  /// P2 to P4.
  TARTAN_ALWAYS_INLINE void ring() noexcept {
    Atomics::full_fence();
    token const seen = word_.load(std::memory_order_relaxed);  // relaxed: ordered by the fence [D1]
    if ((seen & armed) != 0) [[unlikely]]
      wake(seen);
  }

 private:
  static constexpr token armed = 1;

  void wake(token seen) noexcept {
    // relaxed: what was published is read by its own acquire; the futex call orders the word for S4. Where it fails,
    // another publisher has disarmed what this one saw, and wakes who slept on it.
    if (word_.compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed)) Atomics::wake(word_, INT_MAX);
  }

  typename Atomics::template atomic<token> word_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
