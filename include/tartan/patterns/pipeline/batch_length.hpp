#pragma once
// How many tokens of a pipeline go together.

#include <algorithm>  // min
#include <atomic>     // atomic, memory_order_relaxed
#include <cstddef>    // size_t
#include <cstdint>    // uint64_t

#include "tartan/core/ticks.hpp"              // ticks, ticks_per_us
#include "tartan/patterns/pipeline/gate.hpp"  // token_batch

namespace tartan::inline TARTAN_ABI::detail {

/// A batch shall cost some tens of microseconds: then handing it on costs little, and no token waits long for another.
/// All atomics are relaxed: a length is a wish.
class batch_length {
 public:
  /// `fixed`: the user has said how long one is.
  batch_length(bool fixed, std::size_t longest) noexcept
      : fixed_(fixed), longest_(longest), wanted_(fixed ? longest : 1) {}

  [[nodiscard]] bool fixed() const noexcept { return fixed_; }
  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }

  /// After a batch has come through.
  void adapt(token_batch const& b) noexcept {
    if (fixed_ || longest_ == 1) return;
    std::size_t const length = wanted();
    if (b.filled != length) return;
    if (b.spent < 16 * ticks_per_us() && length != longest_)
      wanted_.store((std::min)(2 * length, longest_), std::memory_order_relaxed);
    else if (b.spent > 64 * ticks_per_us())
      shorten();
  }
  void shorten() noexcept {
    std::size_t const length = wanted();
    if (!fixed_ && length != 1) wanted_.store(length / 2, std::memory_order_relaxed);
  }

  /// The time; costs nothing where adapt() has no choice.
  [[nodiscard]] std::uint64_t now() const noexcept { return longest_ == 1 ? 0 : ticks(); }

 private:
  bool const fixed_;
  std::size_t const longest_;
  std::atomic<std::size_t> wanted_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
