#pragma once
// Where a job lies that left its deque for somebody who had gone.

#include <atomic>  // memory_order_*

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// One place beside a worker's deque. A job that is to go from hand to hand leaves the deque first, and cannot go back:
/// the top of a deque must never sink, for thieves compare it ([E1] of deque.hpp). If nobody takes it after all, it
/// lies here, where those who look for anything to do find it. Its forker takes it back when it comes to join it.
///
/// [A1] Every taking is a CAS of the one word from the job to null, and only the owner puts: so a job is taken once. A
///      thief whose CAS succeeds after the place was emptied and filled again, with a job at the same address, has that
///      one: no harm to those who may run anything. Who waits for something may not, and never looks here.
/// [A2] put() is a release and what takes acquires: the job behind the pointer is visible.
template <class T, class Atomics = real_atomics>
class put_aside {
 public:
  /// Owner only, when nothing lies here.
  void put(T* item) noexcept { place_.store(item, std::memory_order_release); }  // [A2] with take()

  /// Owner only: whether `item` lay here still.
  [[nodiscard]] bool take_back(T* item) noexcept {
    T* expected = item;  // relaxed, both: what is behind the pointer is the owner's own
    return place_.compare_exchange_strong(expected, nullptr, std::memory_order_relaxed, std::memory_order_relaxed);
  }

  /// Any other thread. Takes what lies here if `still_wanted()`, asked after it was seen, agrees; or null.
  template <class StillWanted>
  [[nodiscard]] T* take(StillWanted still_wanted) noexcept {
    T* item = place_.load(std::memory_order_acquire);  // [A2] with put(), for what is asked
    if (item == nullptr || !still_wanted()) return nullptr;
    return place_.compare_exchange_strong(item, nullptr, std::memory_order_acquire,  // [A2] with put()
                                          std::memory_order_relaxed)
               ? item
               : nullptr;
  }

  /// Any thread: a hint, hence relaxed. For the owner, what is empty stays so until it puts something here.
  [[nodiscard]] bool seems_empty() const noexcept { return place_.load(std::memory_order_relaxed) == nullptr; }

 private:
  typename Atomics::template atomic<T*> place_{nullptr};
};

}  // namespace tartan::inline TARTAN_ABI::detail
