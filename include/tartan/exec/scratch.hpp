#pragma once
// State that outlives a piece but belongs to one piece at a time: tables, buffers, histograms.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t
#include <memory>   // make_unique, unique_ptr
#include <mutex>    // lock_guard, mutex
#include <utility>  // exchange, forward
#include <vector>   // vector

#include "tartan/core/padded.hpp"  // line_pair
#include "tartan/core/worker.hpp"  // current_worker

namespace tartan::inline TARTAN_ABI::detail {

/// Objects that are lent to the pieces of one call. A piece takes one for as long as it runs, most often the one that
/// its worker had before; if none is free, one is made. So there are as many as pieces were ever under way at once, on
/// any backend that shares memory, also where f nests calls of its own.
/// Thread safety: take() and the end of a loan, from any thread; for_each() after all pieces have ended.
template <class T>
class scratch {
 public:
  explicit scratch(std::size_t width) : lanes_(width + 1) {}

  class loan {
   public:
    loan(scratch& home, std::size_t lane, T& object) noexcept : home_(home), lane_(lane), object_(object) {}
    loan(loan const&) = delete;
    loan& operator=(loan const&) = delete;
    ~loan() { home_.put_back(lane_, object_); }
    [[nodiscard]] T& operator*() const noexcept { return object_; }
    [[nodiscard]] T* operator->() const noexcept { return &object_; }

   private:
    scratch& home_;
    std::size_t lane_;
    T& object_;
  };

  template <class... Args>
  [[nodiscard]] loan take(Args&&... args) {
    worker const* const w = current_worker();
    std::size_t const mine = (w == nullptr ? 0 : w->index) % lanes_.size();
    if (T* const t = lanes_[mine].free.exchange(nullptr, std::memory_order_acquire)) return {*this, mine, *t};  // [F]
    return {*this, mine, find_or_make(std::forward<Args>(args)...)};
  }

  template <class F>
  void for_each(F&& f) {
    for (auto& t : made_) f(*t);
  }

  [[nodiscard]] std::size_t size() const noexcept { return made_.size(); }

 private:
  struct alignas(line_pair) lane {
    std::atomic<T*> free{nullptr};  // [F] what its last user has written is visible to the next
  };

  template <class... Args>
  TARTAN_COLD T& find_or_make(Args&&... args) {
    std::lock_guard const hold(mutex_);
    if (!spare_.empty()) {
      T* const t = spare_.back();
      spare_.pop_back();
      return *t;
    }
    spare_.reserve(made_.size() + 1);  // so that put_back() never allocates
    made_.push_back(std::make_unique<T>(std::forward<Args>(args)...));
    return *made_.back();
  }

  void put_back(std::size_t mine, T& object) noexcept {
    T* none = nullptr;
    if (lanes_[mine].free.compare_exchange_strong(none, &object, std::memory_order_release,  // [F]
                                                  std::memory_order_relaxed))                // relaxed: not used
      return;
    std::lock_guard const hold(mutex_);
    spare_.push_back(&object);
  }

  std::vector<lane> lanes_;
  std::mutex mutex_;
  std::vector<T*> spare_;
  std::vector<std::unique_ptr<T>> made_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
