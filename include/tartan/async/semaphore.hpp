#pragma once
// A bound on how many tasks do something at once.

#include <coroutine>  // coroutine_handle
#include <cstddef>    // ptrdiff_t
#include <optional>   // optional
#include <utility>    // exchange, move

#include "tartan/async/stop_state.hpp"  // stop_listener
#include "tartan/async/task_frame.hpp"  // frame_of, own_awaitable, own_awaiter, task_frame
#include "tartan/core/errors.hpp"       // bad_argument, cancelled, raise
#include "tartan/core/plain_mutex.hpp"  // mutex_hold, plain_mutex

namespace tartan::inline TARTAN_ABI {

class async_semaphore;

/// Held as long as it lives.
class [[nodiscard]] permit {
 public:
  permit() = default;
  permit(permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
  permit& operator=(permit&& other) noexcept {
    if (this != &other) {
      release();
      from_ = std::exchange(other.from_, nullptr);
    }
    return *this;
  }
  ~permit() { release(); }

  /// Gives it back before its end.
  void release() noexcept;
  [[nodiscard]] bool held() const noexcept { return from_ != nullptr; }

 private:
  friend class async_semaphore;
  explicit permit(async_semaphore* from) noexcept : from_(from) {}
  async_semaphore* from_ = nullptr;
};

/// As many permits as it was given; who finds none waits, first come, first served, and holds no thread.
///
///     tartan::async_semaphore at_once{8};
///     auto const hold = co_await at_once.acquire();
///
/// A semaphore of one is a lock that may be held across co_await.
/// Exceptions of co_await: cancelled if the task is asked to stop before it has a permit.
/// Thread safety: any thread. It must outlive the permits and those who wait. Who releases runs no waiter's code.
class async_semaphore {
  /// [P1] `queued_` and `stopped` are under the mutex: a waiter is either given a permit and taken out of the list, or
  ///      its stop takes it out. Whoever has taken it out resumes it, after the mutex was left, and touches neither the
  ///      waiter nor the semaphore afterwards.
  struct waiter : detail::stop_listener {
    explicit waiter(async_semaphore& s) noexcept : detail::stop_listener(&hears), from(s) {}
    static void hears(detail::stop_listener* l) noexcept {
      auto& self = *static_cast<waiter*>(l);
      detail::task_frame* const frame = self.frame;
      if (self.from.give_up(self)) frame->resume_later();
    }
    async_semaphore& from;
    detail::task_frame* frame = nullptr;
    waiter *later = nullptr, *earlier = nullptr;  // this and the rest under the mutex
    bool in_line = false, stopped = false, has_permit = false;
  };

 public:
  class acquire_awaiter : public detail::own_awaiter {
   public:
    explicit acquire_awaiter(async_semaphore& s) noexcept : waiter_(s) {}
    acquire_awaiter(acquire_awaiter const&) = delete;
    acquire_awaiter& operator=(acquire_awaiter const&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
      waiter_.frame = &detail::frame_of(h);
      stop_ = waiter_.frame->stop;
      if (stop_ != nullptr && !stop_->link(waiter_)) {
        waiter_.stopped = true;
        stop_ = nullptr;  // nothing to unlink
        return false;
      }
      return waiter_.from.stand_in_line(waiter_);
    }

    [[nodiscard]] permit await_resume() {
      if (stop_ != nullptr) stop_->unlink(waiter_);
      permit mine(waiter_.has_permit ? &waiter_.from : nullptr);
      waiter_.frame->arrive();
      if (!mine.held()) detail::raise<cancelled>();
      return mine;
    }

   private:
    waiter waiter_;
    detail::stop_state* stop_ = nullptr;
  };

  struct acquire_request : detail::own_awaitable {
    explicit acquire_request(async_semaphore& s) noexcept : semaphore(&s) {}
    [[nodiscard]] acquire_awaiter operator co_await() const noexcept { return acquire_awaiter(*semaphore); }
    async_semaphore* semaphore;
  };

  /// Exceptions: bad_argument if it is negative.
  explicit async_semaphore(std::ptrdiff_t permits) : free_(permits) {
    if (permits < 0) detail::raise<bad_argument>("tartan: async_semaphore(n) needs n >= 0");
  }
  async_semaphore(async_semaphore const&) = delete;
  async_semaphore& operator=(async_semaphore const&) = delete;

  /// co_await gives a permit.
  [[nodiscard]] acquire_request acquire() noexcept { return acquire_request(*this); }

  /// At once or not at all. Those who wait come first.
  [[nodiscard]] std::optional<permit> try_acquire() noexcept {
    detail::mutex_hold const hold(mutex_);
    if (free_ <= 0 || first_ != nullptr) return std::nullopt;
    --free_;
    return permit(this);
  }

  /// One more permit, from whom it may be.
  void release() noexcept {
    detail::task_frame* next = nullptr;
    {
      detail::mutex_hold const hold(mutex_);
      ++free_;
      if (waiter* const w = first_; w != nullptr && free_ > 0) {
        --free_;
        leave_line(*w);
        w->has_permit = true;
        next = w->frame;
      }
    }
    if (next != nullptr) next->resume_later();  // [P1]
  }

 private:
  /// True: the waiter stays suspended.
  [[nodiscard]] bool stand_in_line(waiter& w) noexcept {
    detail::mutex_hold const hold(mutex_);
    if (w.stopped) return false;  // between link() and here
    if (free_ > 0 && first_ == nullptr) {
      --free_;
      w.has_permit = true;
      return false;
    }
    w.earlier = last_;
    (last_ != nullptr ? last_->later : first_) = &w;
    last_ = &w;
    w.in_line = true;
    return true;
  }

  /// True: the caller must resume the waiter.
  [[nodiscard]] bool give_up(waiter& w) noexcept {
    detail::mutex_hold const hold(mutex_);
    w.stopped = true;
    if (!w.in_line) return false;
    leave_line(w);
    return true;
  }

  void leave_line(waiter& w) noexcept {
    (w.earlier != nullptr ? w.earlier->later : first_) = w.later;
    (w.later != nullptr ? w.later->earlier : last_) = w.earlier;
    w.in_line = false;
  }

  detail::plain_mutex mutex_;
  std::ptrdiff_t free_;
  waiter *first_ = nullptr, *last_ = nullptr;
};

inline void permit::release() noexcept {
  if (from_ != nullptr) std::exchange(from_, nullptr)->release();
}

}  // namespace tartan::inline TARTAN_ABI
