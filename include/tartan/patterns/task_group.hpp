#pragma once
// Tasks that are started one by one and waited for together.

#include <concepts>     // invocable
#include <memory>       // unique_ptr
#include <type_traits>  // decay_t
#include <utility>      // forward

#include "tartan/core/errors.hpp"   // never
#include "tartan/core/group.hpp"    // group, group_task
#include "tartan/exec/backend.hpp"  // shared_memory_backend
#include "tartan/exec/policy.hpp"   // execution_policy

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

}  // namespace detail

/// Tasks that are started one by one, from anywhere, also from tasks of the group, and waited for together.
///
///     tartan::task_group g{tartan::par};
///     for (auto& f : files) g.run([&f] { index(f); });
///     g.wait();
///
/// Thread safety: run() and cancel() may be called by any thread at any time; wait() by several at once, but only one
/// of them gets an exception. The destructor comes last.
class task_group {
 public:
  /// The policy says where the tasks run; under `seq` each runs in run(). Its stop token skips tasks that have not
  /// begun.
  ///
  /// Exceptions: pool_gone.
  template <execution_policy P>
  explicit task_group(P const& p) : group_(make(p)) {}

  task_group(task_group const&) = delete;
  task_group& operator=(task_group const&) = delete;

  /// Waits. What a task threw and no wait() has told goes to the handler of set_unhandled().
  ~task_group() {
    group_->await_all();
    group_->conclude_unattended();
    group_->release();
  }

  /// Runs f() some time, at the latest in wait(). f is moved or copied in.
  ///
  /// Complexity: one allocation.
  /// Exceptions: pool_closed if the pool of the policy is closed and the caller is none of its tasks.
  /// Blocking: no; under `seq` as long as f.
  template <std::invocable F>
  void run(F&& f) {
    auto task = std::make_unique<detail::group_function<std::decay_t<F>>>(std::forward<F>(f));
    group_->admit();
    group_->add(task.release());
  }

  /// Returns when every task has ended; the group can then be used again.
  ///
  /// Exceptions: of those that tasks threw, the one of the lowest run(), as in a loop; tasks of later run() are then
  /// skipped if they have not begun. `cancelled` if tasks were skipped because of cancel() or the policy's stop token.
  /// would_deadlock if a task of the group waits for its own group.
  /// Blocking: the caller runs tasks of the group, then work forked inside those that others run, and nothing else:
  /// locks that tasks of the group do not take may be held across the call.
  void wait() {
    group_->await_all();
    group_->conclude();
  }

  /// Skips the tasks that have not begun; wait() then throws `cancelled` if there were any.
  void cancel() noexcept { group_->cancel(); }

 private:
  template <class P>
  static detail::group* make(P const& p) {
    if constexpr (!shared_memory_backend<typename P::backend_type>) {
      static_assert(detail::never<P>,
                    "tartan: a task_group needs a policy whose workers share this memory: seq, par, simd or par_simd");
      return nullptr;
    } else {
      return new detail::group(p.backend().async_pool(p.props()), p.props().stop, p.props().progress);
    }
  }

  detail::group* const group_;
};

}  // namespace tartan::inline TARTAN_ABI
