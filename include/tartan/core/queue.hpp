#pragma once
// Where work enters a pool that no frame waits for: submissions, group tasks, work from outside threads.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t

#include "tartan/core/atomics.hpp"        // cpu_pause, real_atomics
#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/core/os_thread.hpp"      // yield_processor
#include "tartan/core/owned_array.hpp"    // owned_array
#include "tartan/core/padded.hpp"         // line_pair
#include "tartan/core/process_state.hpp"  // pin_this_module
#include "tartan/core/task_memory.hpp"    // in_task_memory

namespace tartan::inline TARTAN_ABI::detail {

struct worker;

/// What others ask of a queued task.
enum class task_order : unsigned char {
  run,      ///< A queue has come to you: run unless somebody has begun you already. The queue's share in you ends.
  drop,     ///< A queue gives you up: you will never be run from there. Its share in you ends.
  perform,  ///< You have been begun by the caller: run.
  cancel,   ///< You have been begun by the caller, who wants you to end without running.
  stop,     ///< You run, and somebody would like you to stop.
  destroy,  ///< Nobody refers to you any longer.
};

/// A task that outlives the frame that made it; whoever makes it decides in `run` how it dies.
struct queued_task : in_task_memory {
  /// Never throws. The worker is the one that the calling thread is; null outside every pool.
  using entry = void (*)(queued_task*, worker*, task_order);
  TARTAN_ALWAYS_INLINE explicit queued_task(entry how) noexcept : obey(how) {
    pin_this_module();  // whoever waits for the task goes on before its code has come to its end
  }
  entry obey;
  real_atomics::plain<queued_task*> next = nullptr;
};

/// Where a thread puts its tasks: workers into a list of their own, other threads into one of some inlets.
struct queue_place {
  std::size_t number;
  bool inlet;
};

/// First in, first out in each list; a list is under a try-lock of its own, so that nobody waits for a lock holder that
/// was descheduled: both sides go on to the next list.
///
/// A worker whose own list is empty takes all that an inlet has into its own list, in one step, so that producers and
/// consumers meet once for many tasks; what it has not begun is there for the others to take.
///
/// Tasks that add tasks may keep a worker's list from ever being empty. So after some hundred of its tasks the worker
/// looks at the inlets, too, and at one other list.
///
/// [Q1] Whoever moves tasks holds both locks, and stores the size of the list that gains before the size of the list
///      that loses (release). seems_empty() reads the inlets before the workers' lists (acquire): if it sees the loss,
///      it sees the gain. So a task in the queue is never overlooked by a worker that goes to sleep.
/// [Q2] With one worker, what one thread puts into its inlet leaves the queue in that order: the thread waits for the
///      lock of that inlet; and what an inlet has comes behind what the worker's list has, which gains under the
///      inlet's lock.
class task_queue {
 public:
  task_queue(std::size_t workers, std::size_t inlets)
      : workers_(workers), inlets_(inlets), all_(workers + inlets), lists_(all_.get()) {}

  /// Any thread. False after close(), unless `even_if_closed`: the caller keeps the task.
  [[nodiscard]] bool push(queued_task* task, queue_place place, bool even_if_closed = false) noexcept {
    task->next = nullptr;
    std::size_t const first = place.inlet ? workers_ : 0, count = place.inlet ? inlets_ : workers_;
    std::size_t const others = workers_ == 1 ? 1 : count;  // [Q2]
    for (std::size_t i = place.number % count, tries = 1;; i = (others == 1 ? i : (i + 1) % count), ++tries) {
      list& l = lists_[first + i];
      if (!l.try_lock()) {
        if (tries % others == 0) tries % 64 == 0 ? yield_processor() : cpu_pause();
        continue;
      }
      bool const open = !l.closed || even_if_closed;
      if (open) {
        (l.last == nullptr ? l.first : l.last->next) = task;
        l.last = task;
        l.resize(l.length() + 1);
      }
      l.unlock();
      return open;
    }
  }

  /// Any thread. When it returns, every push has either succeeded or will fail: the flags lie under the lists' locks.
  void close() noexcept {
    for (std::size_t i = 0; i != workers_ + inlets_; ++i) {
      while (!lists_[i].try_lock()) cpu_pause();
      lists_[i].closed = true;
      lists_[i].unlock();
    }
  }

  /// Any thread. Null when every list is empty or held; seems_empty() tells which.
  [[nodiscard]] queued_task* pop(std::size_t worker_index) noexcept {
    list& own = lists_[worker_index % workers_];
    if (queued_task* const task = own.gives_way() ? take_in_turn(own) : take_one(own)) return task;
    for (std::size_t i = worker_index, tries = 0; tries != inlets_; ++i, ++tries)
      if (queued_task* const task = take_all(lists_[workers_ + i % inlets_], own)) return task;
    for (std::size_t i = worker_index + 1, tries = 1; tries < workers_; ++i, ++tries)
      if (queued_task* const task = take_one(lists_[i % workers_])) return task;
    return nullptr;
  }

  [[nodiscard]] bool seems_empty() const noexcept {
    for (std::size_t i = workers_ + inlets_; i-- != 0;)                       // [Q1] the inlets first
      if (lists_[i].size.load(std::memory_order_acquire) != 0) return false;  // acquire: [Q1]; no later look moves up
    return true;
  }

 private:
  struct alignas(line_pair) list {
    bool try_lock() noexcept {
      return !held.load(std::memory_order_relaxed) &&          // relaxed: a look before the exchange
             !held.exchange(true, std::memory_order_acquire);  // with unlock()
    }
    void unlock() noexcept { held.store(false, std::memory_order_release); }  // with try_lock()
    [[nodiscard]] std::size_t length() const noexcept {
      return size.load(std::memory_order_relaxed);  // relaxed: under the lock
    }
    void resize(std::size_t n) noexcept { size.store(n, std::memory_order_release); }  // [Q1] with seems_empty()
    /// True once in a while, if it is not empty.
    [[nodiscard]] bool gives_way() noexcept {
      if (length() == 0) return false;
      std::size_t const now = asked.load(std::memory_order_relaxed) + 1;  // relaxed, both: nobody needs it exact
      asked.store(now, std::memory_order_relaxed);
      return now % a_turn == 0;
    }
    static constexpr std::size_t a_turn = 256;  // each costs some cache lines that producers write
    std::atomic<bool> held{false};
    bool closed = false;  // this and the rest under the lock
    std::atomic<std::size_t> size{0};
    std::atomic<std::size_t> asked{0};  // how often its worker has found it with tasks
    real_atomics::plain<queued_task*> first = nullptr;
    queued_task* last = nullptr;
  };

  static queued_task* take_first(list& l) noexcept {
    queued_task* const task = l.first;
    if (task == nullptr) return nullptr;
    l.first = task->next;
    if (l.first == nullptr) l.last = nullptr;
    l.resize(l.length() - 1);
    return task;
  }

  static queued_task* take_one(list& l) noexcept {
    if (l.length() == 0 || !l.try_lock()) return nullptr;
    queued_task* const task = take_first(l);
    l.unlock();
    return task;
  }

  queued_task* take_all(list& from, list& own) noexcept {
    if (from.length() == 0 || !from.try_lock()) return nullptr;
    bool const own_first = workers_ == 1 && own.length() != 0;  // [Q2] another thread has moved some
    queued_task* const task = own_first ? nullptr : take_first(from);
    move_all(from, own);
    from.unlock();
    return own_first ? take_one(own) : task;
  }

  /// With the lock of `from`: behind what `own` has, if nobody holds that.
  static void move_all(list& from, list& own) noexcept {
    if (from.first == nullptr || !own.try_lock()) return;
    (own.last == nullptr ? own.first : own.last->next) = from.first;
    own.last = from.last;
    own.resize(own.length() + from.length());  // [Q1]: the gain before the loss
    from.first = from.last = nullptr;
    from.resize(0);
    own.unlock();
  }

  /// What the inlets have goes behind what the worker's list has: those who put it there keep their order.
  queued_task* take_in_turn(list& own) noexcept {
    for (std::size_t i = workers_; i != workers_ + inlets_; ++i) {
      list& inlet = lists_[i];
      if (inlet.length() == 0 || !inlet.try_lock()) continue;
      move_all(inlet, own);
      inlet.unlock();
    }
    std::size_t const turn = own.asked.load(std::memory_order_relaxed) / list::a_turn;  // relaxed: see gives_way()
    queued_task* const task = take_one(lists_[turn % workers_]);
    return task != nullptr ? task : take_one(own);
  }

  std::size_t const workers_;
  std::size_t const inlets_;
  owned_array<list> const all_;
  list* const lists_;  // the workers' ones, then the inlets
};

}  // namespace tartan::inline TARTAN_ABI::detail
