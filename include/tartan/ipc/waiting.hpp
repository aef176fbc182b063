#pragma once
// Waiting for a word in shared memory to change, by many processes, any of which may be killed at any instruction.

#include <algorithm>  // max
#include <atomic>     // atomic, memory_order_*
#include <chrono>     // nanoseconds, steady_clock
#include <climits>    // INT_MAX
#include <cstdint>    // uint32_t

#include "tartan/core/config.hpp"         // TARTAN_ABI
#include "tartan/ipc/shared_atomics.hpp"  // shared_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// A word and the number of those who may sleep on it.
///
///     waiter (W)                                changer (C)
///     W1  ++sleepers          seq_cst           C1  change word        seq_cst
///     W2  sleep while word == old               C2  sleepers != 0: wake all   seq_cst
///
/// Both are seq_cst on both words: C2 sees the sleeper, or W2's look (in the kernel) sees the change. Everybody is
/// woken and looks again, because one that was picked may be killed before it acts on it. A process that dies in W2
/// leaves `sleepers` too large, which costs a needless wake-up, never a lost one.
class waiting_word {
 public:
  explicit waiting_word(std::uint32_t value = 0) noexcept : word_(value) {}

  [[nodiscard]] std::atomic<std::uint32_t>& value() noexcept { return word_; }

  /// C2, after a seq_cst change of value().
  void changed() noexcept {
    if (sleepers_.load(std::memory_order_seq_cst) != 0) shared_atomics::wake(word_, INT_MAX);  // with W1
  }

  /// W1 and W2; returns after a change, after `limit` (negative: none), or for no reason.
  void sleep(std::uint32_t old, std::chrono::nanoseconds limit = std::chrono::nanoseconds{-1}) noexcept {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);  // W1, with C2
    shared_atomics::wait(word_, old, limit);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: too late a decrement costs a needless wake-up
  }

 private:
  std::atomic<std::uint32_t> word_;
  std::atomic<std::uint32_t> sleepers_{0};
};

/// A point in time, or never.
class deadline {
 public:
  deadline() = default;
  explicit deadline(std::chrono::nanoseconds from_now) noexcept
      : at_(std::chrono::steady_clock::now() + from_now), limited_(true) {}

  [[nodiscard]] bool passed() const noexcept { return limited_ && std::chrono::steady_clock::now() >= at_; }

  /// What is left, as a limit of a sleep; `at_most` if it is shorter.
  [[nodiscard]] std::chrono::nanoseconds left(std::chrono::nanoseconds at_most = std::chrono::nanoseconds{
                                                  -1}) const noexcept {
    if (!limited_) return at_most;
    auto const rest =
        (std::max)(std::chrono::nanoseconds{0},
                   std::chrono::duration_cast<std::chrono::nanoseconds>(at_ - std::chrono::steady_clock::now()));
    return at_most.count() < 0 || rest < at_most ? rest : at_most;
  }

 private:
  std::chrono::steady_clock::time_point at_{};
  bool limited_ = false;
};

}  // namespace tartan::inline TARTAN_ABI::detail
