#pragma once
// Where a worker that spins receives a job without looking for it.

#include <atomic>   // memory_order_*
#include <cstdint>  // uintptr_t

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// One cell: closed, open (its worker waits here) or a job. Handing over costs the giver one CAS on a foreign line
/// (about 70 ns) where stealing costs the thief a heavy fence (up to 7 us).
///
/// Every change is a read-modify-write of the one word, so a job is taken exactly once: by the worker (close) or by the
/// giver, which takes it back when the worker has not come to it yet (revoke).
///
/// Who opens it says for whom, by an odd number: an offer for another one fails, however often the box was opened and
/// closed meanwhile, if numbers do not repeat.
template <class T, class Atomics = real_atomics>
class mailbox {
 public:
  /// For jobs of whatever kind.
  static constexpr std::uintptr_t any = 1;

  /// Owner: from now on jobs may be handed over.
  void open(std::uintptr_t whom = any) noexcept {
    cell_.store(waiting(whom), std::memory_order_release);  // release: pairs with offer()
  }

  /// Owner, who has opened it: has something come, or come and gone again?
  [[nodiscard]] bool has_changed(std::uintptr_t whom = any) const noexcept {
    return cell_.load(std::memory_order_relaxed) != waiting(whom);  // relaxed: close() acquires
  }

  /// Owner: no more jobs; the one that had come, or null.
  [[nodiscard]] T* close() noexcept {
    T* const had = cell_.exchange(nullptr, std::memory_order_acq_rel);  // acquire: with offer()
    return (reinterpret_cast<std::uintptr_t>(had) & 1) != 0 ? nullptr : had;
  }

  /// Any thread: a hint, hence relaxed.
  [[nodiscard]] bool is_open(std::uintptr_t whom = any) const noexcept {
    return cell_.load(std::memory_order_relaxed) == waiting(whom);
  }

  /// Any thread: hands `item` to the owner if it waits.
  [[nodiscard]] bool offer(T* item, std::uintptr_t whom = any) noexcept {
    T* expected = waiting(whom);
    return cell_.compare_exchange_strong(expected, item, std::memory_order_acq_rel,
                                         std::memory_order_relaxed);  // release: with close(); failure reads nothing
  }

  /// The giver: takes `item` back; false when the owner has it. The box is closed then.
  [[nodiscard]] bool revoke(T* item) noexcept {
    if (cell_.load(std::memory_order_relaxed) != item) return false;  // relaxed: a look before the CAS
    T* expected = item;
    return cell_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel,
                                         std::memory_order_relaxed);  // the owner opens it again if it still waits
  }

 private:
  static T* waiting(std::uintptr_t whom) noexcept { return reinterpret_cast<T*>(whom); }
  typename Atomics::template atomic<T*> cell_{nullptr};
};

}  // namespace tartan::inline TARTAN_ABI::detail
