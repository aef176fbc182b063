#pragma once
// Tasks of any cost that may add further tasks, handed out by a master.

#include <cstddef>      // size_t
#include <ranges>       // input_range, range_value_t
#include <type_traits>  // is_invocable, is_invocable_r_v, is_void_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/exec/outcome.hpp"                    // outcome
#include "tartan/exec/policy.hpp"                     // execution_policy, supports
#include "tartan/patterns/master_worker/master.hpp"   // run_master
#include "tartan/patterns/master_worker/results.hpp"  // results_as_they_come, results_in_order
#include "tartan/patterns/master_worker/shelf.hpp"    // depth_first
#include "tartan/patterns/master_worker/work.hpp"     // work_call

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class P, class Task, class Work>
consteval void check_master_worker() {
  static_assert(
      work_call<Work, Task>::callable,
      "tartan: master_worker(policy, tasks, work) needs a work that can be called, without changing itself, as "
      "work(task) or work(task, more), where more(task) adds a task");
  static_assert(supports<P, property::in_flight>,
                "tartan: master_worker does not support a property of this policy (it takes workers, in_flight, stop, "
                "progress, name, on)");
}

}  // namespace detail

/// What work gives for each task, also for those that were added on the way: work(task, more) adds by more(task).
///
///     auto scores = tartan::master_worker(tartan::par, roots, [](node n, auto&& more) {
///       for (node const& c : n.children()) more(c);
///       return n.score();
///     });
///
/// @param tasks  Any input range, also of unknown length; lvalues are copied, what a temporary holds is moved.
/// @param work   Called once for each task, from several threads at once. A task that it adds begins as soon as a
///               worker is free for it; on policies that do not share memory, when the one that added it has ended.
/// @returns  A std::vector of its results in input order, where what a task added follows it, depth first; nothing if
///           work returns nothing.
///
/// Complexity: some 100 bytes a task besides its result.
/// Determinism: the order of the results depends on nothing but the tasks.
/// Exceptions: of those that tasks threw the first in this order; tasks behind it may be skipped. `cancelled` if a stop
/// skipped tasks.
/// Blocking: until every task has ended. On `par` the caller hands out tasks while the pool's threads work.
template <execution_policy P, std::ranges::input_range R, class Work>
auto master_worker(P const& policy, R&& tasks, Work work) {
  using task_type = std::ranges::range_value_t<R>;
  detail::check_master_worker<P, task_type, Work>();
  using call = detail::work_call<Work, task_type>;
  if constexpr (std::is_void_v<typename call::result>) {
    auto const nothing = [] {};
    detail::results_as_they_come<void, decltype(nothing)> sink(nothing);
    detail::run_master(policy, std::forward<R>(tasks), std::move(work), detail::depth_first{}, sink);
  } else {
    detail::results_in_order<typename call::kept, false> sink;
    detail::run_master(policy, std::forward<R>(tasks), std::move(work), detail::depth_first{}, sink);
    std::vector<typename call::result> results;
    sink.in_order([&](outcome<typename call::kept>&& o) { results.push_back(std::move(o).value()); });
    return results;
  }
}

namespace detail {

template <class P, class R, class Work, class OnResult, class Order>
auto master_worker_to(P const& policy, R&& tasks, Work&& work, OnResult& on_result, Order order) {
  using task_type = std::ranges::range_value_t<R>;
  check_master_worker<P, task_type, Work>();
  using result = typename work_call<Work, task_type>::result;
  constexpr auto takes_result = [] {
    if constexpr (std::is_void_v<result>)
      return std::is_invocable<OnResult&>{};
    else
      return std::is_invocable<OnResult&, result>{};
  }();
  static_assert(takes_result,
                "tartan: the on_result of master_worker is called with what work returns, and without argument if that "
                "is nothing");
  results_as_they_come<result, OnResult> sink(on_result);
  return run_master(policy, std::forward<R>(tasks), std::forward<Work>(work), std::move(order), sink);
}

}  // namespace detail

/// The same, but on_result gets each result as soon as it is there, on the calling thread, and ends the whole when it
/// returns false: tasks that have not begun are skipped then.
///
///     tartan::master_worker(tartan::par, roots, visit, [&](double s) { best = std::max(best, s); });
///
/// Returns: whether on_result let every task run.
/// Complexity: tasks that have ended cost no memory.
/// Exceptions: also what on_result throws, after the tasks that run have ended.
template <execution_policy P, std::ranges::input_range R, class Work, class OnResult>
bool master_worker(P const& policy, R&& tasks, Work work, OnResult on_result) {
  return detail::master_worker_to(policy, std::forward<R>(tasks), std::move(work), on_result, detail::depth_first{});
}

/// The same, best first: of the tasks that are known, one that no other is `before` goes to the next free worker.
///
///     tartan::master_worker(tartan::par, std::vector{start}, expand, is_better_than_best,
///                           [](state const& a, state const& b) { return a.bound < b.bound; });
///
/// @param before  A strict weak ordering of tasks, called on the calling thread; equals go in the order in which they
///                were found. All initial tasks are fetched at the beginning.
template <execution_policy P, std::ranges::input_range R, class Work, class OnResult, class Before>
bool master_worker(P const& policy, R&& tasks, Work work, OnResult on_result, Before before) {
  using task_type = std::ranges::range_value_t<R>;
  static_assert(
      std::is_invocable_r_v<bool, Before&, task_type const&, task_type const&>,
      "tartan: the last argument of master_worker says whether one task goes before another: a bool(task const&, "
      "task const&)");
  return detail::master_worker_to(policy, std::forward<R>(tasks), std::move(work), on_result, std::move(before));
}

/// master_worker where a failure is a result too: what became of each task, in input order as above. Skips nothing.
///
///     for (auto const& o : tartan::try_master_worker(tartan::par, urls, crawl))
///       if (!o) std::puts(o.what().c_str());
///
/// @returns  std::vector<outcome<R>>; a task that failed has added none.
/// Exceptions: `cancelled` after a stop.
template <execution_policy P, std::ranges::input_range R, class Work>
[[nodiscard]] auto try_master_worker(P const& policy, R&& tasks, Work work) {
  using task_type = std::ranges::range_value_t<R>;
  detail::check_master_worker<P, task_type, Work>();
  using call = detail::work_call<Work, task_type>;
  using kept = typename call::kept;
  detail::results_in_order<kept, true> sink;
  detail::run_master(policy, std::forward<R>(tasks), std::move(work), detail::depth_first{}, sink);
  std::vector<outcome<typename call::result>> results;
  sink.in_order([&](outcome<kept>&& o) {
    if (o.has_value())
      results.emplace_back(std::in_place, results.size(), std::move(*o));
    else
      results.emplace_back(results.size(), o.error());
  });
  return results;
}

}  // namespace tartan::inline TARTAN_ABI
