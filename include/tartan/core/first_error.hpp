#pragma once
// Which exception of many leaves a call.

#include <atomic>     // atomic, memory_order_*
#include <cstddef>    // size_t
#include <exception>  // current_exception, exception_ptr, rethrow_exception
#include <utility>    // exchange

#include "tartan/core/config.hpp"       // TARTAN_ABI, TARTAN_COLD, TARTAN_EXCEPTIONS
#include "tartan/core/plain_mutex.hpp"  // mutex_hold, plain_mutex

namespace tartan::inline TARTAN_ABI::detail {

/// The exception that a serial loop would have thrown first: of those seen, the one of the lowest index. Work above it
/// is skipped, work below it still runs, for it may throw at a lower index.
class first_error {
 public:
  /// Relaxed: a late reader only runs more than it must.
  [[nodiscard]] bool skips(std::size_t index) const noexcept { return index > lowest_.load(std::memory_order_relaxed); }

#if TARTAN_EXCEPTIONS
  TARTAN_COLD void record(std::size_t index) noexcept {
    mutex_hold const hold(mutex_);
    if (error_ != nullptr && index >= lowest_.load(std::memory_order_relaxed)) return;  // relaxed: under the mutex
    lowest_.store(index, std::memory_order_relaxed);                                    // relaxed: with skips()
    error_ = std::current_exception();
  }

  /// After the join. Holds nothing afterwards.
  void rethrow() {
    if (error_ == nullptr) [[likely]]
      return;
    lowest_.store(~std::size_t{0}, std::memory_order_relaxed);  // relaxed: after the join
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
#else
  void rethrow() noexcept {}
#endif

 private:
  std::atomic<std::size_t> lowest_{~std::size_t{0}};
#if TARTAN_EXCEPTIONS
  plain_mutex mutex_;
  std::exception_ptr error_;
#endif
};

}  // namespace tartan::inline TARTAN_ABI::detail
