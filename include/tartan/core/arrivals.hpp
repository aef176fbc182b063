#pragma once
// A list to which anybody adds and from which one thread takes, sleeping while it is empty.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint32_t, uintptr_t

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// T has a member `T* next_arrival`.
///
///     sender (S)                                        receiver (R)
///     S1  CAS head: whatever -> item    [R1]            R1  CAS head: empty -> asleep        [R1]
///     S2  it was asleep? ++bell         [R2]            R2  key = bell; head still asleep?   [R2]
///     S3  wake                                          R3  sleep while bell == key
///
/// [R1] One word: either S1 finds the sleeper, or the receiver's CAS fails and it does not lie down. S1 is a release,
///      take_all() an acquire: what was written to the item before is visible to the receiver.
/// [R2] Release and acquire: if key is the new bell, then S1 is visible and the receiver goes; if it is the old one, S2
///      ends the sleep. A bell that rings late for an earlier sleep only makes the receiver look again.
template <class T, class Atomics = real_atomics>
class arrivals {
 public:
  /// Any thread. The list may be freed only after put() has returned.
  void put(T* item) noexcept {
    T* first = head_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    do item->next_arrival = first == asleep() ? nullptr : first;
    while (!head_.compare_exchange_weak(first, item, std::memory_order_release, std::memory_order_relaxed));  // S1
    if (first != asleep()) return;
    bell_.fetch_add(1, std::memory_order_release);  // S2
    Atomics::wake(bell_);                           // S3
  }

  /// The receiver: everything that has come, the latest first.
  [[nodiscard]] T* take_all() noexcept {
    return head_.exchange(nullptr, std::memory_order_acquire);  // with S1
  }

  /// The receiver: a look; relaxed, for take_all() acquires.
  [[nodiscard]] bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

  /// The receiver: returns when something has come.
  void sleep() noexcept {
    T* expected = nullptr;
    if (!head_.compare_exchange_strong(expected, asleep(), std::memory_order_relaxed, std::memory_order_relaxed))
      return;  // R1; relaxed: take_all() acquires
    for (;;) {
      std::uint32_t const key = bell_.load(std::memory_order_acquire);  // R2
      if (head_.load(std::memory_order_relaxed) != asleep()) return;    // R2; relaxed: take_all() acquires
      Atomics::wait(bell_, key);                                        // R3
    }
  }

 private:
  static T* asleep() noexcept { return reinterpret_cast<T*>(std::uintptr_t{1}); }

  typename Atomics::template atomic<T*> head_{nullptr};
  typename Atomics::template atomic<std::uint32_t> bell_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
