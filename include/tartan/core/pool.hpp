#pragma once
// The pool: slots, threads, the search for work and the way to sleep. Protocols and proofs: README.md beside this file.

#include <time.h>  // clock_gettime, timespec

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // int64_t, uint64_t
#include <cstring>  // memcpy, strlen
#include <utility>  // exchange

#include "tartan/core/errors.hpp"         // error, pool_closed, raise
#include "tartan/core/handover.hpp"       // handing_over
#include "tartan/core/headcount.hpp"      // headcount
#include "tartan/core/hooks.hpp"          // emit, hook_event
#include "tartan/core/idle.hpp"           // idle_count
#include "tartan/core/os_thread.hpp"      // block_asynchronous_signals, leave_processor, name_this_thread, ...
#include "tartan/core/owned_array.hpp"    // owned_array
#include "tartan/core/plain_mutex.hpp"    // mutex_hold, plain_mutex
#include "tartan/core/pool_setup.hpp"     // idle, pool_setup
#include "tartan/core/process_state.hpp"  // process_state, this_thread_cell
#include "tartan/core/queue.hpp"          // task_queue
#include "tartan/core/residence.hpp"      // residence
#include "tartan/core/slot_table.hpp"     // growing_slots, slot_table
#include "tartan/core/smaller.hpp"        // larger, smaller
#include "tartan/core/ticks.hpp"          // ticks, ticks_per_us
#include "tartan/core/topology.hpp"       // hardware_cores
#include "tartan/core/tuning.hpp"         // errand_step, offer_tries, search_patience_us, steal_patience_us
#include "tartan/core/wake_places.hpp"    // wake_places
#include "tartan/core/worker.hpp"         // worker

namespace tartan::inline TARTAN_ABI::detail {

/// `size` workers, of which one is whoever calls: size - 1 threads. A thread that calls a pattern from outside takes a
/// slot for the time of the call. Submitted work has nobody who waits in the pool, so the first submission starts
/// thread number `size`; while outside callers work, as many threads stand back. A worker that blocks lets another
/// thread in: see must_stand_back().
class pool {
 public:
  explicit pool(unsigned size) : pool(sized(size)) {}

  explicit pool(pool_setup const& setup)
      : name_(std::strlen(setup.name) + 1),
        setup_(setup),
        size_(setup_.size),
        forks_(forks_now()),
        asymmetric_(real_atomics::asymmetric_available()),
        oversubscribed_(size_ > hardware_cores()),
        search_limit_(setup_.idle == tartan::idle::latency ? size_ + most_spares
                                                           : larger(1U, smaller(size_, hardware_cores()) / 2)),
        places_(!oversubscribed_ && !setup_.pin),
        people_(size_),
        queue_(smaller(size_, 64U), 8) {
    std::memcpy(name_.get(), setup.name, std::strlen(setup.name));
    setup_.name = name_.get();
    put_spare(*add_slot());
  }
  pool(pool const&) = delete;
  pool& operator=(pool const&) = delete;

  /// Runs what was submitted to its end, then joins the threads. No pattern may be running on the pool.
  ~pool() {
    close();
    join();
  }

  [[nodiscard]] unsigned size() const noexcept { return size_; }
  [[nodiscard]] bool asymmetric() const noexcept { return asymmetric_; }

  /// How long work should have been seen before it is stolen.
  [[nodiscard]] std::uint64_t steal_patience() const noexcept {
    return asymmetric_ ? steal_patience_us * ticks_per_us() : 0;
  }
  [[nodiscard]] bool threads_started() const noexcept { return started_.load(std::memory_order_relaxed); }  // a hint
  [[nodiscard]] char const* name() const noexcept { return setup_.name; }
  [[nodiscard]] pool_setup const& setup() const noexcept { return setup_; }

  /// Ticks against the steady clock since the pool began.
  [[nodiscard]] double ns_per_tick() const noexcept {
    return static_cast<double>(steady_ns() - begun_ns_) / static_cast<double>(ticks() - begun_ticks_ + 1);
  }

  /// In a forked child the threads of the parent's pools do not exist: such a pool must be left alone.
  [[nodiscard]] bool left_behind() const noexcept { return forks_ != forks_now(); }

  // ---- the end --------------------------------------------------------------------------------------------------

  /// From now on nothing can be submitted, and no call from outside begins.
  void close() noexcept {
    closing_.store(true, std::memory_order_relaxed);  // relaxed: calls of enter() that race are the caller's affair
    queue_.close();
  }
  [[nodiscard]] bool closing() const noexcept { return closing_.load(std::memory_order_relaxed); }  // as above

  /// After close(): what has not begun never will.
  void drop_queued() noexcept {
    dropping_.store(true, std::memory_order_relaxed);  // relaxed: for those that draw a task before this thread does
    while (!queue_.seems_empty())
      if (queued_task* const task = queue_.pop(0)) task->obey(task, current_worker(), task_order::drop);
  }

  /// Throws if the calling thread works for this pool: it would wait for its own end.
  void may_join() const {
    if (worker const* const w = current_worker(); w != nullptr && &w->home == this)
      raise<error>("tartan: a task of a pool cannot join that pool: it would wait for its own end; join from outside");
  }

  /// After close(): returns when everything has run and the threads are gone. May be called again.
  void join() {
    if (left_behind()) return;
    may_join();
    mutex_hold const one(join_mutex_);
    closed_.store(true, std::memory_order_release);  // with work(): what others pushed before close()
    real_atomics::full_fence();                      // [I1] of idle.hpp: a sleeper's last look sees it, or we see him
    wake_everybody();
    while (worker* const w = take_thread()) w->thread.join();
  }

  // ---- outside callers ------------------------------------------------------------------------------------------

  /// A slot for a thread of outside; it becomes this thread's worker until leave(). `kept` is one that it has already.
  TARTAN_ALWAYS_INLINE worker& enter(worker* kept) {
    if (closing_.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: see close()
      raise<pool_closed>();
    worker& w = kept != nullptr ? *kept : *take_spare();
    if (residence_.comes(w.stay)) [[likely]]
      return w;
    count_in(w);
    if (!started_.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: nothing is read for it
      start_threads();
    return w;
  }

  void leave(worker& w, bool keep) noexcept {
    if (!residence_.goes(w.stay)) [[unlikely]]
      leave_counted(w, keep);
  }

  /// The thread of this slot, which is in a call, keeps it until give_back().
  void keep(worker& w) noexcept {
    mutex_hold const hold(slots_mutex_);
    if (!asymmetric_ || everybody_.load(std::memory_order_relaxed)) return;  // relaxed: changes under the mutex
    residence_.begin(w.stay, [this] { return people_.is_only_caller(); });
  }

  void give_back(worker& w) noexcept {
    if (left_behind()) return;  // a thread of the parent may have held the mutex
    bool const count_out = [&] {
      mutex_hold const hold(slots_mutex_);
      return residence_.leave_for_good(w.stay);
    }();
    if (count_out) caller_has_left(people_.caller_goes());
    put_spare(w);
  }

  // ---- blocking -------------------------------------------------------------------------------------------------

  /// A worker is about to wait for something that no worker works on: another thread may take its place, so that the
  /// core stays busy and whatever it waits for can come about. False when too many block already.
  [[nodiscard]] bool begin_blocking(worker const& w) {
    auto const now = people_.worker_blocks(w.rank != no_rank);
    if (now.blocked() > most_spares) {
      end_blocking(w);
      return false;
    }
    let_in(now);
    return true;
  }

  /// A worker is about to sleep until another one has done something. A slot of an outside caller then counts as
  /// blocked like a wait for what no worker works on: the thread that makes room for the caller may be the one that is
  /// waited for, or that something waited for needs. True if it counts; then end_blocking() must follow.
  [[nodiscard]] bool may_block_asleep(worker const& w, bool for_no_worker) {
    return (for_no_worker || w.rank == no_rank) && begin_blocking(w);
  }

  void end_blocking(worker const& w) noexcept { people_.worker_goes_on(w.rank != no_rank); }

  /// A worker is about to sleep until some worker has done something, and does not count as blocked. That one may block
  /// in turn, and need a task that no thread is left to run.
  void begin_asleep(worker const& w) noexcept {
    if (w.rank != no_rank) return let_in(people_.thread_sleeps());
    people_.caller_sleeps();
    if (!people_.somebody_stands_back()) return;
    real_atomics::full_fence();  // with submit(): we see the task, or it sees that this caller sleeps
    if (!queue_.seems_empty()) wake_for_queue();
  }
  void end_asleep(worker const& w) noexcept { w.rank != no_rank ? people_.thread_wakes() : people_.caller_wakes(); }

  void put_spare(worker& w) noexcept {
    if (left_behind()) return;  // a thread of the parent may have held the mutex
    mutex_hold const hold(slots_mutex_);
    w.next = spare_;
    spare_ = &w;
  }

  // ---- publishing -----------------------------------------------------------------------------------------------

  /// After a push on w's deque by its owner.
  void published(worker& w) noexcept { published(w, asymmetric_); }

  /// The same for those who know asymmetric() already.
  TARTAN_ALWAYS_INLINE void published(worker& w, bool asymmetric) noexcept {
    if (anybody_idle(asymmetric)) [[unlikely]]
      notify(w);
  }

  /// As published(), for forks that are not the quick ones.
  TARTAN_NOINLINE void published_in_person(worker& w, bool asymmetric) noexcept {
    bool const somebody = anybody_idle(asymmetric);
    if ((somebody || w.helped) && hand_over_soon(w)) return;
    if (somebody) notify(w);
  }

  /// After a push, for those who call published() only then.
  [[nodiscard]] TARTAN_ALWAYS_INLINE bool anybody_idle(bool asymmetric) noexcept {
    real_atomics::light_fence(asymmetric);  // [I1] of idle.hpp with begin_sleep()
    return idle_.look().word != 0;
  }

  /// As published(), for work that may be too short to be worth handing over: wakes when all sleep, nothing else.
  void published_quietly(worker& w) noexcept { published_quietly(w, asymmetric_); }
  TARTAN_ALWAYS_INLINE void published_quietly(worker& w, bool asymmetric) noexcept {
    real_atomics::light_fence(asymmetric);  // [I1]
    auto const v = idle_.look();
    if (v.word != 0 && v.searching() == 0) [[unlikely]]
      notify(w);
  }

  /// As published_quietly(), for what is known to be worth handing over.
  void published_as_long(worker& w, bool asymmetric) noexcept {
    if (!hand_over_soon(w)) published_quietly(w, asymmetric);
  }

  /// Hands w's oldest work to one who waits at his mailbox; wakes nobody. False when nobody took it.
  TARTAN_NOINLINE bool hand_over(worker& w) noexcept {
    return handovers_.give(w, [this](worker const& to) { return !must_stand_back(to.rank); });
  }

  /// The same for work that is likely to be long: waits a moment for one who searches to come back to his mailbox, and
  /// for one who ran the other half of the last one: he is on his way, and not counted as idle yet.
  TARTAN_NOINLINE bool hand_over_soon(worker& w) noexcept {
    int tries = idle_.look().searching() != 0 ? offer_tries : 1;
    if (std::exchange(w.helped, false)) {
      w.tasks.quick_again();
      tries = offer_tries;
    }
    for (; !hand_over(w); cpu_pause())
      if (--tries == 0 || w.tasks.seems_empty()) return false;
    return true;
  }

  /// From time to time while w has work on its deque: is there anybody who wants some? Those who wait for it get what
  /// `worth_giving()` says, those who sleep are woken for what `worth_waking()` says.
  template <class WorthGiving, class WorthWaking>
  TARTAN_ALWAYS_INLINE void share(worker& w, WorthGiving worth_giving, WorthWaking worth_waking) noexcept {
    auto const v = idle_.look();
    if (v.word == 0) [[likely]]
      return;
    if (is_asked(w) && worth_giving() && handing_over::give_below(w)) return;
    if (v.anybody() && (v.searching() != 0 ? worth_giving() : worth_waking())) notify(w);
  }

  [[nodiscard]] handing_over& handovers() noexcept { return handovers_; }

  /// Any thread. The task runs although nobody waits. False after close(): the caller keeps the task.
  [[nodiscard]] bool submit(queued_task* task, queue_place place) {
    if (!everybody_.load(std::memory_order_relaxed)) start_async_thread();  // relaxed: nothing is read for it
    if (!queue_.push(task, place)) [[unlikely]]
      return false;
    real_atomics::full_fence();  // [I1] with begin_sleep(); [H1] with stand_back()
    auto const v = idle_.look();
    if (v.searching() != 0) return true;
    if (v.sleeping() != 0 && idle_.claim())
      wake_claimed();
    else if (people_.somebody_stands_back())
      wake_for_queue();
    return true;
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
    wake_places::begins_to_run(w);
    next_errand(w);
    j.run(&j, w);
    next_errand(w);
    if (worker* const forker = j.join.finish()) forker->spot.signal();
    wake_places::has_run(w);
  }

  [[nodiscard]] wake_places& places() noexcept { return places_; }

  /// Takes a job from anybody; null if there seems to be none.
  job* steal(worker& thief) noexcept {
    slot_table const& all = slots_.latest();
    std::size_t const n = all.size();
    std::size_t const start = n > 1 ? thief.next_random() % n : 0;
    for (std::size_t k = 0; k != n; ++k) {
      worker& victim = *all[(start + k) % n];
      if (&victim == &thief || victim.tasks.seems_empty()) continue;
      // Asked after the entry was seen: what an outside caller pushed shows the thief that it must stand back for it.
      if (job* const j = victim.tasks.steal([&] { return !must_stand_back(thief.rank); })) {
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
    bump(w.tasks_run);
    emit(hook_event::task_begin, w.index);
    bool const drop = dropping_.load(std::memory_order_relaxed);  // relaxed: see drop_queued()
    task->obey(task, &w, drop ? task_order::drop : task_order::run);
    emit(hook_event::task_end, w.index);
    next_errand(w);
    return true;
  }

  /// Whether this worker should leave further tasks to others.
  [[nodiscard]] bool surplus(worker const& w) const noexcept { return must_stand_back(w.rank); }

  [[nodiscard]] idle_count<>& idle() noexcept { return idle_; }
  [[nodiscard]] bool oversubscribed() const noexcept { return oversubscribed_; }

  template <class Visit>
  void for_each_slot(Visit visit) const {
    for (worker* const w : slots_.latest()) visit(*w);
  }

  pool* next_idle = nullptr;  // for whoever keeps pools that nobody uses, see lent_pools

  static void next_errand(worker& w) noexcept {
    w.errand.store(w.errand.load(std::memory_order_relaxed) + errand_step,
                   std::memory_order_release);  // with steal_below() in join.hpp
  }

 private:
  /// More tasks than this may not block at once, beyond the size of the pool.
  static constexpr unsigned most_spares = 1024;

  static unsigned forks_now() noexcept {
    return process_state().forks.load(std::memory_order_relaxed);  // relaxed: changes only in a new process
  }

  static pool_setup sized(unsigned size) {
    pool_setup setup;
    setup.size = size;
    return setup;
  }

  static std::int64_t steady_ns() noexcept {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  }

  // ---- slots and threads ----------------------------------------------------------------------------------------

  TARTAN_NOINLINE void count_in(worker& w) noexcept {
    if (w.stay.held && asks_residence(w)) return;
    people_.caller_comes();
    if (!residence_.is_held()) return;
    bool const count_out = [&] {
      mutex_hold const hold(slots_mutex_);
      return residence_.end();
    }();
    if (count_out) caller_has_left(people_.caller_goes());
  }

  TARTAN_NOINLINE void leave_counted(worker& w, bool keep) noexcept {
    if (!w.stay.held || asks_residence(w)) caller_has_left(people_.caller_goes());
    if (!keep) put_spare(w);
  }

  /// Whether a caller that was resident, and no longer is, is counted.
  TARTAN_COLD bool asks_residence(worker& w) noexcept {
    if (left_behind()) return false;  // a thread of the parent may have held the mutex
    mutex_hold const hold(slots_mutex_);
    return residence<>::ask(w.stay);
  }

  /// Under the mutex.
  worker* add_slot() { return slots_.add(*this, size_ == 1, asymmetric_); }

  TARTAN_COLD worker* take_spare() {
    mutex_hold const hold(slots_mutex_);
    if (spare_ == nullptr) return add_slot();
    worker* const w = spare_;
    spare_ = w->next;
    return w;
  }

  TARTAN_COLD void start_threads() {
    mutex_hold const hold(slots_mutex_);
    if (started_.load(std::memory_order_relaxed)) return;  // relaxed: under the mutex
    pin_this_module();
    while (threads_held_ + 1 < size_ && start_thread()) {
    }  // with fewer the caller does more
    started_.store(true, std::memory_order_relaxed);  // relaxed: see enter()
  }

  TARTAN_COLD void start_async_thread() {
    mutex_hold const hold(slots_mutex_);
    if (closing_.load(std::memory_order_relaxed)) return;  // relaxed: the push will say so
    pin_this_module();
    while (threads_held_ < size_ && start_thread()) {
    }
    if (threads_ == nullptr)
      raise<error>(
          "tartan: the system refuses to start a thread for submitted work; raise the limit on processes "
          "(ulimit -u), or give the pool a smaller stack_size");
    started_.store(true, std::memory_order_relaxed);    // relaxed: see enter()
    everybody_.store(true, std::memory_order_relaxed);  // relaxed: see submit(), and the fence
    if (residence_.end()) wake_those_let_in(people_.caller_goes());
    real_atomics::full_fence();  // with let_in(): it knows that tasks may come, or we know whom it has let in
    start_needed();
  }

  TARTAN_COLD void start_spares() noexcept {
    if (left_behind()) return;  // a thread of the parent may have held the mutex
    mutex_hold const hold(slots_mutex_);
    // Relaxed: after close() none is needed but for what the queue holds still, which ends before join() does.
    if (closed_.load(std::memory_order_relaxed) && queue_.seems_empty()) return;
    pin_this_module();
    start_needed();
  }

  /// Under the mutex.
  void start_needed() noexcept {
    while (threads_held_ < threads_needed(people_.look()) && start_thread()) {
    }
  }

  /// Null when there is none left. A task may let spare threads in while the pool is joined.
  worker* take_thread() {
    mutex_hold const hold(slots_mutex_);
    worker* const last = threads_;
    if (last == nullptr) return nullptr;
    threads_ = last->next;
    --threads_held_;
    return last;
  }

  /// Under the mutex. False when the system refuses, be it the thread or the memory.
  bool start_thread() noexcept {
#if TARTAN_EXCEPTIONS
    try {
      return try_start_thread();
    } catch (...) {
      return false;
    }
#else
    return try_start_thread();
#endif
  }

  bool try_start_thread() {
    if (unstarted_ == nullptr) unstarted_ = add_slot();
    worker* const w = unstarted_;
    w->rank = threads_held_;
    places_.about_to_start();
    if (!w->thread.start(setup_.stack_size, &run_thread, w)) return false;
    places_.started();
    unstarted_ = nullptr;
    w->next = threads_;
    threads_ = w;
    thread_count_.store(++threads_held_, std::memory_order_relaxed);  // relaxed: a hint
    return true;
  }

  // ---- the life of a pool thread --------------------------------------------------------------------------------

  static void run_thread(void* of) {
    auto& w = *static_cast<worker*>(of);
    w.home.work(w);
  }

  void work(worker& w) {
    block_asynchronous_signals();
    name_this_thread(setup_.name, w.index);
    if (setup_.pin) pin_this_thread(w.rank);
    places_.begin();
    this_thread_cell().current = &w;
    w.begun_at.store(ticks(), std::memory_order_relaxed);  // relaxed: a statistic
    emit(hook_event::thread_start, w.index);
    if (setup_.on_start != nullptr) setup_.on_start(setup_.self, w.index);
    for (;;) {
      if (may_stand_back(w.rank)) {
        stand_back(w);
        continue;
      }
      if (run_queued(w)) continue;
      if (await_job(w)) {
        run_what_is_given(w);
        continue;
      }
      if (closed_.load(std::memory_order_acquire) && queue_.seems_empty()) break;  // acquire: with join()
    }
    if (setup_.on_exit != nullptr) setup_.on_exit(setup_.self, w.index);
    emit(hook_event::thread_stop, w.index);
    this_thread_cell().current = nullptr;
  }

  /// Who has just worked is likely to be given more. Who gives may do so for ever: from time to time the queue has its
  /// turn.
  void run_what_is_given(worker& w) {
    constexpr unsigned a_turn = 16;
    for (unsigned given = 1;; ++given) {
      job* const j = handovers_.linger(w, true);
      if (j == nullptr) return;
      if (people_.somebody_stands_back()) let_in_late();  // [H3]
      run_begun(w, *j);
      if (given % a_turn == 0 && !queue_.seems_empty()) return;
    }
  }

  // ---- standing back, see headcount.hpp -------------------------------------------------------------------------

  [[nodiscard]] bool must_stand_back(unsigned rank) const noexcept {
    return rank != no_rank && rank >= people_.wanted(people_.look()) &&
           !closed_.load(std::memory_order_relaxed);  // relaxed: looked at again
  }

  /// Some stay awake for what was submitted, however many callers there are: these may come for ever, and run nothing
  /// but their own work. The threads that stay take none of that meanwhile.
  [[nodiscard]] bool may_stand_back(unsigned rank) const noexcept {
    return must_stand_back(rank) && (rank >= people_.wanted_for_queue(people_.look()) || queue_.seems_empty());
  }

  void stand_back(worker& w) {
    people_.stand_back(w.stands_back);
    if (!queue_.seems_empty()) wake_for_queue();  // this one may have been woken for the task
    if (!somebody_hears()) let_in_late();  // [H3]: it may have been awake in the place of one that need not stand back
    w.idle_since.store(ticks(), std::memory_order_relaxed);  // relaxed: a statistic
    while (may_stand_back(w.rank)) w.spot.park();
    end_idle_time(w);
    people_.step_forward(w.stands_back);
  }

  /// How many threads the pool should have now that it has let somebody in.
  [[nodiscard]] unsigned threads_needed(headcount<>::view now) const noexcept {
    if (now.blocked() == 0 && now.away() == 0) return 0;                     // those of the start are enough
    bool const tasks_may_come = everybody_.load(std::memory_order_seq_cst);  // with start_async_thread()
    if (tasks_may_come) return smaller(people_.wanted_for_queue(now), size_ + most_spares);
    return now.blocked() == 0 ? 0 : people_.wanted(now);
  }

  /// One more thread may be awake.
  void let_in(headcount<>::view now) noexcept {
    wake_those_let_in(now);
    start_those_let_in(now);
  }

  void start_those_let_in(headcount<>::view now) noexcept {
    if (thread_count_.load(std::memory_order_relaxed) < threads_needed(now))
      start_spares();  // relaxed: looked at again
  }

  void wake_those_let_in(headcount<>::view now) noexcept {
    if (people_.somebody_stands_back()) wake_those_below(people_.wanted_for_queue(now));
  }

  /// The same for a caller that is likely to come again at once: a wake-up takes 7 us, and who is woken would stand
  /// back again. So it is left to whoever hears of the next work, if there is somebody ([H3] of headcount.hpp).
  void caller_has_left(headcount<>::view now) noexcept {
    if (people_.somebody_stands_back()) {
      real_atomics::full_fence_behind_rmw();  // [H3] with pass_on() and submit()
      if (!somebody_hears()) wake_those_below(people_.wanted_for_queue(now));
    }
    start_those_let_in(now);
  }

  /// Whether somebody hears of work that is forked or submitted from now on, and looks who stands back when he has
  /// found some. Who stands at his mailbox may first be given work for a while.
  [[nodiscard]] bool somebody_hears() const noexcept {
    auto const v = idle_.look();
    return v.searching() + v.sleeping() != 0 || (handovers_.somebody_waits() && queue_.seems_empty());
  }

  /// Lets in whom a caller that left has not woken. Relaxed: a thread that is not counted as started yet only costs a
  /// signal for nothing.
  void let_in_late() noexcept {
    auto const now = people_.look();
    if (people_.too_many_stand_back(now, thread_count_.load(std::memory_order_relaxed)))
      wake_those_below(people_.wanted(now));
  }

  /// The queue holds a task: wakes those that may take it although callers fill the pool.
  TARTAN_COLD void wake_for_queue() noexcept {
    auto const now = people_.look();
    if (room_for_queue(now))
      wake_those_below(people_.wanted_for_queue(now));
    else
      let_in_late();
  }

  /// Whether more threads may be awake while the queue holds a task.
  [[nodiscard]] bool room_for_queue(headcount<>::view now) const noexcept {
    return people_.wanted(now) < people_.wanted_for_queue(now);
  }

  TARTAN_COLD void wake_those_below(unsigned rank) noexcept {
    for_each_slot([rank](worker& w) {
      if (headcount<>::stands_back(w.stands_back) && w.rank < rank) w.spot.signal();
    });
  }

  TARTAN_COLD void wake_everybody() noexcept {
    while (idle_.claim()) wake_claimed();
    wake_those_below(~0U);
  }

  /// Spins for a while, then sleeps. False when it has run nothing.
  bool await_job(worker& w) {
    w.idle_since.store(ticks(), std::memory_order_relaxed);  // relaxed: a statistic
    bool const searching = setup_.idle != tartan::idle::power && idle_.begin_search(search_limit_);
    if (searching) {
      find const f = search(w);
      if (f.what != nullptr || !queue_.seems_empty() || setup_.idle == tartan::idle::latency) return run_found(w, f);
    }
    idle_.begin_sleep(searching);            // S1
    real_atomics::heavy_fence(asymmetric_);  // S2, [I1] with published() and submit()
    if (closed_.load(std::memory_order_relaxed) || !queue_.seems_empty() || anybody_has_work()) {  // S3
      if (!idle_.cancel_sleep()) idle_.await_token();                                              // S4
      return run_found(w, {steal(w), false});
    }
    bump(w.parks);
    emit(hook_event::park, w.index);
    places_.sleep_apart(w, [this] { idle_.await_token(); });  // S5
    emit(hook_event::unpark, w.index);
    return run_found(w, must_stand_back(w.rank) ? find{} : search(w));
  }

  void wake_claimed() noexcept {
    places_.about_to_wake();
    idle_.wake_claimed();
  }

  struct find {
    job* what = nullptr;
    bool begun = false;  // it came by the mailbox
  };

  /// Ends the search; the last searcher passes the duty on ([I3] of idle.hpp).
  bool run_found(worker& w, find f) {
    if (auto const before = idle_.end_search(); before.searching() == 1) {
      bool const some_stand_back = people_.somebody_stands_back();
      if (before.sleeping() != 0 || some_stand_back)
        pass_on(before.sleeping() != 0, some_stand_back, f.what != nullptr);
    }
    end_idle_time(w);
    if (f.what == nullptr) return false;
    f.begun ? run_begun(w, *f.what) : run_stolen(w, *f.what);
    return true;
  }

  void pass_on(bool some_sleep, bool some_stand_back, bool has_found) noexcept {
    real_atomics::full_fence();  // with submit(): one of the two sees the other ([I3]); [H3] with caller_has_left()
    if (some_sleep && (!queue_.seems_empty() || anybody_has_work()) && idle_.claim())
      wake_claimed();
    else if (some_stand_back && !queue_.seems_empty())
      wake_for_queue();
    else if (some_stand_back && !some_sleep && has_found)
      let_in_late();
  }

  static void end_idle_time(worker& w) noexcept {
    std::uint64_t const idle = ticks() - w.idle_since.load(std::memory_order_relaxed);  // relaxed: a statistic
    w.idle_ticks.store(w.idle_ticks.load(std::memory_order_relaxed) + idle, std::memory_order_relaxed);  // likewise
    w.idle_since.store(0, std::memory_order_relaxed);                                                    // likewise
  }

  /// Waits at the mailbox for a job that somebody hands over; steals from those that are too busy to do so.
  find search(worker& w) noexcept {
    std::uint64_t const patience = (oversubscribed_ ? 5 : search_patience_us) * ticks_per_us();
    std::uint64_t const begin = ticks();
    std::uint64_t const between_looks = steal_patience() / 4;  // each costs others lines that they write all the time
    sighting last{};
    std::uint64_t now = begin, next_look = begin;
    do {
      if (job* const j = handovers_.linger(w)) return {j, true};
      if (!queue_.seems_empty()) break;
      now = ticks();
      if (now < next_look) continue;
      if (job* const j = steal_what_lasts(w, last)) return {j, false};
      if (must_stand_back(w.rank)) break;
      next_look = now + between_looks;
    } while (now - begin < patience && !closed_.load(std::memory_order_relaxed));  // relaxed: the caller looks again
    handovers_.leave(w);
    return {};
  }

  struct sighting {
    worker* victim = nullptr;
    std::uint64_t beat = 0;
    std::uint64_t since = 0;  // ticks
  };

  /// Steals only from those that are where they were some looks ago: short-lived work is cheaper where it is than after
  /// a heavy fence. A worker that has begun another range since is left alone after one glance at one line.
  job* steal_what_lasts(worker& w, sighting& last) noexcept {
    slot_table const& all = slots_.latest();
    worker* victim = last.victim;
    if (victim == nullptr || victim->tasks.seems_empty()) {
      victim = nullptr;
      std::size_t const start = w.next_random() % all.size();
      for (std::size_t k = 0; k != all.size() && victim == nullptr; ++k) {
        worker& v = *all[(start + k) % all.size()];
        if (&v != &w && !v.tasks.seems_empty()) victim = &v;
      }
    }
    if (victim == nullptr) return last = {}, nullptr;
    std::uint64_t const beat = victim->beat.load(std::memory_order_relaxed);  // relaxed: a hint
    if (victim != last.victim || beat != last.beat) return last = {victim, beat, ticks()}, nullptr;
    return ticks() - last.since < steal_patience() ? nullptr : steal(w);
  }

  [[nodiscard]] bool anybody_has_work() const noexcept {
    bool some = false;
    for_each_slot([&](worker const& v) { some = some || !v.tasks.seems_empty(); });
    return some;
  }

  // ---- telling others -------------------------------------------------------------------------------------------

  /// Relaxed: give_below() acquires.
  static bool is_asked(worker const& w) noexcept { return w.asked_by.load(std::memory_order_relaxed) != nullptr; }

  TARTAN_NOINLINE void notify(worker& w) noexcept {
    auto const v = idle_.look();
    if (is_asked(w) && handing_over::give_below(w)) return;
    if (v.searching() != 0)
      hand_over(w);
    else if (v.sleeping() != 0) {
      if (idle_.claim()) wake_claimed();
    } else if (w.sleeping_joiners.load(std::memory_order_relaxed) != 0)  // relaxed: ordered by the fence of published()
      wake_joiners(w);
  }

  TARTAN_COLD void wake_joiners(worker& runner) noexcept {
    for_each_slot([&](worker& v) {
      if (v.waits_for.runner.load(std::memory_order_acquire) == &runner) v.spot.signal();  // with join.hpp
    });
  }

  owned_array<char> const name_;
  pool_setup setup_;  // never changes
  unsigned const size_;
  unsigned const forks_;
  std::int64_t const begun_ns_ = steady_ns();
  std::uint64_t const begun_ticks_ = ticks();
  bool const asymmetric_;
  bool const oversubscribed_;
  unsigned const search_limit_;

  wake_places places_;
  idle_count<> idle_;
  alignas(line_pair) handing_over handovers_;
  alignas(line_pair) headcount<> people_;
  residence<> residence_;
  std::atomic<unsigned> thread_count_{0};
  std::atomic<bool> started_{false}, everybody_{false}, closing_{false}, closed_{false}, dropping_{false};
  growing_slots slots_;
  task_queue queue_;

  plain_mutex join_mutex_;
  plain_mutex slots_mutex_;      // of what follows
  worker* spare_ = nullptr;      // slots for outside callers
  worker* unstarted_ = nullptr;  // the slot of a thread that could not be started
  worker* threads_ = nullptr;    // the last one that was started, not yet joined
  unsigned threads_held_ = 0;    // how many these are
};

}  // namespace tartan::inline TARTAN_ABI::detail
