#pragma once
// A few different functions at once.

#include <cstddef>      // size_t
#include <functional>   // invoke
#include <memory>       // addressof, destroy_at
#include <new>          // placement new
#include <tuple>        // get, tuple
#include <type_traits>  // conditional_t, decay_t, invoke_result_t, is_*_v, remove_reference_t
#include <utility>      // in_place_index, index_sequence, move, pair
#include <variant>      // variant

#include "tartan/core/forked_function.hpp"  // handed_on
#include "tartan/core/result.hpp"           // invoke_regular, regular_result
#include "tartan/exec/backend.hpp"          // block, block_plan, shared_memory_backend
#include "tartan/exec/policy.hpp"           // execution_policy, supports

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What fork_join returns for results R...: nothing if none of them is anything.
template <class... R>
struct forked_results_of {
  using type = std::tuple<regular_result<R>...>;
};
template <class A, class B>
struct forked_results_of<A, B> {
  using type = std::pair<regular_result<A>, regular_result<B>>;
};
template <class... R>
using forked_results = std::conditional_t<(std::is_void_v<R> && ...), void, typename forked_results_of<R...>::type>;

/// A result that is made by one worker and taken by another: empty, or constructed in place.
template <class R>
class forked_result {
  using stored = std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>;

 public:
  forked_result() noexcept {}
  forked_result(forked_result const&) = delete;
  forked_result& operator=(forked_result const&) = delete;
  ~forked_result() {
    if (made_) std::destroy_at(std::addressof(value_));
  }

  template <class F>
  void make(F& f) {
    if constexpr (std::is_reference_v<R>) {
      R&& result = std::invoke(f);
      value_ = std::addressof(result);
    } else {
      ::new (static_cast<void*>(std::addressof(value_))) stored(invoke_regular(f));
    }
    made_ = true;
  }

  R take() {
    if constexpr (std::is_reference_v<R>)
      return static_cast<R>(*value_);
    else
      return std::move(value_);
  }

 private:
  union {
    stored value_;
  };
  bool made_ = false;
};

/// The functions of one call and the places of their results; function I leaves its result in place I.
template <class... F>
class fork_call {
 public:
  explicit fork_call(F&... f) noexcept : functions_(f...) {}

  /// A balanced tree of forks of two: an exception of the left branch goes before one of the right, so the leftmost
  /// function's is rethrown.
  template <std::size_t Begin, std::size_t End, class Backend>
  void run(Backend const& backend, properties const& props) {
    if constexpr (End - Begin == 1) {
      std::get<Begin>(results_).make(std::get<Begin>(functions_));
    } else {
      constexpr std::size_t middle = Begin + (End - Begin) / 2;
      static_cast<void>(backend.fork_join(
          props, [&] { run<Begin, middle>(backend, props); }, [&] { run<middle, End>(backend, props); }));
    }
  }

  /// The same as a range of functions: a stop is looked at before each, and each counts as one finished element.
  template <class Backend>
  void run_watched(Backend const& backend, properties props) {
    props.grain = 1;
    backend.for_range(props, sizeof...(F), 1, [this](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) run_numbered(i, std::index_sequence_for<F...>{});
    });
  }

  forked_results<std::invoke_result_t<F&>...> take() { return take(std::index_sequence_for<F...>{}); }

 private:
  template <std::size_t... I>
  void run_numbered(std::size_t wanted, std::index_sequence<I...>) {
    ((wanted == I ? std::get<I>(results_).make(std::get<I>(functions_)) : void()), ...);
  }

  template <std::size_t... I>
  auto take(std::index_sequence<I...>) -> forked_results<std::invoke_result_t<F&>...> {
    if constexpr (!(std::is_void_v<std::invoke_result_t<F&>> && ...))
      return forked_results<std::invoke_result_t<F&>...>(std::get<I>(results_).take()...);
  }

  std::tuple<F&...> functions_;
  std::tuple<forked_result<regular_result<std::invoke_result_t<F&>>>...> results_;
};

/// fork_join under a policy that somebody watches. Out of line, and all by value that may be: in a call that nobody
/// watches neither the functions nor the policy, which may have been made for that call, need lie in memory.
template <class Backend, class... F>
TARTAN_NOINLINE auto fork_watched(Backend backend, properties props, F... f) {
  fork_call<std::remove_reference_t<F>...> call(f...);
  call.run_watched(backend, props);
  return call.take();
}

/// The functions of one call on their way to workers that do not see the caller's memory.
template <class... F>
struct shipped_fork {
  static_assert((!std::is_reference_v<std::invoke_result_t<F const&>> && ...),
                "tartan: a reference means nothing outside of the process that made it: let the functions of fork_join "
                "return values");
  using answer = std::variant<regular_result<std::invoke_result_t<F const&>>...>;

  answer operator()(std::size_t which) const { return run(which, std::index_sequence_for<F...>{}); }

  std::tuple<F...> functions;

 private:
  template <std::size_t I, std::size_t... More>
  answer run(std::size_t which, std::index_sequence<I, More...>) const {
    if constexpr (sizeof...(More) != 0)
      if (which != I) return run(which, std::index_sequence<More...>{});
    return answer(std::in_place_index<I>, invoke_regular(std::get<I>(functions)));
  }
};

template <class Backend, class... F, std::size_t... I>
auto fork_elsewhere(Backend const& backend, properties const& props, std::index_sequence<I...>, F&... f)
    -> forked_results<std::invoke_result_t<F const&>...> {
  using work = shipped_fork<std::decay_t<F>...>;
  auto answers = backend.template collect<typename work::answer>(
      props, block_plan(sizeof...(F), 1), [](block const& b) { return b.index; }, work{{f...}});
  if constexpr (!(std::is_void_v<std::invoke_result_t<F const&>> && ...))
    return {std::get<I>(std::move(answers[I]))...};
}

}  // namespace detail

/// Runs the functions at once and returns their results in order.
///
///     auto [left, right] = tartan::fork_join(tartan::par, [&] { return sum(a); }, [&] { return sum(b); });
///
/// @param f   Two or more callables without parameters. An rvalue of at most two words of plain data may be called
///            through a copy. Where memory is not shared, they and their results must travel.
/// @returns   A pair of the results of two functions, a tuple of more. Results may be lvalue references and values that
///            can only be moved; a const value comes without its const; a function without a result gives
///            std::monostate; if none has one, nothing is returned.
///
/// Complexity: one fork for each function but the first; a fork allocates nothing.
/// Exceptions: when several functions throw, the leftmost one's exception is rethrown, after every function that was
/// begun has ended; functions to the right of one that threw may be skipped. `cancelled` if a stop skipped any.
/// Blocking: the caller runs the first function itself. While it waits it runs only work that the forked functions
/// made, so it may hold a lock that they do not take. Whether another worker comes for the other functions in time is
/// not promised: functions that wait for each other belong into tasks, see submit().
template <execution_policy P, class... F>
TARTAN_ALWAYS_INLINE auto fork_join(P const& p, F&&... f) {
  static_assert(sizeof...(F) >= 2, "tartan: fork_join runs two or more functions: call a single one directly");
  static_assert((std::is_invocable_v<F&> && ...),
                "tartan: the functions of fork_join take no arguments: capture what they need in a lambda");
  static_assert(
      supports<P, property::none>,
      "tartan: fork_join runs each function whole: leave grain(), relaxed() and in_flight() out of its policy");
  using backend_type = typename P::backend_type;
  if constexpr (sizeof...(F) < 2 || !(std::is_invocable_v<F&> && ...)) {
    return;  // refused above
  } else if constexpr ((std::is_rvalue_reference_v<std::invoke_result_t<F&>> || ...)) {
    static_assert(sizeof(P) == 0,
                  "tartan: the functions of fork_join return values or lvalue references: what an rvalue reference "
                  "names may be gone before the results are read");
  } else if constexpr (!shared_memory_backend<backend_type>) {
    return detail::fork_elsewhere(p.backend(), p.props(), std::index_sequence_for<F...>{}, f...);
  } else {
    if (p.props().watched()) [[unlikely]]
      return detail::fork_watched<backend_type, detail::handed_on<F>...>(p.backend(), p.props().copy(), f...);
    if constexpr (sizeof...(F) != 2) {
      detail::fork_call<std::remove_reference_t<F>...> call(f...);
      call.template run<0, sizeof...(F)>(p.backend(), p.props());
      return call.take();
    } else if constexpr ((std::is_void_v<std::invoke_result_t<F&>> && ...)) {
      return static_cast<void>(p.backend().fork_join(p.props(), std::forward<F>(f)...));
    } else {
      return p.backend().fork_join(p.props(), std::forward<F>(f)...);
    }
  }
}

}  // namespace tartan::inline TARTAN_ABI
