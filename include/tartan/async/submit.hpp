#pragma once
// Hands a function to a policy's workers and goes on.

#include <cstddef>      // size_t
#include <exception>    // exception_ptr
#include <functional>   // invoke
#include <memory>       // unique_ptr
#include <tuple>        // apply, tuple
#include <type_traits>  // decay_t, invoke_result_t, is_invocable_v
#include <utility>      // forward, move
#include <variant>      // monostate

#include "tartan/async/future.hpp"       // future, future_access
#include "tartan/async/task_result.hpp"  // error_of_type, submitted, takes_stop_token
#include "tartan/core/errors.hpp"        // cancelled, never, pool_closed, raise
#include "tartan/core/result.hpp"        // future_result_t, invoke_regular, regular_result
#include "tartan/exec/backend.hpp"       // outlives_calls, shared_memory_backend
#include "tartan/exec/policy.hpp"        // execution_policy

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// f with its arguments, called once.
template <class F, class... Args>
struct bound_call {
  F f;
  std::tuple<Args...> args;
  template <class... First>
  decltype(auto) operator()(First&&... first) && {
    return std::apply(
        [&](Args&... rest) -> decltype(auto) {
          return std::invoke(std::move(f), std::forward<First>(first)..., std::move(rest)...);
        },
        args);
  }
};

/// f with its arguments, as it travels to a worker that does not see the caller's memory.
template <class F, class... Args>
struct sent_call {
  F f;
  std::tuple<Args...> args;
  auto operator()(std::monostate&) {
    return std::apply([&](Args&... rest) { return invoke_regular(std::move(f), std::move(rest)...); }, args);
  }
};

/// Where the result of a sent call goes.
template <class R>
struct promise_sink {
  promise<R> promised;
  void value(regular_result<R>&& result) {
    if constexpr (std::is_void_v<R>)
      promised.set_value();
    else
      promised.set_value(std::move(result));
  }
  void error(std::exception_ptr e) { promised.set_exception(std::move(e)); }
  void skipped() { promised.set_exception(error_of_type<cancelled>()); }
};

template <class P, class F, class... Args>
auto submit_remote(P const& p, F&& f, Args&&... args) {
  static_assert(
      outlives_calls<typename P::backend_type>,
      "tartan: the workers of this policy live as long as one call, so none could run a task later: submit to "
      "tartan::processes, or to par");
  using call = sent_call<std::decay_t<F>, std::decay_t<Args>...>;
  using result = std::decay_t<future_result_t<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>>;
  promise_sink<result> sink;
  auto promised = sink.promised.get_future();
  p.backend().template launch<regular_result<result>>(
      p.props(), call{std::forward<F>(f), {std::forward<Args>(args)...}}, std::move(sink));
  return promised;
}

/// Puts a task into a pool's queue, or runs it here where there is no pool.
template <class R, class Task>
future<R> start(pool* home, Task* task) {
  if (home == nullptr) {
    static_cast<void>(task->try_begin(current_worker()));
    task->obey(task, current_worker(), task_order::perform);
    task->release();  // the share of the queue that there is not
  } else {
    struct refused {
      Task* task;
      ~refused() {
        if (task != nullptr) task->release(), task->release();
      }
    } guard{task};
    if (!home->submit(task, this_queue_place())) raise<pool_closed>();
    guard.task = nullptr;
  }
  return future_access::make<R>(task);
}

template <class R, bool TakesToken, class F>
future<R> submit_callable(pool* home, properties const& props, F&& f) {
  using function = std::decay_t<F>;
  using kept = regular_result<R>;
  if (props.watched())
    return start<R>(home, new submitted<kept, function, TakesToken, watched_part>(
                              home, 2, watched_part{props.stop, props.progress}, std::forward<F>(f)));
  return start<R>(home, new submitted<kept, function, TakesToken, unwatched_part>(home, 2, {}, std::forward<F>(f)));
}

}  // namespace detail

/// Runs f(args...) some time on the policy's workers, although nobody waits; under `seq`, at once.
///
///     auto f = tartan::submit(tartan::par, hash_file, path);
///     auto digest = f.get();
///
/// f and args are copied or moved in. If f can be called with a std::stop_token before args, it gets one, and
/// future::cancel() reaches it while it runs. A task that has not begun when the policy's stop token asks is cancelled:
/// that token, and a progress counter, must live until the task has ended.
/// Returns: a future of the result, a const value without its const; dropping it neither waits nor cancels.
/// Complexity: one allocation.
/// Exceptions: pool_gone, pool_closed; error if the system refuses a thread; what copying throws. What f throws comes
/// with get(). Blocking: no.
template <execution_policy P, class F, class... Args>
auto submit(P const& p, F&& f, Args&&... args) {
  using backend_type = typename P::backend_type;
  constexpr bool token = detail::takes_stop_token<std::decay_t<F>, std::decay_t<Args>...>;
  if constexpr (!shared_memory_backend<backend_type>) {
    static_assert(
        std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>,
        "tartan: submit(policy, f, args...) needs f(args...) to be callable with copies of args (a stop_token "
        "does not reach another process)");
    return detail::submit_remote(p, std::forward<F>(f), std::forward<Args>(args)...);
  } else {
    detail::pool* const home = p.backend().async_pool(p.props());
    if constexpr (token) {
      using call = detail::bound_call<std::decay_t<F>, std::decay_t<Args>...>;
      using result = detail::future_result_t<decltype(std::declval<call>()(detail::stop_token_of<>()))>;
      return detail::submit_callable<result, true>(home, p.props(),
                                                   call{std::forward<F>(f), {std::forward<Args>(args)...}});
    } else if constexpr (!std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>) {
      static_assert(detail::never<F>,
                    "tartan: submit(policy, f, args...) needs f(args...) to be callable with copies of args");
    } else {
      using result = detail::future_result_t<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;
      if constexpr (sizeof...(Args) == 0)
        return detail::submit_callable<result, false>(home, p.props(), std::forward<F>(f));
      else
        return detail::submit_callable<result, false>(home, p.props(),
                                                      detail::bound_call<std::decay_t<F>, std::decay_t<Args>...>{
                                                          std::forward<F>(f), {std::forward<Args>(args)...}});
    }
  }
}

/// Runs f(args...) some time on the policy's workers; nobody will ask for its result, and what it throws goes to the
/// handler of set_unhandled(). Cheaper than submit() by the future. Not run if the policy's stop token, which must live
/// until then, asks before it begins.
template <execution_policy P, class F, class... Args>
void detach(P const& p, F&& f, Args&&... args) {
  static_assert(shared_memory_backend<typename P::backend_type>,
                "tartan: detach() needs a policy whose workers share this memory: seq, par, simd or par_simd");
  if constexpr (!std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>) {
    static_assert(detail::never<F>,
                  "tartan: detach(policy, f, args...) needs f(args...) to be callable with copies of args");
  } else if constexpr (sizeof...(Args) == 0) {
    static_assert(std::is_invocable_v<std::decay_t<F>&>,
                  "tartan: detach(policy, f) calls its copy of f as an lvalue: leave out the && of its operator()");
    p.backend().spawn(p.props(), std::forward<F>(f));
  } else {
    using call = detail::bound_call<std::decay_t<F>, std::decay_t<Args>...>;
    p.backend().spawn(p.props(), [bound = call{std::forward<F>(f), {std::forward<Args>(args)...}}]() mutable {
      static_cast<void>(std::move(bound)());
    });
  }
}

}  // namespace tartan::inline TARTAN_ABI
