#pragma once
// A task that others may wait for, begin, cancel and continue: what a future refers to.

#include <atomic>   // atomic, memory_order_*
#include <chrono>   // nanoseconds
#include <climits>  // INT_MAX
#include <cstdint>  // uint32_t, uintptr_t
#include <utility>  // exchange

#include "tartan/core/atomics.hpp"        // cpu_pause, real_atomics
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/core/pool.hpp"           // pool
#include "tartan/core/process_state.hpp"  // pin_this_module
#include "tartan/core/queue.hpp"          // queued_task, task_order
#include "tartan/core/worker.hpp"         // worker

namespace tartan::inline TARTAN_ABI::detail {

/// Somebody who wants to know that a task has ended. Linked into the task; fired once, by whoever ended it.
struct completion {
  enum class turn : bool { wakes, runs };  // who only wakes somebody comes before all who may run what a user wrote
  TARTAN_ALWAYS_INLINE completion(void (*how)(completion*), turn when) noexcept : fire(how), its_turn(when) {
    pin_this_module();  // as a task
  }
  void (*const fire)(completion*);  // never throws; may free the completion
  completion* next = nullptr;
  turn const its_turn;
};

/// State, references and listeners in 48 bytes; results and functions are in what derives from it.
///
///     pending --try_begin()--> begun --finish()--> done
///
/// [S1] try_begin() is one read-modify-write of the word: a task is begun once, by a queue's worker, by a worker that
///      waits for it, or by cancel().
/// [S2] finish() sets `done` with release after the result was written; done() acquires.
/// [S3] Waiters and continuations link themselves into `listeners_`; finish() exchanges the list for `closed` after
///      setting `done`. Whoever cannot link because the list is closed sees that the task is done.
/// [S4] Threads that are no workers sleep on the word itself, after setting `watched` in it: finish() sees the bit, or
///      the futex sees another word and does not sleep.
/// [S5] Whoever finishes the task holds a reference until it has fired all listeners, those that wait before those that
///      run something.
class shared_task : public queued_task {
 public:
  shared_task(entry how, pool* home, std::uint32_t references) noexcept
      : queued_task(how), origin_(reinterpret_cast<std::uintptr_t>(home)), references_(references) {}
  shared_task(shared_task const&) = delete;
  shared_task& operator=(shared_task const&) = delete;

  [[nodiscard]] bool done() const noexcept { return has(done_bit, std::memory_order_acquire); }   // [S2]
  [[nodiscard]] bool is_begun() const noexcept { return has(begun, std::memory_order_relaxed); }  // a hint

  /// The pool in whose queue it lies; null for what no queue holds.
  [[nodiscard]] pool* home() const noexcept {
    std::uintptr_t const origin = origin_.load(std::memory_order_relaxed);  // relaxed: set at birth
    return (origin & continues) != 0 ? nullptr : reinterpret_cast<pool*>(origin);
  }

  /// Who runs it; null until known, and when no worker does.
  [[nodiscard]] worker* runner() const noexcept { return runner_.load(std::memory_order_acquire); }  // with try_begin()

  /// Only who gets true may go on with task_order::perform or end it otherwise.
  [[nodiscard]] bool try_begin(worker* by) noexcept {
    if ((word_.fetch_or(begun, std::memory_order_acq_rel) & begun) != 0) return false;  // [S1]
    runner_.store(by, std::memory_order_release);                                       // with runner()
    return true;
  }

  /// The result is there: lets everybody know.
  void finish() noexcept {
    std::uint32_t const before = word_.fetch_or(done_bit, std::memory_order_acq_rel);  // [S2], [S4]
    if ((before & watched) != 0) real_atomics::wake(word_, INT_MAX);
    completion* latest = listeners_.exchange(closed(), std::memory_order_acq_rel);  // [S3] with listen()
    completion* first = nullptr;
    while (latest != nullptr) {  // a callback may wait for a lock that a waiter holds: waiters first
      completion* const c = std::exchange(latest, latest->next);
      if (c->its_turn == completion::turn::wakes) {
        c->fire(c);
      } else {  // in the order in which they came
        c->next = first;
        first = c;
      }
    }
    while (first != nullptr) {
      completion* const c = std::exchange(first, first->next);
      c->fire(c);
    }
  }

  /// Links `c`; false when the task is done.
  [[nodiscard]] bool listen(completion* c) noexcept {
    c->next = listeners_.load(std::memory_order_acquire);  // [S3] with finish()
    do
      if (c->next == closed()) return false;
    while (
        !listeners_.compare_exchange_weak(c->next, c, std::memory_order_acq_rel, std::memory_order_acquire));  // [S3]
    return true;
  }

  /// Sleeps until the word changes or the time is up; returns at once when done. For threads that need not work.
  void sleep(std::chrono::nanoseconds limit) noexcept {
    std::uint32_t word = word_.load(std::memory_order_acquire);  // [S2]
    while ((word & watched) == 0) {
      if ((word & done_bit) != 0) return;
      // [S4] with finish(): it sees the mark, or this sees that it is done ([S2]).
      if (word_.compare_exchange_weak(word, word | watched, std::memory_order_acq_rel, std::memory_order_acquire))
        word |= watched;
    }
    if ((word & done_bit) == 0) real_atomics::wait(word_, word, limit);  // [S4]
  }

  // ---- what it continues ----------------------------------------------------------------------------------------

  /// Before anybody else knows this task: it runs when `earlier` has ended. Takes over a reference to `earlier`.
  void set_dependency(shared_task* earlier) noexcept {
    origin_.store(reinterpret_cast<std::uintptr_t>(earlier) | continues, std::memory_order_relaxed);  // see above
  }

  /// A reference to the task that this one waits for to begin; null if there is none (any more).
  [[nodiscard]] shared_task* dependency() noexcept {
    if ((origin_.load(std::memory_order_relaxed) & continues) == 0) return nullptr;  // relaxed: a look before the lock
    lock();
    shared_task* const earlier = continued();
    if (earlier != nullptr) earlier->add_reference();
    unlock();
    return earlier;
  }

  /// The reference of set_dependency(); the caller has it from now on. Null if somebody has taken it before.
  [[nodiscard]] shared_task* take_dependency() noexcept {
    lock();
    shared_task* const earlier = continued();
    if (earlier != nullptr) origin_.store(0, std::memory_order_relaxed);  // relaxed: under the lock
    unlock();
    return earlier;
  }

  // ---- references and marks -------------------------------------------------------------------------------------

  void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: one is held

  void release() noexcept {
    // Acquire and release: whoever destroys the task comes after everybody's last use.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) obey(this, nullptr, task_order::destroy);
  }

  /// Facts about the result that its owners note: relaxed, for they are read by the last owner (see release()) or by
  /// the one that noted them.
  enum mark : std::uint32_t { taken = 16, seen = 32, asked_for = 64 };
  void note(mark m) noexcept { word_.fetch_or(m, std::memory_order_relaxed); }
  [[nodiscard]] bool noted(mark m) const noexcept { return has(m, std::memory_order_relaxed); }

 private:
  static constexpr std::uintptr_t continues = 1;  // in origin_
  static constexpr std::uint32_t begun = 1, done_bit = 2, watched = 4, locked = 8;

  static completion* closed() noexcept { return reinterpret_cast<completion*>(alignof(completion)); }

  [[nodiscard]] bool has(std::uint32_t bit, std::memory_order order) const noexcept {
    return (word_.load(order) & bit) != 0;
  }

  void lock() noexcept {
    while ((word_.fetch_or(locked, std::memory_order_acquire) & locked) != 0) cpu_pause();  // with unlock()
  }
  void unlock() noexcept { word_.fetch_and(~locked, std::memory_order_release); }  // with lock()

  [[nodiscard]] shared_task* continued() const noexcept {
    std::uintptr_t const origin = origin_.load(std::memory_order_relaxed);  // relaxed: under the lock
    return (origin & continues) == 0 ? nullptr : reinterpret_cast<shared_task*>(origin & ~continues);
  }

  std::atomic<std::uintptr_t> origin_;  // the pool in whose queue it lies, or the task that it continues
  std::atomic<worker*> runner_{nullptr};
  std::atomic<completion*> listeners_{nullptr};
  std::atomic<std::uint32_t> word_{0};
  std::atomic<std::uint32_t> references_;
};

/// Owns one reference.
class task_ref {
 public:
  task_ref() = default;
  explicit task_ref(shared_task* owned) noexcept : task_(owned) {}
  task_ref(task_ref&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  task_ref& operator=(task_ref&& other) noexcept {
    if (this != &other) reset(std::exchange(other.task_, nullptr));
    return *this;
  }
  ~task_ref() { reset(nullptr); }
  void reset(shared_task* owned) noexcept {
    if (task_ != nullptr) task_->release();
    task_ = owned;
  }
  [[nodiscard]] shared_task* get() const noexcept { return task_; }
  [[nodiscard]] shared_task* give_away() noexcept { return std::exchange(task_, nullptr); }

 private:
  shared_task* task_ = nullptr;
};

}  // namespace tartan::inline TARTAN_ABI::detail
