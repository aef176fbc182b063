#pragma once
// The result of work that goes on elsewhere.

#include <chrono>       // duration
#include <concepts>     // invocable
#include <exception>    // exception_ptr
#include <type_traits>  // conditional_t, decay_t, invoke_result_t, is_invocable_v, is_void_v
#include <utility>      // exchange, forward, move

#include "tartan/async/task_result.hpp"  // callback, continuation, promised, task_result
#include "tartan/core/await.hpp"         // await_task, await_task_until
#include "tartan/core/errors.hpp"        // broken_promise, error, invalid_future, raise, timeout_error
#include "tartan/core/result.hpp"        // future_result_t, regular_result
#include "tartan/core/time_limit.hpp"    // deadline_after

namespace tartan::inline TARTAN_ABI {

template <class R>
class future;
template <class R>
class shared_future;
template <class R>
class promise;
struct future_access;

namespace detail {

/// What a continuation is called with, and what the future of it holds.
template <class F, class... Result>
struct continued {
  static_assert(std::is_invocable_v<F, Result...>,
                "tartan: future::then(f) calls f(get()), or f() for a future<void>: let f take the result, by value, "
                "const& or &&");
  using type = future_result_t<std::invoke_result_t<F, Result...>>;
};
template <class F>
struct continued<F, void> : continued<F> {};
template <class F, class R>
using continued_t = typename continued<F, R>::type;

/// What both kinds of future can do.
template <class R>
class future_base {
 public:
  using value_type = R;

  /// Whether it refers to a task.
  [[nodiscard]] bool valid() const noexcept { return task_ != nullptr; }

  /// Whether get() would return at once.
  [[nodiscard]] bool ready() const { return state().done(); }

  /// Returns when the task has ended.
  ///
  /// Blocking: inside a task the worker runs the awaited task if that has not begun, else work that was forked inside
  /// it, and nothing else: locks may be held across the call. A wait for what no worker works on lets another thread
  /// in. Exceptions: would_deadlock if the task waits for itself; too_many_blocked; error
  /// where the system refuses the thread that what is waited for may need.
  void wait() const { await_task(state()); }

  /// The same for a limited time; false when it is up. Inside a task nothing else is run meanwhile.
  template <class Rep, class Period>
  [[nodiscard]] bool wait(std::chrono::duration<Rep, Period> limit) const {
    return await_task_until(state(), deadline_after(limit));
  }

  /// Keeps the task from running if it has not begun: get() then throws `cancelled`. A running task that took a
  /// std::stop_token is asked to stop; it decides what becomes of it.
  ///
  /// Returns: true if this call has kept the task from running.
  bool cancel() const { return state().cancel(); }

  /// Calls f() when the task has ended, whatever came of it: on the worker that ended it, or here if it has ended. A
  /// worker that runs the task because it waits for it leaves f to the pool. What f throws goes to set_unhandled()'s.
  template <std::invocable F>
  void on_done(F&& f) const {
    static_assert(std::invocable<std::decay_t<F>&>,
                  "tartan: on_done(f) calls its copy of f as an lvalue: leave out the && of its operator()");
    auto call = std::make_unique<callback<std::decay_t<F>>>(std::forward<F>(f));
    auto* const linked = call.release();
    if (!state().listen(linked)) callback<std::decay_t<F>>::ended(linked);
  }

 protected:
  using kept = regular_result<R>;
  future_base() = default;
  explicit future_base(task_result<kept>* owned) noexcept : task_(owned) {}
  future_base(future_base&& other) noexcept : task_(other.give_away()) {}
  future_base& operator=(future_base&& other) noexcept {
    if (this != &other) {
      reset();
      task_ = other.give_away();
    }
    return *this;
  }
  ~future_base() { reset(); }

  void reset() noexcept {
    if (task_ != nullptr) std::exchange(task_, nullptr)->release();
  }
  [[nodiscard]] task_result<kept>* give_away() noexcept { return std::exchange(task_, nullptr); }
  [[nodiscard]] task_result<kept>& state() const {
    if (task_ == nullptr) [[unlikely]]
      raise<invalid_future>();
    return *task_;
  }

 private:
  friend struct tartan::future_access;
  task_result<kept>* task_ = nullptr;
};

}  // namespace detail

/// The result of one task, for one who waits.
///
///     auto f = tartan::submit(tartan::par, hash_file, path);
///     auto digest = f.get();
///
/// Dropping it neither waits nor cancels; what the task throws then goes to the handler of set_unhandled().
/// Thread safety: as any object; different futures may be used at once.
template <class R>
class future : public detail::future_base<R> {
  using base = detail::future_base<R>;

 public:
  /// Refers to no task.
  future() = default;

  /// Waits and gives the result away; the future refers to no task afterwards.
  ///
  /// Exceptions: what the task threw; cancelled; those of wait().
  R get() {
    this->wait();
    detail::task_ref const owner(&this->state());
    detail::task_result<typename base::kept>* const task = this->give_away();
    return static_cast<R>(task->take());
  }

  /// Waits for a limited time.
  ///
  /// Exceptions: timeout_error when it is up: the task goes on and the future stays as it is.
  template <class Rep, class Period>
  R get(std::chrono::duration<Rep, Period> limit) {
    if (!this->wait(limit)) detail::raise<timeout_error>();
    return get();
  }

  /// A future of f(result): f runs when this task has ended, on the worker that ended it, or here if it has ended. An
  /// error passes by f into the new future. This future refers to no task afterwards.
  template <class F>
  [[nodiscard]] auto then(F&& f) -> future<detail::continued_t<std::decay_t<F>, R>> {
    using next = detail::continued_t<std::decay_t<F>, R>;
    using task = detail::continuation<detail::regular_result<next>, typename base::kept, std::decay_t<F>>;
    auto* const before = &this->state();
    auto* const made = new task(before, std::forward<F>(f));
    static_cast<void>(this->give_away());  // the continuation has the reference
    future<next> result(made);
    if (!before->listen(made)) made->obey(made, detail::current_worker(), detail::task_order::run);
    return result;
  }

  /// A future that many may wait for.
  [[nodiscard]] shared_future<R> share() { return shared_future<R>(std::move(*this)); }

 private:
  using base::base;
  template <class>
  friend class future;
  template <class>
  friend class promise;
  template <class>
  friend class shared_future;
  friend struct future_access;
};

/// The result of one task, for any number who wait; copies refer to the same task.
template <class R>
class shared_future : public detail::future_base<R> {
  using base = detail::future_base<R>;

 public:
  shared_future() = default;
  shared_future(future<R>&& single) noexcept : base(single.give_away()) {}
  shared_future(shared_future&&) noexcept = default;
  shared_future& operator=(shared_future&&) noexcept = default;
  shared_future(shared_future const& other) noexcept : base(other.valid() ? another(other) : nullptr) {}
  shared_future& operator=(shared_future const& other) noexcept {
    if (this != &other) *this = shared_future(other);
    return *this;
  }

  /// Waits. Returns: a reference to the result, valid as long as some copy of this future is (nothing for void).
  ///
  /// Exceptions: what the task threw, each time; cancelled; those of wait().
  std::conditional_t<std::is_void_v<R>, void, std::add_lvalue_reference_t<R const>> get() const {
    this->wait();
    return static_cast<std::conditional_t<std::is_void_v<R>, void, std::add_lvalue_reference_t<R const>>>(
        this->state().look());
  }

  /// Exceptions: also timeout_error.
  template <class Rep, class Period>
  decltype(auto) get(std::chrono::duration<Rep, Period> limit) const {
    if (!this->wait(limit)) detail::raise<timeout_error>();
    return get();
  }

 private:
  static detail::task_result<typename base::kept>* another(shared_future const& other) noexcept {
    auto* const task = &other.state();
    task->add_reference();
    return task;
  }
};

/// The other end of a future whose value comes from elsewhere: a timer, the network, another library.
///
///     tartan::promise<int> p;
///     auto f = p.get_future();
///     on_reply([p = std::move(p)](int n) mutable { p.set_value(n); });
///
/// Destroyed without a value it gives broken_promise to the future, if that was taken.
template <class R>
class promise {
  using kept = detail::regular_result<R>;

 public:
  promise() : task_(new detail::promised<kept>()) {}
  promise(promise&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  promise& operator=(promise&& other) noexcept {
    if (this != &other) {
      abandon();
      task_ = std::exchange(other.task_, nullptr);
    }
    return *this;
  }
  ~promise() { abandon(); }

  /// Exceptions: error when it is called again: one future gives the value away. future::share() is for many.
  [[nodiscard]] future<R> get_future() {
    auto& task = state();
    if (task.noted(detail::shared_task::asked_for))
      detail::raise<error>(
          "tartan: the future of this promise has been taken before; get_future() gives one, and share() of that one "
          "serves many who wait");
    task.note(detail::shared_task::asked_for);
    task.add_reference();
    return future<R>(task_);
  }

  /// Gives the value, and runs what the future is continued with. False when the future was cancelled, or has a value
  /// or an error already.
  template <class... Args>
  bool set_value(Args&&... args) {
    detail::task_ref const held = hold();
    if (!task_->try_begin(nullptr)) return false;
    static_cast<detail::promised<kept>*>(held.get())->complete([&]() -> kept {
      return kept(std::forward<Args>(args)...);
    });
    return true;
  }

  bool set_exception(std::exception_ptr error) {
    detail::task_ref const held = hold();
    if (!task_->try_begin(nullptr)) return false;
    static_cast<detail::promised<kept>*>(held.get())->complete_with_error(std::move(error));
    return true;
  }

 private:
  [[nodiscard]] detail::promised<kept>& state() const {
    if (task_ == nullptr)
      detail::raise<invalid_future>("tartan: this promise was moved from; use the one that it was moved to");
    return *task_;
  }
  /// No worker is named as the runner: what lies in its deque was not forked for this value. Whoever sees the value may
  /// destroy the promise before this thread is through with the task.
  [[nodiscard]] detail::task_ref hold() const {
    state().add_reference();
    return detail::task_ref(task_);
  }
  void abandon() noexcept {
    if (task_ == nullptr) return;
    if (task_->noted(detail::shared_task::asked_for) && task_->try_begin(nullptr))
      task_->complete_with_error(detail::error_of_type<broken_promise>());
    std::exchange(task_, nullptr)->release();
  }

  detail::promised<kept>* task_;
};

/// For those who make futures, and who look at the tasks behind them.
struct future_access {
  template <class R>
  [[nodiscard]] static future<R> make(detail::task_result<detail::regular_result<R>>* owned) noexcept {
    return future<R>(owned);
  }

  /// Exceptions: invalid_future.
  template <class R>
  [[nodiscard]] static auto& task(detail::future_base<R> const& f) {
    return f.state();
  }
};

}  // namespace tartan::inline TARTAN_ABI
