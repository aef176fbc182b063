#pragma once
// One call's units of work as the scheduler of processes sees them.

#include <algorithm>  // min
#include <chrono>     // nanoseconds
#include <cstddef>    // byte, size_t
#include <cstdint>    // uint32_t, uint64_t
#include <exception>  // exception_ptr
#include <memory>     // unique_ptr
#include <utility>    // exchange, pair
#include <vector>     // vector

#include "tartan/core/code_address.hpp"  // code_address
#include "tartan/core/config.hpp"        // TARTAN_ABI
#include "tartan/core/frame.hpp"         // frame_reader, frame_writer

namespace tartan::inline TARTAN_ABI::detail {

/// Consecutive units.
struct unit_range {
  std::uint64_t first;
  std::uint64_t count;
};

/// What a unit failed with, when it was not an exception of its own.
enum class unit_fate { died, timed_out };

/// Results that somebody waits for elsewhere. tell() comes without the scheduler's lock; it returns how many they were.
struct process_news {
  virtual ~process_news() = default;
  virtual std::size_t tell() = 0;
};

/// Units 0 to n - 1 of one kind. All calls come under the scheduler's lock.
class process_job {
 public:
  static constexpr std::uint64_t no_limit = ~std::uint64_t{0};

  process_job() = default;
  process_job(process_job const&) = delete;
  process_job& operator=(process_job const&) = delete;
  virtual ~process_job() = default;

  /// Bytes of the argument of a unit, and those bytes. What they throw fails the unit.
  virtual std::size_t measure(std::uint64_t unit) = 0;
  virtual void encode(std::uint64_t unit, frame_writer& out) = 0;

  /// The unit's result has come; what it throws (a malformed result) fails the unit.
  virtual void succeed(std::uint64_t unit, frame_reader& result) = 0;
  virtual void fail(std::uint64_t unit, std::exception_ptr error) = 0;

  /// How users count the unit, in messages.
  [[nodiscard]] virtual std::size_t task_of(std::uint64_t unit) const { return static_cast<std::size_t>(unit); }

  /// Asked before units are sent; true skips those that have not begun.
  virtual bool stops() { return false; }

  /// These units will not run, because the job was stopped before they began.
  virtual void dropped(unit_range) {}

  /// Of a job that nobody waits for: what has ended since the last time, or null.
  virtual std::unique_ptr<process_news> take_news() { return nullptr; }
  [[nodiscard]] virtual bool has_news() const noexcept { return false; }

  // ---- what the call wants; set before it is given to a scheduler
  code_address code;
  std::vector<std::byte> work;  ///< the encoded callable
  std::chrono::nanoseconds timeout{0};
  unsigned retries = 0;
  std::size_t most_workers = 0;  ///< 0: all
  bool watched = false;          ///< somebody may stop it: look often
  bool one_life = false;         ///< the end of the worker that it was sent to is its own, begun or not

  // ---- kept by the scheduler
  std::uint64_t end = 0;               ///< units that exist
  std::uint64_t next = 0;              ///< first that was never sent
  bool stopped = false;                ///< what has not begun will not
  std::uint64_t limit = no_limit;      ///< units above it need not run any more
  std::vector<unit_range> returned;    ///< sent once, not begun: lost with a worker, or handed back; last comes first
  std::uint64_t outstanding = 0;       ///< sent, not answered
  std::uint64_t number = 0;            ///< of the job
  std::byte* shared_work = nullptr;    ///< a large `work`, in the arena
  std::vector<std::uint32_t> on_peer;  ///< outstanding units by peer, if most_workers limits them
  std::vector<std::pair<std::uint64_t, unsigned>> deaths;  ///< units that workers died of, and how many
  std::size_t place = 0;                                   ///< in the scheduler's list
  bool owned = false;                                      ///< nobody waits: the scheduler ends it
  bool queued = false;                                     ///< among those that may have work

  [[nodiscard]] bool has_work() {
    while (!returned.empty() && returned.back().first > limit) returned.pop_back();
    return !returned.empty() || next < reachable_end();
  }

  /// Units that wait to be sent; at least 1 if has_work().
  [[nodiscard]] std::uint64_t waiting() const noexcept {
    std::uint64_t n = next < reachable_end() ? reachable_end() - next : 0;
    for (auto const& r : returned) n += r.count;
    return n;
  }

  /// Up to `most` consecutive units to send; has_work() was true.
  [[nodiscard]] unit_range take(std::uint64_t most) {
    if (returned.empty()) {
      unit_range const r{next, (std::min)(most, reachable_end() - next)};
      next += r.count;
      return r;
    }
    unit_range& latest = returned.back();
    unit_range const r{latest.first, (std::min)(most, latest.count)};
    latest.first += r.count;
    latest.count -= r.count;
    if (latest.count == 0) returned.pop_back();
    return r;
  }

  void give_back(unit_range r) {
    if (r.count == 0) return;
    if (stopped)
      dropped(r);
    else
      returned.push_back(r);
  }

  /// One worker more has died of this unit; returns how many.
  unsigned count_death(std::uint64_t unit) {
    for (auto& [u, n] : deaths)
      if (u == unit) return ++n;
    deaths.emplace_back(unit, 1);
    return 1;
  }

  /// Nothing that has not begun will.
  void skip_rest() {
    stopped = true;
    for (auto const& r : std::exchange(returned, {})) dropped(r);
    auto const first = std::exchange(next, end);
    if (first != end) dropped({first, end - first});
  }

  [[nodiscard]] bool finished() { return outstanding == 0 && !has_work(); }

 private:
  [[nodiscard]] std::uint64_t reachable_end() const noexcept {
    return limit == no_limit ? end : (std::min)(end, limit + 1);
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
