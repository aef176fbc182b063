#pragma once
// Where a worker that spins receives a job without looking for it.

#include <atomic>  // memory_order_*

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// One cell: closed, open (its worker waits here) or a job. Handing over costs the giver one CAS on a foreign line
/// (about 70 ns) where stealing costs the thief a heavy fence (up to 7 us).
///
/// Every change is a read-modify-write of the one word, so a job is taken exactly once: by the worker (close) or by the
/// giver, which takes it back when the worker has not come to it yet (revoke).
template <class T, class Atomics = real_atomics>
class mailbox {
 public:
  /// Owner: from now on jobs may be handed over.
  void open() noexcept { cell_.store(waiting(), std::memory_order_release); }  // release: pairs with offer()

  /// Owner, while open: has something come?
  [[nodiscard]] bool holds_job() const noexcept {
    return cell_.load(std::memory_order_relaxed) != waiting();  // relaxed: close() acquires
  }

  /// Owner: no more jobs; the one that had come, or null.
  [[nodiscard]] T* close() noexcept {
    T* const had = cell_.exchange(nullptr, std::memory_order_acq_rel);  // acquire: with offer()
    return had == waiting() ? nullptr : had;
  }

  /// Any thread: a hint.
  [[nodiscard]] bool is_open() const noexcept { return cell_.load(std::memory_order_relaxed) == waiting(); }

  /// Any thread: hands `item` to the owner if it waits.
  [[nodiscard]] bool offer(T* item) noexcept {
    if (cell_.load(std::memory_order_relaxed) != waiting()) return false;  // relaxed: a look before the CAS
    T* expected = waiting();
    return cell_.compare_exchange_strong(expected, item, std::memory_order_acq_rel,
                                         std::memory_order_relaxed);  // release: with close(); failure reads nothing
  }

  /// The giver: takes `item` back; false when the owner has it.
  [[nodiscard]] bool revoke(T* item) noexcept {
    if (cell_.load(std::memory_order_relaxed) != item) return false;  // relaxed: a look before the CAS
    T* expected = item;
    return cell_.compare_exchange_strong(expected, waiting(), std::memory_order_acq_rel,
                                         std::memory_order_relaxed);  // the owner goes on waiting
  }

 private:
  static T* waiting() noexcept { return reinterpret_cast<T*>(1); }
  typename Atomics::template atomic<T*> cell_{nullptr};
};

}  // namespace tartan::inline TARTAN_ABI::detail
