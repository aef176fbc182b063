#pragma once
// The pool: slots, threads, the search for work and the way to sleep. Protocols and proofs: README.md beside this file.

#include <algorithm>  // max, min
#include <atomic>     // atomic, memory_order_*
#include <cstddef>    // size_t
#include <memory>     // make_unique, unique_ptr
#include <mutex>      // lock_guard, mutex
#include <string>     // string
#include <thread>     // thread
#include <vector>     // vector

#include "tartan/core/hooks.hpp"          // emit, hook_event
#include "tartan/core/idle.hpp"           // idle_count
#include "tartan/core/os_thread.hpp"      // block_asynchronous_signals, name_this_thread
#include "tartan/core/process_state.hpp"  // this_thread_cell
#include "tartan/core/queue.hpp"          // task_queue
#include "tartan/core/ticks.hpp"          // ticks, ticks_per_us
#include "tartan/core/topology.hpp"       // hardware_cores
#include "tartan/core/worker.hpp"         // worker

namespace tartan::inline TARTAN_ABI::detail {

/// `size` workers, of which one is whoever calls: size - 1 threads. A thread that calls a pattern from outside takes a
/// slot for the time of the call. Submitted work has nobody who waits in the pool, so the first submission starts
/// thread number `size`; while outside callers work, as many threads stand back.
class pool {
 public:
  explicit pool(unsigned size, std::string name = "tartan")
      : size_(size),
        name_(std::move(name)),
        asymmetric_(real_atomics::asymmetric_available()),
        oversubscribed_(size > hardware_cores()),
        search_limit_((std::max)(1U, (std::min)(size, hardware_cores()) / 2)),
        queue_((std::min)(size, 64U)) {
    add_slot();
    spare_.push_back(slot(0));
  }
  pool(pool const&) = delete;
  pool& operator=(pool const&) = delete;

  /// Runs what was submitted to its end, then joins the threads. No pattern may be running on the pool.
  ~pool() {
    closed_.store(true, std::memory_order_seq_cst);  // seq_cst: before the wake-ups, for every sleeper's last look
    wake_everybody();
    for (std::thread& t : threads_) t.join();
  }

  [[nodiscard]] unsigned size() const noexcept { return size_; }
  [[nodiscard]] bool asymmetric() const noexcept { return asymmetric_; }
  [[nodiscard]] bool threads_started() const noexcept { return started_.load(std::memory_order_relaxed); }  // a hint
  [[nodiscard]] std::string const& name() const noexcept { return name_; }

  // ---- outside callers ------------------------------------------------------------------------------------------

  /// A slot for a thread of outside; it becomes this thread's worker until leave().
  worker& enter(worker* kept) {
    worker& w = kept != nullptr ? *kept : *take_spare();
    callers_.fetch_add(1, std::memory_order_seq_cst);                // with must_stand_back()
    if (!started_.load(std::memory_order_acquire)) start_threads();  // acquire: with start_threads()
    return w;
  }

  void leave(worker& w, bool keep) noexcept {
    callers_.fetch_sub(1, std::memory_order_seq_cst);  // store-load with stand_back(): it sees the count or we see it
    if (standing_back_.load(std::memory_order_seq_cst) != 0) wake_standing_back();
    if (!keep) put_spare(w);
  }

  void put_spare(worker& w) noexcept {
    std::lock_guard const hold(slots_mutex_);
    spare_.push_back(&w);
  }

  // ---- publishing -----------------------------------------------------------------------------------------------

  /// After a push on w's deque by its owner.
  TARTAN_ALWAYS_INLINE void published(worker& w) noexcept {
    real_atomics::light_fence(asymmetric_);  // [I1] of idle.hpp with begin_sleep()
    if (idle_.look().word != 0) [[unlikely]]
      notify(w);
  }

  /// As published(), for work that may be too short to be worth handing over: wakes when all sleep, nothing else.
  TARTAN_ALWAYS_INLINE void published_quietly(worker& w) noexcept {
    real_atomics::light_fence(asymmetric_);  // [I1]
    auto const v = idle_.look();
    if (v.word != 0 && v.searching() == 0) [[unlikely]]
      notify(w);
  }

  /// A worker spins for work: hand it the oldest job of w.
  TARTAN_ALWAYS_INLINE void share(worker& w) noexcept {
    if (idle_.look().searching() != 0) [[unlikely]]
      hand_over(w);
  }

  /// Any thread. The task runs although nobody waits.
  void submit(queued_task* task, std::size_t hint) {
    if (!everybody_.load(std::memory_order_acquire)) start_async_thread();  // acquire: with start_async_thread()
    queue_.push(task, hint);
    real_atomics::full_fence();  // [I1] with begin_sleep()
    auto const v = idle_.look();
    if (v.searching() == 0 && v.sleeping() != 0 && idle_.claim()) idle_.wake_claimed();
  }

  // ---- finding work ---------------------------------------------------------------------------------------------

  /// Runs a job that w stole. The deque of w is empty here: see [L1] of join.hpp.
  static void run_stolen(worker& w, job& j) {
    w.waits_for.runner.store(nullptr, std::memory_order_relaxed);  // relaxed: published by begin_by()
    j.join.begin_by(&w);
    run_begun(w, j);
  }

  /// Runs a job that was announced as w's already.
  static void run_begun(worker& w, job& j) {
    next_errand(w);
    j.run(&j, w);
    next_errand(w);
    if (worker* const forker = j.join.finish()) forker->spot.signal();
  }

  /// Takes a job from anybody; null if there seems to be none.
  job* steal(worker& thief) noexcept {
    slot_table const& all = *table_.load(std::memory_order_acquire);  // with add_slot()
    std::size_t const n = all.size();
    std::size_t const start = n > 1 ? thief.next_random() % n : 0;
    for (std::size_t k = 0; k != n; ++k) {
      worker& victim = *all[(start + k) % n];
      if (&victim == &thief || victim.tasks.seems_empty()) continue;
      if (job* const j = victim.tasks.steal()) {
        bump(thief.steals);
        emit(hook_event::steal, thief.index);
        return j;
      }
    }
    return nullptr;
  }

  bool run_queued(worker& w) {
    queued_task* const task = queue_.pop(w.index);
    if (task == nullptr) return false;
    next_errand(w);
    task->run(task, w);
    next_errand(w);
    return true;
  }

  [[nodiscard]] idle_count<>& idle() noexcept { return idle_; }
  [[nodiscard]] bool oversubscribed() const noexcept { return oversubscribed_; }

  template <class Visit>
  void for_each_slot(Visit visit) const {
    for (worker* const w : *table_.load(std::memory_order_acquire)) visit(*w);  // with add_slot()
  }

 private:
  using slot_table = std::vector<worker*>;

  static void next_errand(worker& w) noexcept {
    w.errand.store(w.errand.load(std::memory_order_relaxed) + errand_step,
                   std::memory_order_release);  // with steal_below() in join.hpp
  }

  // ---- slots and threads ----------------------------------------------------------------------------------------

  worker* slot(std::size_t i) const noexcept { return (*table_.load(std::memory_order_acquire))[i]; }

  /// Tables only grow, and old ones stay until the pool dies: a thief may be reading one.
  worker* add_slot() {
    auto fresh = std::make_unique<slot_table>();
    if (slot_table const* const old = table_.load(std::memory_order_relaxed))
      *fresh = *old;  // relaxed: under the mutex
    slots_.push_back(std::make_unique<worker>(*this, static_cast<unsigned>(fresh->size()), asymmetric_));
    fresh->push_back(slots_.back().get());
    table_.store(fresh.get(), std::memory_order_release);  // with every reader of table_
    tables_.push_back(std::move(fresh));
    return slots_.back().get();
  }

  worker* take_spare() {
    std::lock_guard const hold(slots_mutex_);
    if (spare_.empty()) return add_slot();
    worker* const w = spare_.back();
    spare_.pop_back();
    return w;
  }

  TARTAN_COLD void start_threads() {
    std::lock_guard const hold(slots_mutex_);
    if (started_.load(std::memory_order_relaxed)) return;  // relaxed: under the mutex
    pin_this_module();
    while (threads_.size() + 1 < size_) start_thread();
    started_.store(true, std::memory_order_release);  // with enter()
  }

  TARTAN_COLD void start_async_thread() {
    std::lock_guard const hold(slots_mutex_);
    pin_this_module();
    while (threads_.size() < size_) start_thread();
    started_.store(true, std::memory_order_release);    // with enter()
    everybody_.store(true, std::memory_order_release);  // with submit()
  }

  void start_thread() {
    worker* const w = add_slot();
    unsigned const rank = static_cast<unsigned>(threads_.size());
    threads_.emplace_back([this, w, rank] { work(*w, rank); });
  }

  // ---- the life of a pool thread --------------------------------------------------------------------------------

  void work(worker& w, unsigned rank) {
    block_asynchronous_signals();
    name_this_thread(name_, w.index);
    this_thread_cell().current = &w;
    emit(hook_event::thread_start, w.index);
    for (;;) {
      if (must_stand_back(rank)) {
        stand_back(w, rank);
        continue;
      }
      if (run_queued(w)) continue;
      if (await_job(w)) continue;
      if (closed_.load(std::memory_order_acquire) && queue_.seems_empty()) break;  // acquire: with ~pool()
    }
    emit(hook_event::thread_stop, w.index);
    this_thread_cell().current = nullptr;
  }

  [[nodiscard]] bool must_stand_back(unsigned rank) const noexcept {
    unsigned const callers = callers_.load(std::memory_order_seq_cst);  // with enter() and leave()
    return rank + callers >= size_ && callers != 0 &&
           !closed_.load(std::memory_order_relaxed);  // relaxed: looked at again
  }

  void stand_back(worker& w, unsigned rank) {
    standing_back_.fetch_add(1, std::memory_order_seq_cst);  // with leave(): one of the two sees the other
    while (must_stand_back(rank)) w.spot.park();
    standing_back_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: only costs a wake-up for nothing
  }

  TARTAN_COLD void wake_standing_back() noexcept {
    for_each_slot([](worker& w) { w.spot.signal(); });
  }

  TARTAN_COLD void wake_everybody() noexcept {
    while (idle_.claim()) idle_.wake_claimed();
    wake_standing_back();
  }

  /// Spins for a while, then sleeps. False when it has run nothing.
  bool await_job(worker& w) {
    bool const searching = idle_.begin_search(search_limit_);
    if (searching) {
      find const f = search(w);
      if (f.what != nullptr || !queue_.seems_empty()) return run_found(w, f);
    }
    idle_.begin_sleep(searching);            // S1
    real_atomics::heavy_fence(asymmetric_);  // S2, [I1] with published() and submit()
    if (closed_.load(std::memory_order_seq_cst) || !queue_.seems_empty() || anybody_has_work()) {  // S3
      if (!idle_.cancel_sleep()) idle_.await_token();                                              // S4
      return run_found(w, {steal(w), false});
    }
    bump(w.parks);
    emit(hook_event::park, w.index);
    idle_.await_token();  // S5
    emit(hook_event::unpark, w.index);
    return run_found(w, search(w));
  }

  struct find {
    job* what = nullptr;
    bool begun = false;  // it came by the mailbox
  };

  /// Ends the search; the last searcher passes the duty on ([I3] of idle.hpp).
  bool run_found(worker& w, find f) {
    if (idle_.end_search() && (!queue_.seems_empty() || anybody_has_work()) && idle_.claim()) idle_.wake_claimed();
    if (f.what == nullptr) return false;
    f.begun ? run_begun(w, *f.what) : run_stolen(w, *f.what);
    return true;
  }

  /// Waits at the mailbox for a job that somebody hands over; steals from those that are too busy to do so.
  find search(worker& w) noexcept {
    std::uint64_t const patience = (oversubscribed_ ? 5 : 60) * ticks_per_us();
    std::uint64_t const begin = ticks();
    sighting last{};
    find f;
    do {
      w.box.open();
      worker* nobody = nullptr;
      if (hot_.load(std::memory_order_relaxed) == nullptr)  // relaxed: a look before the CAS
        hot_.compare_exchange_strong(nobody, &w, std::memory_order_release,
                                     std::memory_order_relaxed);  // with hand_over()
      for (int i = 0; i != 24 && !w.box.holds_job(); ++i) cpu_pause();
      if ((f.what = w.box.close()) != nullptr)
        f.begun = true;
      else if (queue_.seems_empty())
        f.what = steal_what_lasts(w, last);
      else
        break;
    } while (f.what == nullptr && ticks() - begin < patience &&
             !closed_.load(std::memory_order_relaxed));  // relaxed: the caller looks again
    worker* self = &w;
    hot_.compare_exchange_strong(self, nullptr, std::memory_order_relaxed,
                                 std::memory_order_relaxed);  // relaxed: a hint
    return f;
  }

  struct sighting {
    worker* victim = nullptr;
    std::uint64_t beat = 0;
  };

  /// Steals only what it saw twice: short-lived work is cheaper where it is than after a heavy fence.
  job* steal_what_lasts(worker& w, sighting& last) noexcept {
    sighting now;
    for_each_slot([&](worker& v) {
      if (&v != &w && now.victim == nullptr && !v.tasks.seems_empty())
        now = {&v, v.beat.load(std::memory_order_relaxed)};  // relaxed: a hint
    });
    bool const lasts = now.victim != nullptr && now.victim == last.victim && now.beat == last.beat;
    last = now;
    return lasts ? steal(w) : nullptr;
  }

  [[nodiscard]] bool anybody_has_work() const noexcept {
    bool some = false;
    for_each_slot([&](worker const& v) { some = some || !v.tasks.seems_empty(); });
    return some;
  }

  // ---- telling others -------------------------------------------------------------------------------------------

  TARTAN_NOINLINE void notify(worker& w) noexcept {
    auto const v = idle_.look();
    if (v.searching() != 0)
      hand_over(w);
    else if (v.sleeping() != 0) {
      if (idle_.claim()) idle_.wake_claimed();
    } else if (w.sleeping_joiners.load(std::memory_order_relaxed) != 0)  // relaxed: ordered by the fence of published()
      wake_joiners(w);
  }

  TARTAN_NOINLINE void hand_over(worker& giver) noexcept {
    worker* const to = hot_.load(std::memory_order_acquire);  // with search()
    if (to == nullptr || to == &giver || !to->box.is_open()) return;
    job* const j = giver.tasks.take_oldest();
    if (j == nullptr) return;
    j->join.begin_by(to);
    if (!to->box.offer(j)) j->join.begin_by(&giver);  // too late: the forker runs it itself when it comes to it
  }

  TARTAN_COLD void wake_joiners(worker& runner) noexcept {
    for_each_slot([&](worker& v) {
      if (v.waits_for.runner.load(std::memory_order_acquire) == &runner) v.spot.signal();  // with join.hpp
    });
  }

  unsigned const size_;
  std::string const name_;
  bool const asymmetric_;
  bool const oversubscribed_;
  unsigned const search_limit_;

  idle_count<> idle_;
  alignas(line_pair) std::atomic<worker*> hot_{nullptr};  // a worker that waits at its mailbox
  alignas(line_pair) std::atomic<unsigned> callers_{0};   // outside threads that work here now
  std::atomic<unsigned> standing_back_{0};
  std::atomic<bool> started_{false}, everybody_{false}, closed_{false};
  std::atomic<slot_table const*> table_{nullptr};
  task_queue queue_;

  std::mutex slots_mutex_;  // of what follows
  std::vector<std::unique_ptr<worker>> slots_;
  std::vector<std::unique_ptr<slot_table>> tables_;
  std::vector<worker*> spare_;  // slots for outside callers
  std::vector<std::thread> threads_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
