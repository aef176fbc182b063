#pragma once
// Waiting for a job that somebody else runs.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint64_t, uintptr_t
#include <utility>  // exchange

#include "tartan/core/hooks.hpp"        // emit, hook_event
#include "tartan/core/idle.hpp"         // idle_count
#include "tartan/core/leapfrog.hpp"     // leapfrog
#include "tartan/core/outer_pools.hpp"  // outer_blocking
#include "tartan/core/pool.hpp"         // pool, worker
#include "tartan/core/ticks.hpp"        // ticks, ticks_per_us

namespace tartan::inline TARTAN_ABI::detail {

/// While a worker waits at a join it runs only work below that join, so a task never re-enters a lock that its waiter
/// holds, and the stack stays bounded by the depth of the work.
///
/// [L1] A worker whose awaited job was taken has an empty deque: entries leave at the top oldest first, so all older
///      ones were taken before, and all newer ones were joined. Hence whatever lies in the deque of a worker was pushed
///      inside the innermost foreign job that it runs.
/// [L2] The runner of the awaited job j is asked first (leapfrog.hpp). A thief sees an entry at its top, then sees that
///      j is not finished, then its CAS succeeds: by [E3] of deque.hpp the entry was there while j ran, so by [L1] and
///      [F1] it was pushed inside j.
/// [L3] If the runner waits in turn, the one that it waits for is asked, and so on. There, "j is not finished" becomes
///      "that worker is still in the errand which the runner waits for": errands never repeat (worker::errand).
/// [L4] It sleeps only after registering with the runner and looking once more behind a heavy fence; the runner signals
///      it at the end of j (join_word) and, when nobody else is idle, at its pushes (pool::notify).
/// [L5] A runner that has work on its deque is asked for it, for to take it costs a heavy fence, and patience. It
///      gives its oldest entry if it is in the errand that the asker named and not layered: the asker read that errand
///      while j was unfinished, behind runner(), so it is j's or one below j, or the one in which the runner took j,
///      which ends without a look at who asks; and by [L1] the entry was pushed in it. The box takes the entry only
///      while it is open for this very wait (request.hpp): what the asker runs meanwhile may wait in turn, at the same
///      box, for less.
///
/// Source: D. Wagner and B. Calder, "Leapfrogging: a portable technique for implementing efficient futures", PPoPP
/// 1993.
class joiner {
 public:
  joiner(worker& self, job& awaited) noexcept : w_(self), j_(awaited), frog_(self) {}

  /// Returns true when the job has been run by somebody, false when the caller must run it itself.
  bool await() {
    std::uint64_t const patience = (w_.home.oversubscribed() ? 2 : 20) * ticks_per_us();
    std::uint64_t const early = 2 * ticks_per_us();
    for (int i = 0; i != 16; ++i) {  // touches no line of the runner while it may be about to end
      if (j_.join.finished()) return true;
      cpu_pause();
    }
    std::uint64_t since = ticks();
    for (;;) {
      if (j_.join.finished()) return true;
      worker* const runner = j_.join.runner();
      if (runner == nullptr) {  // put aside, or the thief is between its CAS and begin_by(), or has just finished
        if (w_.tasks.aside().take_back(&j_)) return false;
        cpu_pause();
        continue;
      }
      if (runner->box.revoke(&j_)) return false;  // handed over, but not begun
      std::uint64_t const waited = ticks() - since;
      if (job* const given = waited < w_.home.handovers().ask_patience() ? nullptr : receive(*runner)) {
        run_given(*given);
        since = ticks();
      } else if (job* const below = waited < w_.home.steal_patience() ? nullptr : steal_below(runner)) {
        run(*below);
        since = ticks();
      } else if (waited < patience && !(waited > early && w_.home.places().in_the_way_of(*runner))) {
        cpu_pause();
      } else if (job* const late = sleep(runner)) {
        run(*late);
        since = ticks();
      }
    }
  }

 private:
  /// Stands at the mailbox for a while.
  job* receive(worker& runner) noexcept {
    ask(runner);
    w_.box.open(wait_);
    for (int i = 0; i != 16 && !w_.box.has_changed(wait_) && !j_.join.finished(); ++i) cpu_pause();
    return w_.home.handovers().receive(w_);
  }

  /// [L5] The errand is read while the awaited job runs, so it is that job's or one below it.
  void ask(worker& runner) noexcept {
    if (wait_ == 0) wait_ = w_.next_wait();
    std::uint64_t const errand = runner.errand.load(std::memory_order_acquire);  // with pool::next_errand()
    if (j_.join.finished()) return;
    auto const asked = w_.asks.look();
    if (asked.wait != wait_ || asked.errand != errand) w_.asks.ask(wait_, errand);
    if (runner.asked_by.load(std::memory_order_relaxed) != &w_)  // relaxed: writes the runner's line only if needed
      runner.asked_by.store(&w_, std::memory_order_release);     // with handing_over::give_below()
    attention_.begin();
  }

  void run_given(job& below) {
    attention_.end();
    w_.waits_for.runner.store(nullptr, std::memory_order_relaxed);  // relaxed: published by the errand
    pool::run_given(w_, below);
  }

  void run(job& below) {
    attention_.end();
    bump(w_.steals);
    emit(hook_event::steal, w_.index);
    pool::run_stolen(w_, below);
  }

  job* steal_below(worker* runner) noexcept {
    return frog_.steal_below(runner, [this] { return !j_.join.finished(); });
  }

  /// Sleeps until the runner has finished or forks; a job that turned up while lying down is returned.
  TARTAN_COLD job* sleep(worker* runner) noexcept {
    attention_.end();
    frog_.follow(runner, [this] { return !j_.join.finished(); });
    runner->sleeping_joiners.fetch_add(1, std::memory_order_seq_cst);  // with pool::notify()
    w_.home.idle().begin_join_sleep();
    real_atomics::heavy_fence(w_.home.asymmetric());  // [I1] of idle.hpp
    job* const found = steal_below(runner);
    if (found == nullptr && j_.join.announce_sleep(runner, &w_)) {
      bump(w_.parks);
      emit(hook_event::park, w_.index);
      w_.home.admitted().begin_asleep(w_);
      {
        outer_blocking const counted(&w_);
        begin_idle_time(w_);
        w_.spot.park();
        end_idle_time(w_);
      }
      w_.home.admitted().end_asleep(w_);
      emit(hook_event::unpark, w_.index);
      j_.join.retract_sleep(runner, &w_);
    }
    w_.home.idle().end_join_sleep();
    runner->sleeping_joiners.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
    return found;
  }

  /// As long as forks of the runner look whether they are asked. Ranges look from time to time anyway.
  class attention {
   public:
    explicit attention(idle_count<>& of) noexcept : of_(of) {}
    attention(attention const&) = delete;
    attention& operator=(attention const&) = delete;
    ~attention() { end(); }
    void begin() noexcept {
      if (!std::exchange(on_, true)) of_.begin_asking();
    }
    void end() noexcept {
      if (std::exchange(on_, false)) of_.end_asking();
    }

   private:
    idle_count<>& of_;
    bool on_ = false;
  };

  worker& w_;
  job& j_;
  leapfrog frog_;
  attention attention_{w_.home.idle()};
  std::uintptr_t wait_ = 0;  // 0 until it has asked
};

/// Out of line: forks whose job was stolen are the rare ones.
TARTAN_NOINLINE inline bool await_stolen(worker& self, job& awaited) { return joiner(self, awaited).await(); }

/// The same for those who are likely to fork again soon: remembers that there was help.
TARTAN_NOINLINE inline bool await_helper(worker& self, job& awaited) {
  std::uint64_t const came = ticks();
  if (!joiner(self, awaited).await()) return false;
  self.home.handovers().was_helped(self, came);
  return true;
}

}  // namespace tartan::inline TARTAN_ABI::detail
