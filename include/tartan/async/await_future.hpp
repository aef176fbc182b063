#pragma once
// co_await on futures.

#include <atomic>     // atomic, memory_order_*
#include <coroutine>  // coroutine_handle
#include <cstdint>    // uint32_t
#include <utility>    // move

#include "tartan/async/future.hpp"      // future, future_access, shared_future
#include "tartan/async/stop_state.hpp"  // stop_listener
#include "tartan/async/task_frame.hpp"  // frame_of, own_awaiter, task_frame
#include "tartan/async/wake_up.hpp"     // wake_up
#include "tartan/core/errors.hpp"       // cancelled, raise
#include "tartan/core/shared_task.hpp"  // completion

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What is linked into the awaited task. A task that is stopped while it awaits leaves it there, so it lives by itself:
/// half of it is the awaiter's, half the awaited task's.
class future_note : public completion {
 public:
  static constexpr std::uint32_t by_end = wake_up<>::first_reason, by_stop = by_end + 1;

  explicit future_note(task_frame& frame) noexcept : completion(&ended, turn::runs), frame_(frame) {}

  void stop() noexcept {
    if (woken_.wake(by_stop)) frame_.resume_later();
  }
  [[nodiscard]] bool suspend() noexcept { return woken_.suspend(); }
  [[nodiscard]] bool stopped() const noexcept { return woken_.reason() == by_stop; }
  void release() noexcept {
    if (halves_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;  // after the other's last use
  }

 private:
  static void ended(completion* c) {
    auto* const self = static_cast<future_note*>(c);
    task_frame& frame = self->frame_;
    bool const resumes = self->woken_.wake(by_end);
    self->release();
    if (resumes) frame.resume_soon();
  }

  task_frame& frame_;  // touched only by who resumes it
  wake_up<> woken_;
  std::atomic<int> halves_{2};
};

/// Future is what it was given: future<R> (given away), future<R>& or shared_future<R> const&.
template <class Future>
class future_awaiter : public own_awaiter {
 public:
  explicit future_awaiter(Future&& f) : future_(static_cast<Future&&>(f)) {}
  future_awaiter(future_awaiter const&) = delete;
  future_awaiter& operator=(future_awaiter const&) = delete;

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    frame_ = &frame_of(h);
    auto& awaited = future_access::task(future_);  // throws invalid_future
    stopped_ = frame_->stop_requested();
    if (stopped_ || awaited.done()) return false;
    note_ = new future_note(*frame_);
    if (!awaited.listen(note_)) {
      delete std::exchange(note_, nullptr);
      return false;
    }
    if (frame_->stop != nullptr && !frame_->stop->link(listener_)) note_->stop();
    return note_->suspend();
  }

  decltype(auto) await_resume() {
    if (note_ != nullptr) {
      stopped_ = note_->stopped();
      if (frame_->stop != nullptr) frame_->stop->unlink(listener_);
      note_->release();
    }
    if (stopped_) {
      if constexpr (!std::is_reference_v<Future>) future_.cancel();  // nobody else could ask for the result
      frame_->arrive();
      raise<cancelled>();
    }
    frame_->arrive();
    return future_.get();
  }

 private:
  struct listener : stop_listener {
    explicit listener(future_awaiter& of) noexcept : stop_listener(&hears), self(of) {}
    static void hears(stop_listener* l) noexcept { static_cast<listener*>(l)->self.note_->stop(); }
    future_awaiter& self;
  };

  Future future_;
  future_note* note_ = nullptr;
  listener listener_{*this};
  task_frame* frame_ = nullptr;
  bool stopped_ = false;
};

}  // namespace detail

/// co_await of a future in a task: the result, or what the task threw; no thread is held meanwhile. The calling task
/// goes on in its place; without one, on the thread that ended the other task, as with then().
///
/// Stop: throws `cancelled`. A future that was given away is then cancelled, one that lives in a variable goes on.
template <class R>
[[nodiscard]] detail::future_awaiter<future<R>> operator co_await(future<R>&& f) {
  return detail::future_awaiter<future<R>>(std::move(f));
}
template <class R>
[[nodiscard]] detail::future_awaiter<future<R>&> operator co_await(future<R>& f) {
  return detail::future_awaiter<future<R>&>(f);
}
template <class R>
[[nodiscard]] detail::future_awaiter<shared_future<R> const&> operator co_await(shared_future<R> const& f) {
  return detail::future_awaiter<shared_future<R> const&>(f);
}

}  // namespace tartan::inline TARTAN_ABI
