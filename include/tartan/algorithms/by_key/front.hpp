#pragma once
// Who continues a range where all before has been done.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Pieces of a range come in any order, on several threads; those that continue what has been done form one sequence,
/// whoever runs them, and may change what belongs to the front.
class front {
 public:
  /// Whether all before `begin` has been done, and nobody else goes on from there. Then leave() comes next.
  [[nodiscard]] bool take(std::size_t begin) noexcept {
    // acquire: with leave() [F], to see what was done. relaxed: nothing is touched.
    return at_.compare_exchange_strong(begin, taken, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void leave(std::size_t end) noexcept { at_.store(end, std::memory_order_release); }  // [F] with take()

 private:
  static constexpr std::size_t taken = ~std::size_t{0};
  std::atomic<std::size_t> at_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
