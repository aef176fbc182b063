#pragma once
// Several tasks below one, and a time for them.

#include <atomic>       // atomic, memory_order_*
#include <chrono>       // ceil, duration, steady_clock
#include <concepts>     // derived_from
#include <coroutine>    // coroutine_handle
#include <cstddef>      // size_t
#include <memory>       // make_unique, unique_ptr
#include <tuple>        // tuple
#include <type_traits>  // remove_cvref_t
#include <utility>      // forward, in_place_index, move
#include <variant>      // monostate, variant
#include <vector>       // vector

#include "tartan/async/await_future.hpp"  // operator co_await
#include "tartan/async/future.hpp"        // future, shared_future
#include "tartan/async/stop_state.hpp"    // stop_listener, stop_state
#include "tartan/async/task.hpp"          // task, task_access
#include "tartan/async/task_frame.hpp"    // frame_of, own_awaitable, own_awaiter, task_driver, task_end, task_frame
#include "tartan/async/timer.hpp"         // timer, timer_entry
#include "tartan/core/errors.hpp"         // bad_argument, cancelled, raise, timeout_error
#include "tartan/core/result.hpp"         // regular_result

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class A>
inline constexpr bool is_awaited_future = false;
template <class R>
inline constexpr bool is_awaited_future<future<R>> = true;
template <class R>
inline constexpr bool is_awaited_future<shared_future<R>> = true;
template <class A>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

/// What can become a task: a task, a future, or what sleep_for(), schedule() and acquire() return.
template <class A>
concept task_like = is_task<std::remove_cvref_t<A>> || is_awaited_future<std::remove_cvref_t<A>> ||
                    std::derived_from<std::remove_cvref_t<A>, own_awaitable>;

template <class A>
using awaited_t = decltype(awaiter_of(std::declval<A>()).await_resume());

template <class A>
task<std::remove_cvref_t<awaited_t<A>>> wrap_as_task(A awaited) {
  co_return co_await std::move(awaited);
}

template <class T>
task<T> as_task(task<T>&& t) noexcept {
  return std::move(t);
}
template <task_like A>
  requires(!is_task<std::remove_cvref_t<A>>)
auto as_task(A&& a) {
  return wrap_as_task<std::remove_cvref_t<A>>(std::forward<A>(a));
}
template <class A>
using as_task_value = typename decltype(as_task(std::declval<A>()))::value_type;

/// When the others are asked to stop.
enum class children_rule : unsigned char {
  all,  ///< one has failed: those after it, which a plain sequence would not have begun
  any,  ///< one has ended
};

/// Runs tasks at once and resumes the one that awaits it when all have ended.
///
/// [K1] `left_` counts those that may still touch this: children that have not ended, and a timer or a stop that is
///      just asking the children to stop. Who takes it to zero finishes: nobody else is there any more, save for calls
///      that find zero and leave (try_hold), for which unlink() and remove() wait.
/// [K2] Each decrement is a release and an acquire: who finishes sees all results.
/// [K3] The children's stops and ends lie here, and here lies in the frame that awaits: it is not resumed before [K1].
class task_children {
 public:
  explicit task_children(children_rule rule, std::size_t capacity)
      : rule_(rule), children_(std::make_unique<child[]>(capacity)) {}
  task_children(task_children const&) = delete;
  task_children& operator=(task_children const&) = delete;

  /// Before it is awaited, `capacity` times.
  template <class T>
  void add(task<T>& t) {
    task_promise<T>& frame = task_access::promise(t);
    child& c = children_[count_];
    c.frame = &frame;
    c.has_failed = [](task_frame const& f) noexcept { return static_cast<task_promise<T> const&>(f).failed(); };
    c.group = this;
    c.number = count_++;
  }
  void set_deadline(timer_entry::clock::time_point when) noexcept {
    limited_ = true;
    entry_.when = when;
  }

  [[nodiscard]] std::size_t first() const noexcept { return first_.load(std::memory_order_relaxed); }  // relaxed: [K2]
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }
  [[nodiscard]] bool stopped_from_above() const noexcept { return stopped_; }

  struct awaiter : own_awaiter {
    explicit awaiter(task_children& of) noexcept : group(of) {}
    bool await_ready() const noexcept { return group.count_ == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h) {
      group.begin_below(frame_of(h));
    }
    void await_resume() const {
      if (group.count_ != 0) group.parent_->arrive();
    }
    task_children& group;
  };
  [[nodiscard]] awaiter ended() noexcept { return awaiter(*this); }

 private:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  struct child : task_end {
    child() noexcept : task_end(&has_ended) {}
    static task_frame* has_ended(task_end* e) noexcept {
      auto& self = *static_cast<child*>(e);
      return self.group->child_ended(self);
    }
    stop_state stop;
    task_frame* frame = nullptr;
    bool (*has_failed)(task_frame const&) noexcept = nullptr;
    task_children* group = nullptr;
    std::size_t number = 0;
  };
  struct listener : stop_listener {
    explicit listener(task_children& of) noexcept : stop_listener(&hears), self(of) {}
    static void hears(stop_listener* l) noexcept {
      task_children& group = static_cast<listener*>(l)->self;
      if (!group.try_hold()) return;
      group.hear_stop();
      group.let_go();
    }
    task_children& self;
  };
  struct entry : timer_entry {
    explicit entry(task_children& of) noexcept : timer_entry(&is_due), self(of) {}
    static void is_due(timer_entry* e) noexcept {
      task_children& group = static_cast<entry*>(e)->self;
      if (!group.try_hold()) return;
      group.timed_out_ = true;
      group.stop_from(0);
      group.let_go();
    }
    task_children& self;
  };

  void begin_below(task_frame& parent) {
    parent_ = &parent;
    left_.store(count_, std::memory_order_relaxed);  // relaxed: nobody else is here yet
    if (limited_) timer::instance().add(entry_);     // may throw
    if (parent.stop != nullptr && !parent.stop->link(listener_)) hear_stop();
    begin_children();
  }

  /// The first child here, once this coroutine is suspended; the others in the parent's pool, or after the first one
  /// where there is no pool.
  void begin_children() noexcept {
    task_driver own, *const driver = parent_->driver != nullptr ? parent_->driver : &own;
    bool const anywhere = parent_->place.anywhere(), runs_own = driver == &own;
    child* const all = children_.get();
    for (std::size_t i = count_; i-- != 0;) {  // when the first one has been handed over, *this may be gone
      task_frame& f = *all[i].frame;
      f.inherit(*parent_);
      f.stop = &all[i].stop;
      f.end = &all[i];
      if (i == 0 || anywhere)
        driver->push(f);
      else
        f.resume_later();
    }
    if (runs_own) own.run();
  }

  [[nodiscard]] bool try_hold() noexcept {
    std::size_t left = left_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    do
      if (left == 0) return false;
    while (!left_.compare_exchange_weak(left, left + 1, std::memory_order_acq_rel, std::memory_order_relaxed));  // [K1]
    return true;
  }

  void let_go() noexcept {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;  // [K2]
    finish();
    parent_->resume_later();
  }

  [[nodiscard]] task_frame* child_ended(child& c) noexcept {
    task_place const here = c.frame->place;
    if (rule_ == children_rule::any) {
      std::size_t expected = nobody;
      if (first_.compare_exchange_strong(expected, c.number, std::memory_order_relaxed)) stop_from(0);  // relaxed: [K2]
    } else if (c.has_failed(*c.frame)) {
      stop_from(c.number + 1);
    }
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return nullptr;  // [K2]
    finish();
    return parent_->continue_after(here);
  }

  void finish() noexcept {
    if (limited_) timer::instance().remove(entry_);
    if (parent_->stop != nullptr) parent_->stop->unlink(listener_);
  }

  void hear_stop() noexcept {
    stopped_ = true;
    stop_from(0);
  }
  void stop_from(std::size_t i) noexcept {
    for (; i != count_; ++i) children_[i].stop.request();
  }

  children_rule const rule_;
  bool limited_ = false;
  bool timed_out_ = false, stopped_ = false;  // written under a hold, read after [K1]
  std::unique_ptr<child[]> const children_;
  std::size_t count_ = 0;
  std::atomic<std::size_t> left_{0};
  std::atomic<std::size_t> first_{nobody};
  task_frame* parent_ = nullptr;
  listener listener_{*this};
  entry entry_{*this};
};

template <class T>
void rethrow_failure(task<T>& t) {
#if TARTAN_EXCEPTIONS
  if (auto& p = task_access::promise(t); p.failed()) std::rethrow_exception(p.error());
#else
  static_cast<void>(t);
#endif
}

template <class T>
regular_result<T> result_of(task<T>& t) {
  return static_cast<regular_result<T>>(task_access::promise(t).take());
}

template <class... Ts>
task<std::tuple<regular_result<Ts>...>> all_of_tasks(task<Ts>... tasks) {
  task_children group(children_rule::all, sizeof...(Ts));
  (group.add(tasks), ...);
  co_await group.ended();
  (rethrow_failure(tasks), ...);
  co_return std::tuple<regular_result<Ts>...>{result_of(tasks)...};
}

template <class T>
task<std::conditional_t<std::is_void_v<T>, void, std::vector<regular_result<T>>>> all_of_list(
    std::vector<task<T>> tasks) {
  task_children group(children_rule::all, tasks.size());
  for (task<T>& t : tasks) group.add(t);
  co_await group.ended();
  for (task<T>& t : tasks) rethrow_failure(t);
  if constexpr (!std::is_void_v<T>) {
    std::vector<regular_result<T>> results;
    results.reserve(tasks.size());
    for (task<T>& t : tasks) results.push_back(result_of(t));
    co_return results;
  }
}

}  // namespace detail

/// Which of several tasks ended first, and its result.
template <class Value>
struct first_result {
  std::size_t index;
  Value value;
};

namespace detail {

template <std::size_t I, class Result, class... Ts>
Result first_of_tuple(std::size_t index, std::tuple<task<Ts>&...> const& tasks) {
  if constexpr (I + 1 < sizeof...(Ts))
    if (index != I) return first_of_tuple<I + 1, Result>(index, tasks);
  using variant = decltype(Result::value);
  return Result{I, variant(std::in_place_index<I>, result_of(std::get<I>(tasks)))};
}

template <class... Ts>
task<first_result<std::variant<regular_result<Ts>...>>> any_of_tasks(task<Ts>... tasks) {
  using result = first_result<std::variant<regular_result<Ts>...>>;
  task_children group(children_rule::any, sizeof...(Ts));
  (group.add(tasks), ...);
  co_await group.ended();
  co_return first_of_tuple<0, result>(group.first(), std::tuple<task<Ts>&...>(tasks...));
}

template <class T>
task<first_result<regular_result<T>>> any_of_list(std::vector<task<T>> tasks) {
  task_children group(children_rule::any, tasks.size());
  for (task<T>& t : tasks) group.add(t);
  co_await group.ended();
  std::size_t const i = group.first();
  first_result<regular_result<T>> result{i, result_of(tasks[i])};
  co_return result;
}

template <class T>
task<T> until_deadline(task<T> t, timer_entry::clock::duration limit) {
  task_children group(children_rule::all, 1);
  group.add(t);
  group.set_deadline(timer_entry::clock::now() + limit);
  co_await group.ended();
#if TARTAN_EXCEPTIONS
  if (group.timed_out() && !group.stopped_from_above() && task_access::promise(t).failed()) {
    try {
      rethrow_failure(t);
    } catch (cancelled const&) {
      raise<timeout_error>("tartan: the time of with_timeout() was up before the task had ended; it has been stopped");
    }
  }
#endif
  co_return static_cast<T>(task_access::promise(t).take());
}

template <class... As>
concept tasks_or_futures = (task_like<As> && ...) && !(is_awaited_future<std::remove_cvref_t<As>> && ...);

}  // namespace detail

/// A task of the results of all, in order, with std::monostate for void; futures may be among them, and whatever can be
/// awaited.
///
///     auto [user, orders] = co_await tartan::when_all(find_user(id), find_orders(id));
///
/// They run at once on the pool of the task that awaits; where that has no pool, one after another until each waits.
/// Exceptions: when all have ended, that of the first task, in their order, that has one; tasks after it are asked to
/// stop, tasks before it are not, so that the error is the one that a plain sequence would have thrown.
template <class... As>
  requires detail::tasks_or_futures<As...>
[[nodiscard]] auto when_all(As... tasks) {
  return detail::all_of_tasks<detail::as_task_value<As>...>(detail::as_task(std::move(tasks))...);
}

/// The same for any number: a task of a vector, or of nothing.
template <class T>
[[nodiscard]] auto when_all(std::vector<task<T>>&& tasks) {
  return detail::all_of_list<T>(std::move(tasks));
}

template <class T>
[[nodiscard]] auto when_all(std::vector<task<T>> const&) {
  static_assert(sizeof(task<T>) == 0, "tartan: when_all() takes the tasks over: when_all(std::move(tasks))");
  return when_all(std::vector<task<T>>{});
}

/// A task that ends with the first of several: which one, and its result as a variant. The others are asked to stop and
/// waited for; what comes of them is dropped.
///
///     auto first = co_await tartan::when_any(fetch(mirror1), fetch(mirror2), tartan::sleep_for(2s));
///
/// Exceptions: what the first one threw.
template <class... As>
  requires detail::tasks_or_futures<As...>
[[nodiscard]] auto when_any(As... tasks) {
  return detail::any_of_tasks<detail::as_task_value<As>...>(detail::as_task(std::move(tasks))...);
}

/// The same for any number, with a plain value. Exceptions: also bad_argument if there is none.
template <class T>
[[nodiscard]] auto when_any(std::vector<task<T>>&& tasks) {
  if (tasks.empty()) detail::raise<bad_argument>("tartan: when_any of no tasks would never end");
  return detail::any_of_list<T>(std::move(tasks));
}

template <class T>
[[nodiscard]] auto when_any(std::vector<task<T>> const&) {
  static_assert(sizeof(task<T>) == 0, "tartan: when_any() takes the tasks over: when_any(std::move(tasks))");
  return when_any(std::vector<task<T>>{});
}

/// A task of the same result, which is asked to stop when the time is up (from the moment it is awaited).
///
///     auto page = co_await tartan::with_timeout(fetch(url), 2s);
///
/// Exceptions: timeout_error if it then ends in `cancelled`; it is waited for, so what it refers to may go. A task that
/// looks at no stop and awaits nothing runs to its end, and its result counts.
template <detail::task_like A, class Rep, class Period>
[[nodiscard]] auto with_timeout(A work, std::chrono::duration<Rep, Period> limit) {
  using clock = detail::timer_entry::clock;
  return detail::until_deadline<detail::as_task_value<A>>(detail::as_task(std::move(work)),
                                                          std::chrono::ceil<clock::duration>(limit));
}

}  // namespace tartan::inline TARTAN_ABI
