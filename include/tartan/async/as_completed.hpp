#pragma once
// Several futures at once, in the order in which their tasks end.

#include <chrono>       // duration
#include <cstddef>      // ptrdiff_t, size_t
#include <iterator>     // default_sentinel_t, input_iterator_tag
#include <ranges>       // borrowed_range, contiguous_range, data, range_value_t, size, sized_range
#include <span>         // span
#include <type_traits>  // remove_reference_t

#include "tartan/async/ended_tasks.hpp"  // ended_tasks
#include "tartan/async/future.hpp"       // future, future_access, shared_future
#include "tartan/core/errors.hpp"        // raise, timeout_error
#include "tartan/core/time_limit.hpp"    // deadline_after

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class T>
inline constexpr bool is_future = false;
template <class R>
inline constexpr bool is_future<future<R>> = true;
template <class R>
inline constexpr bool is_future<shared_future<R>> = true;

template <class R>
using future_span = std::span<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

inline ended_tasks::deadline no_deadline() noexcept { return (ended_tasks::deadline::max)(); }

/// Tells the numbers of futures in the order of their ends.
template <class Future>
class completion_order {
 public:
  explicit completion_order(std::span<Future> futures)
      : futures_(futures), ended_(ended_tasks::make(futures.size())), left_(futures.size()) {
    for (Future const& f : futures) static_cast<void>(future_access::task(f));  // throws before any is watched
    for (std::size_t i = 0; i != futures.size(); ++i) ended_->watch(future_access::task(futures[i]), i);
  }

  [[nodiscard]] std::size_t left() const noexcept { return left_; }

  /// ended_tasks::none when the time is up.
  [[nodiscard]] std::size_t next(ended_tasks::deadline until) {
    auto const task = [this](std::size_t i) -> shared_task* {
      return futures_[i].valid() ? &future_access::task(futures_[i]) : nullptr;  // the user may have taken it
    };
    std::size_t const i = ended_->await_next(futures_.size(), task, until);
    if (i != ended_tasks::none) --left_;
    return i;
  }

 private:
  std::span<Future> futures_;
  ended_tasks::pointer ended_;
  std::size_t left_;
};

}  // namespace detail

/// Any contiguous range of future<R> or shared_future<R> that outlives the call.
template <class R>
concept future_range = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
                       std::ranges::borrowed_range<R> && detail::is_future<std::ranges::range_value_t<R>>;

/// What as_completed() returns: an input range of references to the futures, each once.
template <class Future>
class completed_futures {
 public:
  class iterator {
   public:
    using value_type = Future;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    [[nodiscard]] Future& operator*() const noexcept { return range_->futures_[range_->current_]; }
    iterator& operator++() { return range_->advance(), *this; }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept {
      return range_->current_ == detail::ended_tasks::none;
    }

   private:
    friend class completed_futures;
    explicit iterator(completed_futures* range) noexcept : range_(range) {}
    completed_futures* range_;
  };

  completed_futures(std::span<Future> futures, detail::ended_tasks::deadline until)
      : futures_(futures), order_(futures), until_(until) {}

  /// Once.
  [[nodiscard]] iterator begin() { return advance(), iterator(this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  void advance() {
    current_ = detail::ended_tasks::none;
    if (order_.left() == 0) return;
    current_ = order_.next(until_);
    if (current_ == detail::ended_tasks::none) detail::raise<timeout_error>();
  }

  std::span<Future> futures_;
  detail::completion_order<Future> order_;
  detail::ended_tasks::deadline until_;
  std::size_t current_ = detail::ended_tasks::none;
};

/// The futures of a range, each as soon as its task has ended.
///
///     for (auto& done : tartan::as_completed(futures)) std::puts(done.get().c_str());
///
/// @param futures  Stay where they are as long as the loop runs; get() of those that have been yielded may be called.
///                 The loop may be left at any time: tasks go on.
/// Complexity: one allocation.
/// Exceptions: invalid_future if one refers to no task; those of future::wait().
/// Blocking: inside a task the worker begins tasks of the futures that nobody has begun, else lets another thread in.
template <future_range R>
[[nodiscard]] auto as_completed(R&& futures) {
  detail::future_span<R> const all(std::ranges::data(futures), std::ranges::size(futures));
  return completed_futures(all, detail::no_deadline());
}

/// The same for a limited time, counted from this call; then the loop is left by timeout_error and the tasks go on.
template <future_range R, class Rep, class Period>
[[nodiscard]] auto as_completed(R&& futures, std::chrono::duration<Rep, Period> limit) {
  detail::future_span<R> const all(std::ranges::data(futures), std::ranges::size(futures));
  return completed_futures(all, detail::deadline_after(limit));
}

/// What wait() waits for.
enum class return_when {
  first,            ///< one task has ended
  all,              ///< every task has ended
  first_exception,  ///< one task has ended with an error, or all have ended
};

namespace detail {

template <class Future>
std::size_t wait_for(std::span<Future> futures, return_when what, ended_tasks::deadline until) {
  completion_order<Future> order(futures);
  while (order.left() != 0) {
    std::size_t const i = order.next(until);
    if (i == ended_tasks::none || what == return_when::first) break;
    if (what == return_when::first_exception && future_access::task(futures[i]).failed()) break;
  }
  std::size_t ready = 0;
  for (Future const& f : futures) ready += f.ready() ? 1U : 0U;
  return ready;
}

}  // namespace detail

/// Waits for some of several futures and takes none of their results.
///
///     tartan::wait(futures, tartan::return_when::first_exception);
///
/// Returns: how many are ready; ask each by ready().
/// Exceptions, Blocking: as as_completed().
template <future_range R>
std::size_t wait(R&& futures, return_when what = return_when::all) {
  detail::future_span<R> const all(std::ranges::data(futures), std::ranges::size(futures));
  return detail::wait_for(all, what, detail::no_deadline());
}

/// The same for a limited time; returns when it is up, whatever has ended.
template <future_range R, class Rep, class Period>
std::size_t wait(R&& futures, return_when what, std::chrono::duration<Rep, Period> limit) {
  detail::future_span<R> const all(std::ranges::data(futures), std::ranges::size(futures));
  return detail::wait_for(all, what, detail::deadline_after(limit));
}

}  // namespace tartan::inline TARTAN_ABI
