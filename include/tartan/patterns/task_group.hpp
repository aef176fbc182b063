#pragma once
// Tasks that are started one by one and waited for together.

#include <concepts>     // invocable, same_as
#include <cstddef>      // size_t
#include <exception>    // exception_ptr
#include <functional>   // invoke
#include <memory>       // make_shared, make_unique, shared_ptr, unique_ptr
#include <tuple>        // apply, tuple
#include <type_traits>  // decay_t
#include <utility>      // forward, move
#include <variant>      // monostate

#include "tartan/core/errors.hpp"          // pool_gone, raise
#include "tartan/core/group.hpp"           // group, group_task
#include "tartan/core/launched_group.hpp"  // launched_group
#include "tartan/core/pool_table.hpp"      // pool_table
#include "tartan/core/result.hpp"          // invoke_regular
#include "tartan/exec/backend.hpp"         // launching_backend, shared_memory_backend
#include "tartan/exec/policy.hpp"          // execution_policy
#include "tartan/exec/properties.hpp"      // pool_ref, properties
#include "tartan/exec/users_pool.hpp"      // users_pool

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class F>
struct group_function final : group_task {
  template <class G>
  explicit group_function(G&& g) : group_task(&obey_order), f(std::forward<G>(g)) {}
  static void obey_order(queued_task* base, worker*, task_order order) {
    std::unique_ptr<group_function> const self(static_cast<group_function*>(base));
    if (order == task_order::run) static_cast<void>(self->f());
  }
  F f;
};

/// f with its arguments, as it travels; its result stays where it is.
template <class F, class... Args>
struct group_call {
  F f;
  std::tuple<Args...> args;
  std::monostate operator()(std::monostate&) {
    static_cast<void>(
        std::apply([&](Args&... each) { return invoke_regular(std::move(f), std::move(each)...); }, args));
    return {};
  }
};

/// Where the end of a task that was sent away is told.
struct group_sink {
  std::shared_ptr<launched_group> group;
  std::size_t order;
  [[nodiscard]] bool skips() const noexcept { return group->skips(order); }
  void value(std::monostate&&) { group->ended(); }
  void error(std::exception_ptr e) { group->failed(order, std::move(e)); }
  void skipped() { group->skipped(order); }
};

/// Where the tasks of a group run: void for the workers that see this memory, and for what is no policy, else the
/// backend.
template <class P>
struct group_place {
  using type = void;
};
template <class P>
  requires(!shared_memory_backend<typename P::backend_type>)
struct group_place<P> {
  using type = typename P::backend_type;
};

}  // namespace detail

/// Tasks that are started one by one, from anywhere, also from tasks of the group, and waited for together.
///
///     tartan::task_group g{tartan::par};
///     for (auto& f : files) g.run([&f] { index(f); });
///     g.wait();
///
/// With `processes` a task is what can travel (`closure`, or a function with its arguments), and only the process that
/// made the group adds tasks. `task_group<>` is the type of all groups of threads, where one has to be named.
/// Thread safety: run() and cancel() may be called by any thread at any time; wait() by several at once, but only one
/// of them gets an exception. The destructor comes last.
template <class Place = void>
class task_group;

template <execution_policy P>
task_group(P const&) -> task_group<typename detail::group_place<P>::type>;

/// The group on workers that see this memory.
template <>
class task_group<void> {
 public:
  /// The policy says where the tasks run; under `seq` each runs in run(). Its stop token, which must live until the
  /// last task has ended, skips tasks that have not begun.
  ///
  /// Exceptions: pool_gone.
  template <execution_policy P>
    requires shared_memory_backend<typename P::backend_type>
  explicit task_group(P const& p) : task_group(p.backend().async_pool(p.props()), p.props()) {}

  task_group(task_group const&) = delete;
  task_group& operator=(task_group const&) = delete;

  /// Waits, and never throws: where too many tasks of the pool block already, no other thread is let in meanwhile; in a
  /// task of this very group, which cannot wait for its own end, the tasks that are left run on without the group;
  /// every call of run() from other threads must have returned, also that which added the task. What a task threw and
  /// no wait() has told goes to the handler of set_unhandled().
  ~task_group() { group_->abandon(); }

  /// Runs f() some time, at the latest in wait(). f is moved or copied in.
  ///
  /// Complexity: one allocation.
  /// Exceptions: pool_closed if the pool of the policy is closed and the caller is none of its tasks, wherever a wait
  /// runs these (but for forks in them that workers of another pool take); pool_gone.
  /// Blocking: no; under `seq` as long as f.
  template <std::invocable F>
  void run(F&& f) {
    static_assert(std::invocable<std::decay_t<F>&>,
                  "tartan: task_group::run(f) calls its copy of f as an lvalue: leave out the && of its operator()");
    auto task = std::make_unique<detail::group_function<std::decay_t<F>>>(std::forward<F>(f));
    admit();
    group_->add(task.release());
  }

  /// The same with arguments, which are moved or copied in and handed over by value.
  template <class F, class First, class... Rest>
    requires std::invocable<std::decay_t<F>, std::decay_t<First>, std::decay_t<Rest>...>
  void run(F&& f, First&& first, Rest&&... rest) {
    run([f = std::decay_t<F>(std::forward<F>(f)),
         args = std::tuple<std::decay_t<First>, std::decay_t<Rest>...>(std::forward<First>(first),
                                                                       std::forward<Rest>(rest)...)]() mutable {
      std::apply([&](auto&... each) { static_cast<void>(std::invoke(std::move(f), std::move(each)...)); }, args);
    });
  }

  /// Returns when every task has ended; the group can then be used again.
  ///
  /// Exceptions: of those that tasks threw, the one of the lowest run(), as in a loop; tasks of later run() are then
  /// skipped if they have not begun. `cancelled` if tasks were skipped because of cancel() or the policy's stop token.
  /// would_deadlock if a task of the group waits for its own group, also in forks inside it that a waiting thread
  /// takes; in one that an idle worker takes, the wait never ends.
  ///
  /// Blocking: the caller runs tasks of the group, then work forked inside those that others run, and nothing else:
  /// locks that tasks of the group do not take may be held across the call.
  void wait() {
    group_->await_all();
    group_->conclude();
  }

  /// Skips the tasks that have not begun; wait() then throws `cancelled` if there were any.
  void cancel() noexcept { group_->cancel(); }

 private:
  task_group(detail::pool* home, properties const& props)
      : pool_(detail::users_pool(home, props)), group_(new detail::group(home, props.stop, props.progress)) {}

  void admit() const {
    if (pool_.named() && !detail::pool_table::instance().holds(pool_)) [[unlikely]]
      if (!is_let_go_here()) detail::raise<pool_gone>();
    group_->admit();
  }

  /// Whether this is a task of the pool, which one of its tasks has destroyed: it lives on outside of the table, and
  /// takes what its tasks add. (A pool in the table is a later one in the same place.)
  [[nodiscard]] bool is_let_go_here() const noexcept {
    detail::pool const& home = *group_->home();
    return home.has_worker_here() && !detail::pool_table::instance().name_of(home).named();
  }

  pool_ref const pool_;  // named() if it is a user's pool
  detail::group* const group_;
};

/// The group on other processes.
template <class Backend>
class task_group {
  static_assert(launching_backend<Backend>,
                "tartan: a task_group needs workers that outlive a call: those of tartan::processes, or threads (seq, "
                "par, simd, par_simd)");

 public:
  /// The policy's stop token skips tasks that have not been sent to a worker, and its timeout and retries hold for each
  /// task.
  template <execution_policy P>
    requires std::same_as<typename P::backend_type, Backend>
  explicit task_group(P const& p)
      : backend_(p.backend()), props_(p.props()), state_(std::make_shared<detail::launched_group>(p.props().stop)) {
    props_.stop = state_->stop();
  }

  task_group(task_group const&) = delete;
  task_group& operator=(task_group const&) = delete;

  /// Waits, and never throws, as the group on threads. What a task threw and no wait() has told goes to the handler of
  /// set_unhandled().
  ~task_group() { state_->abandon(); }

  /// Runs f(args...) in another process; what it returns stays there.
  ///
  /// Exceptions: pool_gone, pool_closed, process_start_error; what copying throws.
  /// Blocking: no.
  template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  void run(F&& f, Args&&... args) {
    using call = detail::group_call<std::decay_t<F>, std::decay_t<Args>...>;
    struct admission {
      detail::launched_group* group;
      ~admission() {
        if (group != nullptr) group->withdraw();
      }
    };
    call c{std::forward<F>(f), {std::forward<Args>(args)...}};
    auto const order = state_->begin();
    admission until_launched{state_.get()};
    backend_.template launch<std::monostate>(props_, std::move(c), detail::group_sink{state_, order});
    until_launched.group = nullptr;
  }

  /// Returns when every task has ended; the group can then be used again.
  ///
  /// Exceptions: of those that tasks threw, or that say how their workers died, the one of the lowest run(); tasks of
  /// later run() are then skipped if they have not been sent to a worker. `cancelled` if tasks were skipped because of
  /// cancel() or the policy's stop token. Blocking: the caller sleeps; a task of `par` that waits counts as blocking.
  void wait() {
    state_->await_all();
    state_->conclude();
  }

  /// Skips the tasks that have not begun; wait() then throws `cancelled` if there were any.
  void cancel() noexcept { state_->cancel(); }

 private:
  Backend backend_;
  properties props_;
  std::shared_ptr<detail::launched_group> const state_;
};

}  // namespace tartan::inline TARTAN_ABI
