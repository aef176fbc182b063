#pragma once
// Hears of the ends of several tasks, whichever comes first.

#include <atomic>   // atomic, memory_order_*
#include <chrono>   // steady_clock
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t
#include <memory>   // unique_ptr
#include <utility>  // exchange

#include "tartan/core/atomics.hpp"      // cpu_pause, real_atomics
#include "tartan/core/await.hpp"        // sleeping_scope
#include "tartan/core/leapfrog.hpp"     // foreign_work
#include "tartan/core/shared_task.hpp"  // completion, shared_task
#include "tartan/core/worker.hpp"       // bump, current_worker, worker

namespace tartan::inline TARTAN_ABI::detail {

/// Watches up to n tasks and tells their numbers in the order in which they end. One thread watches, asks and waits.
///
///     whoever ends a task (E)                    the one who waits (W)
///     E1  push the note on the list  [N1]        W1  bell |= watched                [N2]
///     E2  bell += 2                  [N2]        W2  take the list; if empty        [N1]
///     E3  it was watched? wake                   W3  sleep while the bell is as W1 left it
///
/// [N1] Release and acquire: the result of the task is visible to W.
/// [N2] One word: if W1 is before E2, then E3 wakes (or W3 finds another value); else W1 reads what E2 wrote and W2
///      finds the note.
/// [N3] Notes that are linked into tasks keep this alive: who waits may leave before all tasks have ended.
class ended_tasks {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  using deadline = std::chrono::steady_clock::time_point;

  struct owner {
    void operator()(ended_tasks* self) const noexcept { self->release(); }
  };
  using pointer = std::unique_ptr<ended_tasks, owner>;

  [[nodiscard]] static pointer make(std::size_t n) { return pointer(new ended_tasks(n)); }

  /// Each number once.
  void watch(shared_task& t, std::size_t number) noexcept {
    note& n = notes_[number];
    n.list = this;
    n.number = number;
    references_.fetch_add(1, std::memory_order_relaxed);  // relaxed: one is held; [N3]
    if (!t.listen(&n)) note::ended(&n);
  }

  /// The number of a task that has ended and was not told yet, or none.
  [[nodiscard]] std::size_t next() noexcept {
    if (ready_ == nullptr) {
      note* latest = latest_.exchange(nullptr, std::memory_order_acquire);  // [N1]
      while (latest != nullptr) {
        note* const before_it = std::exchange(latest->earlier, ready_);
        ready_ = std::exchange(latest, before_it);
      }
    }
    if (ready_ == nullptr) return none;
    return std::exchange(ready_, ready_->earlier)->number;
  }

  /// The same, but waits until `until` if there is none. Inside a task it begins tasks that nobody has begun, one call
  /// of `task(i)` after another giving those that may be; with a limit it only waits.
  template <class TaskAt>
  [[nodiscard]] std::size_t await_next(std::size_t count, TaskAt&& task, deadline until) {
    bool const limited = until != (deadline::max)();
    for (;;) {
      if (std::size_t const number = next(); number != none) return number;
      if (!limited && begin_one(count, task)) continue;
      sleeping_scope const scope;
      if (!limited && scope.leaves_nobody()) admission::raise_last_awake();
      return sleep(until);
    }
  }

 private:
  struct note : completion {
    note() noexcept : completion(&ended, turn::wakes) {}
    static void ended(completion* c) {
      note& self = *static_cast<note*>(c);
      self.list->put(self);
    }
    ended_tasks* list = nullptr;
    std::size_t number = 0;
    note* earlier = nullptr;
  };

  static constexpr std::uint32_t watched = 1;

  explicit ended_tasks(std::size_t n) : notes_(std::make_unique<note[]>(n)) {}

  void put(note& n) noexcept {
    n.earlier = latest_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    while (!latest_.compare_exchange_weak(n.earlier, &n, std::memory_order_release, std::memory_order_relaxed));  // E1
    if ((bell_.fetch_add(2, std::memory_order_acq_rel) & watched) != 0) real_atomics::wake(bell_);  // E2, E3
    release();
  }

  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;  // after everybody's last use
  }

  /// Runs a task that lies in a queue of this worker's pool: it is what is waited for.
  template <class TaskAt>
  bool begin_one(std::size_t count, TaskAt& task) {
    worker* const w = current_worker();
    if (w == nullptr) return false;
    for (; unbegun_ != count; ++unbegun_) {
      shared_task* const t = task(unbegun_);
      if (t == nullptr || t->home() != &w->home || t->is_begun()) continue;
      foreign_work const scope(*w);  // before others can see who runs the task
      if (!t->try_begin(w)) continue;
      bump(w->tasks_run);
      t->obey(t, w, task_order::perform);
      return true;
    }
    return false;
  }

  [[nodiscard]] std::size_t sleep(deadline until) noexcept {
    for (;;) {
      std::uint32_t const bell = bell_.fetch_or(watched, std::memory_order_acq_rel) | watched;  // W1
      std::size_t const number = next();                                                        // W2
      auto const left = until - std::chrono::steady_clock::now();
      if (number != none || left <= left.zero()) {
        bell_.fetch_and(~watched, std::memory_order_relaxed);  // relaxed: only spares a call of the kernel
        return number;
      }
      real_atomics::wait(bell_, bell, std::chrono::nanoseconds(left));  // W3
    }
  }

  std::unique_ptr<note[]> notes_;
  note* ready_ = nullptr;    // ended, oldest first
  std::size_t unbegun_ = 0;  // tasks before it have begun
  std::atomic<note*> latest_{nullptr};
  std::atomic<std::uint32_t> bell_{0};
  std::atomic<std::size_t> references_{1};
};

}  // namespace tartan::inline TARTAN_ABI::detail
