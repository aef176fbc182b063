#pragma once
// Work that goes from hand to hand: from the deque of one worker into the mailbox of another.

#include <atomic>   // atomic, memory_order_*
#include <cstdint>  // uint64_t, uintptr_t

#include "tartan/core/atomics.hpp"  // cpu_pause
#include "tartan/core/job.hpp"      // job
#include "tartan/core/mailbox.hpp"  // mailbox
#include "tartan/core/smaller.hpp"  // larger, smaller
#include "tartan/core/ticks.hpp"    // ticks, ticks_per_us
#include "tartan/core/tuning.hpp"   // ask_patience_us, longest_handover_us, offer_tries, ...
#include "tartan/core/worker.hpp"   // worker

namespace tartan::inline TARTAN_ABI::detail {

/// The hand-overs of one pool: who stands at his mailbox, and what it costs to put something there. The giver spends a
/// CAS on a foreign line, where a thief would spend a heavy fence.
class handing_over {
 public:
  // ---- who waits ------------------------------------------------------------------------------------------------

  /// Stands at the mailbox for half a microsecond and touches no cache line of others meanwhile. Who has just been
  /// given something stays for one and a half: those that fork again at once come when he might be leaving.
  job* linger(worker& w, bool has_been_given = false) noexcept {
    w.box.open();
    worker* const hot = hot_.load(std::memory_order_acquire);  // with linger() of others: its box exists
    if (hot != &w && (hot == nullptr || !hot->box.is_open())) hot_.store(&w, std::memory_order_release);  // with give()
    int const looks = has_been_given ? 64 : 24;
    for (int i = 0; i != looks && !w.box.has_changed(); ++i) cpu_pause();
    return receive(w);
  }

  /// Closes the box of w, who has opened it, and returns what has come.
  job* receive(worker& w) noexcept {
    job* const j = w.box.close();
    if (j == nullptr || longest_handover_us == 0) return j;
    std::uint64_t const given_at = w.given_at.load(std::memory_order_relaxed);  // relaxed, both: a guess
    if (given_at == 0) return j;
    w.given_at.store(0, std::memory_order_relaxed);
    learn(ticks() - given_at);
    return j;
  }

  /// w goes elsewhere.
  void leave(worker& w) noexcept {
    worker* self = &w;
    hot_.compare_exchange_strong(self, nullptr, std::memory_order_relaxed,
                                 std::memory_order_relaxed);  // relaxed: a hint
  }

  /// A hint.
  [[nodiscard]] bool somebody_waits() const noexcept {
    worker* const hot = hot_.load(std::memory_order_acquire);  // with linger()
    return hot != nullptr && hot->box.is_open();
  }

  // ---- who has work ---------------------------------------------------------------------------------------------

  /// Hands the giver's oldest job to one who lingers and whom `may_have()` admits. False when nobody took it: it may
  /// have been put aside.
  template <class MayHave>
  TARTAN_ALWAYS_INLINE bool give(worker& giver, MayHave may_have) noexcept {
    worker* const to = hot_.load(std::memory_order_acquire);  // with linger()
    if (to == nullptr || to == &giver || !to->box.is_open() || !may_have(*to)) return false;
    return put_oldest(giver, *to, mailbox<job>::any);
  }

  /// Hands the giver's oldest job to the one who asked for the giver's errand: [L5] of join.hpp. False likewise.
  TARTAN_NOINLINE static bool give_below(worker& giver) noexcept {
    worker& to = *giver.asked_by.load(std::memory_order_acquire);  // with joiner::ask()
    auto const [wait, errand] = to.asks.look();
    if (errand != giver.errand.load(std::memory_order_relaxed)) {  // relaxed: own
      giver.asked_by.store(nullptr, std::memory_order_relaxed);    // relaxed: a hint
      return false;
    }
    if (giver.layered.load(std::memory_order_relaxed) || !to.box.is_open(wait)) return false;  // relaxed: own
    return put_oldest(giver, to, wait);
  }

  // ---- what it costs --------------------------------------------------------------------------------------------

  /// Ticks that a range takes which is worth handing over half of, to one who waits.
  [[nodiscard]] double dear_enough() const noexcept {
    return static_cast<double>(worth_giving_handovers) * static_cast<double>(took());
  }

  /// How long a forker waits for its stolen half before it asks for work: shorter ones end by themselves, and to be
  /// asked costs their runner some fetches from another core.
  [[nodiscard]] std::uint64_t ask_patience() const noexcept {
    return larger(ask_patience_us * ticks_per_us(), 4 * took());
  }

  /// w's half was run by another worker, and it has joined it; it came to do so at `came`, in ticks. If its own half or
  /// all took so long that the next one will be worth it, too, that one is handed over in person. (A hand-over alone
  /// takes half of what is dear enough.)
  void was_helped(worker& w, std::uint64_t came) const noexcept {
    double const dear = dear_enough();
    if (static_cast<double>(came - w.gave_at) < dear / 4 && static_cast<double>(ticks() - w.gave_at) < dear) return;
    w.helped = true;
    w.tasks.not_quick();
  }

 private:
  /// To tell the time of a hand-over takes one more fetch of a line that the receiver looks at all the time.
  static constexpr unsigned measured_gifts = 8;

  /// He has gone: others may have it.
  TARTAN_COLD static void put_aside(worker& giver, job& j) noexcept {
    j.join.begin_by(nullptr);
    giver.tasks.aside().put(&j);
  }

  /// From the deque of the giver into the box of another worker. False when it could not be done; the caller then says
  /// that something was put aside (pool::tell_of_aside()).
  static bool put_oldest(worker& giver, worker& to, std::uintptr_t wait) noexcept {
    if (!giver.tasks.aside().seems_empty()) return false;  // there would be no place for this one
    job* const j = giver.tasks.take_oldest();
    if (j == nullptr) return false;
    j->join.begin_by(&to);
    giver.gave_at = ticks();
    if (++giver.gifts % measured_gifts == 0)
      to.given_at.store(giver.gave_at, std::memory_order_relaxed);  // relaxed: a guess
    for (int tries = 0; tries != offer_tries; ++tries) {            // he may be between two looks at his box
      if (to.box.is_open(wait) && to.box.offer(j, wait)) return true;
      cpu_pause();
    }
    to.given_at.store(0, std::memory_order_relaxed);  // relaxed: a guess
    put_aside(giver, *j);
    return false;
  }

  /// Ticks until a worker that waits at his mailbox has what is put there, as it was of late.
  [[nodiscard]] std::uint64_t took() const noexcept { return took_.load(std::memory_order_relaxed); }  // a guess

  /// Others read it: only written if it is news. One that was interrupted says little, but might keep others from being
  /// tried, which would say more.
  void learn(std::uint64_t now) noexcept {
    std::uint64_t const known = took();
    if (now > longest_handover_us * ticks_per_us()) return;
    now = smaller(now, 2 * known + 64);
    if (now > known + known / 4 || now < known - known / 4)
      took_.store(known - known / 4 + now / 4, std::memory_order_relaxed);  // relaxed: a guess
  }

  std::atomic<worker*> hot_{nullptr};  // one who stands at his mailbox
  std::atomic<std::uint64_t> took_{ticks_per_us() / 8};
};

}  // namespace tartan::inline TARTAN_ABI::detail
