#pragma once
// A pool of threads of one's own.

#include <concepts>    // same_as
#include <cstddef>     // ptrdiff_t, size_t
#include <functional>  // function
#include <memory>      // make_unique, unique_ptr
#include <new>         // nothrow
#include <string>      // string
#include <utility>     // move

#include "tartan/core/await.hpp"       // blocking_scope
#include "tartan/core/errors.hpp"      // bad_argument, never, raise
#include "tartan/core/pool.hpp"        // pool
#include "tartan/core/pool_setup.hpp"  // idle, pool_setup
#include "tartan/core/pool_table.hpp"  // pool_table
#include "tartan/core/topology.hpp"    // available_workers, most_workers
#include "tartan/exec/policy.hpp"      // taken_for_policy
#include "tartan/exec/properties.hpp"  // pool_ref

namespace tartan::inline TARTAN_ABI {

struct thread_pool_options {
  std::ptrdiff_t workers = 0;  ///< How many work at once, a calling thread included; 0: available_workers().
  std::string name = "pool";   ///< Threads are called name/1, name/2, ... in ps -L, top -H and gdb (15 characters).
  tartan::idle idle = tartan::idle::balanced;
  std::function<void(unsigned index)>
      on_thread_start{};  ///< Runs on each thread of the pool as it starts; must not throw.
  std::function<void(unsigned index)> on_thread_exit{};  ///< Likewise as it ends.
  std::size_t stack_size = 0;                            ///< Of each thread, in bytes; 0: the system's default.
  bool pin = false;                                      ///< Keep each thread on one processor, up to 1024 of them.
};

/// Threads that serve the policies which name them.
///
///     tartan::thread_pool io{64};
///     auto pages = tartan::map(tartan::par.on(io), urls, fetch);
///
/// Threads start at first use. Patterns use workers - 1 of them and the calling thread; submitted work uses all.
/// With one worker, tasks that one thread submits from outside begin in that order, but for those that a waiting thread
/// runs, and as long as none of the pool's tasks waits or blocks: others then run beside it.
/// Thread safety: any thread may call anything but the destructor, which must come last. In a forked child the pool
/// begins anew, without the tasks of the parent.
class thread_pool {
 public:
  /// Exceptions: bad_argument unless 1 <= workers <= 4096.
  explicit thread_pool(std::ptrdiff_t workers) : thread_pool(thread_pool_options{.workers = workers}, true) {}

  /// As many workers as the machine grants.
  thread_pool() : thread_pool(thread_pool_options{}) {}

  /// Exceptions: bad_argument if workers is negative or above 4096.
  explicit thread_pool(thread_pool_options options) : thread_pool(std::move(options), false) {}

  thread_pool(thread_pool const&) = delete;
  thread_pool& operator=(thread_pool const&) = delete;

  /// Lets everything that was submitted run to its end, tasks of groups included, then joins the threads. Policies that
  /// name the pool throw pool_gone from then on.
  ///
  /// In a task of the pool itself (the last owner was there, or the task has called exit()) it only closes: the threads
  /// end when everything has run, and what they use is never freed.
  ~thread_pool() { std::unique_ptr<detail::pool> const mine = leave_table(); }

  /// From now on, work that is given to this pool is refused with pool_closed, except what its own tasks add to groups.
  /// What it has will run.
  void close() { self().close(); }

  /// Closes, waits until everything has run and ends the threads. It does not wait for tasks of groups that a thread
  /// from outside runs in its wait; what these add is run by a wait, or by the destructor.
  ///
  /// Exceptions: error if a task of the pool itself calls it, because it would wait for its own end.
  void join() {
    detail::pool& p = self();
    p.may_join();
    p.close();
    wait_for_end(p);
  }

  /// Closes, cancels what has not begun (its futures get `cancelled`), waits for what has, and ends the threads.
  ///
  /// Exceptions: as join().
  void terminate() {
    detail::pool& p = self();
    p.may_join();
    p.close();
    p.drop_queued();
    wait_for_end(p);
  }

  [[nodiscard]] unsigned size() { return self().size(); }
  [[nodiscard]] std::string name() { return self().name(); }

  /// For policy::on(). It may outlive the pool.
  [[nodiscard]] pool_ref ref() const noexcept { return ref_; }

 private:
  struct hooks {
    std::function<void(unsigned)> start, exit;
  };

  thread_pool(thread_pool_options options, bool counted)
      : hooks_(std::make_unique<hooks>(hooks{std::move(options.on_thread_start), std::move(options.on_thread_exit)})) {
    if (options.workers < (counted ? 1 : 0) || options.workers > static_cast<std::ptrdiff_t>(detail::most_workers))
      detail::raise<bad_argument>(
          "tartan: a thread_pool needs 1 <= workers <= 4096; leave the number out to use all "
          "that the machine grants");
    detail::pool_setup setup;
    setup.size = options.workers == 0 ? available_workers() : static_cast<unsigned>(options.workers);
    setup.name = options.name.c_str();
    setup.idle = options.idle;
    setup.stack_size = options.stack_size;
    setup.pin = options.pin;
    setup.self = hooks_.get();
    if (hooks_->start) setup.on_start = [](void* h, unsigned i) noexcept { static_cast<hooks*>(h)->start(i); };
    if (hooks_->exit) setup.on_exit = [](void* h, unsigned i) noexcept { static_cast<hooks*>(h)->exit(i); };
    auto made = std::make_unique<detail::pool>(setup);
    ref_ = detail::pool_table::instance().add(made.get());
    static_cast<void>(made.release());  // the table has it
  }

  [[nodiscard]] detail::pool& self() const { return detail::pool_table::instance().find(ref_); }

  /// A task of another pool may wait here: its tasks may be needed for the end of this one.
  static void wait_for_end(detail::pool& p) {
    detail::blocking_scope const scope(std::nothrow);
    p.join();
  }

  /// Out of the table only after the last task, which may use a policy that names this pool.
  std::unique_ptr<detail::pool> leave_table() noexcept {
    detail::pool_table& table = detail::pool_table::instance();
    if (detail::pool& p = table.find(ref_); !p.left_behind()) {
      p.close();
      if (p.is_worked_for_here()) {
        p.let_end();
        static_cast<void>(hooks_.release());
        table.remove_for_ever(ref_);
        return nullptr;
      }
      wait_for_end(p);
    }
    return std::unique_ptr<detail::pool>(table.remove(ref_));
  }

  std::unique_ptr<hooks> hooks_;
  pool_ref ref_{};
};

namespace detail {
template <std::same_as<thread_pool> T>
struct taken_for_policy<T> {
  static_assert(never<T>, "tartan: a thread_pool is no policy: say par.on(pool) where a policy is wanted");
  static constexpr bool value = false;
};
}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
