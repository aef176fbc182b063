#pragma once
// The pool: how its workers publish work, search for it and lie down. Protocols and proofs: README.md beside this file.

#include <time.h>  // clock_gettime, timespec

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // int64_t, uint64_t
#include <cstring>  // memcpy, strlen
#include <utility>  // exchange

#include "tartan/core/admission.hpp"        // admission, most_threads_more
#include "tartan/core/atomics.hpp"          // real_atomics
#include "tartan/core/errors.hpp"           // error, pool_closed, raise
#include "tartan/core/group_frame.hpp"      // group_frame
#include "tartan/core/handover.hpp"         // handing_over
#include "tartan/core/hooks.hpp"            // emit, hook_event
#include "tartan/core/idle.hpp"             // idle_count
#include "tartan/core/lookout.hpp"          // lookout
#include "tartan/core/os_thread.hpp"        // block_asynchronous_signals, name_this_thread, this_thread_number, ...
#include "tartan/core/outside_callers.hpp"  // outside_callers
#include "tartan/core/owned_array.hpp"      // owned_array
#include "tartan/core/padded.hpp"           // line_pair
#include "tartan/core/plain_mutex.hpp"      // mutex_hold, plain_mutex
#include "tartan/core/pool_setup.hpp"       // idle, pool_setup
#include "tartan/core/pool_threads.hpp"     // pool_thread, pool_threads
#include "tartan/core/process_state.hpp"    // this_thread_cell
#include "tartan/core/queue.hpp"            // task_queue
#include "tartan/core/reminder_shelf.hpp"   // shelf_ref, reminder_shelf
#include "tartan/core/slot_table.hpp"       // slot_table
#include "tartan/core/smaller.hpp"          // larger, smaller
#include "tartan/core/standstill.hpp"       // standstill
#include "tartan/core/ticks.hpp"            // ticks, ticks_per_us
#include "tartan/core/topology.hpp"         // hardware_cores
#include "tartan/core/tuning.hpp"           // errand_step, offer_tries, search_patience_us, steal_patience_us
#include "tartan/core/wake_places.hpp"      // wake_places
#include "tartan/core/worker.hpp"           // begin_idle_time, bump, current_worker, end_idle_time, worker

namespace tartan::inline TARTAN_ABI::detail {

/// `size` workers, of which one is whoever calls: size - 1 threads. A thread that calls a pattern from outside takes a
/// slot for the time of the call. Submitted work has nobody who waits in the pool, so the first submission starts
/// thread number `size`; while outside callers work, as many threads stand back. A worker that blocks lets another
/// thread in: see admission.hpp.
class pool {
 public:
  pool* kept_before = nullptr;  // among those that are never freed, see pool_table.hpp

  explicit pool(unsigned size) : pool(pool_setup{.size = size}) {}

  explicit pool(pool_setup const& setup)
      : name_(std::strlen(setup.name) + 1),
        setup_(setup),
        size_(setup_.size),
        asymmetric_(real_atomics::asymmetric_available()),
        oversubscribed_(size_ > hardware_cores()),
        one_at_a_time_(oversubscribed_ && setup_.idle != tartan::idle::latency),  // which never lies down
        search_limit_(setup_.idle == tartan::idle::latency ? size_ + most_threads_more
                                                           : larger(1U, smaller(size_, hardware_cores()) / 2)),
        places_(!oversubscribed_ && !setup_.pin),
        queue_(smaller(size_, 64U), 8),
        threads_(*this, setup_, places_, asymmetric_),
        lookout_(*this, setup_, threads_),
        admission_(size_, idle_, handovers_, queue_, threads_, lookout_),
        callers_(size_, asymmetric_, threads_, admission_) {
    std::memcpy(name_.get(), setup.name, std::strlen(setup.name));
    setup_.name = name_.get();
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
  [[nodiscard]] bool threads_started() const noexcept { return threads_.started(); }  // a hint
  [[nodiscard]] char const* name() const noexcept { return setup_.name; }
  [[nodiscard]] pool_setup const& setup() const noexcept { return setup_; }

  /// Ticks against the steady clock since the pool began.
  [[nodiscard]] double ns_per_tick() const noexcept {
    return static_cast<double>(steady_ns() - begun_ns_) / static_cast<double>(ticks() - begun_ticks_ + 1);
  }

  /// In a forked child the threads of the parent's pools do not exist: such a pool must be left alone.
  [[nodiscard]] bool left_behind() const noexcept { return threads_.left_behind(); }

  // ---- the end --------------------------------------------------------------------------------------------------

  /// From now on nothing can be submitted, and no call from outside begins.
  void close() noexcept {
    closing_.store(true, std::memory_order_relaxed);  // relaxed: calls of enter() that race are the caller's affair
    queue_.close();
    shelf_->close();
  }
  [[nodiscard]] bool closing() const noexcept { return closing_.load(std::memory_order_relaxed); }  // as above

  /// After close(): what has not begun never will.
  void drop_queued() noexcept {
    dropping_.store(true, std::memory_order_relaxed);  // relaxed: for those that draw a task before this thread does
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

  /// Forks are counted from begin_ to the end_ that belongs to it. Free for all others.
  void begin_counting_forks() noexcept {
    mutex_hold const hold(threads_.mutex());
    if (fork_counters_++ == 0) idle_.begin_counting();
  }
  void end_counting_forks() noexcept {
    mutex_hold const hold(threads_.mutex());
    if (--fork_counters_ == 0) idle_.end_counting();
  }

  /// For workers that block, or sleep.
  [[nodiscard]] admission& admitted() noexcept { return admission_; }

  // ---- publishing -----------------------------------------------------------------------------------------------

  /// After a push on w's deque by its owner.
  void published(worker& w) noexcept { published(w, asymmetric_); }

  /// The same for those who know asymmetric() already.
  TARTAN_ALWAYS_INLINE void published(worker& w, bool asymmetric) noexcept {
    if (anybody_idle(asymmetric) && is_news(w)) [[unlikely]]
      tell(w);
  }

  /// Tells those who want to know. Perhaps it is only that forks are counted.
  TARTAN_NOINLINE void tell(worker& w) noexcept {
    count_fork(w);
    notify(w);
  }

  /// As published(), for forks that are not the quick ones.
  TARTAN_NOINLINE void published_in_person(worker& w, bool asymmetric) noexcept {
    bool const somebody = anybody_idle(asymmetric);
    if (somebody) count_fork(w);
    if ((somebody || w.helped) && hand_over_soon(w)) return;
    if (somebody) notify(w);
  }

  /// Behind anybody_idle(): whether those are to be told of w's push. Where there are more workers than cores, somebody
  /// always sleeps, and who has been woken comes when a core is free: until then there is nothing to tell. He will look
  /// at every deque, for he searches, and lies down if he finds nothing ([I1] of idle.hpp).
  [[nodiscard]] TARTAN_ALWAYS_INLINE bool is_news(worker const& w) const noexcept {
    auto const v = idle_.look();
    return !one_at_a_time_ || v.searching() == 0 || v.counting() || is_asked(w);
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

  /// The same for the last of several pushes, by one who may publish nothing more for long: closes the gap of [I3] in
  /// idle.hpp. Who ends a search after our look sees what we have pushed, for there is a full fence on both sides.
  void published_at_last(worker& w) noexcept {
    real_atomics::full_fence();  // [I3] with pass_on()
    if (auto const v = idle_.look(); v.word != 0 && v.searching() == 0) notify(w);
  }

  /// As published_quietly(), for what is known to be worth handing over.
  void published_as_long(worker& w, bool asymmetric) noexcept {
    if (!hand_over_soon(w)) published_quietly(w, asymmetric);
  }

  /// Hands w's oldest work to one who waits at his mailbox. False when nobody took it; what was offered to one who
  /// has gone is put aside, and if nobody looks for work, one is woken for it.
  TARTAN_NOINLINE bool hand_over(worker& w) noexcept {
    return handovers_.give(w, [this](worker const& to) { return !surplus(to); }) || tell_of_aside(w);
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
    if (is_asked(w) && worth_giving() && give_below(w)) return;
    if (v.anybody() && (v.searching() != 0 ? worth_giving() : worth_waking())) notify(w);
  }

  [[nodiscard]] handing_over& handovers() noexcept { return handovers_; }

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

  // ---- finding work ---------------------------------------------------------------------------------------------

  /// Runs a job that w stole. The deque of w is empty here: see [L1] of join.hpp.
  static void run_stolen(worker& w, job& j) {
    w.waits_for.runner.store(nullptr, std::memory_order_relaxed);  // relaxed: published by begin_by()
    j.join.begin_by(&w);
    run_begun(w, j);
  }

  /// Runs a job that came by the mailbox.
  static void run_given(worker& w, job& j) {
    bump(w.steals);
    emit(hook_event::steal, w.index);
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
    slot_table const& all = threads_.slots();
    std::size_t const n = all.size();
    std::size_t const start = n > 1 ? thief.next_random() % n : 0;
    for (std::size_t k = 0; k != n; ++k) {
      worker& victim = *all[(start + k) % n];
      if (&victim == &thief || victim.tasks.offers_nothing()) continue;
      // Asked after the entry was seen: what an outside caller pushed shows the thief that it must stand back for it.
      auto const wanted = [&] { return !surplus(thief); };
      job* j = victim.tasks.aside().take(wanted);
      if (j == nullptr) j = victim.tasks.steal(wanted);
      if (j != nullptr) {
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
    bump(w.queued_run);
    emit(hook_event::task_begin, w.index);
    task->obey(task, &w, dropping() ? task_order::drop : task_order::run);
    emit(hook_event::task_end, w.index);
    next_errand(w);
    return true;
  }

  /// Relaxed: see drop_queued().
  [[nodiscard]] bool dropping() const noexcept { return dropping_.load(std::memory_order_relaxed); }

  /// Whether this worker should leave further tasks to others.
  [[nodiscard]] bool surplus(worker const& w) const noexcept { return admission_.must_stand_back(w.rank); }

  /// Whether `w`, which may be gone already, is a slot of this pool. O(slots).
  [[nodiscard]] bool owns(worker const* w) const noexcept {
    for (worker const* const own : threads_.slots())
      if (own == w) return true;
    return false;
  }

  [[nodiscard]] idle_count<>& idle() noexcept { return idle_; }
  [[nodiscard]] bool oversubscribed() const noexcept { return oversubscribed_; }

  template <class Visit>
  void for_each_slot(Visit visit) const {
    for (worker* const w : threads_.slots()) visit(*w);
  }

  pool* next_idle = nullptr;  // for whoever keeps pools that nobody uses, see lent_pools

  static void next_errand(worker& w) noexcept {
    w.errand.store(w.errand.load(std::memory_order_relaxed) + errand_step,
                   std::memory_order_release);  // with joiner::ask() and leapfrog::follow()
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

  /// Who has just worked is likely to be given more. Who gives may do so for ever: from time to time the queue has its
  /// turn.
  void run_what_is_given(worker& w) {
    constexpr unsigned a_turn = 16;
    for (unsigned given = 1;; ++given) {
      job* const j = handovers_.linger(w, true);
      if (j == nullptr) return;
      if (admission_.somebody_stands_back()) admission_.let_in_late();  // [H3] of headcount.hpp
      run_given(w, *j);
      if (given % a_turn == 0 && !queue_.seems_empty()) return;
    }
  }

  /// Spins for a while, then sleeps. False when it has run nothing.
  bool await_job(worker& w) {
    begin_idle_time(w);
    bool const searching = setup_.idle != tartan::idle::power && idle_.begin_search(search_limit_);
    if (searching) {
      find const f = search(w);
      if (f.what != nullptr || !queue_.seems_empty() || setup_.idle == tartan::idle::latency) return run_found(w, f);
    }
    idle_.begin_sleep(searching);                                              // S1
    real_atomics::heavy_fence(asymmetric_);                                    // S2, [I1] with published() and submit()
    if (admission_.closed() || !queue_.seems_empty() || anybody_has_work()) {  // S3
      if (!idle_.cancel_sleep()) idle_.await_token();                          // S4
      return run_found(w, {steal(w), false});
    }
    bump(w.parks);
    emit(hook_event::park, w.index);
    places_.sleep_apart(w, [this] { idle_.await_token(); });  // S5
    emit(hook_event::unpark, w.index);
    return run_found(w, surplus(w) ? find{} : search(w));
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
      bool const some_stand_back = admission_.somebody_stands_back();
      if (before.sleeping() != 0 || some_stand_back)
        pass_on(before.sleeping() != 0, some_stand_back, f.what != nullptr);
    }
    end_idle_time(w);
    if (f.what == nullptr) return false;
    f.begun ? run_given(w, *f.what) : run_stolen(w, *f.what);
    return true;
  }

  void pass_on(bool some_sleep, bool some_stand_back, bool has_found) noexcept {
    real_atomics::full_fence();  // with submit(): one of the two sees the other ([I3]); [H3] with caller_goes()
    if (some_sleep && (!queue_.seems_empty() || anybody_has_work()) && idle_.claim())
      wake_claimed();
    else if (some_stand_back && !queue_.seems_empty())
      admission_.wake_for_queue();
    else if (some_stand_back && !some_sleep && has_found)
      admission_.let_in_late();
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
      if (surplus(w)) break;
      next_look = now + between_looks;
    } while (now - begin < patience && !admission_.closed());
    handovers_.leave(w);
    return {};
  }

  struct sighting {
    worker* victim = nullptr;
    std::uint64_t beat = 0;
    std::uint64_t since = 0;  // ticks
  };

  /// Steals only from those that are where they were some looks ago: short-lived work is cheaper where it is than after
  /// a heavy fence. A worker that has begun another range since is left alone after one glance at one line, unless it
  /// has put something aside, which it cannot offer again.
  job* steal_what_lasts(worker& w, sighting& last) noexcept {
    slot_table const& all = threads_.slots();
    worker* victim = last.victim;
    if (victim == nullptr || victim->tasks.offers_nothing()) {
      victim = nullptr;
      std::size_t const start = w.next_random() % all.size();
      for (std::size_t k = 0; k != all.size() && victim == nullptr; ++k) {
        worker& v = *all[(start + k) % all.size()];
        if (&v != &w && !v.tasks.offers_nothing()) victim = &v;
      }
    }
    if (victim == nullptr) return last = {}, nullptr;
    std::uint64_t const beat = victim->beat.load(std::memory_order_relaxed);  // relaxed: a hint
    bool const goes_on = beat == last.beat || !victim->tasks.aside().seems_empty();
    if (victim != last.victim || !goes_on) return last = {victim, beat, ticks()}, nullptr;
    return ticks() - last.since < steal_patience() ? nullptr : steal(w);
  }

  [[nodiscard]] bool anybody_has_work() const noexcept {
    bool some = false;
    for_each_slot([&](worker const& v) { some = some || !v.tasks.offers_nothing(); });
    return some;
  }

  // ---- telling others -------------------------------------------------------------------------------------------

  /// Relaxed: give_below() acquires.
  static bool is_asked(worker const& w) noexcept { return w.asked_by.load(std::memory_order_relaxed) != nullptr; }

  void count_fork(worker& w) const noexcept {
    if (idle_.look().counting()) bump(w.forks);
  }

  bool give_below(worker& w) noexcept { return handing_over::give_below(w) || tell_of_aside(w); }

  /// Behind a hand-over that failed; always false. Who lies down or ends a search after this look sees what was put
  /// aside, for there is a full fence on both sides.
  bool tell_of_aside(worker& w) noexcept {
    if (w.tasks.aside().seems_empty()) [[likely]]
      return false;
    real_atomics::full_fence();  // [I1] with begin_sleep(), [I3] with pass_on()
    if (auto const v = idle_.look(); v.searching() == 0 && v.sleeping() != 0 && idle_.claim()) wake_claimed();
    return false;
  }

  TARTAN_NOINLINE void notify(worker& w) noexcept {
    if (is_asked(w) && give_below(w)) return;
    auto const v = idle_.look();  // after that: it may have woken one for what was put aside
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
  std::int64_t const begun_ns_ = steady_ns();
  std::uint64_t const begun_ticks_ = ticks();
  bool const asymmetric_;
  bool const oversubscribed_;
  bool const one_at_a_time_;  // of those that sleep only one is woken for forks, until he comes
  unsigned const search_limit_;

  wake_places places_;
  idle_count<> idle_;
  alignas(line_pair) handing_over handovers_;
  alignas(line_pair) std::atomic<bool> closing_{false};
  std::atomic<bool> dropping_{false};
  unsigned fork_counters_ = 0;  // who counts forks; under the mutex of the threads
  task_queue queue_;
  shelf_ref const shelf_{new reminder_shelf};
  pool_threads threads_;
  lookout lookout_;
  alignas(line_pair) admission admission_;
  outside_callers callers_;
  plain_mutex join_mutex_;
};

inline void pool_thread::run(void* its_worker) {
  auto& w = *static_cast<worker*>(its_worker);
  w.home.work(w);
}

inline void pool_thread::look_out(void* its_pool) { static_cast<pool*>(its_pool)->look_out(); }

}  // namespace tartan::inline TARTAN_ABI::detail
