#pragma once
// Tasks of other processes that are waited for together.

#include <atomic>              // atomic, memory_order_relaxed
#include <condition_variable>  // condition_variable
#include <cstddef>             // size_t
#include <exception>           // exception_ptr, rethrow_exception
#include <mutex>               // mutex, scoped_lock, unique_lock
#include <new>                 // nothrow
#include <utility>             // exchange, move

#include "tartan/core/await.hpp"        // sleeping_scope
#include "tartan/core/config.hpp"       // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"       // cancelled, raise
#include "tartan/core/run_control.hpp"  // stop_query
#include "tartan/core/unhandled.hpp"    // report_unhandled

namespace tartan::inline TARTAN_ABI::detail {

/// How many tasks of a group have not ended, and what became of those that have. Nothing of it travels: who learns of a
/// task's end tells it here. Thread safety: any thread may call anything at any time.
class launched_group {
 public:
  explicit launched_group(stop_query stop) noexcept : stop_(stop) {}
  launched_group(launched_group const&) = delete;
  launched_group& operator=(launched_group const&) = delete;

  /// A task more; returns which it is. One of ended(), failed(), skipped() and withdraw() must follow.
  [[nodiscard]] std::size_t begin() {
    std::scoped_lock const hold(mutex_);
    ++pending_;
    return next_++;
  }

  void ended() {
    std::scoped_lock const hold(mutex_);
    count_off();
  }
  void failed(std::size_t order, std::exception_ptr error) {
    std::scoped_lock const hold(mutex_);
    if (order < lowest_.load(std::memory_order_relaxed)) {  // relaxed: under the mutex
      lowest_.store(order, std::memory_order_relaxed);      // relaxed: with skips()
      error_ = std::move(error);
    }
    count_off();
  }
  void skipped(std::size_t order) {
    std::scoped_lock const hold(mutex_);
    if (order < lowest_.load(std::memory_order_relaxed)) skipped_ = true;  // not for an error; relaxed: under the mutex
    count_off();
  }
  void withdraw() noexcept {
    std::scoped_lock const hold(mutex_);
    count_off();
  }

  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }  // relaxed: a wish

  /// Whether a task that has not begun need not.
  [[nodiscard]] bool skips(std::size_t order) const noexcept {
    return order > lowest_.load(std::memory_order_relaxed) || stops();  // relaxed: a late reader runs more than it must
  }

  /// For the policy of the group's tasks: asks for cancel() and for the stop of the policy that the user gave.
  [[nodiscard]] stop_query stop() const noexcept {
    return {this, [](void const* self) { return static_cast<launched_group const*>(self)->stops(); }};
  }

  /// Returns when every task has ended; inside a task of a thread pool that counts as blocking.
  void await_all() {
    if (all_have_ended()) return;
    sleeping_scope const scope;
    sleep_until_all_ended();
  }

  /// The owner goes away. Waits as await_all(), but never throws: where too many tasks block already, the wait lets
  /// nobody in.
  void abandon() noexcept {
    if (!all_have_ended()) {
      sleeping_scope const scope(std::nothrow);
      sleep_until_all_ended();
    }
    conclude_unattended();
  }

  /// After await_all(): throws what the task of the lowest order threw, or `cancelled` if tasks were skipped for a
  /// stop.
  void conclude() {
    std::unique_lock lock(mutex_);
    auto const error = take_error();
    bool const stopped = std::exchange(skipped_, false);
    cancelled_.store(false, std::memory_order_relaxed);  // relaxed: a wish that was heard
    lock.unlock();
#if TARTAN_EXCEPTIONS
    if (error != nullptr) std::rethrow_exception(error);
#endif
    if (stopped) raise<tartan::cancelled>();
  }

 private:
  [[nodiscard]] bool all_have_ended() {
    std::scoped_lock const hold(mutex_);
    return pending_ == 0;
  }
  void sleep_until_all_ended() {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [&] { return pending_ == 0; });
  }

  /// As conclude(), where nobody will ask.
  void conclude_unattended() noexcept {
    std::unique_lock lock(mutex_);
    auto const error = take_error();
    lock.unlock();
    if (error != nullptr) report_unhandled(error);
  }

  [[nodiscard]] bool stops() const {
    return cancelled_.load(std::memory_order_relaxed) || stop_.requested();  // relaxed: a wish
  }

  void count_off() noexcept {
    if (--pending_ == 0) all_ended_.notify_all();
  }

  [[nodiscard]] std::exception_ptr take_error() noexcept {
    lowest_.store(no_error, std::memory_order_relaxed);  // relaxed: under the mutex
    return std::exchange(error_, nullptr);
  }

  static constexpr std::size_t no_error = ~std::size_t{0};

  stop_query const stop_;
  std::atomic<bool> cancelled_{false};
  std::atomic<std::size_t> lowest_{no_error};  // order of the task whose error is kept
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::size_t pending_ = 0;
  std::size_t next_ = 0;
  bool skipped_ = false;
  std::exception_ptr error_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
