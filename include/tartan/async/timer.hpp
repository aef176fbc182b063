#pragma once
// The one thread of the process that waits for points in time.

#include <pthread.h>  // pthread_self, pthread_setname_np

#include <atomic>   // atomic, memory_order_*
#include <chrono>   // nanoseconds, steady_clock
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t
#include <utility>  // swap
#include <vector>   // vector

#include "tartan/core/atomics.hpp"        // cpu_pause, real_atomics
#include "tartan/core/errors.hpp"         // error, raise
#include "tartan/core/loaded_object.hpp"  // pin_this_module
#include "tartan/core/os_thread.hpp"      // block_asynchronous_signals, os_thread
#include "tartan/core/plain_mutex.hpp"    // mutex_hold, plain_mutex
#include "tartan/core/pool_table.hpp"     // living_process_object
#include "tartan/core/process_state.hpp"  // forks_now, slot_id

namespace tartan::inline TARTAN_ABI::detail {

/// Something to be called at its time. Lies with whoever waits for it.
struct timer_entry {
  using clock = std::chrono::steady_clock;
  explicit timer_entry(void (*how)(timer_entry*) noexcept) noexcept : due(how) {}
  timer_entry(timer_entry const&) = delete;
  timer_entry& operator=(timer_entry const&) = delete;
  void (*const due)(timer_entry*) noexcept;  // short; runs nothing that a user wrote
  clock::time_point when{};
  std::size_t place = nowhere;  // in the heap; under the lock
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
};

/// Its thread starts with the first entry and sleeps until the next one is due. It never ends by itself and nobody
/// waits for it: it ends with the process, and neither the object nor what it calls is ever destroyed before that.
///
/// [M1] An entry is taken out of the heap before it is called, and is not touched afterwards.
/// [M2] remove() returns when the entry is neither in the heap nor being called by the timer's thread; on that thread
///      it returns at once.
/// [M3] The bell changes under the lock whenever an earlier entry comes: the thread reads it under the lock before it
///      sleeps on that value, so it either sees the entry or does not sleep.
class timer {
 public:
  static timer& instance() {
    return living_process_object<timer>(slot_id::timer, [] { return new timer; });
  }

  timer() = default;
  timer(timer const&) = delete;
  timer& operator=(timer const&) = delete;

  /// In a forked child the parent's thread does not exist.
  [[nodiscard]] bool left_behind() const noexcept { return forks_ != forks_now(); }

  /// Exceptions: error if the thread cannot be started; std::bad_alloc.
  void add(timer_entry& e) {
    mutex_hold const hold(mutex_);
    if (!started_) start();
    heap_.push_back(&e);
    e.place = heap_.size() - 1;
    rise(e.place);
    if (e.place != 0) return;
    bell_.store(bell_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // relaxed: [M3], and the mutex
    real_atomics::wake(bell_);
  }

  void remove(timer_entry& e) noexcept {  // [M2]
    mutex_.lock();
    if (e.place != timer_entry::nowhere) take_out(e);
    while (called_ == &e && !thread_.is_this_thread()) {
      mutex_.unlock();
      cpu_pause();  // calls are short
      mutex_.lock();
    }
    mutex_.unlock();
  }

 private:
  void start() {
    pin_this_module();
    if (!thread_.start(0, [](void* self) { static_cast<timer*>(self)->run(); }, this))
      raise<error>("tartan: the system refuses to start the timer's thread; raise the limit on processes (ulimit -u)");
    started_ = true;
  }

  [[noreturn]] void run() noexcept {
    block_asynchronous_signals();
    ::pthread_setname_np(::pthread_self(), "tartan/timer");
    mutex_.lock();
    for (;;) {
      std::chrono::nanoseconds limit{-1};  // for ever
      if (!heap_.empty()) {
        auto const now = timer_entry::clock::now();
        if (heap_.front()->when <= now) {
          call_first();
          continue;
        }
        limit = heap_.front()->when - now;
      }
      std::uint32_t const bell = bell_.load(std::memory_order_relaxed);  // relaxed: [M3]
      mutex_.unlock();
      real_atomics::wait(bell_, bell, limit);
      mutex_.lock();
    }
  }

  void call_first() noexcept {
    timer_entry* const e = heap_.front();
    take_out(*e);
    called_ = e;
    mutex_.unlock();
    e->due(e);  // [M1]
    mutex_.lock();
    called_ = nullptr;
  }

  // ---- a binary heap of the entries, the earliest at 0 ----------------------------------------------------------

  void take_out(timer_entry& e) noexcept {
    std::size_t const hole = std::exchange(e.place, timer_entry::nowhere);
    timer_entry* const last = heap_.back();
    heap_.pop_back();
    if (last == &e) return;
    heap_[hole] = last;
    last->place = hole;
    rise(hole);
    sink(last->place);
  }

  [[nodiscard]] bool earlier(std::size_t a, std::size_t b) const noexcept { return heap_[a]->when < heap_[b]->when; }

  void exchange_places(std::size_t a, std::size_t b) noexcept {
    std::swap(heap_[a], heap_[b]);
    heap_[a]->place = a;
    heap_[b]->place = b;
  }

  void rise(std::size_t i) noexcept {
    for (; i != 0 && earlier(i, (i - 1) / 2); i = (i - 1) / 2) exchange_places(i, (i - 1) / 2);
  }

  void sink(std::size_t i) noexcept {
    for (;;) {
      std::size_t const left = 2 * i + 1, right = left + 1;
      std::size_t first = i;
      if (left < heap_.size() && earlier(left, first)) first = left;
      if (right < heap_.size() && earlier(right, first)) first = right;
      if (first == i) return;
      exchange_places(i, first);
      i = first;
    }
  }

  unsigned const forks_ = forks_now();
  plain_mutex mutex_;
  std::vector<timer_entry*> heap_;  // this and the rest under the mutex
  timer_entry* called_ = nullptr;
  bool started_ = false;
  os_thread thread_;
  std::atomic<std::uint32_t> bell_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
