#pragma once
// Letting threads in when a pool stands still beside a wait.

#include <algorithm>  // min
#include <chrono>     // milliseconds, nanoseconds
#include <cstdint>    // uint64_t

#include "tartan/core/admission.hpp"  // most_spares
#include "tartan/core/pool.hpp"       // pool
#include "tartan/core/smaller.hpp"    // smaller

namespace tartan::inline TARTAN_ABI::detail {

/// While a worker waits for what no worker works on, another thread is let in; but that one may draw a task that wants
/// the very lock which is held across the wait. It then sleeps at the lock, which nobody tells the pool, and so may the
/// next one. So whoever waits looks from time to time: where tasks lie in the queue and none has begun since the last
/// look, threads that sleep as at a mutex or a condition variable are counted, and that many more may be awake until a
/// later look counts fewer or the wait ends, up to the bound of all that block. Threads that compute, read or sleep for
/// a time are not counted, however long: a pool's size still bounds how many of its tasks do that at once. (Who spins
/// at a lock computes.)
///
/// What it reads are statistics: a look that errs lets a thread in too early, or one look later. Of all who wait in a
/// pool one looks, for all of them: a thread that sleeps is counted once, and a thousand waits cost what one costs.
class standstill_watch {
 public:
  /// Of the pool of the worker that waits; null, for a thread that is none, watches nothing.
  explicit standstill_watch(worker const* waits) noexcept : pool_(waits == nullptr ? nullptr : &waits->home) {}
  standstill_watch(standstill_watch const&) = delete;
  standstill_watch& operator=(standstill_watch const&) = delete;
  ~standstill_watch() {
    if (!looks_) return;
    let_in(0);
    pool_->end_watch();
  }

  /// How long to sleep, at most, before the next look().
  [[nodiscard]] std::chrono::nanoseconds patience() const noexcept {
    return pool_ == nullptr ? (std::chrono::nanoseconds::max)() : patience_;
  }

  void look() noexcept {
    if (pool_ == nullptr) return;
    if (!looks_ && !(looks_ = pool_->begin_watch())) return wait_longer(longest_beside_others);
    std::uint64_t const begun = pool_->begun_before_others();
    bool const news = begun != 0 && begun != last_begun_;
    bool const stands_still = begun != 0 && !news;
    bool const let_some_in = (stands_still || let_in_ != 0) && let_in(asleep(stands_still));
    news || let_some_in ? void(patience_ = shortest) : wait_longer(longest);
    last_begun_ = begun;
  }

 private:
  static constexpr std::chrono::milliseconds shortest{1}, longest{64}, longest_beside_others{1024};

  /// How many shall be let in: as many as sleep, and no further ones while the pool gets on. They have a share of those
  /// that may block.
  [[nodiscard]] unsigned asleep(bool stands_still) const noexcept {
    return smaller(pool_->sleeping_unseen(), stands_still ? most_spares / 2 : let_in_);
  }

  /// Whether some were let in that were not before.
  bool let_in(unsigned wanted) noexcept {
    for (; let_in_ > wanted; --let_in_) pool_->admitted().end_unseen_blocking();
    bool some = false;
    for (; let_in_ < wanted && pool_->admitted().begin_unseen_blocking(); ++let_in_) some = true;
    return some;
  }

  void wait_longer(std::chrono::milliseconds limit) noexcept { patience_ = (std::min)(2 * patience_, limit); }

  pool* const pool_;
  std::uint64_t last_begun_ = 0;
  std::chrono::milliseconds patience_ = shortest;
  unsigned let_in_ = 0;
  bool looks_ = false;
};

}  // namespace tartan::inline TARTAN_ABI::detail
