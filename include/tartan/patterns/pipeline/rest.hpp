#pragma once
// Workers of a pipeline that have nothing to do, and who wakes them.

#include <atomic>   // atomic, memory_order_*
#include <chrono>   // nanoseconds
#include <climits>  // INT_MAX
#include <cstdint>  // uint32_t

#include "tartan/core/atomics.hpp"  // real_atomics
#include "tartan/core/await.hpp"    // outer_blocking
#include "tartan/core/worker.hpp"   // current_worker, worker

namespace tartan::inline TARTAN_ABI::detail {

/// [W1] A worker sleeps only after it has counted itself in `sleepers_` and looked again; whoever makes something
///      available looks at `sleepers_` behind a fence and rings. The fence is a read-modify-write of its own.
/// [W2] `rung_`: one of those who slept is on its way, so nobody need ring for another one yet. It is lowered behind
///      the look at the bell and before the look at what there is, by who lies down and by who gets up: if it was
///      raised after that, the bell has changed and somebody gets up. Who gets up rings for the next one when it has
///      found something.
class worker_rest {
 public:
  /// After something has become available: is anybody asleep?
  [[nodiscard]] bool somebody_sleeps() const noexcept {
    real_atomics::full_fence();                             // [W1]
    return sleepers_.load(std::memory_order_relaxed) != 0;  // relaxed: behind the fence
  }

  /// Wakes one, unless one is on its way; worth_it() says whether it would find enough to do.
  template <class WorthIt>
  void ring_for_one(WorthIt&& worth_it) noexcept {
    if (rung_.load(std::memory_order_relaxed) || !worth_it()) return;  // [W2]; relaxed: behind the fence of the caller
    rung_.store(true, std::memory_order_relaxed);                      // [W2]; relaxed: before the bell
    ring(1);
  }
  void ring_for_all() noexcept { ring(INT_MAX); }

  /// A worker lies down unless awake() says that there is something to do. lie(bell) puts it to sleep.
  template <class Awake, class Lie>
  void lie_down(Awake&& awake, Lie&& lie) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);                 // [W1]
    std::uint32_t const bell = bell_.load(std::memory_order_acquire);  // with ring()
    answer();
    if (!awake()) {
      outer_blocking const counted(current_worker());
      lie(bell);
    }
    sleepers_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: only costs a ring for nothing
    answer();
  }

  // ---- for lie(bell) ----------------------------------------------------------------------------------------------

  /// False when nobody has rung in that time.
  [[nodiscard]] bool nap(std::uint32_t bell, std::chrono::nanoseconds limit) noexcept {
    real_atomics::wait(bell_, bell, limit);
    return bell_.load(std::memory_order_relaxed) != bell;  // relaxed: a hint
  }

  /// Until somebody rings; if it takes long, another thread may work in this pool meanwhile.
  template <class Awake>
  void sleep(std::uint32_t bell, Awake&& awake) {
    constexpr std::chrono::nanoseconds not_long{1'000'000};
    if (nap(bell, not_long) || awake()) return;
    worker* const w = current_worker();
    bool const blocks = w != nullptr && w->home.admitted().begin_blocking(*w);
    real_atomics::wait(bell_, bell);
    if (blocks) w->home.admitted().end_blocking(*w);
  }

 private:
  void ring(int how_many) noexcept {
    bell_.fetch_add(1, std::memory_order_release);  // with lie_down()
    real_atomics::wake(bell_, how_many);
  }

  /// This worker looks at everything now.
  void answer() noexcept {
    rung_.store(false, std::memory_order_relaxed);  // [W2]; relaxed: before the fence
    real_atomics::full_fence();                     // [W1]
  }

  std::atomic<unsigned> sleepers_{0};  // [W1]
  std::atomic<std::uint32_t> bell_{0};
  std::atomic<bool> rung_{false};  // [W2]
};

}  // namespace tartan::inline TARTAN_ABI::detail
