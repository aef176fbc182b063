#pragma once
// Several workers at the same time, who may wait for each other.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t
#include <deque>    // deque

#include "tartan/core/join.hpp"       // await_stolen
#include "tartan/core/os_thread.hpp"  // yield_processor
#include "tartan/core/pool.hpp"       // pool, worker
#include "tartan/core/range.hpp"      // first_error
#include "tartan/core/smaller.hpp"    // larger, smaller
#include "tartan/core/ticks.hpp"      // ticks, ticks_per_us

namespace tartan::inline TARTAN_ABI::detail {

/// A reusable barrier for a fixed number of ranks: spins for a while, then sleeps.
class team_barrier {
 public:
  explicit team_barrier(std::uint32_t ranks) noexcept : ranks_(ranks) {}

  void arrive_and_wait() noexcept {
    std::uint32_t const phase = phase_.load(std::memory_order_relaxed);  // relaxed: cannot change before we arrive
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 ==
        ranks_) {                                          // all earlier arrivals are visible to the last
      arrived_.store(0, std::memory_order_relaxed);        // relaxed: published by the phase
      phase_.store(phase + 1, std::memory_order_release);  // with the loads below
      real_atomics::wake(phase_, static_cast<int>(ranks_));
      return;
    }
    for (int i = 0; i != 2000; ++i) {
      if (phase_.load(std::memory_order_acquire) != phase) return;  // with the last one's store
      cpu_pause();
    }
    while (phase_.load(std::memory_order_acquire) == phase) real_atomics::wait(phase_, phase);  // likewise
  }

 private:
  std::uint32_t const ranks_;
  std::atomic<std::uint32_t> arrived_{0};
  std::atomic<std::uint32_t> phase_{0};
};

/// Gathers a team and runs it. Invitations are jobs on the deque of the leader; whoever has taken one when the leader
/// stops waiting is a member, the other invitations are taken back. So every member is running already, on a thread of
/// its own, when the body begins.
template <class Body>
class team_call {
 public:
  team_call(worker& leader, Body& body) noexcept : w_(leader), body_(body) {}

  /// `work_us` is about how long the body takes alone, 0 if nobody knows.
  void run(std::size_t wanted, std::uint64_t work_us) {
    if (nobody_idle()) wanted = 1;
    std::deque<invitation> invited;
    for (std::size_t i = 1; i < wanted; ++i) invited.emplace_back(*this);  // all, before anybody refers to one
    std::size_t sent = 0;
    for (; sent != invited.size() && w_.tasks.has_room(); ++sent) {
      w_.tasks.push(&invited[sent]);
      w_.home.published(w_);
    }
    gather(wanted, patience_us(work_us) * ticks_per_us());
    std::size_t members = 0;
    for (std::size_t i = sent; i-- != 0;)
      if (!withdraw(invited[i])) invited[i].taken = true, ++members;
    team_barrier barrier(static_cast<std::uint32_t>(members + 1));
    barrier_ = &barrier;
    size_.store(members + 1, std::memory_order_release);  // with invitation::run_it()
    take_part(0, members + 1);
    for (invitation& i : invited)
      if (i.taken) await_stolen(w_, i);
    error_.rethrow();
  }

 private:
  /// A wake takes 20 us, and milliseconds at times on a machine that is not one's own: wait for an eighth of the work.
  static constexpr std::uint64_t patience_us(std::uint64_t work_us) noexcept {
    return smaller<std::uint64_t>(larger<std::uint64_t>(work_us / 8, 100), 2000);
  }

  struct invitation : job {
    explicit invitation(team_call& its_team) noexcept : job(&run_it), team(its_team) {}
    static void run_it(job* base, worker&) {
      team_call& team = static_cast<invitation*>(base)->team;
      std::size_t const rank = team.present_.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: a number
      std::size_t size = 0;
      while ((size = team.size_.load(std::memory_order_acquire)) == 0) cpu_pause();  // with run()
      team.take_part(rank, size);
    }
    team_call& team;
    bool taken = false;
  };

  [[nodiscard]] bool nobody_idle() const noexcept {
    auto const v = w_.home.idle().look();
    return v.searching() == 0 && v.sleeping() == 0 && w_.home.threads_started();
  }

  /// Waits for the members for a while. Who has been woken may lie on this very processor, see
  /// wake_places::sleep_apart().
  void gather(std::size_t wanted, std::uint64_t patience) noexcept {
    std::uint64_t const since = ticks(), between_yields = 25 * ticks_per_us();
    std::uint64_t next_yield = between_yields;
    for (std::uint64_t waited = 0; waited < patience; waited = ticks() - since) {
      if (present_.load(std::memory_order_relaxed) + 1 >= wanted) return;  // relaxed: a hint
      cpu_pause();
      if (waited < next_yield) continue;
      yield_processor();
      next_yield = waited + between_yields;
    }
  }

  /// True when nobody has begun it, and nobody will.
  bool withdraw(invitation& i) noexcept {
    if (w_.tasks.take_back()) return true;
    worker* runner = nullptr;
    while ((runner = i.join.runner()) == nullptr) {  // put aside, or the thief is between its CAS and begin_by()
      if (w_.tasks.aside().take_back(&i)) return true;
      cpu_pause();
    }
    return runner->box.revoke(&i);
  }

  void take_part(std::size_t rank, std::size_t size) noexcept {
#if TARTAN_EXCEPTIONS
    try {
      body_(rank, size, *barrier_);
    } catch (...) {
      error_.record(rank);
    }
#else
    body_(rank, size, *barrier_);
#endif
  }

  worker& w_;
  Body& body_;
  team_barrier* barrier_ = nullptr;
  std::atomic<std::size_t> present_{0};
  std::atomic<std::size_t> size_{0};
  first_error error_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
