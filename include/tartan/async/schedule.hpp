#pragma once
// Moves a task to a pool, or lets it wait for a time.

#include <chrono>     // duration, steady_clock
#include <coroutine>  // coroutine_handle
#include <cstdint>    // uint32_t

#include "tartan/async/stop_state.hpp"  // stop_listener
#include "tartan/async/task_frame.hpp"  // frame_of, own_awaitable, own_awaiter, task_frame, task_place
#include "tartan/async/timer.hpp"       // timer, timer_entry
#include "tartan/async/wake_up.hpp"     // wake_up
#include "tartan/core/errors.hpp"       // cancelled, raise
#include "tartan/core/time_limit.hpp"   // deadline_after
#include "tartan/exec/backend.hpp"      // shared_memory_backend
#include "tartan/exec/policy.hpp"       // execution_policy

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The pool of a policy as a place; without one (`seq`) anywhere.
template <class P>
[[nodiscard]] task_place place_of(P const& p) {
  static_assert(shared_memory_backend<typename P::backend_type>,
                "tartan: a task runs where its frame is: schedule it with seq, par, simd or par_simd, and co_await the "
                "future of submit(processes, ...) for what shall run in another process");
  return task_place(p.backend().async_pool(p.props()));
}

class schedule_awaiter : public own_awaiter {
 public:
  explicit schedule_awaiter(task_place place) noexcept : place_(place) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    frame_ = &frame_of(h);
    stopped_ = frame_->stop_requested();
    if (stopped_) return false;
    frame_->forget_loss();
    frame_->place = place_;
    if (place_.anywhere()) return false;
    frame_->resume_later();
    return true;
  }
  void await_resume() const {
    frame_->arrive();
    if (stopped_) raise<cancelled>();
  }

 private:
  task_place place_;
  task_frame* frame_ = nullptr;
  bool stopped_ = false;
};

class sleep_awaiter : public own_awaiter {
 public:
  explicit sleep_awaiter(timer_entry::clock::time_point until) noexcept { entry_.when = until; }
  sleep_awaiter(sleep_awaiter const&) = delete;
  sleep_awaiter& operator=(sleep_awaiter const&) = delete;

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    frame_ = &frame_of(h);
    timer::instance().add(entry_);
    if (frame_->stop != nullptr && !frame_->stop->link(listener_)) static_cast<void>(woken_.wake(by_stop));
    return woken_.suspend();
  }

  void await_resume() {
    bool const stopped = woken_.reason() == by_stop;
    if (stopped) timer::instance().remove(entry_);
    if (!stopped && frame_->stop != nullptr) frame_->stop->unlink(listener_);
    frame_->arrive();
    if (stopped) raise<cancelled>();
  }

 private:
  static constexpr std::uint32_t by_time = wake_up<>::first_reason, by_stop = by_time + 1;

  struct entry : timer_entry {
    explicit entry(sleep_awaiter& of) noexcept : timer_entry(&is_due), self(of) {}
    static void is_due(timer_entry* e) noexcept { static_cast<entry*>(e)->self.wake(by_time); }
    sleep_awaiter& self;
  };
  struct listener : stop_listener {
    explicit listener(sleep_awaiter& of) noexcept : stop_listener(&hears), self(of) {}
    static void hears(stop_listener* l) noexcept { static_cast<listener*>(l)->self.wake(by_stop); }
    sleep_awaiter& self;
  };

  void wake(std::uint32_t reason) noexcept {
    task_frame& frame = *frame_;
    if (woken_.wake(reason)) frame.resume_later();  // *this may be gone
  }

  entry entry_{*this};
  listener listener_{*this};
  wake_up<> woken_;
  task_frame* frame_ = nullptr;
};

struct sleep_request : own_awaitable {
  explicit sleep_request(timer_entry::clock::time_point t) noexcept : until(t) {}
  [[nodiscard]] sleep_awaiter operator co_await() const noexcept { return sleep_awaiter(until); }
  timer_entry::clock::time_point until;
};

struct schedule_request : own_awaitable {
  explicit schedule_request(task_place p) noexcept : place(p) {}
  [[nodiscard]] schedule_awaiter operator co_await() const noexcept { return schedule_awaiter(place); }
  task_place place;
};

}  // namespace detail

/// co_await moves the calling task to the policy's pool, behind what lies in its queue; there it stays. Under `seq` it
/// goes on at once, and from then on wherever it is resumed.
///
///     co_await tartan::schedule(tartan::par.on(io));
///
/// Exceptions: pool_gone at the call; pool_closed, and cancelled if the task was asked to stop, at co_await.
template <execution_policy P>
[[nodiscard]] detail::schedule_request schedule(P const& p) {
  return detail::schedule_request(detail::place_of(p));
}

/// co_await returns at that time or a little later; no thread is held meanwhile.
///
/// Exceptions: cancelled as soon as the task is asked to stop; error if the system refuses the timer's thread.
[[nodiscard]] inline detail::sleep_request sleep_until(std::chrono::steady_clock::time_point time) noexcept {
  return detail::sleep_request(time);
}

template <class Rep, class Period>
[[nodiscard]] detail::sleep_request sleep_for(std::chrono::duration<Rep, Period> time) noexcept {
  return detail::sleep_request(detail::deadline_after(time));
}

}  // namespace tartan::inline TARTAN_ABI
