#pragma once
// The pool: who may call it, what is submitted to it, and its end. Protocols and proofs: README.md beside this file.

#include <time.h>  // clock_gettime, timespec

#include <atomic>   // memory_order_*
#include <cstdint>  // int64_t, uint64_t

#include "tartan/core/admission.hpp"        // admission
#include "tartan/core/atomics.hpp"          // real_atomics
#include "tartan/core/config.hpp"           // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_COLD
#include "tartan/core/errors.hpp"           // error, pool_closed, raise
#include "tartan/core/group_frame.hpp"      // group_frame
#include "tartan/core/hooks.hpp"            // emit, hook_event
#include "tartan/core/os_thread.hpp"        // block_asynchronous_signals, name_this_thread, this_thread_number, ...
#include "tartan/core/outside_callers.hpp"  // outside_callers
#include "tartan/core/plain_mutex.hpp"      // mutex_hold, plain_mutex
#include "tartan/core/pool_search.hpp"      // pool_search
#include "tartan/core/pool_setup.hpp"       // pool_setup
#include "tartan/core/pool_threads.hpp"     // pool_thread
#include "tartan/core/process_state.hpp"    // this_thread_cell
#include "tartan/core/queue.hpp"            // queue_place, queued_task, task_order, this_inlet
#include "tartan/core/reminder_shelf.hpp"   // shelf_ref, reminder_shelf
#include "tartan/core/standstill.hpp"       // standstill
#include "tartan/core/ticks.hpp"            // ticks
#include "tartan/core/worker.hpp"           // current_worker, no_rank, worker

namespace tartan::inline TARTAN_ABI::detail {

/// `size` workers, of which one is whoever calls: size - 1 threads. A thread that calls a pattern from outside takes a
/// slot for the time of the call. Submitted work has nobody who waits in the pool, so the first submission starts
/// thread number `size`; while outside callers work, as many threads stand back. A worker that blocks lets another
/// thread in: see admission.hpp.
class pool : public pool_search {
 public:
  pool* kept_before = nullptr;  // among those that are never freed, see pool_table.hpp
  pool* next_idle = nullptr;    // for whoever keeps pools that nobody uses, see lent_pools

  explicit pool(unsigned size) : pool(pool_setup{.size = size}) {}
  explicit pool(pool_setup const& setup)
      : pool_search(*this, setup), callers_(size_, asymmetric_, threads_, admission_) {}

  /// Runs what was submitted to its end, then joins the threads. No pattern may be running on the pool.
  ~pool() {
    close();
    join();
  }

  /// Ticks against the steady clock since the pool began.
  [[nodiscard]] double ns_per_tick() const noexcept {
    return static_cast<double>(steady_ns() - begun_ns_) / static_cast<double>(ticks() - begun_ticks_ + 1);
  }

  // ---- the end --------------------------------------------------------------------------------------------------

  /// From now on nothing can be submitted, and no call from outside begins.
  void close() noexcept {
    closing_.store(true, std::memory_order_relaxed);  // relaxed: see closing()
    queue_.close();
    shelf_->close();
  }

  /// After close(): what has not begun never will.
  void drop_queued() noexcept {
    dropping_.store(true, std::memory_order_relaxed);  // relaxed: see dropping()
    while (!queue_.seems_empty())
      if (queued_task* const task = queue_.pop(0)) task->obey(task, current_worker(), task_order::drop);
  }

  /// Whether the calling thread is a worker of this pool, also where it has called another one meanwhile.
  [[nodiscard]] bool has_worker_here() const noexcept {
    for (worker const* w = current_worker(); w != nullptr; w = w->outer)
      if (&w->home == this) return true;
    return false;
  }

  /// Whether the calling thread works for this pool: as its worker, or in a wait that runs tasks of one of its groups.
  [[nodiscard]] bool is_worked_for_here() const noexcept {
    return has_worker_here() || group_frame::is_in_one_of(this);
  }

  /// Throws if the calling thread works for this pool: it would wait for its own end.
  void may_join() const {
    if (is_worked_for_here())
      raise<error>("tartan: a task of a pool cannot join that pool: it would wait for its own end; join from outside");
  }

  /// After close(): the threads end when everything has run. Nobody waits for that, so the pool must never be
  /// destroyed.
  void let_end() noexcept {
    threads_.let_go();
    end_when_done();
    static_cast<void>(start_for_rest());
    lookout_.let_go();
  }

  /// After close(): returns when everything has run and the threads are gone. May be called again: what was submitted
  /// late, when no thread was left, then runs.
  void join() {
    if (left_behind()) return;
    may_join();
    mutex_hold const one(join_mutex_);
    do {
      lookout_.begin_again();
      do {
        end_when_done();
        while (worker* const w = threads_.take()) w->thread.join();
      } while (takes_up_rest());
      lookout_.end();
    } while (threads_.any());  // the lookout has started one meanwhile
  }

  // ---- outside callers ------------------------------------------------------------------------------------------

  /// A slot for a thread of outside; it becomes this thread's worker until leave(). `kept` is one that it has already.
  TARTAN_ALWAYS_INLINE worker& enter(worker* kept) {
    if (closing()) [[unlikely]]
      raise<pool_closed>();
    return callers_.enter(kept);
  }
  void leave(worker& w, bool keep) noexcept { callers_.leave(w, keep); }

  /// The thread of this slot, which is in a call, keeps it until give_back().
  void keep(worker& w) noexcept { callers_.keep(w); }
  void give_back(worker& w) noexcept { callers_.give_back(w); }

  // ---- submitting -----------------------------------------------------------------------------------------------

  /// Any thread. The task runs although nobody waits. False after close(): the caller keeps the task.
  [[nodiscard]] bool submit(queued_task* task, queue_place place) {
    expect_tasks();
    return enqueue(task, place);
  }

  /// As submit(); false, too, where expect_tasks() would throw.
  [[nodiscard]] bool try_submit(queued_task* task, queue_place place) noexcept {
    return may_expect_tasks() && enqueue(task, place);
  }

  /// As try_submit(), also after close(), for what follows from tasks that were let in before: each thread of this pool
  /// looks at the queue once more before it ends, and join() does so behind the last one. What comes after a join()
  /// runs in the next one, which is the destructor's if there is no other; nothing may come while that one runs but
  /// from the pool's own threads.
  [[nodiscard]] bool submit_late(queued_task* task, queue_place place) noexcept {
    return may_expect_tasks() && enqueue(task, place, true);
  }

  [[nodiscard]] shelf_ref const& shelf() const noexcept { return shelf_; }  // for who gets false

  /// What submit() needs besides memory: after this it does not throw.
  void expect_tasks() {
    if (!may_expect_tasks()) [[unlikely]]
      admission::raise_no_thread();
  }

  /// Why try_submit() has not taken a task.
  [[noreturn]] TARTAN_COLD void raise_refused() const {
    if (closing()) raise<pool_closed>();
    admission::raise_no_thread();
  }

 private:
  void end_when_done() noexcept {
    admission_.close();
    real_atomics::full_fence();  // [I1] of idle.hpp: a sleeper's last look sees it, or we see him
    while (idle_.claim()) wake_claimed();
    admission_.wake_all();
  }

  /// Of join(), which has seen the end of every thread: whether tasks have come later. A thread is started for them,
  /// which others may follow as ever; where the system refuses it, they run here.
  [[nodiscard]] bool takes_up_rest() {
    if (queue_.seems_empty()) return false;
    if (!start_for_rest()) run_rest_here();
    return true;
  }

  /// Starts a thread if tasks lie in the queue and none is left. False if the system refuses it.
  bool start_for_rest() noexcept {
    if (queue_.seems_empty()) return true;
    mutex_hold const hold(threads_.mutex());
    threads_.start_up_to(1);
    return threads_.count() != 0;
  }

  /// In a slot, as a caller from outside.
  TARTAN_COLD void run_rest_here() {
    thread_cell& cell = this_thread_cell();
    worker& w = *threads_.take_spare();
    w.outer = static_cast<worker*>(cell.current);
    cell.current = &w;
    while (run_queued(w)) {
    }
    cell.current = w.outer;
    threads_.put_spare(w);
  }

  /// [Q2] of queue.hpp: with one worker, a thread from outside keeps to its inlet, also in a call.
  [[nodiscard]] TARTAN_ALWAYS_INLINE queue_place in_order(queue_place place) const noexcept {
    if (size_ != 1 || place.inlet) return place;
    worker const* const w = current_worker();
    return w != nullptr && &w->home == this && w->rank != no_rank ? place : this_inlet();
  }

  [[nodiscard]] bool enqueue(queued_task* task, queue_place place, bool even_if_closed = false) noexcept {
    if (!queue_.push(task, in_order(place), even_if_closed)) [[unlikely]]
      return false;
    real_atomics::full_fence();  // [I1] with begin_sleep(); [H1] with stand_back(); [O2] with the lookout and who
                                 // blocks
    admission_.call_lookout();
    auto const v = idle_.look();
    if (v.searching() != 0) return true;
    if (v.sleeping() != 0 && idle_.claim())
      wake_claimed();
    else if (admission_.somebody_stands_back())
      admission_.wake_for_queue();
    else if (threads_.are_refused()) [[unlikely]]
      admission_.start_missing();
    return true;
  }

  static std::int64_t steady_ns() noexcept {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  }

  [[nodiscard]] TARTAN_ALWAYS_INLINE bool may_expect_tasks() noexcept {
    return admission_.expects_tasks() || start_async_thread();
  }

  /// False if the system refuses a thread. After close() the push says so: join() may have seen no thread already.
  TARTAN_COLD bool start_async_thread() noexcept {
    {
      mutex_hold const hold(threads_.mutex());
      if (closing()) return queue_.close(), true;
      threads_.start_up_to(size_);
      if (!threads_.any_here()) return false;
      threads_.note_started();
      admission_.expect_tasks();
    }
    callers_.end_residence();
    admission_.call_lookout();
    shelf_->close();
    return true;
  }

  // ---- the life of a pool thread --------------------------------------------------------------------------------

  friend pool_thread;

  void look_out() noexcept {
    block_asynchronous_signals();
    name_this_thread_for(setup_.name, "lookout");
    standstill(admission_, queue_, threads_).watch(lookout_);
  }

  void work(worker& w) {
    block_asynchronous_signals();
    name_this_thread(setup_.name, w.index);
    if (setup_.pin) pin_this_thread(w.rank);
    places_.begin();
    this_thread_cell().current = &w;
    w.number.store(this_thread_number(), std::memory_order_relaxed);  // relaxed, both: statistics
    w.begun_at.store(ticks(), std::memory_order_relaxed);
    emit(hook_event::thread_start, w.index);
    if (setup_.on_start != nullptr) setup_.on_start(setup_.self, w.index);
    for (;;) {
      if (admission_.may_stand_back(w.rank)) {
        admission_.stand_back(w);
        continue;
      }
      if (run_queued(w)) continue;
      if (await_job(w)) {
        run_what_is_given(w);
        continue;
      }
      if (admission_.closed() && queue_.seems_empty() && threads_.end_one([this] { return queue_.seems_empty(); }))
        break;
    }
    if (setup_.on_exit != nullptr) setup_.on_exit(setup_.self, w.index);
    while (run_queued(w)) {  // that may have ended what others continue
    }
    emit(hook_event::thread_stop, w.index);
    w.ended_at.store(ticks(), std::memory_order_relaxed);  // relaxed: a statistic
    this_thread_cell().current = nullptr;
  }

  std::int64_t const begun_ns_ = steady_ns();
  std::uint64_t const begun_ticks_ = ticks();
  shelf_ref const shelf_{new reminder_shelf};
  outside_callers callers_;
  plain_mutex join_mutex_;
};

inline void pool_thread::run(void* its_worker) {
  auto& w = *static_cast<worker*>(its_worker);
  w.home.work(w);
}

inline void pool_thread::look_out(void* its_pool) { static_cast<pool*>(its_pool)->look_out(); }

}  // namespace tartan::inline TARTAN_ABI::detail
