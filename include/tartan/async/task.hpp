#pragma once
// The coroutine type.

#include <concepts>     // constructible_from, derived_from
#include <coroutine>    // coroutine_handle, suspend_always
#include <exception>    // current_exception, terminate
#include <type_traits>  // is_void_v
#include <utility>      // exchange, forward, move
#include <variant>      // monostate

#include "tartan/async/stop_state.hpp"  // task_stop
#include "tartan/async/task_frame.hpp"  // task_driver, task_end, task_frame
#include "tartan/core/errors.hpp"       // never, raise
#include "tartan/core/result.hpp"       // regular_result, result_slot

namespace tartan::inline TARTAN_ABI {

template <class T = void>
class task;

namespace detail {

struct task_access;

/// What task_promise<T> and task_promise<void> share: R is regular.
template <class R>
class task_promise_base : public task_frame {
 public:
  task_promise_base() = default;
  ~task_promise_base() {
    if (full_) result_.discard();
  }

  struct first_awaiter : own_awaiter {
    explicit first_awaiter(task_frame& f) noexcept : frame(f) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const { frame.arrive(); }
    task_frame& frame;
  };
  first_awaiter initial_suspend() noexcept { return first_awaiter(*this); }

  struct last_awaiter : own_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h) const noexcept {
      task_frame& f = h.promise();
      task_driver* const driver = f.driver;
      if (task_frame* const next = f.end->ended(f.end)) continue_with(driver, *next);  // this frame may be gone
    }
    [[noreturn]] void await_resume() const noexcept { std::terminate(); }
  };
  last_awaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept {
    if (std::exchange(full_, true)) result_.discard();  // a local's destructor has thrown after co_return
    result_.fail(std::current_exception());
  }

  template <class A>
  decltype(auto) await_transform(A&& a) {
    using awaiter = decltype(awaiter_of(std::forward<A>(a)));
    if constexpr (is_own_awaiter<awaiter>)
      return awaiter_of(std::forward<A>(a));
    else
      return foreign_awaiter<awaiter>(awaiter_of(std::forward<A>(a)));
  }

  [[nodiscard]] bool failed() const noexcept { return result_.failed(); }
  [[nodiscard]] std::exception_ptr const& error() const noexcept { return result_.error(); }
  R take() {
    full_ = false;
    return result_.take();
  }

 protected:
  template <class F>
  void keep(F&& f) noexcept {
    full_ = true;
    result_.set_from(std::forward<F>(f));
  }

 private:
  result_slot<R> result_;
  bool full_ = false;
};

template <class T>
class task_promise : public task_promise_base<T> {
 public:
  task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::constructible_from<T, U>
  void return_value(U&& value) noexcept {
    this->keep([&]() -> T { return static_cast<T>(std::forward<U>(value)); });
  }
};

template <>
class task_promise<void> : public task_promise_base<std::monostate> {
 public:
  task<void> get_return_object() noexcept;
  void return_void() noexcept {
    this->keep([] { return std::monostate{}; });
  }
};

template <class T>
class task_awaiter;

}  // namespace detail

/// Work that can wait without holding a thread. It begins when it is awaited, and is awaited once.
///
///     tn::task<int> both() {
///       co_await tn::schedule(tn::par);
///       auto [a, b] = co_await tn::when_all(one(), two());
///       co_return a + b;
///     }
///     int x = tn::sync_wait(both());
///
/// Place: schedule() moves a task to a pool; there it goes on after every wait, and there the tasks begin that it
/// awaits. A task that was never scheduled goes on wherever it is resumed: on the thread that gives a value to the
/// future it awaits, or on the default pool.
/// Stop: a task inherits its stop from the one that awaits it. future::cancel() of a spawned task, when_any(),
/// with_timeout() and a failed neighbour in when_all() ask for it; schedule(), sleep_for(), a future and a semaphore
/// then throw `cancelled` in the task. Nothing is ever destroyed while it runs or waits: whoever asks also waits.
/// Lifetime: a frame lives until the full expression that awaits it has ended, so a task may refer to what lives in the
/// one that awaits it. Arguments by reference and captures of a lambda must outlive the task (a lambda that is a
/// coroutine lives in the variable that holds it: give it arguments instead of captures). Objects that belong to a
/// thread (a lock) must not be held across a co_await. A pool must outlive the tasks that were scheduled on it: one
/// that is closed too early makes them go on elsewhere, with pool_closed.
/// Exceptions: what the coroutine throws comes out of the co_await. Complexity: one allocation.
/// Thread safety: a task is run by one thread at a time.
template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  /// Refers to no coroutine.
  task() = default;
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~task() { destroy(); }

  [[nodiscard]] bool valid() const noexcept { return handle_ != nullptr; }

  detail::task_awaiter<T> operator co_await() && noexcept { return detail::task_awaiter<T>(std::move(*this)); }

  template <class U = T>
  detail::task_awaiter<U> operator co_await() & noexcept {
    static_assert(detail::never<U>, "tartan: a task is awaited once and gives its result away: co_await std::move(t)");
    return {};
  }

 private:
  friend promise_type;
  friend struct detail::task_access;
  explicit task(std::coroutine_handle<promise_type> h) noexcept : handle_(h) {}

  void destroy() noexcept {
    if (handle_ != nullptr) std::exchange(handle_, nullptr).destroy();
  }

  std::coroutine_handle<promise_type> handle_ = nullptr;
};

namespace detail {

/// For those who run tasks.
struct task_access {
  template <class T>
  [[nodiscard]] static task_promise<T>& promise(task<T>& t) {
    if (t.handle_ == nullptr) [[unlikely]]
      raise<error>("tartan: this task refers to no coroutine: it was moved from, or awaited before");
    return t.handle_.promise();
  }
};

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  auto const h = std::coroutine_handle<task_promise>::from_promise(*this);
  this->handle = h;
  return task<T>(h);
}

inline task<void> task_promise<void>::get_return_object() noexcept {
  auto const h = std::coroutine_handle<task_promise>::from_promise(*this);
  this->handle = h;
  return task<void>(h);
}

/// Lies in the frame of the one that awaits, and owns the awaited one.
template <class T>
class task_awaiter : public own_awaiter, private task_end {
 public:
  explicit task_awaiter(task<T>&& awaited) noexcept : task_end(&back_to_parent), task_(std::move(awaited)) {}
  task_awaiter(task_awaiter const&) = delete;
  task_awaiter& operator=(task_awaiter const&) = delete;

  bool await_ready() { return static_cast<void>(task_access::promise(task_)), false; }

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> h) noexcept {
    task_frame& child = task_access::promise(task_);
    child.end = this;
    if constexpr (std::derived_from<Promise, task_frame>) {
      parent_ = &h.promise();
      child.inherit(*parent_);
      continue_with(parent_->driver, child);
    } else {
      ended = &back_to_foreign;
      foreign_ = h;
      child.resume_here();
    }
  }

  T await_resume() {
    auto& child = task_access::promise(task_);
    if (parent_ != nullptr) child.failed() ? parent_->forget_loss() : parent_->arrive();
    return static_cast<T>(child.take());
  }

 private:
  static task_frame* back_to_parent(task_end* e) noexcept {
    auto& self = *static_cast<task_awaiter*>(e);
    return self.parent_->continue_after(task_access::promise(self.task_).place);
  }
  static task_frame* back_to_foreign(task_end* e) noexcept {
    static_cast<task_awaiter*>(e)->foreign_.resume();
    return nullptr;
  }

  task<T> task_;
  task_frame* parent_ = nullptr;
  std::coroutine_handle<> foreign_;
};

struct stop_awaiter : own_awaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    state = frame_of(h).stop;
    return false;
  }
  [[nodiscard]] task_stop await_resume() const noexcept { return task_stop(state); }
  stop_state const* state = nullptr;
};

}  // namespace detail

/// co_await gives the task_stop of the calling task.
[[nodiscard]] inline detail::stop_awaiter this_task_stop() noexcept { return {}; }

}  // namespace tartan::inline TARTAN_ABI
