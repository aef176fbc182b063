#pragma once
// What a running call looks at between its pieces: a wish to stop, and somebody who counts.

#include <atomic>   // atomic, memory_order_*
#include <cstddef>  // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // cancelled, raise
#include "tartan/core/padded.hpp"  // line_pair

namespace tartan::inline TARTAN_ABI::detail {

/// A reference to anything that has stop_requested(), which must not throw; null asks nobody.
struct stop_query {
  void const* token = nullptr;
  bool (*asks)(void const*) = nullptr;
  [[nodiscard]] bool requested() const noexcept { return asks != nullptr && asks(token); }
  friend bool operator==(stop_query const&, stop_query const&) = default;
};

/// A reference to anything that counts finished elements; null counts for nobody.
struct piece_counter {
  void* sink = nullptr;
  void (*count)(void*, std::size_t) noexcept = nullptr;
  void finished(std::size_t elements) const noexcept {
    if (count != nullptr) count(sink, elements);
  }
  friend bool operator==(piece_counter const&, piece_counter const&) = default;
};

/// One call's view of both. Shared by all of its participants, who read it before each piece: on lines of its own.
class alignas(line_pair) run_control {
 public:
  run_control(stop_query stop, piece_counter counter) noexcept : stop_(stop), counter_(counter) {}

  /// Asked before each piece; a piece that is skipped for it makes the call end in `cancelled`.
  [[nodiscard]] bool skips() noexcept {
    if (stop_.asks == nullptr) [[likely]]
      return false;
    if (!stop_.requested()) return false;
    skipped_.store(true, std::memory_order_relaxed);  // relaxed: read after the join
    return true;
  }

  void finished(std::size_t elements) const noexcept { counter_.finished(elements); }

  /// After the join: throws `cancelled` if work was skipped.
  void conclude() const {
    if (skipped_.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: after the join
      raise<cancelled>();
  }

 private:
  stop_query stop_;
  piece_counter counter_;
  std::atomic<bool> skipped_{false};
};

}  // namespace tartan::inline TARTAN_ABI::detail
