#pragma once
// Where work enters a pool that no frame waits for: submissions, group tasks, work from outside threads.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <memory>   // make_unique, unique_ptr

#include "tartan/core/atomics.hpp"  // cpu_pause
#include "tartan/core/padded.hpp"   // line_pair

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
struct queued_task {
  /// Never throws. The worker is the one that the calling thread is; null outside every pool.
  using entry = void (*)(queued_task*, worker*, task_order);
  explicit queued_task(entry how) noexcept : obey(how) {}
  entry obey;
  queued_task* next = nullptr;
};

/// First in, first out in each shard; a shard is a list under a try-lock of its own, so that nobody ever waits for a
/// lock holder that was descheduled: both sides go on to the next shard.
class task_queue {
 public:
  explicit task_queue(std::size_t shards) : count_(shards), shards_(std::make_unique<shard[]>(shards)) {}

  /// Any thread. `hint` picks the first shard tried: a thread that keeps its hint keeps its order. False after close():
  /// the caller keeps the task.
  [[nodiscard]] bool push(queued_task* task, std::size_t hint) noexcept {
    task->next = nullptr;
    for (std::size_t i = hint % count_, tries = 0;; i = (i + 1 == count_ ? 0 : i + 1), ++tries) {
      shard& s = shards_[i];
      if (!s.try_lock()) {
        if (tries % count_ == count_ - 1) cpu_pause();
        continue;
      }
      bool const open = !s.closed;
      if (open) {
        (s.last == nullptr ? s.first : s.last->next) = task;
        s.last = task;
        s.size.store(s.size.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // relaxed: under the lock
      }
      s.unlock();
      return open;
    }
  }

  /// Any thread. When it returns, every push has either succeeded or will fail: the flags lie under the shards' locks.
  void close() noexcept {
    for (std::size_t i = 0; i != count_; ++i) {
      while (!shards_[i].try_lock()) cpu_pause();
      shards_[i].closed = true;
      shards_[i].unlock();
    }
  }

  /// Any thread. Null when every shard is empty or held; `seems_empty` tells which.
  [[nodiscard]] queued_task* pop(std::size_t hint) noexcept {
    for (std::size_t i = hint % count_, tries = 0; tries != count_; i = (i + 1 == count_ ? 0 : i + 1), ++tries) {
      shard& s = shards_[i];
      if (s.size.load(std::memory_order_relaxed) == 0 || !s.try_lock()) continue;  // relaxed: a look before the lock
      queued_task* const task = s.first;
      if (task != nullptr) {
        s.first = task->next;
        if (s.first == nullptr) s.last = nullptr;
        s.size.store(s.size.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);  // relaxed: under the lock
      }
      s.unlock();
      if (task != nullptr) return task;
    }
    return nullptr;
  }

  [[nodiscard]] bool seems_empty() const noexcept {
    for (std::size_t i = 0; i != count_; ++i)
      if (shards_[i].size.load(std::memory_order_acquire) != 0) return false;  // acquire: no later look moves up
    return true;
  }

 private:
  struct alignas(line_pair) shard {
    bool try_lock() noexcept {
      return !held.load(std::memory_order_relaxed) &&          // relaxed: a look before the exchange
             !held.exchange(true, std::memory_order_acquire);  // with unlock()
    }
    void unlock() noexcept { held.store(false, std::memory_order_release); }  // with try_lock()
    std::atomic<bool> held{false};
    std::atomic<std::size_t> size{0};
    queued_task* first = nullptr;
    queued_task* last = nullptr;
    bool closed = false;
  };
  std::size_t const count_;
  std::unique_ptr<shard[]> const shards_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
