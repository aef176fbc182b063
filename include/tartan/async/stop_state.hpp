#pragma once
// How a wish to stop reaches the tasks below it.

#include <pthread.h>  // pthread_equal, pthread_self, pthread_t
#include <sched.h>    // sched_yield

#include <atomic>  // atomic, memory_order_*

#include "tartan/core/plain_mutex.hpp"  // plain_mutex

namespace tartan::inline TARTAN_ABI {

class task_stop;

namespace detail {

/// Somebody who wants to hear of a stop.
struct stop_listener {
  explicit stop_listener(void (*how)(stop_listener*) noexcept) noexcept : heard(how) {}
  stop_listener(stop_listener const&) = delete;
  stop_listener& operator=(stop_listener const&) = delete;
  void (*const heard)(stop_listener*) noexcept;  // short; runs nothing that a user wrote
  stop_listener *next = nullptr, *before = nullptr;
  bool linked = false;  // this and the links under the lock of the state
};

/// A wish to stop and those who listen for it.
///
/// [T1] A listener is taken out of the list before it is called, and the state does not touch it afterwards: it may
///      end its own life, in the call or through what the call sets going.
/// [T2] unlink() returns when the listener is neither in the list nor being called by another thread. From within its
///      own call it returns at once.
/// [T3] request() touches the state until it returns: whoever destroys the state must know that no request runs.
class stop_state {
 public:
  stop_state() = default;
  stop_state(stop_state const&) = delete;
  stop_state& operator=(stop_state const&) = delete;

  [[nodiscard]] bool requested() const noexcept {
    return requested_.load(std::memory_order_acquire);  // with request()
  }

  /// False when the stop has been requested: the listener will not be called.
  [[nodiscard]] bool link(stop_listener& l) noexcept {
    mutex_hold const hold(mutex_);
    if (requested_.load(std::memory_order_relaxed)) return false;  // relaxed: under the lock
    l.next = first_;
    if (first_ != nullptr) first_->before = &l;
    first_ = &l;
    l.linked = true;
    return true;
  }

  void unlink(stop_listener& l) noexcept {  // [T2]
    mutex_.lock();
    if (l.linked) take_out(l);
    while (called_ == &l && !::pthread_equal(caller_, ::pthread_self())) {
      mutex_.unlock();
      ::sched_yield();  // calls are short
      mutex_.lock();
    }
    mutex_.unlock();
  }

  /// Any thread, any number of times.
  void request() noexcept {
    mutex_.lock();
    if (!requested_.load(std::memory_order_relaxed)) {    // relaxed: under the lock
      requested_.store(true, std::memory_order_release);  // with requested()
      caller_ = ::pthread_self();
      while (stop_listener* const l = first_) {
        take_out(*l);
        called_ = l;
        mutex_.unlock();
        l->heard(l);  // [T1]
        mutex_.lock();
        called_ = nullptr;
      }
    }
    mutex_.unlock();
  }

 private:
  void take_out(stop_listener& l) noexcept {
    (l.before != nullptr ? l.before->next : first_) = l.next;
    if (l.next != nullptr) l.next->before = l.before;
    l.next = l.before = nullptr;
    l.linked = false;
  }

  plain_mutex mutex_;
  std::atomic<bool> requested_{false};
  stop_listener* first_ = nullptr;   // this and the rest under the lock
  stop_listener* called_ = nullptr;  // being called by `caller_`
  pthread_t caller_{};
};

}  // namespace detail

/// Asks whether a task has been asked to stop; for policies, too.
///
///     auto const stop = co_await tartan::this_task_stop();
///     tartan::for_each(tartan::par.stop(stop), files, index);
///
/// Valid until the task has ended.
class task_stop {
 public:
  task_stop() = default;
  explicit task_stop(detail::stop_state const* state) noexcept : state_(state) {}
  [[nodiscard]] bool stop_requested() const noexcept { return state_ != nullptr && state_->requested(); }

 private:
  detail::stop_state const* state_ = nullptr;
};

}  // namespace tartan::inline TARTAN_ABI
