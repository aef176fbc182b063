#pragma once
// Where the threads of a pool run when they wake up.

#include <atomic>   // atomic, memory_order_*
#include <cstdint>  // uint64_t

#include "tartan/core/os_thread.hpp"  // leave_processor, narrowed_affinity, this_processor, yield_processor
#include "tartan/core/ticks.hpp"      // ticks, ticks_per_us
#include "tartan/core/worker.hpp"     // worker

namespace tartan::inline TARTAN_ABI::detail {

/// A system may start a woken thread on the processor of its waker, who is about to work himself, though others idle:
/// virtual machines do so, since they cannot tell an idle processor from one that their host has taken away. The two
/// then take turns for milliseconds. A pool that has seen this, or a wake that took as long as if it were so, lets
/// its threads sleep where they are for the next wakes, and who finds himself on the processor of his waker leaves
/// it.
class wake_places {
 public:
  /// `cares` is false for a pool that does not choose where its threads run.
  explicit wake_places(bool cares) noexcept : cares_(cares) {}

  // ---- the waker ------------------------------------------------------------------------------------------------

  void about_to_start() noexcept { waker_at_.store(this_processor(), std::memory_order_relaxed); }  // relaxed: a hint
  /// A new thread may have to wait here for milliseconds before it can leave.
  void started() const noexcept {
    if (cares_) yield_processor();
  }
  void about_to_wake() noexcept {
    about_to_start();
    woken_at_.store(ticks(), std::memory_order_relaxed);  // relaxed: a hint
  }

  // ---- the woken ------------------------------------------------------------------------------------------------

  void begin() const noexcept {
    if (cares_ && beside_waker()) leave_processor();
  }

  /// Sleeps, and leaves the waker's processor.
  template <class Sleep>
  void sleep_apart(worker& w, Sleep sleep) noexcept {
    if (!cares_) return sleep();
    int const trouble = stacked_wakes_.load(std::memory_order_relaxed);  // relaxed: a hint
    if (trouble == 0) {
      sleep();
    } else {
      stacked_wakes_.store(trouble - 1, std::memory_order_relaxed);  // relaxed: a hint
      narrowed_affinity const stays(narrowed_affinity::to::this_one);
      sleep();
    }
    bool const beside = beside_waker();
    std::uint64_t const late = ticks() - woken_at_.load(std::memory_order_relaxed);  // relaxed: a hint
    if (!beside && late < 40 * ticks_per_us()) return;    // a wake across processors takes 5 to 25 us
    stacked_wakes_.store(32, std::memory_order_relaxed);  // relaxed: a hint
    if (beside) leave_stack(w);
  }

  // ---- one who waits for a runner -------------------------------------------------------------------------------

  /// Whether `runner` is on the processor of the calling thread, so that it can only go on when this one sleeps; then
  /// it is told to move when it has done what it runs.
  [[nodiscard]] bool in_the_way_of(worker& runner) const noexcept {
    if (!cares_ || runner.runs_at.load(std::memory_order_relaxed) != this_processor()) return false;  // relaxed: a hint
    runner.stacked.store(true, std::memory_order_relaxed);                                            // relaxed: a hint
    return true;
  }
  static void begins_to_run(worker& w) noexcept {
    w.runs_at.store(this_processor(), std::memory_order_relaxed);  // relaxed: a hint
  }
  static void has_run(worker& w) noexcept {
    if (w.stacked.load(std::memory_order_relaxed) && w.rank != no_rank) [[unlikely]]  // relaxed: a hint
      leave_stack(w);
  }

 private:
  TARTAN_COLD static void leave_stack(worker& w) noexcept {
    w.stacked.store(false, std::memory_order_relaxed);  // relaxed: a hint
    leave_processor();
  }

  [[nodiscard]] bool beside_waker() const noexcept {
    return this_processor() == waker_at_.load(std::memory_order_relaxed);  // relaxed: a hint
  }

  bool const cares_;
  std::atomic<int> waker_at_{-1};           // the processor of the last one who woke a thread
  std::atomic<std::uint64_t> woken_at_{0};  // when, in ticks
  std::atomic<int> stacked_wakes_{0};       // how many sleeps to come shall be apart
};

}  // namespace tartan::inline TARTAN_ABI::detail
