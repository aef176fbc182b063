#pragma once
// What waits until a pool can take tasks, because the system refuses it every thread.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <utility>  // swap

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_COLD
#include "tartan/core/plain_mutex.hpp"    // mutex_hold, plain_mutex
#include "tartan/core/process_state.hpp"  // forks_now
#include "tartan/core/queue.hpp"          // queued_task, task_order

namespace tartan::inline TARTAN_ABI::detail {

/// In the queue of a pool without threads, the tasks of everything that came and went would pile up until the pool's
/// end. From here a task can be taken back by who has put it. When the pool has got a thread, or is closed, what lies
/// here runs on the thread that brings this about: a task that submits others, which the queue takes then.
///
/// The pool refers to its shelf, and so does whoever has put something here: taking it back touches no pool, which may
/// be gone.
class reminder_shelf {
 public:
  reminder_shelf() = default;
  reminder_shelf(reminder_shelf const&) = delete;
  reminder_shelf& operator=(reminder_shelf const&) = delete;

  /// False after close(): the pool's queue takes tasks.
  [[nodiscard]] bool put(queued_task& task) noexcept {
    mutex_hold const hold(mutex_);
    if (closed_) return false;
    task.next = first_;
    first_ = &task;
    return true;
  }

  /// False if the task does not lie here any more. In a forked child always: the mutex may be held for ever.
  [[nodiscard]] bool take_back(queued_task& task) noexcept {
    if (forks_ != forks_now()) return false;
    mutex_hold const hold(mutex_);
    if (first_ == &task) return first_ = task.next, true;
    for (queued_task* t = first_; t != nullptr; t = t->next)
      if (t->next == &task) return t->next = task.next, true;
    return false;
  }

  /// Orders what lies here to run; nothing is put here from now on. Returns how many there were.
  TARTAN_COLD std::size_t close() noexcept {
    std::size_t count = 0;
    for (queued_task* t = take_all(); t != nullptr; ++count) {
      queued_task* const next = t->next;
      t->obey(t, nullptr, task_order::run);
      t = next;
    }
    return count;
  }

 private:
  [[nodiscard]] queued_task* take_all() noexcept {
    mutex_hold const hold(mutex_);
    closed_ = true;
    queued_task* const all = first_;
    first_ = nullptr;
    return all;
  }

  friend class shelf_ref;

  unsigned const forks_ = forks_now();
  std::atomic<unsigned> references_{1};
  plain_mutex mutex_;  // of the rest
  queued_task* first_ = nullptr;
  bool closed_ = false;
};

/// One reference, or none.
class shelf_ref {
 public:
  shelf_ref() = default;
  explicit shelf_ref(reminder_shelf* owned) noexcept : shelf_(owned) {}
  shelf_ref(shelf_ref const& other) noexcept : shelf_(other.shelf_) {
    if (shelf_ != nullptr) shelf_->references_.fetch_add(1, std::memory_order_relaxed);  // relaxed: one is held
  }
  shelf_ref& operator=(shelf_ref other) noexcept { return std::swap(shelf_, other.shelf_), *this; }
  ~shelf_ref() {
    if (shelf_ != nullptr && shelf_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete shelf_;  // after everybody's last use
  }
  reminder_shelf* operator->() const noexcept { return shelf_; }

 private:
  reminder_shelf* shelf_ = nullptr;
};

}  // namespace tartan::inline TARTAN_ABI::detail
