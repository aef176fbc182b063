#pragma once
// When a source that may keep its caller waiting can be asked for several tokens in a row.

#include <atomic>  // memory_order_*

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// A source cannot be asked whether its next token is there already. So who has the source goes on asking only while
/// another worker watches, who takes over what was made when the source turns out to be slow.
///
///     who has the source (S)                      who watches (W)
///     S1  eager = true               [W1]         W1  --watchers                     [W1]
///     S2  watchers < 2 ? one token                W2  eager ? ++watchers, go on watching
///     S3  ++made                     [W2]         W3  eager = false                  [W2]
///     S4  eager ? ask for the next                W4  made > cut ? take it over
///     S5  eager = false                           W5  nothing: sleep
///
/// [W1] Store-load on both sides, all seq_cst: S2 sees that W has gone, or W2 sees that it must not go.
/// [W2] Light fence between S3 and S4, heavy fence between W3 and W4: S4 sees that it shall stop, or W4 sees what S3
///      has made. So when W sleeps after W4, no token waits for S's next one.
/// Checked by tests/model/source_watch_test.cpp.
template <class Atomics>
class source_watch {
  template <class T>
  using atomic = typename Atomics::template atomic<T>;

 public:
  explicit source_watch(bool asymmetric) noexcept : asymmetric_(asymmetric) {}

  // ---- for who has the source -----------------------------------------------------------------------------------

  /// Whether it may ask for more than one.
  [[nodiscard]] bool begin() noexcept {
    eager_.store(true, std::memory_order_seq_cst);                    // [W1]
    if (watchers_.load(std::memory_order_seq_cst) >= 2) return true;  // [W1]
    end();
    return false;
  }
  /// Whether it may ask for the next one. After what it has made is to be seen.
  [[nodiscard]] bool more() const noexcept {
    Atomics::light_fence(asymmetric_);              // [W2]
    return eager_.load(std::memory_order_relaxed);  // relaxed: behind the fence
  }
  void end() noexcept { eager_.store(false, std::memory_order_relaxed); }  // relaxed: read late, W watches for nothing

  // ---- for all workers ------------------------------------------------------------------------------------------

  void come() noexcept { watchers_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: read late, S asks for less
  void go() noexcept { watchers_.fetch_sub(1, std::memory_order_relaxed); }    // relaxed: all is over

  /// Whether this worker may sleep without a limit, unless there is something to take over; come() then.
  [[nodiscard]] bool stop_watching() noexcept {
    watchers_.fetch_sub(1, std::memory_order_seq_cst);         // [W1]
    if (!eager_.load(std::memory_order_seq_cst)) return true;  // [W1]
    come();
    return false;
  }
  /// The source is slow: nobody asks for more than has been made, or is being made.
  void stop_asking() noexcept {
    eager_.store(false, std::memory_order_relaxed);  // relaxed: before the fence
    Atomics::heavy_fence(asymmetric_);               // [W2]
  }
  /// A look, hence relaxed.
  [[nodiscard]] bool eager() const noexcept { return eager_.load(std::memory_order_relaxed); }

 private:
  bool const asymmetric_;
  atomic<bool> eager_{false};
  atomic<unsigned> watchers_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
