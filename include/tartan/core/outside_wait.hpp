#pragma once
// Waiting for what a pool runs by a thread that is no worker.

#include <chrono>   // milliseconds, nanoseconds, steady_clock
#include <cstdint>  // uint64_t
#include <utility>  // exchange

#include "tartan/core/await.hpp"        // await_task, first_in_line, sleep_until_done, task_waiter
#include "tartan/core/call_scope.hpp"   // call_scope
#include "tartan/core/os_thread.hpp"    // sleeps_at_futex
#include "tartan/core/pool_table.hpp"   // is_default_pool, pool_table
#include "tartan/core/shared_task.hpp"  // shared_task, task_ref
#include "tartan/core/smaller.hpp"      // smaller
#include "tartan/core/worker.hpp"       // current_worker, worker

namespace tartan::inline TARTAN_ABI::detail {

/// Such a thread sleeps while the pool works. But it may hold a lock that tasks of the pool want: if all its threads
/// sleep at that lock, nobody begins what is waited for. So it naps only, while its task lies in a queue, and looks in
/// between. Where the pool stands still it comes in, and waits as a worker of that pool would: it begins the task.
///
/// A pool stands still where none of its threads is idle, each that works sleeps as at a mutex, and no task of its
/// queue has begun since the last look. All that are statistics: a look that errs has the task run here for nothing.
class outside_wait {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr time_point never = (time_point::max)();

  /// How long to sleep now. Work that gets on is seldom looked at.
  [[nodiscard]] std::chrono::nanoseconds nap() noexcept {
    constexpr std::chrono::milliseconds longest{64};
    return std::exchange(nap_, smaller(2 * nap_, longest));
  }
  [[nodiscard]] time_point end_of_nap() noexcept { return std::chrono::steady_clock::now() + nap(); }

  /// After a nap: if `home` stands still, calls `wait(worker)` as a worker of it. The pool has what is waited for
  /// still, or had it a moment ago: whether it lives is for the table to say. One of the user's is not destroyed while
  /// it is pinned.
  template <class Wait>
  TARTAN_COLD void look(pool& home, Wait wait) noexcept {
#if TARTAN_EXCEPTIONS
    try {
      look_at(home, wait);
    } catch (...) {  // the pool is on its way out, or too many block already: the thread sleeps on
    }
#else
    look_at(home, wait);
#endif
  }

 private:
  template <class Wait>
  void look_at(pool& home, Wait& wait) {
    if (is_default_pool(home)) return look_at_living(home, wait);
    auto const handle = pool_table::instance().handle_of(home);
    if (handle.generation == 0) return;
    pool_table::pinned const lives(handle);
    look_at_living(lives.get(), wait);
  }

  template <class Wait>
  void look_at_living(pool& home, Wait& wait) {
    if (home.left_behind() || home.closing() || !stands_still(home)) return;
    call_scope const scope(home);
    wait(scope.self());
  }

  [[nodiscard]] bool stands_still(pool& home) noexcept {
    std::uint64_t begun = 1;
    unsigned awake = 0, asleep = 0;
    home.for_each_slot([&](worker const& w) {  // relaxed, all: statistics
      begun += w.queued_run.load(std::memory_order_relaxed);
      if (!w.is_at_work()) return;
      sleeps_at_futex(w.number.load(std::memory_order_relaxed)) ? ++asleep : ++awake;
    });
    auto const idle = home.idle().look();
    return std::exchange(last_begun_, begun) == begun && awake == 0 && asleep != 0 && idle.searching() == 0 &&
           idle.sleeping() == 0;
  }

  std::chrono::milliseconds nap_{2};
  std::uint64_t last_begun_ = 0;
};

TARTAN_NOINLINE inline void await_task_outside(shared_task& t) {
  for (outside_wait looks; !t.done();) {
    task_ref kept, earlier;
    shared_task& target = first_in_line(t, kept, earlier);
    pool* const home = target.is_begun() ? nullptr : target.home();
    if (sleep_until_done(t, home == nullptr ? outside_wait::never : looks.end_of_nap())) return;
    if (!target.is_begun()) looks.look(*home, [&](worker& w) { task_waiter(w, t).await(); });
  }
}

/// Returns when the task has ended.
inline void await_task_anywhere(shared_task& t) {
  if (t.done()) return;
  current_worker() != nullptr ? await_task(t) : await_task_outside(t);
}

}  // namespace tartan::inline TARTAN_ABI::detail
