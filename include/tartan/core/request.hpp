#pragma once
// What a worker that waits asks for, at the one who runs what it waits for.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint64_t, uintptr_t

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// Names a wait and an errand of the runner: whatever the runner has pushed in that errand may be put into the asker's
/// mailbox, which is open for that wait. Both numbers never repeat, so neither an asker that waits for something else
/// by now nor a runner that runs something else mistakes them:
///
///     asker, in wait A             runner
///     A1  errand                   R1  wait, errand of the asker
///     A2  wait             [Q1]    R2  the errand is the one that I am in
///     A3  open the box for A       R3  CAS box: open for `wait` -> job    [Q2]
///
/// [Q1] A2 is a release, R1 reads the wait first and acquires it: the errand is that of the wait or a later one.
/// [Q2] If R3 succeeds, the asker is in that wait still, so it has not asked for a later one: the errand is of the
/// wait.
///
/// Later errands of the same wait may be asked for at any time: the runner is below that wait in each of them.
template <class Atomics = real_atomics>
class request {
 public:
  struct content {
    std::uintptr_t wait;
    std::uint64_t errand;
  };

  /// The asker.
  void ask(std::uintptr_t wait, std::uint64_t errand) noexcept {
    errand_.store(errand, std::memory_order_relaxed);  // A1, [Q1]
    wait_.store(wait, std::memory_order_release);      // A2, [Q1] with look()
  }

  [[nodiscard]] content look() const noexcept {
    std::uintptr_t const wait = wait_.load(std::memory_order_acquire);  // R1, [Q1] with ask()
    return {wait, errand_.load(std::memory_order_relaxed)};             // [Q1]
  }

 private:
  static constexpr std::uintptr_t nobody = ~std::uintptr_t{0};  // no box is ever open for it
  typename Atomics::template atomic<std::uintptr_t> wait_{nobody};
  typename Atomics::template atomic<std::uint64_t> errand_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
