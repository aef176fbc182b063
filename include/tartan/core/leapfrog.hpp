#pragma once
// What a waiting worker may run: only work below that for which it waits.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint64_t

#include "tartan/core/hooks.hpp"   // emit, hook_event
#include "tartan/core/pool.hpp"    // pool
#include "tartan/core/worker.hpp"  // bump, worker

namespace tartan::inline TARTAN_ABI::detail {

/// One wait of one worker: whom it follows, as others see it, and the search for work below.
///
/// A waiting worker follows the *runner* of what it waits for. A job that lies in the runner's deque was pushed inside
/// the innermost foreign work that the runner runs, provided that its deque was empty when that work began:
///
/// [F1] A worker that waits at a join has an empty deque ([L1] of join.hpp). One that waits for a task may have forks
/// of
///      its own below that wait; if it then runs foreign work, it is marked `layered` as long as that work lasts, and
///      nobody follows it into its deque (foreign_work, below).
/// [F2] The thief sees an entry at the runner's top, then asks: not layered, and what I wait for still runs (or: the
///      runner is still in the errand that I know); then its CAS succeeds. By [E3] of deque.hpp the entry was there
///      at the moment of the question, so it was pushed inside.
/// [F3] Order on the runner: layered is set, the errand changes, the work says whose it is, runs and reports its end,
///      the errand changes, layered is reset; each a release or carried by the next one. The thief asks in the order
///      layered (acquire), errand, end (acquire): a `layered` that was reset already comes with the new errand and the
///      reported end, and one that was not yet set is older than the errand which the thief knows.
/// [F4] A thief that reads parts of two announcements of one worker reads the errand of the later one, which comes with
///      the end of what the earlier one was made in; and if they name two workers, the errand is not that of the first.
class leapfrog {
 public:
  explicit leapfrog(worker& self) noexcept
      : w_(self),
        outer_(self.waits_for.runner.load(std::memory_order_relaxed)),           // relaxed: own
        outer_errand_(self.waits_for.errand.load(std::memory_order_relaxed)) {}  // relaxed: own
  leapfrog(leapfrog const&) = delete;
  leapfrog& operator=(leapfrog const&) = delete;
  ~leapfrog() { announce(outer_, outer_errand_); }

  /// Tells others whom this worker waits for. The errand is read while what is waited for runs, so it is that one's.
  template <class StillRuns>
  void follow(worker* runner, StillRuns still_runs) noexcept {
    std::uint64_t const errand = runner->errand.load(std::memory_order_acquire);  // with pool::next_errand()
    if (w_.waits_for.runner.load(std::memory_order_relaxed) == runner &&          // relaxed: own
        w_.waits_for.errand.load(std::memory_order_relaxed) == errand)            // relaxed: own
      return;
    if (still_runs()) announce(runner, errand);
  }

  /// Takes a job from the runner, or from whom that one waits for, and so on; null if there is none.
  template <class StillRuns>
  job* steal_below(worker* runner, StillRuns still_runs) noexcept {
    follow(runner, still_runs);
    if (!runner->tasks.seems_empty())
      if (job* const found = runner->tasks.steal([&] { return !layered(*runner) && still_runs(); }))
        return found;  // [F2]
    for (unsigned hop = 0; hop != 64; ++hop) {
      worker* const next = runner->waits_for.runner.load(std::memory_order_acquire);  // with announce()
      // [F4] with announce(); relaxed: the heavy fence of steal() acquires.
      std::uint64_t const errand = runner->waits_for.errand.load(std::memory_order_relaxed);
      if (next == nullptr || next == &w_ || !still_runs()) return nullptr;
      if (!next->tasks.seems_empty())
        if (job* const found = next->tasks.steal([&] {
              // [F2]; relaxed: an entry that was pushed in another errand shows that errand, see [E2] of deque.hpp
              return !layered(*next) && next->errand.load(std::memory_order_relaxed) == errand && still_runs();
            }))
          return found;
      runner = next;
    }
    return nullptr;
  }

  /// Takes a job from a worker of this pool that runs a task of `group`, or from whom that one waits for; null if there
  /// is none.
  job* steal_from_servers(void const* group) noexcept {
    job* found = nullptr;
    w_.home.for_each_slot([&](worker& v) {
      if (found != nullptr || &v == &w_) return;
      std::uint64_t const errand = v.errand.load(std::memory_order_acquire);  // [G4] with pool::next_errand()
      if (v.serves.load(std::memory_order_acquire) != group) return;          // [G4] with serving()
      // Relaxed: as above.
      found = steal_below(&v, [&v, errand] { return v.errand.load(std::memory_order_relaxed) == errand; });
    });
    return found;
  }

 private:
  static bool layered(worker const& of) noexcept { return of.layered.load(std::memory_order_acquire); }  // [F3]

  void announce(worker* runner, std::uint64_t errand) noexcept {
    w_.waits_for.errand.store(errand, std::memory_order_release);  // [F4] with steal_below() of others
    w_.waits_for.runner.store(runner, std::memory_order_release);  // with steal_below() and pool::wake_joiners()
  }

  worker& w_;
  worker* const outer_;
  std::uint64_t const outer_errand_;
};

/// The time in which a worker runs something that is not on its own deque, above what it has begun: because it waits,
/// or because a task that it ended has a continuation.
class foreign_work {
 public:
  explicit foreign_work(worker& w, bool in_wait = true) noexcept
      : w_(w), in_wait_(in_wait), was_layered_(w.layered.load(std::memory_order_relaxed)) {  // relaxed: own
    w.waits_for.runner.store(nullptr, std::memory_order_relaxed);                  // relaxed: published by the errand
    if (!w.tasks.seems_empty()) w.layered.store(true, std::memory_order_relaxed);  // [F3]; relaxed: likewise
    pool::next_errand(w);
    if (in_wait) ++w.waits;
  }
  foreign_work(foreign_work const&) = delete;
  foreign_work& operator=(foreign_work const&) = delete;
  ~foreign_work() {
    if (in_wait_) --w_.waits;
    pool::next_errand(w_);
    w_.layered.store(was_layered_, std::memory_order_release);  // [F3]
  }

 private:
  worker& w_;
  bool const in_wait_;
  bool const was_layered_;
};

/// As long as a worker runs tasks of a group.
///
/// [G4] `serves` is written after the errand has changed and reset before it changes again. A waiter that reads an
///      errand, then `serves`, and finds the errand unchanged at its question ([F2]) knows that the entry it saw was
///      pushed inside a task of the group.
class serving {
 public:
  serving(worker* w, void const* group) noexcept
      : w_(w), outer_(w == nullptr ? nullptr : w->serves.load(std::memory_order_relaxed)) {  // relaxed: own
    if (w_ != nullptr) w_->serves.store(group, std::memory_order_release);  // with steal_from_servers()
  }
  serving(serving const&) = delete;
  serving& operator=(serving const&) = delete;
  ~serving() {
    if (w_ != nullptr) w_->serves.store(outer_, std::memory_order_relaxed);  // relaxed: comes with the next errand
  }

 private:
  worker* const w_;
  void const* const outer_;
};

/// A waiting worker runs a job that it found below.
inline void run_below(worker& w, job& below) {
  bump(w.steals);
  emit(hook_event::steal, w.index);
  foreign_work const scope(w);
  pool::run_stolen(w, below);
}

}  // namespace tartan::inline TARTAN_ABI::detail
