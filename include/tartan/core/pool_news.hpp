#pragma once
// How the workers of a pool tell each other of work. Protocols and proofs: README.md beside this file.

#include <atomic>   // memory_order_*
#include <utility>  // exchange

#include "tartan/core/atomics.hpp"      // cpu_pause, real_atomics
#include "tartan/core/config.hpp"       // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_COLD, TARTAN_NOINLINE
#include "tartan/core/handover.hpp"     // handing_over
#include "tartan/core/plain_mutex.hpp"  // mutex_hold
#include "tartan/core/pool_parts.hpp"   // pool_parts
#include "tartan/core/tuning.hpp"       // offer_tries
#include "tartan/core/worker.hpp"       // bump, worker

namespace tartan::inline TARTAN_ABI::detail {

/// How the workers of a pool tell each other of work. What takes a worker is for the thread that is this worker.
class pool_news : public pool_parts {
 public:
  /// After a push on w's deque by its owner.
  void published(worker& w) noexcept { published(w, asymmetric_); }

  /// The same for those who know asymmetric() already.
  TARTAN_ALWAYS_INLINE void published(worker& w, bool asymmetric) noexcept {
    if (anybody_idle(asymmetric) && is_news(w)) [[unlikely]]
      tell(w);
  }

  /// Tells those who want to know. Perhaps it is only that forks are counted.
  TARTAN_NOINLINE void tell(worker& w) noexcept {
    count_fork(w);
    notify(w);
  }

  /// As published(), for forks that are not the quick ones.
  TARTAN_NOINLINE void published_in_person(worker& w, bool asymmetric) noexcept {
    bool const somebody = anybody_idle(asymmetric);
    if (somebody) count_fork(w);
    if ((somebody || w.helped) && hand_over_soon(w)) return;
    if (somebody) notify(w);
  }

  /// Behind anybody_idle(): whether those are to be told of w's push. Where there are more workers than cores, somebody
  /// always sleeps, and who has been woken comes when a core is free: until then there is nothing to tell. He will look
  /// at every deque, for he searches, and lies down if he finds nothing ([I1] of idle.hpp).
  [[nodiscard]] TARTAN_ALWAYS_INLINE bool is_news(worker const& w) const noexcept {
    auto const v = idle_.look();
    return !one_at_a_time_ || v.searching() == 0 || v.counting() || is_asked(w);
  }

  /// After a push, for those who call published() only then.
  [[nodiscard]] TARTAN_ALWAYS_INLINE bool anybody_idle(bool asymmetric) noexcept {
    real_atomics::light_fence(asymmetric);  // [I1] of idle.hpp with begin_sleep()
    return idle_.look().word != 0;
  }

  /// As published(), for work that may be too short to be worth handing over: wakes when all sleep, nothing else.
  void published_quietly(worker& w) noexcept { published_quietly(w, asymmetric_); }
  TARTAN_ALWAYS_INLINE void published_quietly(worker& w, bool asymmetric) noexcept {
    real_atomics::light_fence(asymmetric);  // [I1]
    auto const v = idle_.look();
    if (v.word != 0 && v.searching() == 0) [[unlikely]]
      notify(w);
  }

  /// The same for the last of several pushes, by one who may publish nothing more for long: closes the gap of [I3] in
  /// idle.hpp. Who ends a search after our look sees what we have pushed, for there is a full fence on both sides.
  void published_at_last(worker& w) noexcept {
    real_atomics::full_fence();  // [I3] with pass_on()
    if (auto const v = idle_.look(); v.word != 0 && v.searching() == 0) notify(w);
  }

  /// As published_quietly(), for what is known to be worth handing over.
  void published_as_long(worker& w, bool asymmetric) noexcept {
    if (!hand_over_soon(w)) published_quietly(w, asymmetric);
  }

  /// Hands w's oldest work to one who waits at his mailbox. False when nobody took it; what was offered to one who
  /// has gone is put aside, and if nobody looks for work, one is woken for it.
  TARTAN_NOINLINE bool hand_over(worker& w) noexcept {
    return handovers_.give(w, [this](worker const& to) { return !surplus(to); }) || tell_of_aside(w);
  }

  /// The same for work that is likely to be long: waits a moment for one who searches to come back to his mailbox, and
  /// for one who ran the other half of the last one: he is on his way, and not counted as idle yet.
  TARTAN_NOINLINE bool hand_over_soon(worker& w) noexcept {
    int tries = idle_.look().searching() != 0 ? offer_tries : 1;
    if (std::exchange(w.helped, false)) {
      w.tasks.quick_again();
      tries = offer_tries;
    }
    for (; !hand_over(w); cpu_pause())
      if (--tries == 0 || w.tasks.seems_empty()) return false;
    return true;
  }

  /// From time to time while w has work on its deque: is there anybody who wants some? Those who wait for it get what
  /// `worth_giving()` says, those who sleep are woken for what `worth_waking()` says.
  template <class WorthGiving, class WorthWaking>
  TARTAN_ALWAYS_INLINE void share(worker& w, WorthGiving worth_giving, WorthWaking worth_waking) noexcept {
    auto const v = idle_.look();
    if (v.word == 0) [[likely]]
      return;
    if (is_asked(w) && worth_giving() && give_below(w)) return;
    if (v.anybody() && (v.searching() != 0 ? worth_giving() : worth_waking())) notify(w);
  }

  /// Forks are counted from begin_ to the end_ that belongs to it. Free for all others.
  void begin_counting_forks() noexcept {
    mutex_hold const hold(threads_.mutex());
    if (fork_counters_++ == 0) idle_.begin_counting();
  }
  void end_counting_forks() noexcept {
    mutex_hold const hold(threads_.mutex());
    if (--fork_counters_ == 0) idle_.end_counting();
  }

 protected:
  using pool_parts::pool_parts;
  ~pool_news() = default;

 private:
  /// Relaxed: give_below() acquires.
  static bool is_asked(worker const& w) noexcept { return w.asked_by.load(std::memory_order_relaxed) != nullptr; }

  void count_fork(worker& w) const noexcept {
    if (idle_.look().counting()) bump(w.forks);
  }

  bool give_below(worker& w) noexcept { return handing_over::give_below(w) || tell_of_aside(w); }

  /// Behind a hand-over that failed; always false. Who lies down or ends a search after this look sees what was put
  /// aside, for there is a full fence on both sides.
  bool tell_of_aside(worker& w) noexcept {
    if (w.tasks.aside().seems_empty()) [[likely]]
      return false;
    real_atomics::full_fence();  // [I1] with begin_sleep(), [I3] with pass_on()
    if (auto const v = idle_.look(); v.searching() == 0 && v.sleeping() != 0 && idle_.claim()) wake_claimed();
    return false;
  }

  TARTAN_NOINLINE void notify(worker& w) noexcept {
    if (is_asked(w) && give_below(w)) return;
    auto const v = idle_.look();  // after that: it may have woken one for what was put aside
    if (v.searching() != 0)
      hand_over(w);
    else if (v.sleeping() != 0) {
      if (idle_.claim()) wake_claimed();
    } else if (w.sleeping_joiners.load(std::memory_order_relaxed) != 0)  // relaxed: ordered by the fence of published()
      wake_joiners(w);
  }

  TARTAN_COLD void wake_joiners(worker& runner) noexcept {
    for_each_slot([&](worker& v) {
      if (v.waits_for.runner.load(std::memory_order_acquire) == &runner) v.spot.signal();  // with join.hpp
    });
  }

  unsigned fork_counters_ = 0;  // who counts forks; under the mutex of the threads
};

}  // namespace tartan::inline TARTAN_ABI::detail
