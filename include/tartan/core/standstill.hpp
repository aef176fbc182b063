#pragma once
// Letting threads in when a pool stands still beside a wait.

#include <algorithm>  // min
#include <chrono>     // milliseconds, nanoseconds
#include <cstdint>    // uint64_t

#include "tartan/core/pool.hpp"  // pool

namespace tartan::inline TARTAN_ABI::detail {

/// While a worker waits for what no worker works on, another thread is let in; but that one may draw a task that wants
/// the very lock which is held across the wait. It then sleeps at the lock, which nobody tells the pool, and so may the
/// next one. So whoever waits looks from time to time: where tasks lie in the queue and none has begun since the last
/// look, threads that sleep as at a mutex or a condition variable are counted, and that many more may be awake as long
/// as the wait lasts, up to the bound of all that block. Threads that compute, read or sleep for a time are not
/// counted, however long: a pool's size still bounds how many of its tasks do that at once. (Who spins at a lock
/// computes.)
///
/// What it reads are statistics: a look that errs lets a thread in too early, or one look later.
class standstill_watch {
 public:
  explicit standstill_watch(pool& p) noexcept : pool_(p) {}
  standstill_watch(standstill_watch const&) = delete;
  standstill_watch& operator=(standstill_watch const&) = delete;
  ~standstill_watch() {
    for (; let_in_ != 0; --let_in_) pool_.admitted().end_unseen_blocking();
  }

  /// How long to sleep before the next look().
  [[nodiscard]] std::chrono::nanoseconds patience() const noexcept { return patience_; }

  void look() noexcept {
    std::uint64_t const begun = pool_.begun_before_others();
    bool const news = begun != 0 && begun != last_begun_;
    bool const let_some_in = begun != 0 && !news && let_in(pool_.sleeping_unseen());
    patience_ = news || let_some_in ? shortest : (std::min)(2 * patience_, longest);
    last_begun_ = begun;
  }

 private:
  static constexpr std::chrono::nanoseconds shortest = std::chrono::milliseconds(1),
                                            longest = std::chrono::milliseconds(64);

  bool let_in(unsigned wanted) noexcept {
    bool some = false;
    for (; let_in_ < wanted && pool_.admitted().begin_unseen_blocking(); ++let_in_) some = true;
    return some;
  }

  pool& pool_;
  std::uint64_t last_begun_ = 0;
  std::chrono::nanoseconds patience_ = shortest;
  unsigned let_in_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI::detail
