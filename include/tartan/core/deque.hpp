#pragma once
// The work-stealing deque of one worker.

#include <atomic>   // memory_order_*
#include <cstddef>  // size_t
#include <cstdint>  // int64_t

#include "tartan/core/atomics.hpp"      // real_atomics
#include "tartan/core/owned_array.hpp"  // owned_array
#include "tartan/core/padded.hpp"       // line_pair
#include "tartan/core/put_aside.hpp"    // put_aside
#include "tartan/core/smaller.hpp"      // larger
#include "tartan/core/tuning.hpp"       // first_ring

namespace tartan::inline TARTAN_ABI::detail {

/// Chase-Lev deque of pointers that grows without bound.
///
/// The owner pushes and takes back at the bottom, in strict nesting: what it takes back is what it pushed last, so
/// take_back() answers only "is it still mine". Thieves take the oldest entry at the top. Growth keeps the old rings
/// until the deque dies, because a thief may still read one.
///
///     owner, take_back()                         thief, steal()
///     O1  bottom = b - 1                         T1  t = top                       [acquire]
///     O2  light fence              [E1]          T2  heavy fence                   [E1]
///     O3  t = top                                T3  b = bottom                    [acquire, E2]
///     O4  t < b - 1: keep it, no CAS             T4  t >= b: nothing to take
///     O5  t == b - 1: CAS top, t -> t + 1        T5  read the slot, CAS top, t -> t + 1
///
/// [E1] Store-load on both sides: either O3 sees the top that made T1's value possible, or T3 sees O1's bottom. So
///      owner and thief never both take one entry without meeting in the CAS of O5 and T5.
/// [E2] push() stores bottom with release after the slot and the job behind it were written; every later store to
///      bottom is a release too, so that whichever value T3 reads, the entries below it are visible.
/// [E3] An entry at index i leaves the deque only when top moves past i or the owner takes it as a non-top entry.
///      Therefore: if a thief saw an entry at top, and its CAS on top succeeds, that entry was in the deque the whole
///      time between. Leapfrogging (core/join.hpp) rests on this.
/// [E4] Entries are joined in the reverse order of their pushes. So when the owner comes to join the one at place p,
/// all
///      newer ones are joined, and bottom is p + 1 if this one is still here. If it was stolen, all older ones were
///      before it, and bottom is where top is, at p + 1 or beyond (top moved on if other work ran here meanwhile). O1
///      may then set bottom below top for a moment, when there is nothing to steal; reclaim_last() sets it to top
///      again, for an entry that is pushed below top would be seen by nobody.
///
/// Source: D. Chase and Y. Lev, "Dynamic circular work-stealing deque", SPAA 2005; orderings after N. M. Le et al.,
/// "Correct and efficient work-stealing for weak memory models", PPoPP 2013; asymmetric fence as in core/atomics.hpp.
template <class T, class Atomics = real_atomics>
class deque {
 public:
  explicit deque(bool asymmetric, std::size_t capacity = first_ring) : asymmetric_(asymmetric) {
    adopt(new ring(capacity, nullptr));
  }
  deque(deque const&) = delete;
  deque& operator=(deque const&) = delete;
  ~deque() {
    for (ring* r = ring_.load(std::memory_order_relaxed); r != nullptr;) {  // relaxed: nobody else is left
      ring* const older = r->older;
      delete r;
      r = older;
    }
  }

  [[nodiscard]] TARTAN_ALWAYS_INLINE bool asymmetric() const noexcept { return asymmetric_; }

  /// Owner only. Amortised O(1); allocates only when the deque outgrows its ring.
  TARTAN_ALWAYS_INLINE void push(T* item) { put(reserve(), item); }

  /// Owner only. push() in two steps: the place of the next entry, and the entry.
  TARTAN_ALWAYS_INLINE std::int64_t reserve() {
    std::int64_t const b = bottom_.load(std::memory_order_relaxed);  // relaxed: only the owner writes bottom
    if (b >= limit_) [[unlikely]]
      make_room(b);
    return b;
  }
  TARTAN_ALWAYS_INLINE void put(std::int64_t b, T* item) noexcept {
    slots_[static_cast<std::size_t>(b) & mask_].store(item, std::memory_order_relaxed);  // relaxed: carried by [E2]
    bottom_.store(b + 1, std::memory_order_release);                                     // [E2] with steal()
  }

  /// Owner only. The place of the next entry, and whether put() may use it at once: there is room, and the owner's
  /// fences cost nothing. One comparison for both.
  [[nodiscard]] TARTAN_ALWAYS_INLINE std::int64_t next() const noexcept {
    return bottom_.load(std::memory_order_relaxed);  // relaxed: only the owner writes bottom
  }
  [[nodiscard]] TARTAN_ALWAYS_INLINE bool is_quick(std::int64_t place) const noexcept { return place < quick_limit_; }

  /// Owner only. From now on no place is_quick(), until quick_again().
  void not_quick() noexcept { quick_limit_ = 0; }
  void quick_again() noexcept { quick_limit_ = asymmetric_ ? limit_ : 0; }

  /// Owner only. Whether the next push() needs no memory, or gets it: for those that cannot let it throw.
  TARTAN_ALWAYS_INLINE bool has_room() noexcept {
    return bottom_.load(std::memory_order_relaxed) < limit_ || finds_room();  // relaxed: only the owner writes bottom
  }

  /// Owner only. Takes the newest entry back; false when a thief has it (then the deque is empty).
  TARTAN_ALWAYS_INLINE bool take_back() noexcept { return take_back(asymmetric_); }

  /// The same for those who know asymmetric() already.
  TARTAN_ALWAYS_INLINE bool take_back(bool asymmetric) noexcept {
    std::int64_t const b = bottom_.load(std::memory_order_relaxed) - 1;  // relaxed: only the owner writes bottom
    return reclaim(b, asymmetric) || reclaim_last(b);
  }

  /// Owner only. take_back() in two steps, for those who kept the place of the entry: reclaim() says false when it may
  /// be the last one or a thief's, and then reclaim_last() says which ([E4]).
  TARTAN_ALWAYS_INLINE bool reclaim(std::int64_t b, bool asymmetric) noexcept {
    bottom_.store(b, std::memory_order_release);      // O1; release for [E2]
    Atomics::light_fence(asymmetric);                 // [E1] with steal()
    return top_.load(std::memory_order_relaxed) < b;  // O3; relaxed: ordered by the fence
  }
  TARTAN_NOINLINE bool reclaim_last(std::int64_t b) noexcept {
    std::int64_t const t = top_.load(std::memory_order_relaxed);  // relaxed: ordered by the fence of reclaim()
    bool const mine = t == b && advance_top(t);
    bottom_.store(larger(t, b + 1), std::memory_order_release);  // empty again: top == bottom; release for [E2]
    return mine;
  }

  /// Any other thread. Takes the oldest entry if `still_wanted()`, asked after the entry was seen, agrees ([E3]).
  template <class StillWanted>
  T* steal(StillWanted still_wanted) noexcept {
    std::int64_t t = top_.load(std::memory_order_acquire);             // acquire: with another thief's CAS
    if (t >= bottom_.load(std::memory_order_relaxed)) return nullptr;  // relaxed: a look before the dear fence
    Atomics::heavy_fence(asymmetric_);                                 // [E1] with take_back()
    if (t >= bottom_.load(std::memory_order_acquire)) return nullptr;  // [E2] with push()
    ring* const entries = ring_.load(std::memory_order_acquire);       // acquire: with adopt()
    T* const item = entries->at(t).load(std::memory_order_relaxed);    // relaxed: carried by [E2]
    if (!still_wanted()) return nullptr;
    return advance_top(t) ? item : nullptr;
  }
  T* steal() noexcept {
    return steal([] { return true; });
  }

  /// Owner only. Takes the oldest entry, to hand it to a worker that waits; the owner knows bottom, so it needs no
  /// fence.
  T* take_oldest() noexcept {
    std::int64_t t = top_.load(std::memory_order_acquire);             // acquire: with a thief's CAS
    if (t >= bottom_.load(std::memory_order_relaxed)) return nullptr;  // relaxed: own
    T* const item = slots_[static_cast<std::size_t>(t) & mask_].load(std::memory_order_relaxed);  // relaxed: own
    return advance_top(t) ? item : nullptr;
  }

  /// Owner only. What take_oldest() would take, and whether it was pushed before the next place was `place`; null if
  /// there is nothing. A thief may have it by now.
  struct entry {
    T* item;
    bool is_older;
  };
  [[nodiscard]] entry oldest(std::int64_t place) const noexcept {
    std::int64_t const t = top_.load(std::memory_order_relaxed);                                      // relaxed: a hint
    if (t >= bottom_.load(std::memory_order_relaxed)) return {nullptr, false};                        // relaxed: own
    return {slots_[static_cast<std::size_t>(t) & mask_].load(std::memory_order_relaxed), t < place};  // relaxed: own
  }

  /// What take_oldest() took and nobody wanted after all. It is no entry: what is said of those does not hold for it.
  [[nodiscard]] put_aside<T, Atomics>& aside() noexcept { return aside_; }

  /// Any thread: a hint, out of date when it returns. Whether there is anything for those who look for whatever there
  /// is to do.
  [[nodiscard]] bool offers_nothing() const noexcept { return seems_empty() && aside_.seems_empty(); }

  /// Any thread: a hint, out of date when it returns.
  [[nodiscard]] bool seems_empty() const noexcept {
    return top_.load(std::memory_order_relaxed) >= bottom_.load(std::memory_order_relaxed);  // relaxed: a hint
  }

 private:
  struct ring {
    using slot = typename Atomics::template atomic<T*>;
    ring(std::size_t n, ring* the_older) : mask(n - 1), slots(n), older(the_older) {}
    slot& at(std::int64_t i) const noexcept { return slots.get()[static_cast<std::size_t>(i) & mask]; }
    std::size_t const mask;
    owned_array<slot> const slots;
    ring* const older;  // thieves may still read it
  };

  bool advance_top(std::int64_t t) noexcept {
    // seq_cst: the CAS of O5 and T5 are in one total order with the fences of [E1]; failure reads nothing.
    return top_.compare_exchange_strong(t, t + 1, std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  TARTAN_COLD bool finds_room() noexcept {
#if TARTAN_EXCEPTIONS
    try {
      make_room(bottom_.load(std::memory_order_relaxed));  // relaxed: own
    } catch (...) {
      return false;
    }
#else
    make_room(bottom_.load(std::memory_order_relaxed));  // relaxed: own
#endif
    return true;
  }

  TARTAN_COLD void make_room(std::int64_t b) {
    std::int64_t const t = top_.load(std::memory_order_acquire);  // acquire: with advance_top(): the slot may be reused
    std::size_t const capacity = mask_ + 1;
    // With a quarter free, what follows is quick for long: thieves that take one entry for each that is pushed on a
    // full ring would otherwise send every push here.
    if (4 * (b - t) > 3 * static_cast<std::int64_t>(capacity)) {
      ring* const bigger = new ring(2 * capacity, ring_.load(std::memory_order_relaxed));  // relaxed: own
      for (std::int64_t i = t; i != b; ++i)
        bigger->at(i).store(slots_[static_cast<std::size_t>(i) & mask_].load(std::memory_order_relaxed),
                            std::memory_order_relaxed);  // relaxed: published by adopt()
      adopt(bigger);
    }
    set_limit(t);
  }

  void adopt(ring* fresh) noexcept {
    slots_ = fresh->slots.get();
    mask_ = fresh->mask;
    set_limit(top_.load(std::memory_order_relaxed));  // relaxed: a lower bound
    ring_.store(fresh, std::memory_order_release);    // with steal()
  }

  void set_limit(std::int64_t t) noexcept {
    limit_ = t + static_cast<std::int64_t>(mask_ + 1);
    quick_again();
  }

  // The owner's line.
  typename Atomics::template atomic<std::int64_t> bottom_{0};  // one past the newest entry
  std::int64_t quick_limit_ = 0;                               // limit_, or 0 where fences cost something
  std::int64_t limit_ = 0;                                     // push() may go up to here without looking at top
  typename ring::slot* slots_ = nullptr;                       // the current ring, unpacked
  std::size_t mask_ = 0;
  bool const asymmetric_;
  // Written by thieves.
  alignas(line_pair) typename Atomics::template atomic<std::int64_t> top_{0};  // the oldest entry
  typename Atomics::template atomic<ring*> ring_{nullptr};
  put_aside<T, Atomics> aside_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
