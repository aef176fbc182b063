#pragma once
// What the workers of a pool have done so far.

#include <atomic>   // memory_order_*
#include <chrono>   // duration, nanoseconds, steady_clock
#include <cstdint>  // int64_t, uint64_t
#include <cstdio>   // snprintf
#include <ios>      // streamsize
#include <string>   // string, to_string
#include <vector>   // vector

#include "tartan/core/pool.hpp"        // pool
#include "tartan/core/pool_table.hpp"  // default_pool, pool_table
#include "tartan/core/ticks.hpp"       // ticks
#include "tartan/core/worker.hpp"      // worker

namespace tartan::inline TARTAN_ABI {

/// One worker since its pool began.
struct worker_stats {
  unsigned index = 0;
  bool own_thread = false;           ///< A thread of the pool; otherwise a slot that calling threads use.
  std::uint64_t tasks = 0;           ///< Submitted tasks and tasks of groups that it began.
  std::uint64_t forks = 0;           ///< Functions of fork_join that it put up for others, while count_forks lived.
  std::uint64_t steals = 0;          ///< Halves of forks and ranges that it took from others.
  std::uint64_t parks = 0;           ///< How often it went to sleep.
  std::chrono::nanoseconds busy{0};  ///< Time of the pool's own threads at work; not measured for calling threads.
  std::chrono::nanoseconds idle{0};  ///< Time of the pool's own threads without work, asleep or looking for some.
};

/// A picture of a pool; the workers go on while it is taken, so its numbers are of slightly different moments.
struct pool_stats {
  std::string name{};
  std::vector<worker_stats> workers{};

  [[nodiscard]] std::uint64_t tasks() const noexcept { return sum(&worker_stats::tasks); }
  [[nodiscard]] std::uint64_t forks() const noexcept { return sum(&worker_stats::forks); }
  [[nodiscard]] std::uint64_t steals() const noexcept { return sum(&worker_stats::steals); }
  [[nodiscard]] std::uint64_t parks() const noexcept { return sum(&worker_stats::parks); }

  /// A table, one line a worker.
  [[nodiscard]] std::string text() const {
    std::string table = name + ": worker      tasks      forks     steals      parks    busy ms    idle ms\n";
    for (worker_stats const& w : workers) {
      using count = unsigned long long;
      char line[160];
      std::snprintf(line, sizeof line, "  %6u %10llu %10llu %10llu %10llu %10.1f %10.1f%s\n", w.index, count{w.tasks},
                    count{w.forks}, count{w.steals}, count{w.parks}, milliseconds(w.busy), milliseconds(w.idle),
                    w.own_thread ? "" : "  (callers)");
      table += std::string(name.size(), ' ') + line;
    }
    return table;
  }

  /// What fmt and streams print.
  friend std::string format_as(pool_stats const& s) { return s.text(); }
  template <class Stream>
    requires requires(Stream& out, std::string const& text) { out.write(text.data(), std::streamsize{}); }
  friend Stream& operator<<(Stream& out, pool_stats const& s) {
    std::string const table = s.text();
    out.write(table.data(), static_cast<std::streamsize>(table.size()));
    return out;
  }

 private:
  [[nodiscard]] std::uint64_t sum(std::uint64_t worker_stats::* member) const noexcept {
    std::uint64_t total = 0;
    for (worker_stats const& w : workers) total += w.*member;
    return total;
  }
  static double milliseconds(std::chrono::nanoseconds d) noexcept { return static_cast<double>(d.count()) * 1e-6; }
};

namespace detail {

inline pool_stats stats_of(pool const& p) {
  pool_stats s;
  s.name = p.name();
  double const ns_per_tick = p.ns_per_tick();
  auto const time = [ns_per_tick](std::uint64_t t) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(t) * ns_per_tick));
  };
  p.for_each_slot([&](worker const& w) {
    // Relaxed throughout: statistics, which their worker goes on writing.
    worker_stats one;
    one.index = w.index;
    one.tasks = w.tasks_run.load(std::memory_order_relaxed);
    one.forks = w.forks.load(std::memory_order_relaxed);
    one.steals = w.steals.load(std::memory_order_relaxed);
    one.parks = w.parks.load(std::memory_order_relaxed);
    if (std::uint64_t const begun = w.begun_at.load(std::memory_order_relaxed); begun != 0) {
      one.own_thread = true;
      std::uint64_t const ended = w.ended_at.load(std::memory_order_relaxed);
      std::uint64_t const now = ended != 0 ? ended : ticks(), since = w.idle_since.load(std::memory_order_relaxed);
      std::uint64_t const idle =
          w.idle_ticks.load(std::memory_order_relaxed) + (since != 0 && since < now ? now - since : 0);
      std::uint64_t const alive = now > begun ? now - begun : 0;
      one.idle = time(idle < alive ? idle : alive);
      one.busy = time(idle < alive ? alive - idle : 0);
    }
    s.workers.push_back(one);
  });
  return s;
}

template <class Pool>
pool& pool_of(Pool const& p) {
  auto const ref = p.ref();
  return pool_table::instance().find(ref);
}

}  // namespace detail

/// What the workers of the default pool have done so far.
///
///     fmt::print("{}\n", tartan::stats());
///
/// The counters are kept on paths that are slow anyway, so nothing is to be switched on but that of forks: see
/// count_forks.
/// Thread safety: any thread, at any time.
[[nodiscard]] inline pool_stats stats() { return detail::stats_of(detail::default_pool()); }

/// The same for a pool of one's own.
template <class Pool>
  requires requires(Pool const& p) { p.ref().slot; }
[[nodiscard]] pool_stats stats(Pool const& p) {
  return detail::stats_of(detail::pool_of(p));
}

/// While one lives, the forks of a pool are counted: stats().forks().
///
///     tartan::count_forks const counting;
///     long n = fib(32);
///     fmt::print("{} forks\n", tartan::stats().forks());
///
/// A fork is a function of fork_join (and of what is made of it: divide_and_conquer, sorts, scans) that was put up for
/// other workers, taken or not; loops are cut only where somebody is there to take the piece, which counts as a steal.
/// Pools of one worker put nothing up. Complexity: a few ns more for each fork meanwhile; nothing while none lives.
/// Thread safety: any thread; several may live at once. The pool must live longer. A forked child does not count.
class count_forks {
 public:
  count_forks() : count_forks(detail::default_pool()) {}

  /// Those of a pool of one's own.
  template <class Pool>
    requires requires(Pool const& p) { p.ref().slot; }
  explicit count_forks(Pool const& p) : count_forks(detail::pool_of(p)) {}

  count_forks(count_forks const&) = delete;
  count_forks& operator=(count_forks const&) = delete;
  ~count_forks() {
    if (!pool_.left_behind()) pool_.end_counting_forks();
  }

 private:
  explicit count_forks(detail::pool& p) noexcept : pool_(p) { pool_.begin_counting_forks(); }

  detail::pool& pool_;
};

}  // namespace tartan::inline TARTAN_ABI
