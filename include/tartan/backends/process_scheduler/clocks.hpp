#pragma once
// Time limits, recalls and late starts of worker processes.

#include <algorithm>  // clamp, max
#include <chrono>     // milliseconds, nanoseconds
#include <cstddef>    // size_t
#include <cstdint>    // int64_t, uint64_t

#include "tartan/backends/process_peer.hpp"            // clock_ns, monotonic_ns, peer_phase, process_peer, roughly_now
#include "tartan/backends/process_scheduler/crew.hpp"  // process_crew
#include "tartan/core/config.hpp"                      // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// What time alone tells: tasks that run too long, units that wait behind a slow one while another peer idles, peers
/// that may try to start again; and when to look again.
template <class Transport>
class process_clocks {
 public:
  explicit process_clocks(process_crew<Transport>& crew) noexcept : crew_(crew) {}

  /// Kills, recalls and starts what is due. Under the lock, after all answers were taken.
  void check() {
    next_look_ = std::chrono::nanoseconds(100'000'000);
    bool const watch_balance = idle_peer_and_no_work();
    for (std::size_t i = 0; i != crew_.peers.size(); ++i) {
      process_peer& w = crew_.peers[i];
      if (w.phase == peer_phase::absent) {
        restart_in_time(i);
        continue;
      }
      if (w.sent.empty()) continue;
      if (w.sent.front().job->timeout.count() != 0) check_timeout(i);
      // Not every answer wakes us, and units may wait for the answer of a peer that was quick so far.
      if (w.outstanding() > 1 || (crew_.launched.untold() != 0 && w.last_pace < process_peer::quick))
        look_within(std::chrono::milliseconds(1));
      recall_needless(i);
      if (watch_balance) recall_if_stuck(i);
    }
    if (crew_.jobs.any_watched()) look_within(std::chrono::milliseconds(2));
  }

  /// How long a thread may sleep before it checks again.
  [[nodiscard]] std::chrono::nanoseconds next_look() const noexcept { return next_look_; }

 private:
  static constexpr clock_ns recall_after = 300'000;

  void look_within(std::chrono::nanoseconds d) noexcept {
    next_look_ = std::clamp(d, std::chrono::nanoseconds(1000), next_look_);
  }

  void restart_in_time(std::size_t i) {
    process_peer& w = crew_.peers[i];
    if (crew_.jobs.empty() || w.failed_starts == 0) return;
    auto const left = w.next_start - monotonic_ns();
    if (left > 0) return look_within(std::chrono::nanoseconds(left));
    crew_.start_again(i);
  }

  void check_timeout(std::size_t i) {
    process_peer& w = crew_.peers[i];
    auto const limit = w.sent.front().job->timeout;
    std::int64_t since = 0;
    auto const running = crew_.transport.running(i, since);
    if (w.killed) return;
    if (running != w.answered + 1) return look_within(limit);  // it will begin; look again when it could be due
    auto const left = std::chrono::nanoseconds(since) + limit - std::chrono::nanoseconds(monotonic_ns());
    if (left.count() > 0) return look_within(left);
    w.killed_for = running;
    crew_.kill(i);
  }

  // An error or a stop made waiting units needless: a peer must not run through a whole window of them.
  void recall_needless(std::size_t i) {
    process_peer& w = crew_.peers[i];
    sent_batch const& last = w.sent.back();
    if (w.recalled == w.next_number) return;
    if (!last.job->stopped && last.units.first + last.units.count - 1 <= last.job->limit) return;
    w.recalled = w.next_number;
    crew_.transport.recall(i, w.next_number);
  }

  [[nodiscard]] bool idle_peer_and_no_work() {
    bool idle = false;
    for (process_peer const& w : crew_.peers) idle |= w.ready() && w.sent.empty();
    return idle && !crew_.jobs.any_work();
  }

  void recall_if_stuck(std::size_t i) {
    process_peer& w = crew_.peers[i];
    if (w.outstanding() < 2 || w.recalled == w.next_number) return;
    auto const age = roughly_now() - (std::max)(w.sent.front().sent, w.last_answer);
    if (age < recall_after) return look_within(std::chrono::nanoseconds(recall_after - age));
    w.recalled = w.next_number;
    w.window = (std::max<std::uint64_t>)(1, w.window / 4);
    crew_.transport.recall(i, w.next_number);
    ++crew_.stats.recalls;
  }

  process_crew<Transport>& crew_;
  std::chrono::nanoseconds next_look_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
