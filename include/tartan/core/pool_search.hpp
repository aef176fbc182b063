#pragma once
// How the workers of a pool find work, and lie down. Protocols and proofs: README.md beside this file.

#include <atomic>   // memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // uint64_t

#include "tartan/core/atomics.hpp"      // real_atomics
#include "tartan/core/config.hpp"       // TARTAN_ABI
#include "tartan/core/hooks.hpp"        // emit, hook_event
#include "tartan/core/job.hpp"          // job
#include "tartan/core/pool_news.hpp"    // pool_news
#include "tartan/core/pool_setup.hpp"   // idle
#include "tartan/core/queue.hpp"        // queued_task, task_order
#include "tartan/core/slot_table.hpp"   // slot_table
#include "tartan/core/ticks.hpp"        // ticks, ticks_per_us
#include "tartan/core/tuning.hpp"       // errand_step, search_patience_us
#include "tartan/core/wake_places.hpp"  // wake_places
#include "tartan/core/worker.hpp"       // begin_idle_time, bump, end_idle_time, worker

namespace tartan::inline TARTAN_ABI::detail {

/// How the workers of a pool find work, run it, and lie down when there is none. What takes a worker is for the thread
/// that is this worker.
class pool_search : public pool_news {
 public:
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

  static void next_errand(worker& w) noexcept {
    w.errand.store(w.errand.load(std::memory_order_relaxed) + errand_step,
                   std::memory_order_release);  // with joiner::ask() and leapfrog::follow()
  }

 protected:
  using pool_news::pool_news;
  ~pool_search() = default;

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

  /// Any thread.
  [[nodiscard]] bool anybody_has_work() const noexcept {
    bool some = false;
    for_each_slot([&](worker const& v) { some = some || !v.tasks.offers_nothing(); });
    return some;
  }

 private:
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
};

}  // namespace tartan::inline TARTAN_ABI::detail
