#pragma once
// The thread of a pool that runs no tasks, but looks after those that wait.

#include <atomic>   // atomic, memory_order_*
#include <utility>  // exchange

#include "tartan/core/atomics.hpp"        // real_atomics
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_COLD
#include "tartan/core/idle.hpp"           // parking_spot
#include "tartan/core/os_thread.hpp"      // os_thread
#include "tartan/core/plain_mutex.hpp"    // mutex_hold
#include "tartan/core/pool_setup.hpp"     // pool_setup
#include "tartan/core/pool_threads.hpp"   // pool_thread, pool_threads
#include "tartan/core/process_state.hpp"  // pin_this_module

namespace tartan::inline TARTAN_ABI::detail {

/// Where the lookout sleeps while nobody needs it: it is needed where some block, or threads of a closed pool have
/// ended early, and tasks lie in the queue.
///
///     one who blocks (B)           one who submits (S)         the lookout (L)
///     B1  count himself            S1  push the task           L1  say: nobody looks
///     B2  a full fence  [O1, O2]   S2  a full fence            L2  a full fence                [O1]
///     B3  tasks lie in the         S3  somebody blocks,        L3  needed? go on; else sleep until called
///         queue, and nobody            or has ended, and
///         looks? call                  nobody looks? call
///
/// [O1] Store-load on both sides: either L3 sees B1 (and S1), or B3 (and S3) sees L1.
/// [O2] Likewise: either B3 sees S1, or S3 sees B1. Who of B, S and L comes last to his fence knows of both others.
/// [O3] A thread that ends does as B, but stays if it sees S1, see pool_threads::end_one(). So it need not call.
template <class Atomics = real_atomics>
class lookout_post {
 public:
  /// B3 and S3. Relaxed: behind the caller's fence.
  [[nodiscard]] bool is_empty() const noexcept { return !looks_.load(std::memory_order_relaxed); }
  void call() noexcept { spot_.signal(); }

  // Relaxed, both: who errs calls for nothing.
  void man() noexcept { looks_.store(true, std::memory_order_relaxed); }
  void stand_empty() noexcept { looks_.store(false, std::memory_order_relaxed); }

  /// L1 to L3: until needed() says so.
  template <class Needed>
  void leave(Needed needed) noexcept {
    stand_empty();
    Atomics::full_fence();  // [O1] with is_empty()
    while (!needed()) spot_.park();
    man();
  }

  /// Sleeps for `limit`, or until called.
  template <class Nanoseconds>
  void nap(Nanoseconds limit) noexcept {
    static_cast<void>(spot_.park_for(limit));
  }

 private:
  typename Atomics::template atomic<bool> looks_{false};
  parking_spot<Atomics> spot_;
};

/// Starts when first needed, sleeps when it is not, and ends with the pool.
class lookout {
 public:
  lookout(pool& home, pool_setup const& setup, pool_threads& threads) noexcept
      : home_(home), setup_(setup), threads_(threads) {}
  lookout(lookout const&) = delete;
  lookout& operator=(lookout const&) = delete;

  /// Behind a full fence: somebody blocks, and tasks lie in the queue. Where the system refuses the thread, the next
  /// call tries again.
  void call() noexcept {
    if (post_.is_empty()) [[unlikely]]
      fetch();
  }

  /// Before threads may work again whose pool has ended once.
  void begin_again() noexcept {
    mutex_hold const hold(threads_.mutex());
    if (!ending()) return;
    post_.stand_empty();
    ending_.store(false, std::memory_order_relaxed);  // relaxed: under the mutex of those that start it
  }

  /// When the other threads of the pool are gone. May be called again.
  void end() noexcept {
    ending_.store(true, std::memory_order_relaxed);  // relaxed: comes with the call
    {
      mutex_hold const hold(threads_.mutex());
      if (!std::exchange(started_, false)) return;
    }
    post_.call();
    thread_.join();
  }

  /// Nobody will call end(), and the pool is never destroyed: the thread ends whenever it is not needed.
  void let_go() noexcept {
    {
      mutex_hold const hold(threads_.mutex());
      let_go_.store(true, std::memory_order_relaxed);  // relaxed: comes with the call, or under the mutex
      if (!started_) return;
      thread_.detach();
    }
    post_.call();
  }

  // ---- the thread itself ----------------------------------------------------------------------------------------

  [[nodiscard]] bool ending() const noexcept { return ending_.load(std::memory_order_relaxed); }  // see end()

  template <class Nanoseconds>
  void nap(Nanoseconds limit) noexcept {
    post_.nap(limit);
  }

  /// Sleeps until it is needed, or ends. False when the thread shall end at once.
  template <class Needed>
  [[nodiscard]] bool rest(Needed needed) noexcept {
    post_.leave([&] { return ending() || is_let_go() || needed(); });
    return !ending() && !(is_let_go() && may_go(needed));
  }

 private:
  TARTAN_COLD void fetch() noexcept {
    if (threads_.left_behind()) return;
    {
      mutex_hold const hold(threads_.mutex());
      if (ending()) return;
      if (!started_) return start();
    }
    post_.call();
  }

  /// Under the mutex.
  void start() noexcept {
    pin_this_module();
    post_.man();
    started_ = thread_.start(setup_.stack_size, &pool_thread::look_out, &home_);
    if (!started_) post_.stand_empty();
    if (started_ && is_let_go()) thread_.detach();
  }

  [[nodiscard]] bool is_let_go() const noexcept { return let_go_.load(std::memory_order_relaxed); }  // see let_go()

  /// The thread goes, unless it is needed again; who needs one later starts another.
  template <class Needed>
  [[nodiscard]] bool may_go(Needed needed) noexcept {
    mutex_hold const hold(threads_.mutex());
    post_.stand_empty();
    real_atomics::full_fence();  // [O1]
    if (needed()) return post_.man(), false;
    started_ = false;
    return true;
  }

  pool& home_;
  pool_setup const& setup_;
  pool_threads& threads_;
  lookout_post<> post_;
  std::atomic<bool> ending_{false}, let_go_{false};
  bool started_ = false;  // under the mutex of the threads
  os_thread thread_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
