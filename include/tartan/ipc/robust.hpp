#pragma once
// A lock in shared memory that survives the death of its holder: the kernel releases it and tells the next one.

#include <pthread.h>  // pthread_mutex_*, pthread_mutexattr_*

#include <cerrno>  // EOWNERDEAD, EBUSY, ETIMEDOUT
#include <chrono>  // nanoseconds, system_clock
#include <ctime>   // timespec

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // error, raise

namespace tartan::inline TARTAN_ABI {

/// The process that held a lock died while it held it; what the lock guards may be half changed.
struct owner_died : error {
  owner_died()
      : error(
            "tartan: a process died while it held this lock, and what the lock guards may be half changed: put it in "
            "order "
            "inside of repair(f), after which the lock works again") {}
};

namespace detail {

enum class lock_state { held, held_after_death, busy };

/// The bare lock. Whoever gets held_after_death puts the guarded state in order before unlock().
class robust_lock {
 public:
  explicit robust_lock(bool recursive = false) {
    pthread_mutexattr_t how;
    ::pthread_mutexattr_init(&how);
    ::pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutexattr_settype(&how, recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int const failed = ::pthread_mutex_init(&mutex_, &how);
    ::pthread_mutexattr_destroy(&how);
    if (failed != 0) raise<error>("tartan: the system refuses a lock that processes share");
  }
  robust_lock(robust_lock const&) = delete;
  robust_lock& operator=(robust_lock const&) = delete;
  ~robust_lock() { ::pthread_mutex_destroy(&mutex_); }

  lock_state lock() { return taken(::pthread_mutex_lock(&mutex_)); }
  lock_state try_lock() { return taken(::pthread_mutex_trylock(&mutex_)); }

  lock_state try_lock_until(std::chrono::system_clock::time_point when) {
    auto const since = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch());
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    timespec const at{static_cast<time_t>(seconds.count()), static_cast<long>((since - seconds).count())};
    return taken(::pthread_mutex_timedlock(&mutex_, &at));
  }

  void unlock() noexcept { ::pthread_mutex_unlock(&mutex_); }

  [[nodiscard]] pthread_mutex_t& native() noexcept { return mutex_; }

 private:
  lock_state taken(int result) {
    switch (result) {
      case 0:
        return lock_state::held;
      case EBUSY:
      case ETIMEDOUT:
        return lock_state::busy;
      case EOWNERDEAD:
        ::pthread_mutex_consistent(&mutex_);
        return lock_state::held_after_death;
      default:
        raise<error>(
            "tartan: a lock in shared memory is damaged: its bytes were overwritten or it was taken twice by one "
            "thread");
    }
  }

  pthread_mutex_t mutex_;
};

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
