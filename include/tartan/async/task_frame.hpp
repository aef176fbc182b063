#pragma once
// What every coroutine of tartan has in its frame, and who calls it.

#include <concepts>   // derived_from
#include <coroutine>  // coroutine_handle
#include <cstdint>    // uintptr_t
#include <utility>    // exchange, forward

#include "tartan/async/stop_state.hpp"   // stop_state
#include "tartan/async/task_result.hpp"  // follow_up
#include "tartan/core/errors.hpp"        // pool_closed, raise
#include "tartan/core/leapfrog.hpp"      // foreign_work
#include "tartan/core/pool.hpp"          // pool
#include "tartan/core/pool_table.hpp"    // default_pool, is_default_pool, pool_table
#include "tartan/core/queue.hpp"         // queued_task, task_order
#include "tartan/core/worker.hpp"        // current_worker, this_queue_place, worker
#include "tartan/exec/properties.hpp"    // pool_ref

namespace tartan::inline TARTAN_ABI::detail {

struct task_frame;

/// Where a task goes on after it was suspended. Without a pool: wherever it is resumed.
struct task_place {
  task_place() = default;
  explicit task_place(pool* its_home) : home(its_home) {
    if (home != nullptr && !is_default_pool(*home)) ref = pool_table::instance().name_of(*home);
  }
  pool* home = nullptr;
  pool_ref ref{};  // named() if it is a user's pool, which may be gone one day
  [[nodiscard]] bool anywhere() const noexcept { return home == nullptr; }
  [[nodiscard]] bool operator==(task_place const& other) const noexcept {
    return home == other.home && ref == other.ref;
  }
};

/// Runs tasks one after another; a task that awaits another one or ends leaves here who is next, and returns. So the
/// stack stays as it is however long a chain of tasks is, also where the compiler makes no tail calls (g++ below -O2,
/// where handles returned by await_suspend would nest), and no thread-local variable is needed.
///
/// [D1] Only the thread in run() touches it.
/// [D2] `driver` of a frame is who runs it at the moment; it is written before resume() by the thread that resumes, and
///      read only by the coroutine itself before it can be resumed by others.
class task_driver {
 public:
  void push(task_frame& f) noexcept;
  void run() noexcept;

 private:
  task_frame* top_ = nullptr;
};

/// Who hears of a task's end. `ended` gives the task that goes on here, or null; the frame that ended may be gone when
/// it returns.
struct task_end {
  explicit task_end(task_frame* (*how)(task_end*) noexcept) noexcept : ended(how) {}
  task_frame* (*ended)(task_end*) noexcept;
};

/// The part of a coroutine's promise that does not depend on its result.
struct task_frame : queued_task {
  task_frame() noexcept : queued_task(&obey_order) {}
  task_frame(task_frame const&) = delete;
  task_frame& operator=(task_frame const&) = delete;

  std::coroutine_handle<> handle;
  task_driver* driver = nullptr;  // null: something that is no driver has resumed it
  task_end* end = nullptr;
  task_place place{};
  stop_state* stop = nullptr;
  bool lost = false;  // its pool would not take it: it goes on elsewhere, with an exception

  void inherit(task_frame const& parent) noexcept {
    place = parent.place;
    stop = parent.stop;
  }

  [[nodiscard]] bool stop_requested() const noexcept { return stop != nullptr && stop->requested(); }

  /// Each await of something that may have sent the task through a queue ends with it. Exceptions: pool_closed.
  void arrive() {
    if (!lost) [[likely]]
      return;
    forget_loss();
    raise<pool_closed>();
  }
  void forget_loss() noexcept {
    if (std::exchange(lost, false)) place = {};
  }

  /// Goes on in its place, soon. Any thread, under any lock: nothing that a user wrote runs here, unless the pool
  /// is closed or gone. The frame may be gone when it returns.
  void resume_later() noexcept {
    if (queue_up()) return;
    lost = true;
    resume_here();
  }

  /// The same, but here and now if here is its place, and this thread is not in the middle of a wait, and ends have not
  /// followed from ends for too long.
  void resume_soon() noexcept {
    worker* const w = current_worker();
    bool const at_home = place.anywhere() || (w != nullptr && &w->home == place.home);
    bool const shallow = this_thread_cell().depth < 32;
    if (!at_home || !shallow || (w != nullptr && w->waits != 0)) return resume_later();
    follow_up::deeper const level;
    if (w == nullptr) return resume_here();
    foreign_work const scope(*w, false);  // who waits for this worker's task must not take what lies below it here
    resume_here();
  }

  void resume_here() noexcept {
    task_driver d;
    d.push(*this);
    d.run();
  }

  /// For `ended`: this task goes on here if its place is that of the one that ended, or anywhere.
  [[nodiscard]] task_frame* continue_after(task_place const& before) noexcept {
    if (place.anywhere() || place == before) return this;
    resume_later();
    return nullptr;
  }

 private:
  [[nodiscard]] bool queue_up() noexcept {
#if TARTAN_EXCEPTIONS
    try {
      return try_queue_up();
    } catch (...) {
      return false;
    }
#else
    return try_queue_up();
#endif
  }

  [[nodiscard]] bool try_queue_up() {
    if (place.ref.named()) {
      pool_table::pinned const home(place.ref);
      return home.get().try_submit(this, this_queue_place());
    }
    if (place.home != nullptr) return place.home->try_submit(this, this_queue_place());
    worker* const w = current_worker();
    return (w != nullptr ? w->home : default_pool()).try_submit(this, this_queue_place());
  }

  static void obey_order(queued_task* base, worker*, task_order order) {
    auto& self = *static_cast<task_frame*>(base);
    if (order == task_order::drop) self.lost = true;  // it must come to its end all the same
    self.resume_here();
  }
};

inline void task_driver::push(task_frame& f) noexcept {
  f.next = top_;
  top_ = &f;
}

inline void task_driver::run() noexcept {
  while (top_ != nullptr) {
    task_frame& f = *top_;
    top_ = static_cast<task_frame*>(std::exchange(f.next, nullptr));
    f.driver = this;  // [D2]
    f.handle.resume();
  }
}

/// After this, the calling coroutine must return from await_suspend at once.
inline void continue_with(task_driver* driver, task_frame& next) noexcept {
  if (driver == nullptr) return next.resume_here();
  driver->push(next);
}

/// The base of tartan's own awaiters: they know frames.
struct own_awaiter {};

/// The base of what is awaited once and can be moved until then: what sleep_for() and others return.
struct own_awaitable {};

template <class A>
inline constexpr bool is_own_awaiter = std::derived_from<std::remove_cvref_t<A>, own_awaiter>;

/// The awaiter of `a`, as co_await finds it.
template <class A>
decltype(auto) awaiter_of(A&& a) {
  if constexpr (requires { std::forward<A>(a).operator co_await(); })
    return std::forward<A>(a).operator co_await();
  else if constexpr (requires { operator co_await(std::forward<A>(a)); })
    return operator co_await(std::forward<A>(a));
  else
    return std::forward<A>(a);
}

/// The frame of the coroutine that awaits.
template <class Promise>
task_frame& frame_of(std::coroutine_handle<Promise> h) noexcept {
  static_assert(std::derived_from<Promise, task_frame>,
                "tartan: this can be awaited in a tartan::task only; other coroutines await a tartan::task that does");
  return h.promise();
}

/// Awaits something of another library, which resumes the coroutine as it likes: then no driver runs it.
template <class Awaiter>
class foreign_awaiter : public own_awaiter {
 public:
  explicit foreign_awaiter(Awaiter&& awaiter) : awaiter_(static_cast<Awaiter&&>(awaiter)) {}
  bool await_ready() { return awaiter_.await_ready(); }
  template <class Promise>
  auto await_suspend(std::coroutine_handle<Promise> h) {
    task_frame& f = h.promise();
    task_driver* const driver = std::exchange(f.driver, nullptr);
    if constexpr (std::is_same_v<decltype(awaiter_.await_suspend(h)), bool>) {
      if (awaiter_.await_suspend(h)) return true;
      f.driver = driver;
      return false;
    } else {
      return awaiter_.await_suspend(h);
    }
  }
  decltype(auto) await_resume() { return awaiter_.await_resume(); }

 private:
  Awaiter awaiter_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
