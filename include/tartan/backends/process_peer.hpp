#pragma once
// One worker process as the scheduler sees it: what is on its way to it, and how much it shall get at once.

#include <algorithm>  // max, min
#include <csignal>    // CLD_KILLED, SIGKILL
#include <cstddef>    // byte
#include <cstdint>    // int64_t, uint64_t
#include <deque>      // deque

#include "tartan/backends/process_job.hpp"  // process_job, unit_range
#include "tartan/core/config.hpp"           // TARTAN_ABI
#include "tartan/core/ticks.hpp"            // ticks, ticks_per_us
#include "tartan/ipc/transport.hpp"         // peer_end

namespace tartan::inline TARTAN_ABI::detail {

using clock_ns = std::int64_t;

/// For decisions about how much to send: nanoseconds to within a factor of two, at a third of the clock's price.
inline clock_ns roughly_now() noexcept { return static_cast<clock_ns>(ticks() * 1000 / ticks_per_us()); }

enum class peer_phase { absent, starting, ready, retiring };

/// Units sent in one message.
struct sent_batch {
  process_job* job;
  unit_range units;
  std::uint64_t answered;
  std::byte* block;  // in the arena, if the message was large
  clock_ns sent;
};

/// How much is sent at once: a peer's window begins at 1 unit and doubles while its messages come back within `quick`;
/// it shrinks when they take longer than `slow`. At most two windows are on the way, one only if it is slow.
struct process_peer {
  static constexpr clock_ns quick = 100'000;   // 0.1 ms: sending costs a noticeable part, so send more
  static constexpr clock_ns slow = 1'000'000;  // 1 ms: sending costs nothing, so share more evenly
  static constexpr std::uint64_t largest_window = 16'384;
  static constexpr unsigned hopeless_starts = 3;
  static constexpr unsigned hopeless_kills = 20;  // SIGKILL is somebody's doing, or the system's while memory is short

  peer_phase phase = peer_phase::absent;
  std::deque<sent_batch> sent;
  std::uint64_t next_number = 0;  // of the next unit that is sent
  std::uint64_t answered = 0;     // all lower numbers are answered
  std::uint64_t window = 1;
  clock_ns last_answer = 0;
  clock_ns last_pace = -1;  // how long its last message took; -1: unknown
  std::uint64_t recalled = 0;
  std::uint64_t killed_for = 0;  // 1 + number of the unit that ran too long
  bool killed = false;
  unsigned failed_starts = 0;
  clock_ns next_start = 0;
  peer_end last_end{};

  [[nodiscard]] std::uint64_t outstanding() const noexcept { return next_number - answered; }
  [[nodiscard]] bool ready() const noexcept { return phase == peer_phase::ready && !killed; }

  /// Whether it can take a message more, of those that it has and its pace.
  [[nodiscard]] bool has_room() const noexcept {
    return outstanding() == 0 || (outstanding() < 2 * window && last_pace >= 0 && last_pace < slow);
  }

  /// As far as its last message tells.
  [[nodiscard]] bool will_answer_soon(clock_ns now) const noexcept {
    return ready() && !sent.empty() && last_pace >= 0 && last_pace < quick &&
           now - (std::max)(sent.front().sent, last_answer) < slow;
  }

  /// How many units of a job are sent in a message, where `waiting` are left for `peers`. No more than this one's
  /// share: a unit may wait for others of the job, say at a barrier, and what lies behind it cannot be had back.
  [[nodiscard]] std::uint64_t portion(std::uint64_t waiting, std::size_t peers) const noexcept {
    std::uint64_t const share = waiting / peers;
    auto const few = (std::min<std::uint64_t>)({window / 4, 16, share});  // not worth a message each
    return (std::min)(window, (std::max<std::uint64_t>)({1, few, share / 2}));
  }

  /// Its first message is answered: what that took says how much to send next.
  void learn_pace() noexcept {
    sent_batch const& b = sent.front();
    auto const now = roughly_now();
    auto const pace = now - (std::max)(b.sent, last_answer);
    last_answer = now;
    last_pace = pace;
    if (pace < quick)
      window = (std::min)(window * 2, largest_window);
    else if (pace > slow && b.units.count != 0)
      window = (std::max<std::uint64_t>)(1, b.units.count * static_cast<std::uint64_t>(slow / 2) /
                                                static_cast<std::uint64_t>(pace));
  }

  /// Whether another start would end as the last ones did.
  [[nodiscard]] bool hopeless() const noexcept {
    bool const shot = last_end.code == CLD_KILLED && last_end.status == SIGKILL;
    return failed_starts >= (shot ? hopeless_kills : hopeless_starts);
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
