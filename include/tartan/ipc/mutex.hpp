#pragma once
// Locks between processes that survive the death of their holder.

#include <chrono>   // duration, system_clock
#include <utility>  // forward

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // raise
#include "tartan/ipc/handle.hpp"   // shared_handle
#include "tartan/ipc/robust.hpp"   // owner_died, robust_lock

namespace tartan::inline TARTAN_ABI {

namespace detail {

struct mutex_state {
  explicit mutex_state(bool recursive) : lock(recursive) {}
  robust_lock lock;
  bool broken = false;  ///< guarded by the lock: a holder died, and nobody has repaired what it guards
};

template <bool Recursive>
class basic_mutex : public shared_handle<mutex_state> {
 public:
  basic_mutex() : shared_handle(made{}, Recursive) {}
  explicit basic_mutex(borrowed b) : shared_handle(b) {}

  /// Throws owner_died, without the lock, if a holder died and nobody has called repair().
  void lock() { accept(state().lock.lock()); }
  [[nodiscard]] bool try_lock() { return accept(state().lock.try_lock()); }

  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> limit) {
    auto const until = std::chrono::system_clock::now() + limit;
    return accept(
        state().lock.try_lock_until(std::chrono::time_point_cast<std::chrono::system_clock::duration>(until)));
  }

  void unlock() noexcept { state().lock.unlock(); }

  /// Takes the lock, whatever became of its last holder, and calls f to put in order what it guards; then it works
  /// again. If f throws it is as before.
  template <class F>
  void repair(F&& f) {
    struct holder {
      robust_lock& lock;
      ~holder() { lock.unlock(); }
    };
    if (state().lock.lock() == lock_state::held_after_death) state().broken = true;
    holder const hold{state().lock};
    std::forward<F>(f)();
    state().broken = false;
  }

 private:
  bool accept(lock_state got) {
    if (got == lock_state::busy) return false;
    if (got == lock_state::held_after_death) state().broken = true;
    if (state().broken) {
      state().lock.unlock();
      raise<owner_died>();
    }
    return true;
  }
};

}  // namespace detail

namespace ipc {

/// A lock between processes, as std::timed_mutex is between threads; works with std::scoped_lock.
///
///     tartan::ipc::mutex m;
///     tartan::for_each(tartan::processes, jobs, tartan::closure(m, total.span(), [](auto m, auto total, job const& j)
///     {
///       std::scoped_lock const hold(m);  total[0] += run(j); }));
///
/// If its holder dies, the next lock() throws owner_died, and so does every later one until somebody has called
/// repair(f), because what the lock guards may be half changed. A handle: copies, also in workers, are one lock; the
/// one in the host must outlive the tasks that use it.
using mutex = detail::basic_mutex<false>;

/// The same, and its holder may take it again.
using recursive_mutex = detail::basic_mutex<true>;

}  // namespace ipc

}  // namespace tartan::inline TARTAN_ABI
