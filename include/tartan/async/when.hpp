#pragma once
// A future of several futures.

#include <atomic>       // atomic, memory_order_*
#include <cstddef>      // size_t
#include <exception>    // current_exception, exception_ptr
#include <memory>       // make_shared, shared_ptr
#include <tuple>        // apply, tuple
#include <type_traits>  // conditional_t, is_void_v
#include <utility>      // forward, move
#include <variant>      // monostate
#include <vector>       // vector

#include "tartan/async/future.hpp"  // future, future_access, promise
#include "tartan/core/errors.hpp"   // bad_argument, raise
#include "tartan/core/result.hpp"   // regular_result

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The value of a future that is ready and has not failed.
template <class R>
regular_result<R> value_of(future<R>& ready) {
  if constexpr (std::is_void_v<R>)
    return ready.get(), std::monostate{};
  else
    return ready.get();
}

/// Notes that each error has been seen, and keeps the first.
template <class R>
void keep_first_error(future<R> const& f, std::exception_ptr& first) {
  auto& task = future_access::task(f);
  if (!task.failed()) return;
  if (std::exception_ptr error = task.take_error(); first == nullptr) first = std::move(error);
}

/// Futures that are waited for together; whoever ends the last one makes the result.
template <class Result, class Futures, class Collect>
struct all_of_them {
  all_of_them(Futures&& its_futures, std::size_t count, Collect its_collect)
      : futures(std::move(its_futures)), left(count), collect(std::move(its_collect)) {}

  void one_ended() {
    if (left.fetch_sub(1, std::memory_order_acq_rel) != 1) return;  // the last one sees what the others wrote
    collect(futures, promised);
  }

  Futures futures;
  std::atomic<std::size_t> left;  // and one more until all are listened to
  Collect collect;
  promise<Result> promised;
};

template <class Result, class Futures, class ForEach, class Collect>
future<Result> join_futures(Futures&& futures, std::size_t count, ForEach for_each_future, Collect collect) {
  using state = all_of_them<Result, Futures, Collect>;
  auto shared = std::make_shared<state>(std::move(futures), count + 1, std::move(collect));
  future<Result> result = shared->promised.get_future();
  for_each_future(shared->futures, [&](auto const& f) { f.on_done([shared] { shared->one_ended(); }); });
  shared->one_ended();
  return result;
}

/// Sets the promise to make(), or to the error.
template <class R, class Make>
void conclude_promise(promise<R>& promised, std::exception_ptr error, Make&& make) {
  if (error != nullptr) {
    promised.set_exception(std::move(error));
    return;
  }
#if TARTAN_EXCEPTIONS
  try {
    make(promised);
  } catch (...) {  // moving a result may throw
    promised.set_exception(std::current_exception());
  }
#else
  make(promised);
#endif
}

}  // namespace detail

/// A future of all results, in the order of the futures; of nothing when they are futures of void.
///
///     std::vector<page> pages = tartan::when_all(std::move(futures)).get();
///
/// Ends when every task has ended. Its error is that of the first future, in their order, that has one; the errors of
/// others count as seen.
/// Exceptions: invalid_future. Blocking: no; a get() inside a task lets another thread in.
template <class R>
[[nodiscard]] auto when_all(std::vector<future<R>>&& futures) {
  using futures_type = std::vector<future<R>>;
  using result = std::conditional_t<std::is_void_v<R>, void, std::vector<detail::regular_result<R>>>;
  std::size_t const count = futures.size();
  for (future<R> const& f : futures) static_cast<void>(future_access::task(f));  // throws before anything has begun
  auto const each = [](futures_type const& all, auto&& visit) {
    for (future<R> const& f : all) visit(f);
  };
  auto const collect = [](futures_type& all, promise<result>& promised) {
    std::exception_ptr error;
    for (future<R> const& f : all) detail::keep_first_error(f, error);
    detail::conclude_promise(promised, std::move(error), [&](promise<result>& p) {
      if constexpr (std::is_void_v<R>) {
        p.set_value();
      } else {
        result values;
        values.reserve(all.size());
        for (future<R>& f : all) values.push_back(f.get());
        p.set_value(std::move(values));
      }
    });
  };
  return detail::join_futures<result>(std::move(futures), count, each, collect);
}

template <class R>
[[nodiscard]] auto when_all(std::vector<future<R>> const&) {
  static_assert(sizeof(future<R>) == 0, "tartan: when_all() takes the futures over: when_all(std::move(futures))");
  return when_all(std::vector<future<R>>{});
}

/// The same for futures of different types: a future of a tuple, with std::monostate for void.
///
///     auto [user, orders] = tartan::when_all(std::move(find_user), std::move(find_orders)).get();
template <class... Rs>
  requires(sizeof...(Rs) != 0)
[[nodiscard]] auto when_all(future<Rs>... futures) {
  using futures_type = std::tuple<future<Rs>...>;
  using result = std::tuple<detail::regular_result<Rs>...>;
  (static_cast<void>(future_access::task(futures)), ...);
  auto const each = [](futures_type const& all, auto&& visit) {
    std::apply([&](auto const&... f) { (visit(f), ...); }, all);
  };
  auto const collect = [](futures_type& all, promise<result>& promised) {
    std::exception_ptr error;
    std::apply([&](auto const&... f) { (detail::keep_first_error(f, error), ...); }, all);
    detail::conclude_promise(promised, std::move(error), [&](promise<result>& p) {
      std::apply([&](auto&... f) { p.set_value(result{detail::value_of(f)...}); }, all);
    });
  };
  return detail::join_futures<result>(futures_type(std::move(futures)...), sizeof...(Rs), each, collect);
}

/// What when_any() gives: all the futures back, and which of them was ready first.
template <class R>
struct when_any_result {
  std::size_t index;
  std::vector<future<R>> futures;

  /// The value of the first, or what its task threw.
  R get() { return futures[index].get(); }
};

namespace detail {

/// The result leaves when somebody is first and all are listened to, whichever comes last.
template <class R>
struct any_of_them {
  explicit any_of_them(std::vector<future<R>>&& its_futures) : futures(std::move(its_futures)) {}

  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  void ended(std::size_t i) {
    std::size_t expected = nobody;
    if (first.compare_exchange_strong(expected, i, std::memory_order_acq_rel)) one_more();  // with one_more()
  }
  void one_more() {
    if (left.fetch_sub(1, std::memory_order_acq_rel) != 1) return;  // sees the other's writes
    promised.set_value(when_any_result<R>{first.load(std::memory_order_relaxed), std::move(futures)});  // see above
  }

  std::vector<future<R>> futures;
  std::atomic<std::size_t> first{nobody};
  std::atomic<int> left{2};
  promise<when_any_result<R>> promised;
};

}  // namespace detail

/// A future that is ready as soon as one of several is, whatever came of that one. The others come along and go on.
///
///     auto first = tartan::when_any(std::move(mirrors)).get();
///     use(first.index, first.get());
///
/// Exceptions: bad_argument if there is no future; invalid_future. Blocking: as when_all().
template <class R>
[[nodiscard]] future<when_any_result<R>> when_any(std::vector<future<R>>&& futures) {
  if (futures.empty()) detail::raise<bad_argument>("tartan: when_any of no futures would never be ready");
  for (future<R> const& f : futures) static_cast<void>(future_access::task(f));  // throws before anything has begun
  auto shared = std::make_shared<detail::any_of_them<R>>(std::move(futures));
  auto result = shared->promised.get_future();
  std::size_t i = 0;
  for (future<R> const& f : shared->futures) {
    f.on_done([shared, i] { shared->ended(i); });
    ++i;
  }
  shared->one_more();
  return result;
}

template <class R>
[[nodiscard]] auto when_any(std::vector<future<R>> const&) {
  static_assert(sizeof(future<R>) == 0, "tartan: when_any() takes the futures over: when_any(std::move(futures))");
  return when_any(std::vector<future<R>>{});
}

}  // namespace tartan::inline TARTAN_ABI
