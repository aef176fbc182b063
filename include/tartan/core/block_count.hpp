#pragma once
// The count by which a block of memory knows that nothing of it is in use.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint32_t

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// One thread, the maker, cuts pieces from the block, and keeps their number to itself; any thread brings pieces back.
///
/// [B1] The count is `unfinished` at first, less what is back. The maker, when it leaves the block, takes away that
///      number too, but for the pieces that it has cut: so the count is zero exactly when the maker has left and all
///      are back. One read-modify-write makes it zero, so one thread learns of it.
/// [B2] Each subtraction releases and acquires: whoever makes it zero comes after every last use of a piece.
template <class Atomics = real_atomics>
class block_count {
 public:
  /// Any thread. True: it was the last one, and the block is the caller's to free.
  [[nodiscard]] bool back(std::uint32_t pieces) noexcept {
    return count_.fetch_sub(pieces, std::memory_order_acq_rel) == pieces;  // [B2] with itself on other threads
  }

  /// The maker, when it will cut no more; as back().
  [[nodiscard]] bool leave(std::uint32_t cut) noexcept { return back(unfinished - cut); }

  /// The maker. True: all that were cut are back, nobody else knows of the block, and it starts again.
  [[nodiscard]] bool restart(std::uint32_t cut) noexcept {
    if (count_.load(std::memory_order_acquire) != unfinished - cut) return false;  // [B2] with back()
    count_.store(unfinished, std::memory_order_relaxed);                           // relaxed: nobody else looks
    return true;
  }

 private:
  static constexpr std::uint32_t unfinished = 1U << 30;
  typename Atomics::template atomic<std::uint32_t> count_{unfinished};
};

}  // namespace tartan::inline TARTAN_ABI::detail
