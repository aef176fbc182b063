#pragma once
// Who sleeps in a wait for a group.

#include <atomic>  // atomic, memory_order_*
#include <mutex>   // lock_guard, mutex

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_COLD
#include "tartan/core/idle.hpp"    // parking_spot

namespace tartan::inline TARTAN_ABI::detail {

/// Linked into its group as long as its thread may sleep on the spot.
struct group_sleeper {
  parking_spot<>& spot;
  group_sleeper* next = nullptr;
};

/// Those of one group. W1 and E3 are steps of [G2] in group.hpp.
class group_sleepers {
 public:
  /// The order is what [G2] needs at that place.
  [[nodiscard]] bool any(std::memory_order order) const noexcept { return count_.load(order) != 0; }

  void link(group_sleeper& s) noexcept {
    std::lock_guard const hold(mutex_);
    s.next = first_;
    first_ = &s;
    count_.fetch_add(1, std::memory_order_relaxed);  // W1; relaxed: before the fence of [G2]
  }

  void unlink(group_sleeper& s) noexcept {
    std::lock_guard const hold(mutex_);
    group_sleeper** place = &first_;
    while (*place != &s) place = &(*place)->next;
    *place = s.next;
    count_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: only costs a signal for nothing
  }

  TARTAN_COLD void wake() noexcept {  // E3
    std::lock_guard const hold(mutex_);
    for (group_sleeper* s = first_; s != nullptr; s = s->next) s->spot.signal();
  }

 private:
  std::atomic<unsigned> count_{0};
  std::mutex mutex_;
  group_sleeper* first_ = nullptr;  // under the mutex
};

}  // namespace tartan::inline TARTAN_ABI::detail
