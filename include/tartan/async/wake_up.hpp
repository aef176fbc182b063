#pragma once
// Who wakes a suspended task when several have a reason.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint32_t

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// A suspended task that several may want to wake: one does.
///
///     who awaits (A)                               whoever has a reason (R)
///     A1  tell everybody who may have one          R1  arming or armed -> reason     [V1]
///     A2  arming -> armed               [V1]       R2  it was armed? resume the task
///     A3  succeeded? stay suspended, else go on
///
/// [V1] One word, changed by compare-and-swap: the first reason stays. If A2 comes before R1, R acquires all that A
///      has written (release of A2); else A goes on by itself and acquires what R has written (release of R1).
/// Checked by tests/model/wake_up_test.cpp.
template <class Atomics = real_atomics>
class wake_up {
 public:
  static constexpr std::uint32_t first_reason = 2;

  /// True: the caller must resume the task.
  [[nodiscard]] bool wake(std::uint32_t reason) noexcept {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    do
      if (seen >= first_reason) return false;
    while (!word_.compare_exchange_weak(seen, reason, std::memory_order_acq_rel, std::memory_order_relaxed));  // R1
    return seen == armed;
  }

  /// True: stay suspended, and touch nothing any more.
  [[nodiscard]] bool suspend() noexcept {
    std::uint32_t seen = arming;
    return word_.compare_exchange_strong(seen, armed, std::memory_order_release, std::memory_order_acquire);  // A2
  }

  /// Once woken: relaxed, for whoever goes on comes after R1, by A2 or by being resumed.
  [[nodiscard]] std::uint32_t reason() const noexcept { return word_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t arming = 0, armed = 1;
  typename Atomics::template atomic<std::uint32_t> word_{arming};
};

}  // namespace tartan::inline TARTAN_ABI::detail
