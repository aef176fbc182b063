#pragma once
// How many threads of a pool may be awake, and how those beyond that number stand back.

#include <atomic>   // memory_order_*
#include <cstdint>  // uint64_t

#include "tartan/core/atomics.hpp"  // real_atomics
#include "tartan/core/smaller.hpp"  // larger, smaller

namespace tartan::inline TARTAN_ABI::detail {

/// One word counts the callers from outside, those of them that sleep at a join, the workers that block, and the
/// threads of the pool that are away: they block, or sleep in a wait. So whoever changes one number knows all of them.
/// Another word counts the threads that stand back.
///
///     thread (T)                                whoever lets a thread in, or submits (R)
///     T0  the numbers say: stand back
///     T1  mark the slot
///     T2  ++standing                  [H2]      R1  caller gone or asleep, or worker blocked; or a task is queued
///     T3  full fence                  [H1]      R2  seq_cst, or a full fence                           [H1]
///     T4  the numbers, the queue: still?        R3  standing == 0 ? done                               [H2]
///     T5  park                                  R4  signal each that is marked
///
/// [H1] Store-load on both sides: either T4 sees R1, or R3 sees T2.
/// [H2] T2 releases, R3 acquires: R4 sees the mark of T1, and R, if it looks at the numbers, no older ones than T0 did.
/// [H3] A caller that leaves wakes nobody while somebody hears of new work: one who searches, sleeps or stands at his
///      mailbox. Who ends a search as the last one, with nobody asleep, then lets in those that stand back and need not
///      (too_many_stand_back()); so does who submits and finds nobody that hears. They look behind a full fence, and so
///      does the caller: one of the two sees the other. Who is given a job at his mailbox looks before he runs it;
///      if he looks too early, a worker is missing until that job has ended.
template <class Atomics = real_atomics>
class headcount {
 public:
  explicit headcount(unsigned size) noexcept : size_(size) {}

  struct view {
    std::uint64_t word;
    [[nodiscard]] unsigned callers() const noexcept { return word & field; }
    [[nodiscard]] unsigned blocked() const noexcept { return (word >> width) & field; }
    [[nodiscard]] unsigned away() const noexcept { return (word >> (2 * width)) & field; }
    [[nodiscard]] unsigned asleep() const noexcept { return static_cast<unsigned>(word >> (3 * width)); }
  };

  /// Relaxed: ordered by a fence or by an acquire of the caller (T4, R3), or a hint.
  [[nodiscard]] view look() const noexcept { return {word_.load(std::memory_order_relaxed)}; }

  /// Whether no other caller is counted; asked by one who is.
  [[nodiscard]] bool is_only_caller() const noexcept {
    return view{word_.load(std::memory_order_seq_cst)}.callers() == 1;  // [R2] with caller_comes()
  }

  /// The threads that may be awake: the size of the pool, less the outside callers, plus those workers that block.
  [[nodiscard]] unsigned wanted(view v) const noexcept { return beside(v.callers(), v); }
  /// The same while the queue holds tasks: the place of a caller that sleeps at a join is free for these, and a thread
  /// that is not away stays for them, however many callers there are.
  [[nodiscard]] unsigned wanted_for_queue(view v) const noexcept {
    return larger(beside(v.callers() - v.asleep(), v), v.away() + 1);
  }

  /// It only lowers the number; what a caller publishes later carries it to whoever takes that.
  void caller_comes() noexcept { word_.fetch_add(one_caller, std::memory_order_seq_cst); }  // [R2] of residence.hpp

  // R1 and R2; each gives what is true from now on.
  view caller_goes() noexcept {
    return {word_.fetch_sub(one_caller, std::memory_order_seq_cst) - one_caller};  // [H1] with T3
  }
  view worker_blocks(bool is_thread) noexcept {
    std::uint64_t const one = blocks(is_thread);
    return {word_.fetch_add(one, std::memory_order_seq_cst) + one};  // [H1] with T3
  }

  view thread_sleeps() noexcept {
    return {word_.fetch_add(one_away, std::memory_order_seq_cst) + one_away};  // [H1] with T3
  }
  /// At a join: it comes back as soon as its job has ended, so its place is free for what was submitted only.
  view caller_sleeps() noexcept {
    return {word_.fetch_add(one_asleep, std::memory_order_seq_cst) + one_asleep};  // [H1] with T3
  }

  // Relaxed: these only lower the numbers.
  void thread_wakes() noexcept { word_.fetch_sub(one_away, std::memory_order_relaxed); }
  void caller_wakes() noexcept { word_.fetch_sub(one_asleep, std::memory_order_relaxed); }
  void worker_goes_on(bool is_thread) noexcept { word_.fetch_sub(blocks(is_thread), std::memory_order_relaxed); }

  /// R3, behind a change of the numbers or a full fence.
  [[nodiscard]] bool somebody_stands_back() const noexcept {
    return standing_.load(std::memory_order_seq_cst) != 0;  // [H1] with T3; acquire: [H2] with stand_back()
  }

  /// Whether one of the pool's threads stands back that need not: if no more did than have to, some are awake in their
  /// place, and stand back in turn. Relaxed: ordered by the fence of the caller, or a hint.
  [[nodiscard]] bool too_many_stand_back(view now, unsigned threads) const noexcept {
    return standing_.load(std::memory_order_relaxed) + wanted(now) > threads;
  }

  /// R4: whether the thread of this mark is to be signalled. Acquires what that thread wrote before, as its rank.
  [[nodiscard]] static bool stands_back(typename Atomics::template atomic<bool> const& mark) noexcept {
    return mark.load(std::memory_order_acquire);  // with stand_back()
  }

  /// T1 to T3. The caller looks again (T4), and parks.
  void stand_back(typename Atomics::template atomic<bool>& mark) noexcept {
    mark.store(true, std::memory_order_release);        // with stands_back()
    standing_.fetch_add(1, std::memory_order_release);  // [H2] with somebody_stands_back()
    Atomics::full_fence();                              // [H1] with R2
  }

  void step_forward(typename Atomics::template atomic<bool>& mark) noexcept {
    standing_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: only costs a look for nothing
    mark.store(false, std::memory_order_relaxed);       // relaxed: only costs a signal for nothing
  }

 private:
  /// The threads that work beside so many callers.
  [[nodiscard]] unsigned beside(unsigned callers, view v) const noexcept {
    return size_ + v.blocked() - smaller(callers, size_ + v.blocked());
  }

  static constexpr unsigned width = 16;  // each of them has a thread, and a slot in each table of slots
  static constexpr std::uint64_t field = (std::uint64_t{1} << width) - 1;
  static constexpr std::uint64_t one_caller = 1, one_blocked = std::uint64_t{1} << width,
                                 one_away = std::uint64_t{1} << (2 * width),
                                 one_asleep = std::uint64_t{1} << (3 * width);
  static constexpr std::uint64_t blocks(bool is_thread) noexcept { return one_blocked + (is_thread ? one_away : 0); }

  unsigned const size_;
  typename Atomics::template atomic<std::uint64_t> word_{0};
  typename Atomics::template atomic<unsigned> standing_{0};
};

}  // namespace tartan::inline TARTAN_ABI::detail
