#pragma once
// Permits and events between processes.

#include <atomic>   // memory_order_*
#include <chrono>   // duration
#include <cstdint>  // uint32_t

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // bad_argument, raise
#include "tartan/ipc/handle.hpp"   // shared_handle
#include "tartan/ipc/waiting.hpp"  // deadline, waiting_word

namespace tartan::inline TARTAN_ABI::ipc {

/// A number of permits between processes, as std::counting_semaphore between threads. A process that dies with a permit
/// keeps it: where that matters use a mutex, or release() for it.
class semaphore : public detail::shared_handle<detail::waiting_word> {
 public:
  explicit semaphore(std::uint32_t permits) : shared_handle(made{}, permits) {}
  explicit semaphore(borrowed b) : shared_handle(b) {}

  void acquire() { (void)take(detail::deadline()); }
  [[nodiscard]] bool try_acquire() { return take(detail::deadline(std::chrono::nanoseconds{0})); }
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for(std::chrono::duration<Rep, Period> limit) {
    return take(detail::deadline(std::chrono::duration_cast<std::chrono::nanoseconds>(limit)));
  }

  void release(std::uint32_t permits = 1) {
    state().value().fetch_add(permits, std::memory_order_seq_cst);  // release, with take(); seq_cst for changed()
    state().changed();
  }

 private:
  bool take(detail::deadline const& until) {
    auto& count = state().value();
    for (;;) {
      auto n = count.load(std::memory_order_relaxed);  // relaxed: the exchange acquires
      while (n != 0)
        if (count.compare_exchange_weak(n, n - 1, std::memory_order_acquire,  // with release()
                                        std::memory_order_relaxed))
          return true;
      if (until.passed()) return false;
      state().sleep(0, until.left());
    }
  }
};

/// A flag that processes wait for.
class event : public detail::shared_handle<detail::waiting_word> {
 public:
  event() : shared_handle(made{}) {}
  explicit event(borrowed b) : shared_handle(b) {}

  /// Lets all through that wait, and those that come, until clear().
  void set() {
    state().value().store(1, std::memory_order_seq_cst);  // release, with wait(); seq_cst for changed()
    state().changed();
  }
  void clear() { state().value().store(0, std::memory_order_relaxed); }  // relaxed: publishes nothing
  [[nodiscard]] bool is_set() const { return state().value().load(std::memory_order_acquire) != 0; }  // with set()

  void wait() { (void)wait_until(detail::deadline()); }
  /// Whether it was set in time.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> limit) {
    return wait_until(detail::deadline(std::chrono::duration_cast<std::chrono::nanoseconds>(limit)));
  }

 private:
  bool wait_until(detail::deadline const& until) {
    while (!is_set()) {
      if (until.passed()) return false;
      state().sleep(0, until.left());
    }
    return true;
  }
};

}  // namespace tartan::inline TARTAN_ABI::ipc
