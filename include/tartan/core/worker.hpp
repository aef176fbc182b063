#pragma once
// One slot of a pool: the state of a thread while it works there.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t, uint64_t, uintptr_t

#include "tartan/core/deque.hpp"          // deque
#include "tartan/core/idle.hpp"           // parking_spot
#include "tartan/core/job.hpp"            // job
#include "tartan/core/mailbox.hpp"        // mailbox
#include "tartan/core/os_thread.hpp"      // os_thread
#include "tartan/core/padded.hpp"         // line_pair
#include "tartan/core/process_state.hpp"  // this_thread_cell, thread_cell
#include "tartan/core/queue.hpp"          // queue_place
#include "tartan/core/request.hpp"        // request
#include "tartan/core/residence.hpp"      // residence
#include "tartan/core/ticks.hpp"          // ticks
#include "tartan/core/tuning.hpp"         // errand_step

namespace tartan::inline TARTAN_ABI::detail {

class pool;

/// Whom a waiting worker waits for, readable by others: `runner` is in the job that is waited for as long as its
/// `errand` equals `errand` here.
struct wait_target {
  std::atomic<worker*> runner{nullptr};
  std::atomic<std::uint64_t> errand{0};
};

/// What has no rank: a slot that outside callers use.
inline constexpr unsigned no_rank = ~0U;

/// Never destroyed before its pool, so a pointer to it may be followed at any time.
struct alignas(line_pair) worker {
  worker(pool& its_pool, unsigned its_index, bool is_alone, bool asymmetric)
      : tasks(asymmetric), home(its_pool), index(its_index), alone(is_alone) {
    errand.store(index, std::memory_order_relaxed);  // relaxed: nobody else knows this worker yet
    random = (index + 1) * 0x9e3779b97f4a7c15ULL;
  }

  /// xorshift64*: picks victims.
  std::uint64_t next_random() noexcept {
    random ^= random >> 12;
    random ^= random << 25;
    random ^= random >> 27;
    return random * 0x2545f4914f6cdd1dULL;
  }

  /// Names a wait of this worker: odd, never again the same, and no other worker's.
  std::uintptr_t next_wait() noexcept { return ((++waits_begun * errand_step + index) << 1) | 1; }

  deque<job> tasks;
  pool& home;
  unsigned const index;
  bool const alone;         // the pool has no other worker: forks and ranges need not be offered to anybody
  unsigned rank = no_rank;  // of the pool's own threads: those of high rank stand back first
  worker* outer = nullptr;  // whose place its thread keeps in another pool meanwhile; only this thread reads it
  std::uint64_t random;
  std::uint64_t unshared = 0;  // ticks of ranges that woke nobody since the last that did; only this thread reads it
  std::uint64_t unshared_until = 0;  // ticks at the end of the last of them; likewise
  std::uint64_t looked_at = 0;       // ticks when a short loop last read the clock; only this thread reads it
  std::uint64_t gave_at = 0;         // ticks when it last handed work over; only this thread reads it
  unsigned gifts = 0;                // how often it did; only this thread reads it
  bool helped = false;               // another one ran half of what it forked last; only this thread reads it
  std::uintptr_t waits_begun = 0;    // only this thread reads it
  unsigned waits = 0;                // how many waits on this stack run work of others now; only this thread reads it
  residence<>::stay stay{};          // if it is a slot of a caller

  /// Changes when a foreign job begins or ends here, never repeats, and differs between workers (index in the low
  /// bits): equality proves that the worker is still in the same job.
  std::atomic<std::uint64_t> errand{0};
  std::atomic<std::uint64_t> beat{
      0};  // grows with every range that begins here: tells thieves that work is short-lived
  std::atomic<std::uint64_t> forks{0}, steals{0}, parks{0}, tasks_run{0};  // written by the owner only
  std::atomic<std::uint64_t> queued_run{0};                                // likewise: those that lay in the queue
  std::atomic<unsigned> told{0};  // how many of its waits, one in the other, count as blocked; written likewise
  std::atomic<std::uint64_t> begun_at{0}, ended_at{0};      // by a thread of the pool; 0 for slots of callers
  std::atomic<int> number{0};                               // the system's, of a thread of the pool
  std::atomic<std::uint64_t> idle_ticks{0}, idle_since{0};  // likewise; idle_since is 0 while it works

  alignas(line_pair) mailbox<job> box;
  std::atomic<std::uint64_t> given_at{0};  // ticks when somebody was about to put something into the box, or 0
  parking_spot<> spot;
  std::atomic<bool> stands_back{false};  // sleeps on its spot until it may be awake, see headcount.hpp
  wait_target waits_for;
  request<> asks;                            // what may be given to it while it waits
  std::atomic<worker*> asked_by{nullptr};    // who waits for what this one runs, or did
  std::atomic<void const*> serves{nullptr};  // the group whose task runs here, see leapfrog.hpp
  std::atomic<bool> layered{false};  // the deque holds entries older than the innermost foreign job, see join.hpp
  std::atomic<int> runs_at{-1};      // the processor on which it began its last foreign job
  std::atomic<bool> stacked{false};  // somebody who waits for that job runs there: move when it is done
  std::atomic<std::uint32_t> sleeping_joiners{0};  // forkers that sleep until a job that runs here ends or forks

  worker* next = nullptr;  // in the pool's list of its threads, or of its spare slots; see pool_threads.hpp
  os_thread thread{};      // if it is the pool's own
};

/// The worker that the calling thread is, or null outside every pool.
TARTAN_ALWAYS_INLINE worker* current_worker() noexcept {
  if (void* const known = cached_cell->current; known != nullptr) [[likely]]
    return static_cast<worker*>(known);
  return static_cast<worker*>(this_thread_cell().current);  // another object of the process may have set it
}

/// Threads are spread over the inlets.
TARTAN_ALWAYS_INLINE queue_place this_inlet(thread_cell const& cell = this_thread_cell()) noexcept {
  return {static_cast<std::size_t>(((reinterpret_cast<std::uintptr_t>(&cell) >> 6) * 0x9e3779b97f4a7c15ULL) >> 40),
          true};
}

/// Where the calling thread puts tasks: workers into their own list, other threads into their inlet.
TARTAN_ALWAYS_INLINE queue_place this_queue_place() noexcept {
  thread_cell const& cell = this_thread_cell();
  if (cell.current != nullptr) return {static_cast<worker*>(cell.current)->index, false};
  return this_inlet(cell);
}

/// Relaxed increment of a counter that only this thread writes.
inline void bump(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // relaxed: a statistic
}

/// Its statistics of idle time, kept by the thread itself.
inline void begin_idle_time(worker& w) noexcept {
  w.idle_since.store(ticks(), std::memory_order_relaxed);  // relaxed: a statistic
}
inline void end_idle_time(worker& w) noexcept {
  std::uint64_t const idle = ticks() - w.idle_since.load(std::memory_order_relaxed);  // relaxed: a statistic
  w.idle_ticks.store(w.idle_ticks.load(std::memory_order_relaxed) + idle, std::memory_order_relaxed);  // likewise
  w.idle_since.store(0, std::memory_order_relaxed);                                                    // likewise
}

}  // namespace tartan::inline TARTAN_ABI::detail
