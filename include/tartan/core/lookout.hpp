#pragma once
// The thread of a pool that runs no tasks, but looks after those that wait.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
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

/// Where the lookout sleeps while nobody needs it.
///
///     one who blocks (B)                         the lookout (L)
///     B1  count himself as blocked               L1  say: nobody looks
///     B2  seq_cst, as B1 and L1                  L2  a full fence                [O1]
///     B3  nobody looks? call                     L3  does anybody block? go on; else sleep until called
///
/// [O1] Store-load on both sides: either L3 sees B1, or B3 sees L1.
template <class Atomics = real_atomics>
class lookout_post {
 public:
  /// B3, behind a seq_cst change of the numbers (B1).
  [[nodiscard]] bool is_empty() const noexcept { return !looks_.load(std::memory_order_seq_cst); }  // [O1] with leave()
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

/// Starts when first needed, sleeps when nobody blocks, and ends with the pool.
class lookout {
 public:
  lookout(pool& home, pool_setup const& setup, pool_threads& threads) noexcept
      : home_(home), setup_(setup), threads_(threads) {}
  lookout(lookout const&) = delete;
  lookout& operator=(lookout const&) = delete;

  /// Somebody who is counted as blocked by now wants the lookout. Where the system refuses its thread, the next one
  /// tries again.
  void call() noexcept {
    if (post_.is_empty()) [[unlikely]]
      fetch();
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

  // ---- the thread itself ----------------------------------------------------------------------------------------

  [[nodiscard]] bool ending() const noexcept { return ending_.load(std::memory_order_relaxed); }  // see end()
  [[nodiscard]] lookout_post<>& post() noexcept { return post_; }

 private:
  static constexpr std::size_t little = std::size_t{128} << 10;  // bytes of stack: it formats a path and reads a line

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
    started_ = thread_.start(little, &pool_thread::look_out, &home_) ||
               thread_.start(setup_.stack_size, &pool_thread::look_out, &home_);  // much is thread_local
    if (!started_) post_.stand_empty();
  }

  pool& home_;
  pool_setup const& setup_;
  pool_threads& threads_;
  lookout_post<> post_;
  std::atomic<bool> ending_{false};
  bool started_ = false;  // under the mutex of the threads
  os_thread thread_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
