#pragma once
// Tasks that are waited for together.

#include <algorithm>  // min
#include <atomic>     // atomic, memory_order_*
#include <bit>        // countr_one
#include <cstddef>    // size_t
#include <cstdint>    // uint64_t
#include <memory>     // make_unique, unique_ptr

#include "tartan/core/call_scope.hpp"      // call_scope
#include "tartan/core/errors.hpp"          // cancelled, pool_closed, raise, too_many_blocked, would_deadlock
#include "tartan/core/first_error.hpp"     // first_error
#include "tartan/core/group_frame.hpp"     // group_frame
#include "tartan/core/group_sleepers.hpp"  // group_sleeper, group_sleepers
#include "tartan/core/hooks.hpp"           // emit, hook_event
#include "tartan/core/leapfrog.hpp"        // foreign_work, leapfrog, run_below, serving
#include "tartan/core/outer_pools.hpp"     // begin_blocking_or_throw, outer_blocking
#include "tartan/core/pool.hpp"            // pool
#include "tartan/core/queue.hpp"           // queued_task, task_order, task_queue
#include "tartan/core/reminder_shelf.hpp"  // shelf_ref
#include "tartan/core/run_control.hpp"     // piece_counter, stop_query
#include "tartan/core/ticks.hpp"           // ticks, ticks_per_us
#include "tartan/core/unhandled.hpp"       // report_unhandled
#include "tartan/core/worker.hpp"          // current_worker, this_queue_place, worker

namespace tartan::inline TARTAN_ABI::detail {

/// A task of a group. `run` runs it and then destroys it; `drop` only destroys it.
struct group_task : queued_task {
  using queued_task::queued_task;
  std::size_t order = 0;  // which call of run() made it
};

/// The state of a group. It outlives the group when tickets of it still lie in the pool's queue.
///
/// Tasks lie in the group's own queue, so that a wait can run the group's tasks and nothing else. The pool's queue gets
/// *tickets*: whoever draws one runs tasks of the group until there are none. At most as many tickets are under way as
/// the pool has workers, however many tasks there are.
///
///     run (R)                                    ticket (T), when the queue is empty
///     R1  push the task                          T1  give the ticket back                 [G1]
///     R2  fence                       [G1]       T2  look at the queue once more; if there is a task, take
///     R3  a free ticket? submit it                   the ticket again and go on
///
///     waiter (W)                                 whoever ends the last task, or adds one (E)
///     W1  ++sleepers                             E1  pending -> 0, or the task is in the queue
///     W2  fence                       [G2]       E2  seq_cst, or a fence                 [G2]
///     W3  pending and queue once more            E3  sleepers? signal each
///     W4  park
///
/// [G1] A fence behind T1, and the fence of R2: either R3 finds the ticket free, or T2 finds the
/// task. [G2] Likewise: either W3 sees E1, or E3 sees the sleeper. [G3] Tasks that a ticket has ended are counted off
/// `pending_` when it finds no further one: until then the group
///      cannot be finished anyway, and producers and consumers do not fight for that word.
/// [G4] A wait takes jobs that were forked inside tasks of the group: see `serving` in leapfrog.hpp.
/// [G5] A fence in give_back() before a look at `reminds_`, and one behind its reset: either that look finds none and
///      leaves a reminder, or whoever obeys the old one finds the task.
class group {
 public:
  group(pool* home, stop_query stop, piece_counter progress)
      : home_(home),
        stop_(stop),
        progress_(progress),
        most_tickets_(home == nullptr ? 0 : (std::min)(home->size(), 64U)),
        queue_((std::min)(home == nullptr ? 1U : home->size(), 8U), 2) {
    if (home == nullptr) return;
    tickets_ = std::make_unique<ticket[]>(most_tickets_);
    for (unsigned i = 0; i != most_tickets_; ++i) tickets_[i].owner = this, tickets_[i].number = i;
  }
  group(group const&) = delete;
  group& operator=(group const&) = delete;

  void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: one is held
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;  // after everybody's last use
    conclude_unattended();
    delete this;
  }

  /// May be gone.
  [[nodiscard]] pool const* home() const noexcept { return home_; }

  // ---- adding ---------------------------------------------------------------------------------------------------

  /// Whether tasks may still come: a closed pool takes them from its own tasks only, wherever these run. Who is let in
  /// here while another thread closes the pool adds as if it had come before.
  void admit() const {
    if (home_ == nullptr || !home_->closing()) [[likely]]
      return;
    if (!home_->is_worked_for_here()) raise<pool_closed>();
  }

  /// Takes the task over.
  void add(group_task* task) {
    worker* const w = current_worker();
    task->order = next_order_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number
    if (home_ == nullptr) {
      add_reference();  // the task may be the end of the group
      {
        group_frame const in_group(this, nullptr);
        run_one(task, w);
      }
      return release();
    }
    pending_.fetch_add(1, std::memory_order_relaxed);  // relaxed: counted off by who gets the task from the queue
    static_cast<void>(queue_.push(task, this_queue_place()));  // never closed; R1, E1
    real_atomics::full_fence();                                // R2, E2
    if (sleepers_.any(std::memory_order_relaxed)) [[unlikely]]
      sleepers_.wake();  // E3; relaxed: after the fence
    hire();              // R3
  }

  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }  // relaxed: a wish

  // ---- waiting --------------------------------------------------------------------------------------------------

  /// Returns when every task has ended.
  void await_all() {
    if (pending_.load(std::memory_order_acquire) == 0 && home_ != nullptr) return;  // with finished()
    if (group_frame::is_in(this)) raise<would_deadlock>();  // the task that runs here would have to end first
    if (home_ == nullptr) return;
    worker* const w = current_worker();
    w == nullptr ? await_outside() : await_in(*w, true);
  }

  /// The owner goes away. Waits as await_all(), but never throws: where too many tasks block already, the wait lets
  /// nobody in; and a task of the group itself waits for nothing, since the group lives on with its tickets.
  void abandon() noexcept {
    worker* const w = current_worker();
    bool const own_task = group_frame::is_in(this);
    if (!own_task && pending_.load(std::memory_order_acquire) != 0)  // with finished()
      w == nullptr ? await_outside() : await_in(*w, false);
    if (!own_task) conclude_unattended(), forget();
    release();
  }

  /// After await_all(): throws what the task of the lowest order threw, or `cancelled` if tasks were skipped for a
  /// stop.
  void conclude() {
    bool const stopped = skipped_.exchange(false, std::memory_order_relaxed);  // relaxed: after the wait
    cancelled_.store(false, std::memory_order_relaxed);                        // relaxed: likewise
    error_.rethrow();
    if (stopped) raise<cancelled>();
  }

 private:
  struct ticket : queued_task {
    ticket() noexcept : queued_task(&obey_order) {}
    static void obey_order(queued_task* base, worker* w, task_order order) {
      auto& self = *static_cast<ticket*>(base);
      group& g = *self.owner;
      if (order == task_order::drop) g.cancel();
      g.serve(self, w);
      g.release();
    }
    group* owner = nullptr;
    unsigned number = 0;
  };

  /// What the pool has of a group while the system refuses it every thread: it draws no tickets then. The pool's end
  /// runs what was let in, though nobody may have waited for it, so it must know of the group.
  struct reminder : queued_task {
    explicit reminder(group& g) noexcept : queued_task(&obey_order), owner(g) {}
    static void obey_order(queued_task* base, worker*, task_order) {
      group& g = static_cast<reminder*>(base)->owner;
      g.reminds_.store(false, std::memory_order_release);  // with remind()
      real_atomics::full_fence();                          // [G5]
      if (!g.queue_.seems_empty()) g.hire();
      g.release();
    }
    group& owner;
  };

  // ---- tickets --------------------------------------------------------------------------------------------------

  void hire() {
    std::uint64_t taken = taken_.load(std::memory_order_relaxed);  // relaxed: after the fence of R2
    unsigned number = 0;
    do {
      number = static_cast<unsigned>(std::countr_one(taken));
      if (number >= most_tickets_) return;
      // Acquire: with give_back(), whose runner is done with the ticket; relaxed: a failure looks again.
    } while (!taken_.compare_exchange_weak(taken, taken | (std::uint64_t{1} << number), std::memory_order_acquire,
                                           std::memory_order_relaxed));
    submit(tickets_[number]);
  }

  void submit(ticket& t) noexcept {
    add_reference();
    if (pool_takes(t)) return;
    give_back(t);  // [G5]
    release();
    remind();
  }

  /// Whoever waits runs the tasks, or the pool does when it can, or when it must. One reminder is enough for all tasks.
  TARTAN_COLD void remind() noexcept {
    if (home_->left_behind() || reminds_.exchange(true, std::memory_order_acquire)) return;  // with its obey_order()
    add_reference();
    shelf_ = home_->shelf();
    if (!shelf_->put(reminder_)) reminder_.obey(&reminder_, nullptr, task_order::run);  // the pool takes tickets now
  }

  /// Nothing is left to be run.
  void forget() noexcept {
    if (!reminds_.load(std::memory_order_relaxed)) return;  // relaxed: what set it came before
    if (shelf_->take_back(reminder_)) release();
  }

  /// False when the pool has no thread and gets none. It takes the ticket also after close(): the task was let in, and
  /// has to run before the pool is gone. The threads of a pool that a fork has left behind would never draw it.
  [[nodiscard]] bool pool_takes(ticket& t) noexcept {
    return !home_->left_behind() && home_->submit_late(&t, this_queue_place());
  }

  void give_back(ticket& t) noexcept {
    taken_.fetch_and(~(std::uint64_t{1} << t.number), std::memory_order_release);  // T1 with hire() and resume()
    real_atomics::full_fence();                                                    // [G1]: before the look T2
  }

  /// Takes the ticket again if there is work, unless somebody else has (who may have given it back since: acquire).
  [[nodiscard]] bool resume(ticket& t) noexcept {
    std::uint64_t const bit = std::uint64_t{1} << t.number;
    return !queue_.seems_empty() &&
           (taken_.fetch_or(bit, std::memory_order_acquire) & bit) == 0;  // T2 with give_back()
  }

  void serve(ticket& t, worker* w) noexcept {
    constexpr std::size_t fair_share = 1024;  // then others in the pool's queue have their turn
    std::size_t ended = 0;
    {
      serving const scope(w, this);
      group_frame const in_group(this, home_);
      do {
        while (group_task* const task = next(w)) {
          run_one(task, w);
          bool const enough = ++ended >= fair_share || (w != nullptr && w->home.surplus(*w));
          if (enough && !queue_.seems_empty() && !home_->dropping()) {
            finished(ended);
            return submit(t);
          }
        }
        give_back(t);
      } while (resume(t));
    }
    finished(ended);  // [G3]
  }

  // ---- tasks ----------------------------------------------------------------------------------------------------

  group_task* next(worker* w) noexcept {
    std::size_t const hint = w == nullptr ? 0 : w->index;
    for (;;) {
      if (queued_task* const task = queue_.pop(hint)) return static_cast<group_task*>(task);
      if (queue_.seems_empty()) return nullptr;
      cpu_pause();
    }
  }

  void run_one(group_task* task, worker* w) noexcept {
    std::size_t const order = task->order;
    bool const stop = cancelled_.load(std::memory_order_relaxed) || stop_.requested() ||  // relaxed: a wish
                      (home_ != nullptr && home_->dropping());
    if (stop) skipped_.store(true, std::memory_order_relaxed);  // relaxed: read after the wait
    if (stop || error_.skips(order)) return task->obey(task, w, task_order::drop);
#if TARTAN_EXCEPTIONS
    try {
      task->obey(task, w, task_order::run);
    } catch (...) {
      error_.record(order);
    }
#else
    task->obey(task, w, task_order::run);
#endif
    progress_.finished(1);
  }

  void finished(std::size_t tasks) noexcept {
    if (tasks == 0 || pending_.fetch_sub(tasks, std::memory_order_seq_cst) != tasks)
      return;                                                        // E1; release: with await_all()
    if (sleepers_.any(std::memory_order_seq_cst)) sleepers_.wake();  // E3, [G2]
  }

  // ---- waiting --------------------------------------------------------------------------------------------------

  /// As conclude(), where nobody will ask.
  void conclude_unattended() noexcept {
#if TARTAN_EXCEPTIONS
    try {
      error_.rethrow();
    } catch (...) {
      report_unhandled(std::current_exception());
    }
#endif
  }

  /// By a thread that is no worker: it becomes one, or waits alone where the pool takes nobody in.
  void await_outside() {
    if (home_->closing() || home_->left_behind()) return await_alone();
#if TARTAN_EXCEPTIONS
    try {
      call_scope const scope(*home_);
      await_in(scope.self(), true);
    } catch (...) {  // somebody has closed the pool just now, or memory for a slot is short
      await_alone();
    }
#else
    call_scope const scope(*home_);
    await_in(scope.self(), true);
#endif
  }

  /// Throws only inside a task of another pool, if it may.
  void await_in(worker& w, bool may_throw) {
    std::uint64_t const patience = (w.home.oversubscribed() ? 2 : 20) * ticks_per_us();
    leapfrog frog(w);
    std::uint64_t since = ticks();
    while (pending_.load(std::memory_order_acquire) != 0) {  // with finished()
      std::uint64_t const waited = ticks() - since;
      if (run_here(w) || (waited >= w.home.steal_patience() && help(w, frog))) {
        since = ticks();
      } else if (waited < patience) {
        cpu_pause();
      } else {
        sleep(w, frog, may_throw);
      }
    }
  }

  bool run_here(worker& w) noexcept {
    group_task* const task = next(&w);
    if (task == nullptr) return false;
    {
      foreign_work const below(w);
      serving const scope(&w, this);
      group_frame const in_group(this, home_);
      bump(w.tasks_run);
      run_one(task, &w);
    }
    finished(1);
    return true;
  }

  bool help(worker& w, leapfrog& frog) {
    job* const below = steal_below(w, frog);
    if (below == nullptr) return false;
    run_in_group(w, *below);
    return true;
  }

  /// What was forked in a task of the group belongs to that task.
  void run_in_group(worker& w, job& below) {
    group_frame const in_group(this, home_);
    run_below(w, below);
  }

  job* steal_below(worker& w, leapfrog& frog) noexcept {
    return &w.home == home_ ? frog.steal_from_servers(this) : nullptr;
  }

  TARTAN_COLD void sleep(worker& w, leapfrog& frog, bool may_throw) {
    bool const foreign = &w.home != home_;
    if (foreign && may_throw) begin_blocking_or_throw(w);
    bool const blocks = (foreign && may_throw) || w.home.admitted().may_block_asleep(w, foreign);
    worker* const runner = foreign ? nullptr : followed(w);
    if (runner != nullptr) {
      runner->sleeping_joiners.fetch_add(1, std::memory_order_seq_cst);  // with pool::notify()
      home_->idle().begin_join_sleep();
    }
    group_sleeper self{w.spot};
    sleepers_.link(self);                            // W1
    real_atomics::heavy_fence(w.home.asymmetric());  // W2; [L4] of join.hpp with pool::published()
    job* const late = steal_below(w, frog);
    if (late == nullptr && still_to_wait()) {  // W3
      bump(w.parks);
      emit(hook_event::park, w.index);
      outer_blocking const counted(&w);
      if (!blocks) w.home.admitted().begin_asleep(w);
      begin_idle_time(w);
      w.spot.park();  // W4
      end_idle_time(w);
      if (!blocks) w.home.admitted().end_asleep(w);
      emit(hook_event::unpark, w.index);
    }
    sleepers_.unlink(self);
    if (runner != nullptr) {
      home_->idle().end_join_sleep();
      runner->sleeping_joiners.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
    }
    if (blocks) w.home.admitted().end_blocking(w);
    if (late != nullptr) run_in_group(w, *late);
  }

  /// Whom this worker announced last: its pushes wake us.
  static worker* followed(worker& w) noexcept { return w.waits_for.runner.load(std::memory_order_relaxed); }  // own

  /// A pool that is closed lends no slot: this thread runs what is left, and sleeps for what others run.
  void await_alone() noexcept {
    group_frame const in_group(this, home_);
    parking_spot<> spot;
    while (pending_.load(std::memory_order_acquire) != 0) {  // with finished()
      if (group_task* const task = next(nullptr)) {
        run_one(task, nullptr);
        finished(1);
        continue;
      }
      group_sleeper self{spot};
      sleepers_.link(self);              // W1
      real_atomics::full_fence();        // W2, [G2] with add() and finished()
      if (still_to_wait()) spot.park();  // W3, W4
      sleepers_.unlink(self);
    }
  }

  /// W3, behind a fence (W2); relaxed: who goes on looks again.
  [[nodiscard]] bool still_to_wait() const noexcept {
    return pending_.load(std::memory_order_relaxed) != 0 && queue_.seems_empty();
  }

  pool* const home_;
  stop_query const stop_;
  piece_counter const progress_;
  unsigned const most_tickets_;
  std::unique_ptr<ticket[]> tickets_;
  reminder reminder_{*this};
  shelf_ref shelf_;  // where the reminder lies; written by who has set reminds_
  std::atomic<bool> reminds_{false};
  first_error error_;
  std::atomic<bool> cancelled_{false}, skipped_{false};
  std::atomic<unsigned> references_{1};
  task_queue queue_;
  alignas(line_pair) std::atomic<std::size_t> next_order_{0};  // the producers' line
  std::atomic<std::uint64_t> taken_{0};                        // tickets under way
  group_sleepers sleepers_;
  alignas(line_pair) std::atomic<std::size_t> pending_{0};  // tasks that have not ended, and those of [G3]
};

}  // namespace tartan::inline TARTAN_ABI::detail
