#pragma once
// Waiting for a shared task: inside a task by working, elsewhere by sleeping.

#include <atomic>   // atomic, memory_order_*
#include <chrono>   // nanoseconds, steady_clock
#include <cstdint>  // uint64_t
#include <new>      // nothrow_t

#include "tartan/core/errors.hpp"       // raise, too_many_blocked, would_deadlock
#include "tartan/core/hooks.hpp"        // emit, hook_event
#include "tartan/core/leapfrog.hpp"     // foreign_work, leapfrog, run_below
#include "tartan/core/os_thread.hpp"    // yield_processor
#include "tartan/core/outer_pools.hpp"  // begin_blocking_or_throw, outer_blocking
#include "tartan/core/shared_task.hpp"  // completion, shared_task, task_ref
#include "tartan/core/ticks.hpp"        // ticks, ticks_per_us

namespace tartan::inline TARTAN_ABI::detail {

/// A worker that waits for a task runs nothing that could re-enter a lock which it holds:
///
/// [A1] A task that has not begun and lies in a queue of this worker's pool is begun here and now. It is what is waited
///      for, so it is below the wait.
/// [A2] If it runs, the worker follows its runner (leapfrog.hpp) and takes jobs that were pushed inside it.
/// [A3] If it continues another task that has not ended, A1 and A2 apply to that one.
/// [A4] Otherwise it waits for something that no worker of this pool works on: a promise, a timer, another pool. The
///      wait counts as blocking, and another thread may enter the pool (admission::begin_blocking()), so that whatever
///      this one's wake-up needs can still run, up to a bound. That one may be of no use, see standstill.hpp.
/// [A5] It sleeps only after it is linked into the task's listeners ([S3] of shared_task.hpp), and, in case A2, after
///      registering with the runner and looking once more behind a heavy fence ([L4] of join.hpp).
class task_waiter {
 public:
  task_waiter(worker& self, shared_task& awaited) noexcept : w_(self), t_(awaited), frog_(self) {}
  task_waiter(task_waiter const&) = delete;
  task_waiter& operator=(task_waiter const&) = delete;

  void await() {
    std::uint64_t const patience = (w_.home.oversubscribed() ? 2 : 20) * ticks_per_us();
    std::uint64_t since = ticks();
    while (!t_.done()) {
      task_ref kept, earlier;
      shared_task& target = first_in_line(kept, earlier);
      worker* const runner = target.runner();
      std::uint64_t const waited = ticks() - since;
      if (begin_here(target, earlier) || (waited >= w_.home.steal_patience() && help(target, runner))) {
        since = ticks();
      } else if (runner == &w_ && !target.done()) {
        linked_ ? cpu_pause() : raise<would_deadlock>();
      } else if (waited < patience) {
        cpu_pause();
      } else {
        sleep(target, runner);
      }
    }
    if (linked_) bell_.await_last_touch();
  }

 private:
  /// Wakes the worker that waits. Lies in the frame of the wait. Who rings may work for another pool, or for none: the
  /// sleeper's pool may be gone as soon as the wait ends, so it ends behind the last touch of the sleeper.
  struct bell : completion {
    explicit bell(worker& its_sleeper) noexcept : completion(&ring, turn::wakes), sleeper(its_sleeper) {}
    static void ring(completion* c) {
      bell& self = *static_cast<bell*>(c);
      self.state.store(ringing, std::memory_order_relaxed);  // relaxed: only says that the signal comes soon
      self.sleeper.spot.signal();
      self.state.store(rung, std::memory_order_release);  // with await_last_touch()
    }
    /// After the task has ended. A signal may have come before that was meant for something else.
    void await_last_touch() const noexcept {
      while (state.load(std::memory_order_relaxed) == silent) sleeper.spot.park();      // relaxed: see ring()
      for (unsigned tries = 1; state.load(std::memory_order_acquire) != rung; ++tries)  // with ring()
        tries % 64 == 0 ? yield_processor() : cpu_pause();
    }
    static constexpr unsigned silent = 0, ringing = 1, rung = 2;
    worker& sleeper;
    std::atomic<unsigned> state{silent};
  };

  /// [A3]: the task at the beginning of the chain that leads to the awaited one.
  /// `kept` holds it, if it is not the awaited one; `earlier` holds the one that it continues, if that one has ended.
  shared_task& first_in_line(task_ref& kept, task_ref& earlier) noexcept {
    shared_task* target = &t_;
    while (!target->is_begun()) {
      earlier.reset(target->dependency());
      if (earlier.get() == nullptr || earlier.get()->done()) break;  // done: the continuation is about to begin
      target = earlier.get();
      kept.reset(earlier.give_away());
    }
    return *target;
  }

  /// [A1]; a continuation whose turn has come counts as queued, whoever is about to begin it.
  bool begin_here(shared_task& target, task_ref const& earlier) {
    bool const its_turn = earlier.get() != nullptr && earlier.get()->done();
    if (!its_turn && target.home() != &w_.home) return false;
    if (target.is_begun()) return false;
    foreign_work const scope(w_);  // [F3]: before others can see who runs the task
    if (!target.try_begin(&w_)) return false;
    bump(w_.tasks_run);
    target.obey(&target, &w_, task_order::perform);
    return true;
  }

  /// [A2]
  bool help(shared_task& target, worker* runner) {
    if (runner == &w_ || !works_here(runner)) return false;
    job* const below = frog_.steal_below(runner, [&] { return !target.done(); });
    if (below == nullptr) return false;
    run_below(w_, *below);
    return true;
  }

  TARTAN_COLD void sleep(shared_task& target, worker* runner) {
    if (works_here(runner)) {
      if (link()) sleep_behind(target, *runner);
    } else if (linked_) {  // whom the task tells must be there
      bool const blocks = w_.home.admitted().begin_blocking(w_);
      park();
      if (blocks) w_.home.admitted().end_blocking(w_);
    } else {
      begin_blocking_or_throw(w_);  // [A4]
      if (link()) park();
      w_.home.admitted().end_blocking(w_);
    }
  }

  void sleep_behind(shared_task& target, worker& runner) {
    frog_.follow(&runner, [&] { return !target.done(); });
    runner.sleeping_joiners.fetch_add(1, std::memory_order_seq_cst);  // with pool::notify()
    w_.home.idle().begin_join_sleep();
    real_atomics::heavy_fence(w_.home.asymmetric());  // [A5] with pool::published()
    job* const late = frog_.steal_below(&runner, [&] { return !target.done(); });
    if (late == nullptr && !target.done() && !t_.done()) {
      bool const blocks = w_.home.admitted().may_block_asleep(w_, false);
      if (!blocks) w_.home.admitted().begin_asleep(w_);
      park();
      blocks ? w_.home.admitted().end_blocking(w_) : w_.home.admitted().end_asleep(w_);
    }
    w_.home.idle().end_join_sleep();
    runner.sleeping_joiners.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
    if (late != nullptr) run_below(w_, *late);
  }

  /// Whether it is a worker of this pool; null is none. One of another pool must not be touched: it may be gone as soon
  /// as the task has ended. A stranger's address may come to be that of a slot made later here: then he is not helped.
  [[nodiscard]] bool works_here(worker const* runner) noexcept {
    if (runner == nullptr) return false;
    if (runner != last_asked_) works_here_ = w_.home.owns(last_asked_ = runner);
    return works_here_;
  }

  bool link() noexcept { return linked_ || (linked_ = t_.listen(&bell_)); }

  void park() noexcept {
    bump(w_.parks);
    emit(hook_event::park, w_.index);
    outer_blocking const counted(&w_);
    begin_idle_time(w_);
    w_.spot.park();
    end_idle_time(w_);
    emit(hook_event::unpark, w_.index);
  }

  worker& w_;
  shared_task& t_;
  leapfrog frog_;
  bell bell_{w_};
  bool linked_ = false;
  bool works_here_ = false;
  worker const* last_asked_ = nullptr;  // about it works_here_ speaks
};

/// Sleeps until `t` is done or the time is up; false in the latter case. A thread that is no worker has nothing else to
/// do.
inline bool sleep_until_done(shared_task& t, std::chrono::steady_clock::time_point deadline) noexcept {
  for (int i = 0; i != 200; ++i) {  // about 5 us
    if (t.done()) return true;
    cpu_pause();
  }
  while (!t.done()) {
    auto const left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return t.done();
    t.sleep(left);
  }
  return true;
}

TARTAN_NOINLINE inline void await_task(shared_task& t) {
  if (t.done()) return;
  if (worker* const w = current_worker(); w != nullptr) return task_waiter(*w, t).await();
  sleep_until_done(t, (std::chrono::steady_clock::time_point::max)());
}

/// The time in which a worker waits for something that no worker works on. Outside of tasks it does nothing.
class blocking_scope {
 public:
  blocking_scope() : w_(entered(current_worker())), outer_(w_) {
    if (w_ == nullptr && current_worker() != nullptr) raise<too_many_blocked>();
  }
  /// For those who cannot throw: where too many block already, nobody is let in.
  explicit blocking_scope(std::nothrow_t const&) noexcept : w_(entered(current_worker())), outer_(w_) {}
  blocking_scope(blocking_scope const&) = delete;
  blocking_scope& operator=(blocking_scope const&) = delete;

  /// See admission::is_last_awake().
  [[nodiscard]] bool leaves_nobody() const noexcept {
    return w_ != nullptr && (w_->home.admitted().is_last_awake(*w_) || outer_.is_last_awake());
  }
  ~blocking_scope() {
    if (w_ != nullptr) w_->home.admitted().end_blocking(*w_);
  }

 protected:
  [[nodiscard]] worker* blocked() const noexcept { return w_; }

 private:
  static worker* entered(worker* w) noexcept {
    return w != nullptr && w->home.admitted().begin_blocking(*w) ? w : nullptr;
  }

  worker* const w_;
  outer_blocking const outer_;
};

/// The same for a wait that is nothing but sleep: it is idle time of the worker. Not where too many block already: then
/// the lookout still has to see that it sleeps.
class sleeping_scope : public blocking_scope {
 public:
  sleeping_scope() { begin(); }
  explicit sleeping_scope(std::nothrow_t const& t) noexcept : blocking_scope(t) { begin(); }
  ~sleeping_scope() {
    if (blocked() != nullptr) end_idle_time(*blocked());
  }

 private:
  void begin() noexcept {
    if (blocked() != nullptr) begin_idle_time(*blocked());
  }
};

/// False when the time is up. Nothing is run here meanwhile: it could take longer than the time that is left.
TARTAN_NOINLINE inline bool await_task_until(shared_task& t, std::chrono::steady_clock::time_point deadline) {
  if (t.done()) return true;
  sleeping_scope const scope;
  return sleep_until_done(t, deadline);
}

}  // namespace tartan::inline TARTAN_ABI::detail

namespace tartan::inline TARTAN_ABI {

/// Calls f() and lets another thread work meanwhile: for calls inside tasks that wait for a file, the network, a lock.
///
///     auto text = tartan::blocking([&] { return read_all(socket); });
///
/// Returns: what f returns.
/// Exceptions: what f throws; too_many_blocked if 1024 tasks of the pool block already.
/// Blocking: as long as f; outside of tasks it just calls f.
template <class F>
decltype(auto) blocking(F&& f) {
  detail::blocking_scope const scope;
  return static_cast<F&&>(f)();
}

}  // namespace tartan::inline TARTAN_ABI
