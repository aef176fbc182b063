#pragma once
// Who is idle in a pool, and the protocol by which a worker goes to sleep without missing work.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint32_t, uint64_t

#include "tartan/core/atomics.hpp"  // real_atomics
#include "tartan/core/padded.hpp"   // line_pair

namespace tartan::inline TARTAN_ABI::detail {

/// One word counts the workers that search, that sleep, that sleep in a join, and that ask in a join for work of one
/// other worker, and says whether forks are counted. Publishing work looks at it once: zero means that everybody is
/// busy and nobody counts.
///
///     sleeper (S)                                publisher (P)
///     S1  searching -> sleeping in the word      P1  make the work visible
///     S2  heavy fence                  [I1]      P2  light fence (or a full one)      [I1]
///     S3  look at every source again             P3  word says: nobody sleeps -> done
///     S4  found: unregister, go on               P4  CAS sleeping -> searching        [I2]
///     S5  take a token, or sleep for one [I2]    P5  add a token, wake one            [I2]
///
/// [I1] Store-load on both sides: either S3 sees P1's work or P3 sees S1's sleeper.
/// [I2] Every claim of P4 brings exactly one token (P5, release), every registered sleeper takes exactly one (S5,
///      acquire) or unregisters itself by a CAS that fails if a claim came first. The token word is the futex word, so
///      a token that comes between the look and the sleep makes the sleep return at once.
/// [I3] A publisher that sees a searcher (P3) wakes nobody: a searcher that finds work passes the duty on by waking
///      one more when it was the last searcher and sees further work. That look is not fenced against P2's light
///      side, so work can stay with its owner until the owner publishes again; it is never lost, for its owner runs it.
template <class Atomics = real_atomics>
class idle_count {
 public:
  struct view {
    std::uint64_t word;
    [[nodiscard]] unsigned searching() const noexcept { return word & field; }
    [[nodiscard]] unsigned sleeping() const noexcept { return (word >> width) & field; }
    [[nodiscard]] unsigned joining() const noexcept { return (word >> (2 * width)) & field; }
    [[nodiscard]] bool counting() const noexcept { return word >= counting_bit; }
    /// Anybody at all.
    [[nodiscard]] bool somebody() const noexcept { return word % counting_bit != 0; }
    /// Anybody but those who only ask one other worker.
    [[nodiscard]] bool anybody() const noexcept { return word % one_asking != 0; }
  };

  /// Relaxed: ordered by the caller's fence (P2), or a hint.
  [[nodiscard]] view look() const noexcept { return {word_.load(std::memory_order_relaxed)}; }

  /// Becomes a searcher unless `limit` workers search already.
  [[nodiscard]] bool begin_search(unsigned limit) noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    do
      if (view{word}.searching() >= limit) return false;
    while (!word_.compare_exchange_weak(word, word + one_searching, std::memory_order_relaxed,
                                        std::memory_order_relaxed));  // relaxed: counts only
    return true;
  }

  /// What was true before. When this was the last searcher, the caller looks for more work and wakes one ([I3]).
  [[nodiscard]] view end_search() noexcept {
    return {word_.fetch_sub(one_searching, std::memory_order_seq_cst)};  // seq_cst: no later look moves up
  }

  void begin_sleep(bool was_searching) noexcept {
    word_.fetch_add(one_sleeping - (was_searching ? one_searching : 0), std::memory_order_seq_cst);  // S1
  }

  /// S4: back to searching; false when a claim came first and its token must be awaited.
  [[nodiscard]] bool cancel_sleep() noexcept { return claim(); }

  /// P4: makes a sleeper a searcher; the caller adds the token.
  [[nodiscard]] bool claim() noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    do
      if (view{word}.sleeping() == 0) return false;
    // acq_rel: no look of S4 or of a publisher moves past it; what is published comes by the token (P5) and by S2.
    while (!word_.compare_exchange_weak(word, word - one_sleeping + one_searching, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
    return true;
  }

  /// P5.
  void wake_claimed() noexcept {
    tokens_.fetch_add(1, std::memory_order_release);  // [I2] with await_token()
    Atomics::wake(tokens_);
  }

  /// S5: returns with a token, counted as a searcher.
  void await_token() noexcept {
    for (;;) {
      std::uint32_t have = tokens_.load(std::memory_order_relaxed);  // relaxed: the CAS acquires
      while (have != 0)
        if (tokens_.compare_exchange_weak(have, have - 1, std::memory_order_acquire,  // [I2] with wake_claimed()
                                          std::memory_order_relaxed))
          return;
      Atomics::wait(tokens_, 0);
    }
  }

  void begin_join_sleep() noexcept { word_.fetch_add(one_joining, std::memory_order_seq_cst); }  // as S1
  void end_join_sleep() noexcept { word_.fetch_sub(one_joining, std::memory_order_relaxed); }    // a hint only

  // Relaxed, both: whoever looks too early is asked all the same at his next look.
  void begin_asking() noexcept { word_.fetch_add(one_asking, std::memory_order_relaxed); }
  void end_asking() noexcept { word_.fetch_sub(one_asking, std::memory_order_relaxed); }

  // Relaxed, both: forks that others publish at the same time may be counted or not. Never twice in a row.
  void begin_counting() noexcept { word_.fetch_add(counting_bit, std::memory_order_relaxed); }
  void end_counting() noexcept { word_.fetch_sub(counting_bit, std::memory_order_relaxed); }

 private:
  static constexpr unsigned width = 16;  // each of them has a slot; those who ask have a bit less
  static constexpr std::uint64_t field = (std::uint64_t{1} << width) - 1;
  static constexpr std::uint64_t one_searching = 1, one_sleeping = std::uint64_t{1} << width,
                                 one_joining = std::uint64_t{1} << (2 * width),
                                 one_asking = std::uint64_t{1} << (3 * width),
                                 counting_bit = std::uint64_t{1} << (4 * width - 1);

  alignas(line_pair) typename Atomics::template atomic<std::uint64_t> word_{0};
  alignas(line_pair) typename Atomics::template atomic<std::uint32_t> tokens_{0};
};

/// A binary semaphore of one worker: the forker that waits for a stolen job sleeps on it.
template <class Atomics = real_atomics>
class parking_spot {
 public:
  /// Sleeps until signal(); a signal that came before is consumed at once. May be signalled for nothing.
  void park() noexcept {
    while (token_.exchange(0, std::memory_order_acquire) == 0) Atomics::wait(token_, 0);  // acquire: with signal()
  }
  /// The same for about `limit`; false when that is up.
  template <class Nanoseconds>
  [[nodiscard]] bool park_for(Nanoseconds limit) noexcept {
    if (token_.exchange(0, std::memory_order_acquire) != 0) return true;  // acquire: with signal()
    Atomics::wait(token_, 0, limit);
    return token_.exchange(0, std::memory_order_acquire) != 0;  // likewise
  }
  void signal() noexcept {
    if (token_.exchange(1, std::memory_order_release) == 0) Atomics::wake(token_);  // release: with park()
  }

 private:
  typename Atomics::template atomic<std::uint32_t> token_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
