#pragma once
// A sleep, as seen from the pools that the sleeping thread has left for another.

#include "tartan/core/admission.hpp"  // admission
#include "tartan/core/pool.hpp"       // pool
#include "tartan/core/worker.hpp"     // worker

namespace tartan::inline TARTAN_ABI::detail {

/// A worker that calls into another pool keeps its place in its own one meanwhile. If it sleeps there, what wakes it
/// may need a task in the queue of a pool further out, so the sleep counts as blocking in each of those: another thread
/// may enter there (admission::begin_blocking()). Where too many block already, nobody is let in, and the sleep goes
/// on.
class outer_blocking {
 public:
  explicit outer_blocking(worker const* sleeper) noexcept : first_(sleeper == nullptr ? nullptr : sleeper->outer) {
    for (worker* w = first_; w != nullptr && !w->home.left_behind() && w->home.admitted().begin_blocking(*w);
         w = w->outer)
      ++count_;
  }
  /// Of a sleep that has not begun: see admission::is_last_awake().
  [[nodiscard]] bool is_last_awake() const noexcept {
    worker const* w = first_;
    for (unsigned i = 0; i != count_; ++i, w = w->outer)
      if (w->home.admitted().is_last_awake(*w)) return true;
    return false;
  }
  outer_blocking(outer_blocking const&) = delete;
  outer_blocking& operator=(outer_blocking const&) = delete;
  ~outer_blocking() {
    for (worker* w = first_; count_ != 0; w = w->outer, --count_) w->home.admitted().end_blocking(*w);
  }

 private:
  worker* const first_;
  unsigned count_ = 0;
};

/// As admission::begin_blocking_or_throw(), which the pools further out may refuse as well.
inline void begin_blocking_or_throw(worker& w) {
  w.home.admitted().begin_blocking_or_throw(w);
  if (w.outer == nullptr || !outer_blocking(&w).is_last_awake()) return;
  w.home.admitted().end_blocking(w);
  admission::raise_last_awake();
}

}  // namespace tartan::inline TARTAN_ABI::detail
