#pragma once
// Which threads of a pool may be awake: those beyond that number stand back, and are let in when others make room.

#include <atomic>  // atomic, memory_order_*

#include "tartan/core/atomics.hpp"       // real_atomics
#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_COLD
#include "tartan/core/errors.hpp"        // error, raise, too_many_blocked
#include "tartan/core/handover.hpp"      // handing_over
#include "tartan/core/headcount.hpp"     // headcount
#include "tartan/core/idle.hpp"          // idle_count
#include "tartan/core/lookout.hpp"       // lookout
#include "tartan/core/plain_mutex.hpp"   // mutex_hold
#include "tartan/core/pool_threads.hpp"  // pool_threads
#include "tartan/core/queue.hpp"         // task_queue
#include "tartan/core/smaller.hpp"       // smaller
#include "tartan/core/worker.hpp"        // begin_idle_time, end_idle_time, no_rank, worker

namespace tartan::inline TARTAN_ABI::detail {

/// More tasks than this may not block at once, beyond the size of the pool.
inline constexpr unsigned most_spares = 1024;
/// More threads than this are not let in beside sleepers that told nobody. They take none of the places above.
inline constexpr unsigned most_unseen = most_spares / 2;
/// A pool has no more threads than this beyond its size.
inline constexpr unsigned most_threads_more = most_spares + most_unseen;

/// The rules of headcount.hpp, with the queue, the searchers and the threads that they speak of.
class admission {
 public:
  admission(unsigned size, idle_count<> const& idle, handing_over const& handovers, task_queue const& queue,
            pool_threads& threads, lookout& watches) noexcept
      : people_(size),
        size_(size),
        idle_(idle),
        handovers_(handovers),
        queue_(queue),
        threads_(threads),
        lookout_(watches) {}
  admission(admission const&) = delete;
  admission& operator=(admission const&) = delete;

  // ---- threads of the pool --------------------------------------------------------------------------------------

  [[nodiscard]] bool must_stand_back(unsigned rank) const noexcept {
    return rank != no_rank && rank >= people_.wanted(people_.look()) &&
           !closed_.load(std::memory_order_relaxed);  // relaxed: looked at again
  }

  /// Some stay awake for what was submitted, however many callers there are: these may come for ever, and run nothing
  /// but their own work. The threads that stay take none of that meanwhile.
  [[nodiscard]] bool may_stand_back(unsigned rank) const noexcept {
    return must_stand_back(rank) && (rank >= people_.wanted_for_queue(people_.look()) || queue_.seems_empty());
  }

  /// Returns when the thread may be awake.
  void stand_back(worker& w) {
    people_.stand_back(w.stands_back);
    if (!queue_.seems_empty()) wake_for_queue();  // this one may have been woken for the task
    if (!somebody_hears()) let_in_late();  // [H3]: it may have been awake in the place of one that need not stand back
    begin_idle_time(w);
    while (may_stand_back(w.rank)) w.spot.park();
    end_idle_time(w);
    people_.step_forward(w.stands_back);
  }

  // ---- outside callers, see outside_callers.hpp -----------------------------------------------------------------

  void caller_comes() noexcept { people_.caller_comes(); }
  [[nodiscard]] bool is_only_caller() const noexcept { return people_.is_only_caller(); }

  /// A caller that leaves is likely to come again at once: a wake-up takes 7 us, and who is woken would stand back
  /// again. So it is left to whoever hears of the next work, if there is somebody ([H3] of headcount.hpp).
  void caller_goes() noexcept {
    auto const now = people_.caller_goes();
    if (people_.somebody_stands_back()) {
      real_atomics::full_fence_behind_rmw();  // [H3] with pool::pass_on() and submit()
      if (!somebody_hears()) wake_those_below(people_.wanted_for_queue(now));
    }
    start_those_let_in(now);
  }

  // ---- workers that block or sleep ------------------------------------------------------------------------------

  /// A worker is about to wait for something that no worker works on: another thread may take its place, so that the
  /// core stays busy and whatever it waits for can come about. A wait inside of another one counts with that. False
  /// when too many block already.
  [[nodiscard]] bool begin_blocking(worker& w) noexcept {
    unsigned const outer = w.told.load(std::memory_order_relaxed);  // relaxed, both: its own
    if (outer == 0 && !begin_blocking(w.rank != no_rank)) return false;
    w.told.store(outer + 1, std::memory_order_relaxed);
    return true;
  }

  /// The same for a wait without limit that may throw: too_many_blocked, or an error if is_last_awake().
  void begin_blocking_or_throw(worker& w) {
    if (!begin_blocking(w)) raise<too_many_blocked>();
    if (!is_last_awake(w)) return;
    end_blocking(w);
    raise_last_awake();
  }

  /// Of a worker that counts as blocked: whether a task lies in the queue that no thread is left for, since the system
  /// refuses one. What is waited for may never come then.
  [[nodiscard]] bool is_last_awake(worker const& w) noexcept {
    return w.rank != no_rank && expects_tasks() && !queue_.seems_empty() && nobody_is_left();
  }
  [[noreturn]] TARTAN_COLD static void raise_last_awake() {
    raise<error>(
        "tartan: this wait would leave no thread for tasks that wait in the pool's queue, and the system refuses to "
        "start another one; raise the limit on processes (ulimit -u), or give the pool more workers or a smaller "
        "stack_size");
  }

  [[noreturn]] TARTAN_COLD static void raise_no_thread() {
    raise<error>(
        "tartan: the system refuses to start a thread for submitted work; raise the limit on processes (ulimit -u), or "
        "give the pool a smaller stack_size");
  }

  // ---- the lookout, see standstill.hpp --------------------------------------------------------------------------

  /// A thread that is awake sleeps at something that nobody told us of: another one may take its place. Not for more
  /// than most_unseen.
  void begin_unseen_blocking() noexcept {
    headcount<>::view now{};
    {
      mutex_hold const hold(threads_.mutex());
      ++unseen_;
      now = people_.worker_blocks(true);
    }
    note_blocked(now);
  }
  void end_unseen_blocking() noexcept {
    mutex_hold const hold(threads_.mutex());
    --unseen_;
    end_blocking(true);
  }
  [[nodiscard]] unsigned how_many_block() const noexcept { return people_.look().blocked(); }

  /// A task has come, and a full fence: somebody may block, or threads have ended that would have run it.
  TARTAN_ALWAYS_INLINE void call_lookout() noexcept {
    if (how_many_block() != 0 || some_have_ended()) [[unlikely]]
      lookout_.call();
  }

  /// While a pool ends, its threads end as they find nothing to do. What a task adds later may need more than are left:
  /// the task may wait for it. See end_one().
  [[nodiscard]] bool some_have_ended() const noexcept { return closed() && threads_.count() < size_; }

  /// Starts one thread in place of one that has ended.
  TARTAN_COLD void replace_one() noexcept {
    if (threads_.left_behind()) return;
    worker* ended = nullptr;
    {
      mutex_hold const hold(threads_.mutex());
      ended = threads_.take_ended();
      threads_.start_up_to(smaller(threads_.count() + 1, size_));
    }
    pool_threads::join_all(ended);
  }

  /// Tries again to start threads that the system has refused.
  void start_missing() noexcept { start_those_let_in(people_.look()); }

  /// A worker is about to sleep until another one has done something. A slot of an outside caller then counts as
  /// blocked like a wait for what no worker works on: the thread that makes room for the caller may be the one that is
  /// waited for, or that something waited for needs. True if it counts; then end_blocking() must follow.
  [[nodiscard]] bool may_block_asleep(worker& w, bool for_no_worker) {
    return (for_no_worker || w.rank == no_rank) && begin_blocking(w);
  }

  void end_blocking(worker& w) noexcept {
    unsigned const outer = w.told.load(std::memory_order_relaxed) - 1;  // relaxed, both: its own
    w.told.store(outer, std::memory_order_relaxed);
    if (outer == 0) end_blocking(w.rank != no_rank);
  }

  /// A worker is about to sleep until some worker has done something, and does not count as blocked. That one may block
  /// in turn, and need a task that no thread is left to run.
  void begin_asleep(worker const& w) noexcept {
    if (w.rank != no_rank) return let_in(people_.thread_sleeps());
    people_.caller_sleeps();
    if (!people_.somebody_stands_back()) return;
    real_atomics::full_fence();  // with pool::submit(): we see the task, or it sees that this caller sleeps
    if (!queue_.seems_empty()) wake_for_queue();
  }
  void end_asleep(worker const& w) noexcept { w.rank != no_rank ? people_.thread_wakes() : people_.caller_wakes(); }

  // ---- submitted work -------------------------------------------------------------------------------------------

  /// Whether tasks may come that nobody waits for.
  [[nodiscard]] bool expects_tasks() const noexcept {
    return expects_tasks_.load(std::memory_order_relaxed);  // relaxed: nothing is read for it
  }

  /// Under the mutex of the threads: from now on tasks may come.
  void expect_tasks() noexcept {
    expects_tasks_.store(true, std::memory_order_relaxed);  // relaxed: see the fence
    real_atomics::full_fence();  // with let_in(): it knows that tasks may come, or we know whom it has let in
    start_needed();
  }

  [[nodiscard]] bool somebody_stands_back() const noexcept { return people_.somebody_stands_back(); }

  /// The queue holds a task: wakes those that may take it although callers fill the pool.
  TARTAN_COLD void wake_for_queue() noexcept {
    auto const now = people_.look();
    unsigned const wanted = people_.wanted_for_queue(now);
    if (people_.wanted(now) < wanted)
      wake_those_below(wanted);
    else
      let_in_late();
  }

  /// Lets in whom a caller that left has not woken. Relaxed: a thread that is not counted as started yet only costs a
  /// signal for nothing.
  void let_in_late() noexcept {
    auto const now = people_.look();
    if (people_.too_many_stand_back(now, threads_.count())) wake_those_below(people_.wanted(now));
  }

  // ---- the end --------------------------------------------------------------------------------------------------

  /// Nobody stands back from now on. Release: with closed(), what others pushed before the queue was closed, also those
  /// whose fence in pool::enqueue() comes later than that in end_one().
  void close() noexcept { closed_.store(true, std::memory_order_release); }
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }  // with close()
  void wake_all() noexcept { wake_those_below(~0U); }

 private:
  [[nodiscard]] bool begin_blocking(bool is_thread) noexcept {
    auto now = people_.worker_blocks(is_thread);
    if (now.blocked() > most_spares && !is_one_of_most(is_thread, now)) [[unlikely]]
      return false;
    note_blocked(now);
    return true;
  }

  /// Counts the worker again, beside a number of those unseen that does not change meanwhile. If there are still too
  /// many, it does not count.
  TARTAN_COLD bool is_one_of_most(bool is_thread, headcount<>::view& now) noexcept {
    end_blocking(is_thread);
    if (threads_.left_behind()) return false;
    mutex_hold const hold(threads_.mutex());
    now = people_.worker_blocks(is_thread);
    if (now.blocked() <= most_spares + unseen_) return true;
    end_blocking(is_thread);
    return false;
  }

  void note_blocked(headcount<>::view now) noexcept {
    let_in(now);
    real_atomics::full_fence_behind_rmw();  // [O2] with pool::enqueue()
    if (!queue_.seems_empty()) lookout_.call();
  }
  void end_blocking(bool is_thread) noexcept { people_.worker_goes_on(is_thread); }

  /// How many threads the pool should have now that it has let somebody in.
  [[nodiscard]] unsigned threads_needed(headcount<>::view now) const noexcept {
    if (now.blocked() == 0 && now.away() == 0) return 0;                         // those of the start are enough
    bool const tasks_may_come = expects_tasks_.load(std::memory_order_seq_cst);  // with expect_tasks()
    if (tasks_may_come) return smaller(people_.wanted_for_queue(now), size_ + most_threads_more);
    return now.blocked() == 0 ? 0 : people_.wanted(now);
  }

  /// One more thread may be awake.
  void let_in(headcount<>::view now) noexcept {
    if (people_.somebody_stands_back()) wake_those_below(people_.wanted_for_queue(now));
    start_those_let_in(now);
  }

  void start_those_let_in(headcount<>::view now) noexcept {
    if (threads_.count() < threads_needed(now)) start_spares();  // looked at again
  }

  TARTAN_COLD void start_spares() noexcept {
    if (threads_.left_behind()) return;
    worker* ended = nullptr;
    {
      mutex_hold const hold(threads_.mutex());
      if (closed_.load(std::memory_order_relaxed)) {  // relaxed: what follows is under the mutex
        if (queue_.seems_empty()) return;             // none is needed but for what it holds, which ends before join()
        ended = threads_.take_ended();
      }
      start_needed();
    }
    pool_threads::join_all(ended);
  }

  /// Whether the system refuses threads, and all there are wait, as they themselves have said: of others the lookout
  /// only guesses.
  [[nodiscard]] bool nobody_is_left() noexcept {
    if (threads_.left_behind() || !threads_.are_refused()) return false;
    mutex_hold const hold(threads_.mutex());
    auto const now = people_.look();
    return threads_.are_refused() && threads_.count() < threads_needed(now) && threads_.count() + unseen_ <= now.away();
  }

  /// Under the mutex.
  void start_needed() noexcept { threads_.start_up_to(threads_needed(people_.look())); }

  /// Whether somebody hears of work that is forked or submitted from now on, and looks who stands back when he has
  /// found some. Who stands at his mailbox may first be given work for a while.
  [[nodiscard]] bool somebody_hears() const noexcept {
    auto const v = idle_.look();
    return v.searching() + v.sleeping() != 0 || (handovers_.somebody_waits() && queue_.seems_empty());
  }

  TARTAN_COLD void wake_those_below(unsigned rank) noexcept {
    for (worker* const w : threads_.slots())
      if (headcount<>::stands_back(w->stands_back) && w->rank < rank) w->spot.signal();
  }

  headcount<> people_;
  unsigned const size_;
  idle_count<> const& idle_;
  handing_over const& handovers_;
  task_queue const& queue_;
  pool_threads& threads_;
  lookout& lookout_;
  std::atomic<bool> expects_tasks_{false}, closed_{false};
  unsigned unseen_ = 0;  // those that the lookout counts as blocked; under the mutex of the threads
};

}  // namespace tartan::inline TARTAN_ABI::detail
