#pragma once
// Batches that may go on and have no worker.

#include <atomic>   // atomic, memory_order_relaxed
#include <cstddef>  // size_t
#include <mutex>    // lock_guard

#include "tartan/patterns/pipeline/gate.hpp"  // batch_queue, short_mutex, token_batch

namespace tartan::inline TARTAN_ABI::detail {

/// A queue, and a look at it that needs no lock.
class ready_list {
 public:
  void put(token_batch* b) {
    std::lock_guard const hold(mutex_);
    queue_.push(b);
    count_.fetch_add(1, std::memory_order_relaxed);  // relaxed: changed under the mutex, else a hint
  }

  /// Null if there is none.
  [[nodiscard]] token_batch* take() {
    if (seems_empty()) return nullptr;
    std::lock_guard const hold(mutex_);
    token_batch* const b = queue_.pop();
    if (b != nullptr) count_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: under the mutex
    return b;
  }

  [[nodiscard]] bool seems_empty() const noexcept {
    return count_.load(std::memory_order_relaxed) == 0;  // relaxed: a hint
  }

 private:
  std::atomic<std::size_t> count_{0};
  short_mutex mutex_;
  batch_queue queue_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
