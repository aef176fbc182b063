#pragma once
// Where tasks begin: from code that is no task.

#include <exception>    // exception_ptr
#include <type_traits>  // is_void_v
#include <utility>      // move
#include <variant>      // monostate

#include "tartan/async/future.hpp"         // future, future_access
#include "tartan/async/schedule.hpp"       // place_of
#include "tartan/async/stop_state.hpp"     // stop_state
#include "tartan/async/task.hpp"           // task, task_access
#include "tartan/async/task_children.hpp"  // as_task, task_like
#include "tartan/async/task_frame.hpp"     // task_end, task_frame, task_place
#include "tartan/async/task_result.hpp"    // error_of_type, task_result
#include "tartan/core/errors.hpp"          // cancelled, pool_closed, raise
#include "tartan/core/pool.hpp"            // pool
#include "tartan/core/run_control.hpp"     // stop_query
#include "tartan/exec/policy.hpp"          // execution_policy

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// A coroutine as what a future refers to. No queue is named as its home and no worker as its runner: who waits for it
/// could follow neither, as it may go on anywhere, so a wait inside a task lets another thread in ([A4] of await.hpp).
template <class T>
class spawned_task final : public task_result<regular_result<T>>, private task_end {
  using kept = regular_result<T>;

 public:
  spawned_task(task<T>&& t, task_place place, stop_query its_stop)
      : task_result<kept>(&obey_order, nullptr, 2), task_end(&has_ended), task_(std::move(t)), watched_(its_stop) {
    task_frame& frame = task_access::promise(task_);
    frame.place = place;
    frame.stop = &stop_;
    frame.end = this;
  }

 private:
  static void obey_order(queued_task* base, worker*, task_order order) {
    auto& self = *static_cast<spawned_task*>(base);
    switch (order) {
      case task_order::run:
        if (self.try_begin(nullptr)) return self.begin();
        return self.release();
      case task_order::drop:
        self.cancel();
        return self.release();
      case task_order::perform:
        return;  // only what lies in a queue that is its home
      case task_order::cancel:
        self.task_ = {};
        return self.complete_with_error(error_of_type<cancelled>());
      case task_order::stop:
        return self.stop_.request();
      case task_order::destroy:
        delete &self;
    }
  }

  /// The queue's reference is the running coroutine's from now on.
  void begin() {
    if (watched_.requested()) stop_.request();
    task_access::promise(task_).resume_here();
  }

  static task_frame* has_ended(task_end* e) noexcept {
    auto& self = *static_cast<spawned_task*>(e);
    task_promise<T>& ended = task_access::promise(self.task_);
    if (ended.failed())
      self.result().fail(ended.error());
    else
      self.result().set_from([&]() -> kept { return ended.take(); });
    self.task_ = {};  // what it holds is free when the future is ready
    self.finish();
    self.release();
    return nullptr;
  }

  task<T> task_;
  stop_state stop_;
  stop_query watched_;
};

/// Begins here if there is no pool.
template <class T>
future<T> spawn_task(task<T>&& t, task_place place, stop_query watched) {
  static_cast<void>(task_access::promise(t));  // throws before anything is made
  auto* const made = new spawned_task<T>(std::move(t), place, watched);
  future<T> result = future_access::make<T>(made);
  if (place.anywhere()) {
    made->obey(made, nullptr, task_order::run);
  } else if (!place.home->try_submit(made, this_queue_place())) {
    made->obey(made, nullptr, task_order::drop);
    place.home->raise_refused();
  }
  return result;
}

}  // namespace detail

/// Begins a task that nobody awaits yet, on the policy's pool; under `seq`, here, until it first waits.
///
///     tartan::future<page> f = tartan::spawn(tartan::par, fetch(url));
///
/// The future is one as of submit(): get() and co_await give the result, cancel() asks the task to stop, dropping it
/// does neither. A stop that the policy watches is looked at when the task begins.
/// Complexity: one allocation. Exceptions: pool_gone, pool_closed. Blocking: no.
template <execution_policy P, detail::task_like A>
[[nodiscard]] auto spawn(P const& p, A&& work) {
  return detail::spawn_task(detail::as_task(std::forward<A>(work)), detail::place_of(p), p.props().stop);
}

/// Begins it here and now, on the calling thread, until it first waits.
template <detail::task_like A>
[[nodiscard]] auto spawn(A&& work) {
  return detail::spawn_task(detail::as_task(std::forward<A>(work)), detail::task_place{}, {});
}

/// Runs a task to its end and returns its result. It begins on the calling thread.
///
///     int x = tartan::sync_wait(work());
///
/// Exceptions: what it throws; too_many_blocked.
/// Blocking: yes; inside a task of a pool another thread is let in, so that what it waits for can run. Inside a
/// coroutine co_await the task instead.
template <detail::task_like A>
decltype(auto) sync_wait(A&& work) {
  return spawn(std::forward<A>(work)).get();
}

}  // namespace tartan::inline TARTAN_ABI
