#pragma once
// The slots of a pool, and the threads that run on its own.

#include <atomic>  // atomic, memory_order_*

#include "tartan/core/atomics.hpp"        // real_atomics
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_COLD, TARTAN_EXCEPTIONS
#include "tartan/core/padded.hpp"         // line_pair
#include "tartan/core/plain_mutex.hpp"    // mutex_hold, plain_mutex
#include "tartan/core/pool_setup.hpp"     // pool_setup
#include "tartan/core/process_state.hpp"  // forks_now, pin_this_module
#include "tartan/core/slot_table.hpp"     // growing_slots, slot_table
#include "tartan/core/wake_places.hpp"    // wake_places
#include "tartan/core/worker.hpp"         // worker

namespace tartan::inline TARTAN_ABI::detail {

/// What a thread of a pool runs; in pool.hpp. Its address is taken where the thread is started, since that object of
/// the process is pinned then: the one that made the pool may be gone.
struct pool_thread {
  static void run(void* its_worker);
  static void look_out(void* its_pool);  // of the lookout
};

/// Who may be awake of them is for admission.hpp to say; here they are made, started and counted, under one mutex.
class pool_threads {
 public:
  /// `home` is being made: only its threads read it. `setup` is its own, and made before this.
  pool_threads(pool& home, pool_setup const& setup, wake_places& places, bool asymmetric)
      : home_(home), setup_(setup), places_(places), forks_(forks_now()), asymmetric_(asymmetric) {
    put_spare(*add_slot());
  }
  pool_threads(pool_threads const&) = delete;
  pool_threads& operator=(pool_threads const&) = delete;

  /// Of what is said to be under the mutex, here and by others.
  [[nodiscard]] plain_mutex& mutex() noexcept { return mutex_; }

  /// In a forked child the threads of the parent's pools do not exist, and one of them may have held the mutex.
  [[nodiscard]] bool left_behind() const noexcept { return forks_ != forks_now(); }

  // ---- slots ----------------------------------------------------------------------------------------------------

  [[nodiscard]] slot_table const& slots() const noexcept { return slots_.latest(); }

  /// A slot for an outside caller.
  TARTAN_COLD worker* take_spare() {
    mutex_hold const hold(mutex_);
    if (spare_ == nullptr) return add_slot();
    worker* const w = spare_;
    spare_ = w->next;
    return w;
  }

  void put_spare(worker& w) noexcept {
    if (left_behind()) return;
    mutex_hold const hold(mutex_);
    w.next = spare_;
    spare_ = &w;
  }

  // ---- threads --------------------------------------------------------------------------------------------------

  [[nodiscard]] bool started() const noexcept { return started_.load(std::memory_order_relaxed); }  // a hint
  /// Those that have not ended. A hint: see end_one().
  [[nodiscard]] unsigned count() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// Whether the system would not start the last one that was wanted. A hint.
  [[nodiscard]] bool are_refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

  /// Starts the threads that the first caller needs; where the system gives fewer, he does more. Calls after the first
  /// do nothing.
  TARTAN_COLD void start_first(unsigned n) {
    mutex_hold const hold(mutex_);
    if (started()) return;
    start_up_to(n);
    note_started();
  }

  /// Under the mutex: the first ones need not be started any more.
  void note_started() noexcept { started_.store(true, std::memory_order_relaxed); }  // relaxed: nothing is read for it

  /// Under the mutex: starts threads until there are n, or the system refuses, be it the thread or the memory.
  void start_up_to(unsigned n) noexcept {
    pin_this_module();
    while (count() < n && start()) {
    }
  }

  /// A thread ends if nothing_left() says so once it is not counted any more: who leaves work behind and then finds
  /// too few threads starts another one.
  template <class NothingLeft>
  [[nodiscard]] bool end_one(NothingLeft nothing_left) noexcept {
    if (left_behind()) return true;
    mutex_hold const hold(mutex_);
    count_.store(count() - 1, std::memory_order_relaxed);  // relaxed: before the fence
    real_atomics::full_fence();                            // with pool::enqueue()
    if (nothing_left()) return true;
    count_.store(count() + 1, std::memory_order_relaxed);  // relaxed: under the mutex
    return false;
  }

  /// Whether some have been started and not joined.
  [[nodiscard]] bool any() noexcept {
    mutex_hold const hold(mutex_);
    return any_here();
  }
  /// The same under the mutex.
  [[nodiscard]] bool any_here() const noexcept { return last_ != nullptr; }

  /// Under the mutex: those that have ended, linked by `next`, for one who starts others again and again while a task
  /// keeps the pool from its end. join_all() frees their stacks, and is called without the mutex: destructors of
  /// thread-local objects may want it.
  [[nodiscard]] TARTAN_COLD worker* take_ended() noexcept {
    worker* ended = nullptr;
    for (worker** link = &last_; *link != nullptr;) {
      worker* const w = *link;
      if (w->ended_at.load(std::memory_order_relaxed) == 0) {  // relaxed: the join brings the rest
        link = &w->next;
      } else {
        *link = w->next;
        w->next = ended;
        ended = w;
      }
    }
    return ended;
  }
  static void join_all(worker* ended) noexcept {
    for (; ended != nullptr; ended = ended->next) ended->thread.join();
  }

  /// One to be joined, which may run still, or null when there is none left. A task may let further ones in meanwhile.
  [[nodiscard]] worker* take() {
    mutex_hold const hold(mutex_);
    worker* const w = last_;
    if (w == nullptr) return nullptr;
    last_ = w->next;
    return w;
  }

  /// Nobody will join: those that run, and those that start later, leave nothing behind when they end.
  void let_go() noexcept {
    mutex_hold const hold(mutex_);
    let_go_ = true;
    for (; last_ != nullptr; last_ = last_->next) last_->thread.detach();
  }

 private:
  // All of this under the mutex.

  worker* add_slot() { return slots_.add(home_, setup_.size == 1, asymmetric_); }

  bool start() noexcept {
    bool started = false;
#if TARTAN_EXCEPTIONS
    try {
      started = try_start();
    } catch (...) {  // memory for a slot is short
    }
#else
    started = try_start();
#endif
    refused_.store(!started, std::memory_order_relaxed);  // relaxed: a hint
    return started;
  }

  bool try_start() {
    if (unstarted_ == nullptr) unstarted_ = add_slot();
    worker* const w = unstarted_;
    w->rank = count();
    places_.about_to_start();
    if (!w->thread.start(setup_.stack_size, &pool_thread::run, w)) return false;
    places_.started();
    unstarted_ = nullptr;
    if (let_go_) {
      w->thread.detach();
    } else {
      w->next = last_;
      last_ = w;
    }
    count_.store(count() + 1, std::memory_order_relaxed);  // relaxed: a hint
    return true;
  }

  pool& home_;
  pool_setup const& setup_;
  wake_places& places_;
  unsigned const forks_;
  bool const asymmetric_;
  std::atomic<bool> started_{false};
  std::atomic<bool> refused_{false};
  std::atomic<unsigned> count_{0};  // written under the mutex
  growing_slots slots_;

  alignas(line_pair) plain_mutex mutex_;  // of what follows
  worker* spare_ = nullptr;               // slots for outside callers
  worker* unstarted_ = nullptr;           // the slot of a thread that could not be started
  worker* last_ = nullptr;                // the last one that was started, not yet joined
  bool let_go_ = false;                   // nobody joins them
};

}  // namespace tartan::inline TARTAN_ABI::detail
