#pragma once
// A fork's second half, on the stack of the forker.

#include <atomic>   // memory_order_*
#include <cstdint>  // uintptr_t

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

struct worker;

/// What the forker and whoever runs the job tell each other, in one word.
///
///     pending --(begin_by)--> runner --(finish)--> finished
///                               |  ^
///               (announce_sleep)v  |(retract_sleep)
///                             forker | asleep
///
///     forker, going to sleep                      runner
///     F1  CAS runner -> forker | asleep  [J1]     R1  old = exchange(finished)          [J1, J2]
///     F2  sleep on its own spot                   R2  old & asleep: signal that forker's spot
///
/// [J1] One word, so one modification order: if F1 comes first, R1 reads the forker and wakes it; else F1 fails.
/// [J2] R1 is a release, finished() an acquire: the job's results are visible to the forker.
/// [J3] After R1 the runner never touches the job again: the forker's frame may be gone. It touches only the forker's
///      worker, which lives as long as the pool.
template <class Worker, class Atomics = real_atomics>
class join_word {
 public:
  /// Whoever takes the job announces itself, so that the forker can steal back from it. Null: nobody does.
  void begin_by(Worker* runner) noexcept {
    word_.store(pack(runner), std::memory_order_release);  // with runner()'s acquire
  }

  /// The runner's last touch. Returns the forker if it sleeps and must be signalled, else null.
  [[nodiscard]] Worker* finish() noexcept {
    std::uintptr_t const old = word_.exchange(done, std::memory_order_acq_rel);  // [J1] with F1, [J2] with finished()
    return (old & asleep) != 0 ? reinterpret_cast<Worker*>(old & ~asleep) : nullptr;
  }

  [[nodiscard]] bool finished() const noexcept { return word_.load(std::memory_order_acquire) == done; }  // [J2]

  /// Forker, awake: who runs the job; null while nobody has announced himself and when it is finished.
  [[nodiscard]] Worker* runner() const noexcept {
    std::uintptr_t const word = word_.load(std::memory_order_acquire);  // with begin_by()
    return word == done ? nullptr : reinterpret_cast<Worker*>(word);
  }

  /// F1: `forker` is about to sleep until `runner` has finished; false when there is no longer a reason to.
  [[nodiscard]] bool announce_sleep(Worker* runner, Worker* forker) noexcept {
    std::uintptr_t expected = pack(runner);
    return word_.compare_exchange_strong(expected, pack(forker) | asleep, std::memory_order_acq_rel,
                                         std::memory_order_relaxed);  // [J1] with R1; failure: the caller looks again
  }

  /// The forker is awake again (woken for new work below the job, or for nothing); keeps `finished`.
  void retract_sleep(Worker* runner, Worker* forker) noexcept {
    std::uintptr_t expected = pack(forker) | asleep;
    word_.compare_exchange_strong(expected, pack(runner), std::memory_order_relaxed,
                                  std::memory_order_relaxed);  // relaxed: results come through finished()
  }

 private:
  static std::uintptr_t pack(Worker* w) noexcept { return reinterpret_cast<std::uintptr_t>(w); }
  static constexpr std::uintptr_t asleep = 1, done = 2;  // workers are aligned: both bits of a pointer are free
  typename Atomics::template atomic<std::uintptr_t> word_{0};
};

/// Two words; the rest of a fork's frame lies behind it. No allocation, no virtual call.
struct job {
  using entry = void (*)(job*, worker&);
  explicit job(entry how) noexcept : run(how) {}
  job(job const&) = delete;
  job& operator=(job const&) = delete;

  entry run;  // never throws: it stores the exception beside the result
  join_word<worker> join;
};

}  // namespace tartan::inline TARTAN_ABI::detail
