#pragma once
// Mutual exclusion on paths that are slow anyway.

#include <pthread.h>  // pthread_mutex_*

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// What std::mutex is on these systems, without what else <mutex> costs every includer.
class plain_mutex {
 public:
  plain_mutex() = default;
  plain_mutex(plain_mutex const&) = delete;
  plain_mutex& operator=(plain_mutex const&) = delete;

  void lock() noexcept { ::pthread_mutex_lock(&mutex_); }
  void unlock() noexcept { ::pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

/// Holds it until the end of the scope.
class mutex_hold {
 public:
  explicit mutex_hold(plain_mutex& held) noexcept : held_(held) { held_.lock(); }
  mutex_hold(mutex_hold const&) = delete;
  mutex_hold& operator=(mutex_hold const&) = delete;
  ~mutex_hold() { held_.unlock(); }

 private:
  plain_mutex& held_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
