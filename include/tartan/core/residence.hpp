#pragma once
// The caller from outside that stays counted between its calls.

#include <atomic>  // memory_order_*

#include "tartan/core/atomics.hpp"  // real_atomics

namespace tartan::inline TARTAN_ABI::detail {

/// To count a caller that comes and goes costs two locked instructions, a third of a loop of two elements. Most
/// programs call from one thread only. So the first one that keeps a slot of a pool is its resident: it stays counted
/// while it is outside, and tells nobody when it comes and goes. That it is outside matters to others as soon as there
/// is another caller, or a task that nobody waits for: then the residence ends, for good, and the count becomes true.
///
///     resident (C), at each call's begin and end     whoever ends the residence (E), under the mutex of the slots
///     C1  inside = true, or false                    E1  holder = nobody
///     C2  light fence                   [R1]         E2  heavy fence                   [R1]
///     C3  holder is me: done                         E3  inside: he stays counted; else count him out
///     C4  under the mutex: what did E3 say?
///
/// [R1] Store-load on both sides: either C3 sees E1, or E3 sees C1. Who sees E1 waits for E3 at C4. So E3 either sees
///      the last C1 before that, or it sees the one whose C4 waits; in both cases C4 knows whether it was counted out,
///      and counts itself in or out where that is wrong now.
/// [R2] A caller counts itself, then looks for a resident, whose residence it ends. Who becomes resident says so, then
///      looks for other callers. Both are seq_cst throughout: one sees the other.
///
/// Source: biased locking: K. Russell and D. Detlefs, "Eliminating synchronization-related atomic operations with
/// biased locking and bulk rebiasing", OOPSLA 2006.
template <class Atomics = real_atomics>
class residence {
 public:
  /// What a caller's slot holds of it.
  struct stay {
    typename Atomics::template atomic<bool> inside{false};  // written by the owner of the slot only
    typename Atomics::template plain<bool> held{false};     // the owner's: it was resident, and has not asked since
    typename Atomics::template plain<bool> counted{false};  // under the mutex: what E3 said
  };

  /// The owner of the slot, when a call begins or ends. True if nothing is to be counted.
  [[nodiscard]] bool comes(stay& own) noexcept { return says(own, true); }
  [[nodiscard]] bool goes(stay& own) noexcept { return says(own, false); }

  /// Whether there is a resident. Behind a seq_cst change of the callers' number ([R2]).
  [[nodiscard]] bool is_held() const noexcept {
    return holder_.load(std::memory_order_seq_cst) != nullptr;  // [R2] with begin()
  }

  /// C4, the owner, under the mutex, if it has held the residence: whether it is counted.
  [[nodiscard]] static bool ask(stay& own) noexcept {
    bool const counted = own.counted;
    own.held = false;
    own.counted = false;
    return counted;
  }

  /// The owner, in a call, counted, under the mutex: becomes resident if nobody ever was, and is_only_caller().
  template <class IsOnlyCaller>
  void begin(stay& own, IsOnlyCaller is_only_caller) noexcept {
    if (is_over_ || is_held()) return;
    own.inside.store(true, std::memory_order_relaxed);  // relaxed: carried by the mutex to E3
    holder_.store(&own, std::memory_order_seq_cst);     // [R2] with is_held()
    bool const only_caller = is_only_caller();
    own.held = only_caller;
    if (!only_caller) holder_.store(nullptr, std::memory_order_relaxed);  // relaxed: under the mutex
  }

  /// E, under the mutex. True if the resident, who was outside, is to be counted out.
  [[nodiscard]] bool end() noexcept {
    is_over_ = true;
    stay* const of = holder_.load(std::memory_order_relaxed);  // relaxed: under the mutex
    if (of == nullptr) return false;
    holder_.store(nullptr, std::memory_order_relaxed);         // E1; relaxed: ordered by the fence
    Atomics::heavy_fence(true);                                // [R1] with says()
    of->counted = of->inside.load(std::memory_order_relaxed);  // E3; relaxed: ordered by the fence
    return !static_cast<bool>(of->counted);
  }

  /// The owner, outside, under the mutex, when it gives its slot back. True if it is to be counted out.
  [[nodiscard]] bool leave_for_good(stay& own) noexcept {
    own.held = false;  // if it ended before, then while the owner was outside, or he has asked: E3 has counted him out
    return holder_.load(std::memory_order_relaxed) == &own && end();  // relaxed: under the mutex
  }

 private:
  bool says(stay& own, bool inside) noexcept {
    own.inside.store(inside, std::memory_order_relaxed);     // C1; relaxed: ordered by the fence
    Atomics::light_fence(true);                              // [R1] with end()
    return holder_.load(std::memory_order_relaxed) == &own;  // C3; relaxed: ordered by the fence
  }

  typename Atomics::template atomic<stay*> holder_{nullptr};
  bool is_over_ = false;  // under the mutex
};

}  // namespace tartan::inline TARTAN_ABI::detail
