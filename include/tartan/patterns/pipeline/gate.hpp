#pragma once
// Tokens on their way through a pipeline, and what lets them into a stage.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // byte, size_t
#include <cstdint>  // uint64_t
#include <mutex>    // lock_guard, mutex
#include <utility>  // exchange
#include <vector>   // vector

#include "tartan/core/atomics.hpp"  // cpu_pause
#include "tartan/core/padded.hpp"   // line_pair

namespace tartan::inline TARTAN_ABI::detail {

/// Tokens that follow each other and go together. Whoever got it from a gate, a list or the source owns it.
struct alignas(line_pair) token_batch {
  std::byte* tokens = nullptr;      // all of one type: that of the stage they stand before
  std::size_t number = 0;           // of the batch
  std::size_t first = 0;            // number of its first token
  std::size_t count = 0;            // tokens that are left
  std::size_t stage = 0;            // the next one
  std::size_t filled = 0;           // tokens that the source gave
  std::uint64_t spent = 0;          // ticks in the source and the stages
  bool admitted = false;            // into that stage
  token_batch* behind = nullptr;    // in a gate's queue or the list of the ready
  std::atomic<bool> in_use{false};  // set by the source with acquire, cleared with release
};

/// For a few instructions: whoever finds it locked seldom needs to sleep.
class short_mutex {
 public:
  void lock() {
    for (int i = 0; i != 200; ++i) {  // about 5 us
      if (mutex_.try_lock()) return;
      cpu_pause();
    }
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Batches in the order in which they came.
class batch_queue {
 public:
  void push(token_batch* b) noexcept {
    b->behind = nullptr;
    (last_ == nullptr ? first_ : last_->behind) = b;
    last_ = b;
  }
  [[nodiscard]] token_batch* pop() noexcept {
    token_batch* const b = first_;
    if (b == nullptr) return nullptr;
    first_ = b->behind;
    if (first_ == nullptr) last_ = nullptr;
    return b;
  }

 private:
  token_batch* first_ = nullptr;
  token_batch* last_ = nullptr;
};

/// Lets batches into a stage: one by one in the order of their numbers, or any, but not more than a limit at once. Who
/// must not go in is kept here, and its worker goes on with something else; who leaves gets the one that is next.
class alignas(line_pair) stage_gate {
 public:
  /// Of a serial stage: `window` is more than the numbers of two batches under way differ.
  void keep_order(std::size_t window) { parked_.resize(window), guarded_ = true; }
  void keep_limit(std::size_t limit) noexcept { limit_ = limit, guarded_ = true; }

  [[nodiscard]] bool guarded() const noexcept { return guarded_; }

  [[nodiscard]] bool enter(token_batch* b) {
    std::lock_guard const hold(mutex_);
    if (parked_.empty()) {
      if (inside_ != limit_) return ++inside_, true;
      waiting_.push(b);
      return false;
    }
    if (b->number == next_) return true;
    parked_[b->number % parked_.size()] = b;
    return false;
  }

  /// The batch that is let in now, or null.
  [[nodiscard]] token_batch* leave() {
    std::lock_guard const hold(mutex_);
    if (!parked_.empty()) return std::exchange(parked_[++next_ % parked_.size()], nullptr);
    token_batch* const b = waiting_.pop();
    if (b == nullptr) --inside_;
    return b;
  }

 private:
  short_mutex mutex_;
  bool guarded_ = false;
  std::size_t limit_ = 0, inside_ = 0;
  batch_queue waiting_;
  std::vector<token_batch*> parked_;  // by number; empty where the order does not matter
  std::size_t next_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI::detail
