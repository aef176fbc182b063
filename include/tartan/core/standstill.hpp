#pragma once
// Letting threads in when a pool stands still beside a wait.

#include <time.h>  // clock_gettime, timespec

#include <atomic>   // memory_order_*
#include <cstdint>  // int64_t, uint64_t

#include "tartan/core/admission.hpp"     // admission, most_unseen
#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_COLD
#include "tartan/core/lookout.hpp"       // lookout
#include "tartan/core/os_thread.hpp"     // sleeps_at_futex
#include "tartan/core/pool_threads.hpp"  // pool_threads
#include "tartan/core/queue.hpp"         // task_queue
#include "tartan/core/smaller.hpp"       // larger, smaller
#include "tartan/core/worker.hpp"        // worker

namespace tartan::inline TARTAN_ABI::detail {

/// While a worker waits for what no worker works on, another thread is let in; but that one may draw a task that wants
/// the very lock which is held across the wait. It then sleeps at the lock, which nobody tells the pool, and so may the
/// next one. So the pool's lookout looks from time to time while some block: where tasks lie in the queue and none has
/// begun since the last look, threads that sleep as at a mutex or a condition variable are counted, and that many more
/// may be awake until a later look counts fewer, up to a bound of its own. Threads that compute, read
/// or sleep for a time are not counted, however long: a pool's size still bounds how many of its tasks do that at once.
/// (Who spins at a lock computes.)
///
/// Where a pool ends, a thread that has ended is replaced likewise: whatever the others do, nobody else would come.
///
/// It is a thread of its own since everybody else may be asleep: a wait in another pool, a function that
/// `blocking()` calls, a wait for less time than a look takes to see anything.
///
/// What it reads are statistics: a look that errs lets a thread in too early, or one look later.
class standstill {
 public:
  standstill(admission& admitted, task_queue const& queue, pool_threads const& threads) noexcept
      : admitted_(admitted), queue_(queue), threads_(threads) {}
  standstill(standstill const&) = delete;
  standstill& operator=(standstill const&) = delete;

  /// The life of the lookout.
  void watch(lookout& self) noexcept {
    do {
      patience_ = shortest;
      for (unsigned quiet = 0; quiet != quiet_looks && !self.ending(); quiet = is_needed() ? 0 : quiet + 1) {
        self.nap(patience{patience_});
        look();
      }
      let_in(0);
    } while (self.rest([this] { return is_needed(); }));
  }

 private:
  static constexpr unsigned shortest = 1, longest_beside_news = 4, longest = 16;  // ms
  static constexpr unsigned quiet_looks = 8;
  static constexpr unsigned share = 32, most_saved = 64;  // of the time may be spent on looks, but for the ms saved

  /// In place of std::chrono::milliseconds, which is dear for every includer.
  struct patience {
    struct period {
      static constexpr int num = 1, den = 1'000'000'000;
    };
    [[nodiscard]] std::int64_t count() const noexcept { return std::int64_t{ms} * 1'000'000; }
    unsigned ms;
  };

  /// Others than those that are let in here may block, or wait for what no thread is left to run.
  [[nodiscard]] bool is_needed() const noexcept {
    return !queue_.seems_empty() && (admitted_.how_many_block() > let_in_ || admitted_.some_have_ended());
  }

  void look() noexcept {
    std::int64_t const begin = thread_time_us();
    look_now();
    std::int64_t const saved_ms = (thread_time_us() - begin) * share / 1000;
    patience_ = larger(patience_, static_cast<unsigned>(smaller(saved_ms, std::int64_t{most_saved})));
  }

  /// Of the processor: a look that was interrupted cost nothing.
  static std::int64_t thread_time_us() noexcept {
    timespec now;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  }

  void look_now() noexcept {
    admitted_.start_missing();
    std::uint64_t const begun = begun_before_others();
    bool const news = begun != 0 && begun != last_begun_;
    bool const stands_still = begun != 0 && !news;
    if (stands_still && admitted_.some_have_ended()) admitted_.replace_one();
    bool const let_some_in = (stands_still || let_in_ != 0) && let_in(asleep(stands_still));
    patience_ = let_some_in ? shortest : smaller(2 * patience_, news ? longest_beside_news : longest);
    last_begun_ = begun;
  }

  /// How many tasks of the queue have begun so far, if others wait there; else 0.
  [[nodiscard]] std::uint64_t begun_before_others() const noexcept {
    if (queue_.seems_empty()) return 0;
    std::uint64_t begun = 1;  // relaxed: statistics
    for (worker const* const w : threads_.slots()) begun += w->queued_run.load(std::memory_order_relaxed);
    return begun;
  }

  /// How many shall be let in: as many as sleep, and no further ones while the pool gets on.
  [[nodiscard]] unsigned asleep(bool stands_still) const noexcept {
    return smaller(sleeping_unseen(), stands_still ? most_unseen : let_in_);
  }

  /// How many threads of the pool sleep at something of which they have not told the pool, as a mutex. It costs some
  /// calls of the system for each.
  [[nodiscard]] TARTAN_COLD unsigned sleeping_unseen() const noexcept {
    unsigned count = 0;
    for (worker const* const w : threads_.slots()) {  // relaxed: statistics
      int const number = w->number.load(std::memory_order_relaxed);
      bool const at_work = number != 0 && w->ended_at.load(std::memory_order_relaxed) == 0 &&
                           w->idle_since.load(std::memory_order_relaxed) == 0 &&
                           w->told.load(std::memory_order_relaxed) == 0;
      if (at_work && sleeps_at_futex(number)) ++count;
    }
    return count;
  }

  /// Whether some were let in that were not before.
  bool let_in(unsigned wanted) noexcept {
    for (; let_in_ > wanted; --let_in_) admitted_.end_unseen_blocking();
    bool const some = let_in_ < wanted;
    for (; let_in_ < wanted; ++let_in_) admitted_.begin_unseen_blocking();
    return some;
  }

  admission& admitted_;
  task_queue const& queue_;
  pool_threads const& threads_;

  // The lookout's own.
  std::uint64_t last_begun_ = 0;
  unsigned patience_ = shortest;  // ms
  unsigned let_in_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI::detail
