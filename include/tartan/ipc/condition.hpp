#pragma once
// Waiting, between processes, for something that a mutex guards.

#include <atomic>   // memory_order_*
#include <chrono>   // duration
#include <utility>  // forward

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/ipc/handle.hpp"   // shared_handle
#include "tartan/ipc/waiting.hpp"  // deadline, waiting_word

namespace tartan::inline TARTAN_ABI::ipc {

/// As std::condition_variable_any, between processes: the lock is a std::unique_lock of an ipc::mutex.
///
/// notify_one() wakes everybody, like notify_all(): the one that it would pick may be killed before it acts. After a
/// wait the lock is held again, unless that throws owner_died.
class condition : public detail::shared_handle<detail::waiting_word> {
 public:
  condition() : shared_handle(made{}) {}
  explicit condition(borrowed b) : shared_handle(b) {}

  void notify_one() { notify_all(); }
  void notify_all() {
    state().value().fetch_add(1, std::memory_order_seq_cst);  // seq_cst for changed()
    state().changed();
  }

  template <class Lock>
  void wait(Lock& lock) {
    wait_once(lock, detail::deadline());
  }
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate ready) {
    while (!ready()) wait_once(lock, detail::deadline());
  }
  /// Whether it became true in time.
  template <class Lock, class Rep, class Period, class Predicate>
  [[nodiscard]] bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> limit, Predicate ready) {
    detail::deadline const until(std::chrono::duration_cast<std::chrono::nanoseconds>(limit));
    while (!ready()) {
      if (until.passed()) return false;
      wait_once(lock, until);
    }
    return true;
  }

 private:
  // The ticket is read under the lock: a change that is announced after it is seen by sleep(). seq_cst: with C1 of
  // waiting.hpp.
  template <class Lock>
  void wait_once(Lock& lock, detail::deadline const& until) {
    auto const ticket = state().value().load(std::memory_order_seq_cst);
    lock.unlock();
    state().sleep(ticket, until.left());
    lock.lock();
  }
};

}  // namespace tartan::inline TARTAN_ABI::ipc
