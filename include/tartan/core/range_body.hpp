#pragma once
// What a range runs, and what is remembered of loops that ran it.

#include <atomic>       // atomic, memory_order_relaxed
#include <cstddef>      // size_t
#include <cstdint>      // uint32_t, uint64_t
#include <type_traits>  // is_same_v

#include "tartan/core/config.hpp"   // TARTAN_ABI
#include "tartan/core/smaller.hpp"  // smaller
#include "tartan/core/ticks.hpp"    // ticks_per_us

namespace tartan::inline TARTAN_ABI::detail {

/// A reference to what runs the elements of [begin, end). One type for all of them: a split is compiled once for a
/// program, and pieces are long enough for a call through a pointer.
///
/// Each type of Body is a kind of loop, and mostly costs what it cost before: loops that were over before anybody could
/// have helped are not split the next time. Where that was wrong, much more time passes before it is tried again: of
/// all time it costs a small part. What a kind knows is a guess that publishes nothing: relaxed throughout.
class range_body {
 public:
  template <class Body>
    requires(!std::is_same_v<Body, range_body>)
  explicit range_body(Body& body) noexcept
      : object_(const_cast<void*>(static_cast<void const*>(&body))), kind_(&kind_of<Body>) {}

  void operator()(std::size_t begin, std::size_t end) const { kind_->call(object_, begin, end); }

  /// For who is about to run what another core has written.
  void prefetch() const noexcept { __builtin_prefetch(object_); }

  /// Loops of so many elements or fewer are not split. Two always are: a fork costs no more than the clock.
  [[nodiscard]] std::size_t at_once() const noexcept {
    return kind_->at_once.load(std::memory_order_relaxed);  // relaxed: a late reader only splits what it need not
  }

  /// Tells what a loop of n elements took that was split: from `begin` to `end`, in ticks. `at_most` is what a loop may
  /// take that nobody should help with.
  void took(std::size_t n, std::uint64_t begin, std::uint64_t end, std::uint64_t at_most) const noexcept {
    if (end - begin > at_most) return at_once() == fork_of_two ? void() : was_long(begin, end);
    if (is_before(end, kind_->doubted_until.load(std::memory_order_relaxed)))
      return;  // relaxed: a guess, like all this
    std::uint64_t const fits = smaller<std::uint64_t>(n * at_most / (end - begin + 1), most_at_once);
    if (fits > at_once()) kind_->at_once.store(static_cast<std::uint32_t>(fits), std::memory_order_relaxed);
  }

  /// Tells that a loop took longer than it should if it is not split. Its kind is then split for 16 times as long, so
  /// that what was lost stays a small part of all. A short delay is held against it only if it is the second within
  /// little time: interrupts pass. Others read what this writes: only if it is news.
  void was_long(std::uint64_t begin, std::uint64_t end) const noexcept {
    // A debugger, a suspended machine: whatever took so long, or went back in time, was not the loop.
    std::uint64_t const spent = end < begin ? 0 : smaller<std::uint64_t>(end - begin, longest_doubt / 16);
    bool const suspected =
        is_before(begin, kind_->suspected_until.load(std::memory_order_relaxed));  // relaxed, all: see at_once()
    kind_->suspected_until.store(end + 4 * spent, std::memory_order_relaxed);
    if (!suspected && spent < 20 * ticks_per_us()) return;
    if (std::uint64_t const until = end + 16 * spent;
        !is_before(until, kind_->doubted_until.load(std::memory_order_relaxed)))
      kind_->doubted_until.store(until, std::memory_order_relaxed);
    kind_->at_once.store(fork_of_two, std::memory_order_relaxed);
  }

  /// Whether the second of two elements is worth handing over, as far as is known.
  [[nodiscard]] bool pairs_take_long() const noexcept {
    return kind_->long_pairs.load(std::memory_order_relaxed);  // relaxed: a guess
  }
  void note_pairs(bool take_long) const noexcept {
    if (pairs_take_long() != take_long)
      kind_->long_pairs.store(take_long, std::memory_order_relaxed);  // relaxed: a guess
  }

  /// How many ticks n elements take, as far as is known of earlier loops; 0 if nothing is.
  [[nodiscard]] double ticks_of(std::size_t n) const noexcept {
    return static_cast<double>(n) *
           static_cast<double>(kind_->each.load(std::memory_order_relaxed));  // relaxed: a guess
  }

  /// Tells that n elements took so many ticks; nothing if n is 0. Others read it: only if it is news.
  void learn(std::size_t n, std::uint64_t ticks) const noexcept {
    if (n == 0) return;
    float const known = kind_->each.load(std::memory_order_relaxed);  // relaxed: a guess
    float const each = static_cast<float>(ticks) / static_cast<float>(n);
    if (each > known * 1.25F || each < known * 0.75F)
      kind_->each.store(each, std::memory_order_relaxed);  // relaxed: a guess
  }

  /// One in two to so many loops that are shared, and short, runs alone to show what its elements cost then. The more
  /// often that was worth sharing, the more seldom.
  [[nodiscard]] unsigned bits_between_trials() const noexcept {
    return 5 + kind_->trials.load(std::memory_order_relaxed) / 2;  // relaxed: a guess
  }
  void note_trial(bool worth_sharing) const noexcept {
    unsigned const before = kind_->trials.load(std::memory_order_relaxed);  // relaxed: a guess
    unsigned const now = worth_sharing ? smaller(before + 1, 10U) : 0;
    if (now != before) kind_->trials.store(now, std::memory_order_relaxed);  // relaxed: a guess
  }

  static constexpr std::size_t most_at_once = 4096;

 private:
  static constexpr std::uint32_t fork_of_two = 2;
  static constexpr std::uint64_t longest_doubt = std::uint64_t{1} << 35;  // ticks; some ten seconds

  /// Whether `now` lies within the longest doubt before `until`: a counter that was set back is no reason to wait.
  static bool is_before(std::uint64_t now, std::uint64_t until) noexcept { return until - now - 1 < longest_doubt; }

  struct kind {
    void (*call)(void*, std::size_t, std::size_t);
    std::atomic<std::uint32_t> at_once{fork_of_two};
    std::atomic<bool> long_pairs{false};
    std::atomic<unsigned> trials{0};                                  // in a row that were worth sharing
    std::atomic<std::uint64_t> suspected_until{0}, doubted_until{0};  // ticks
    std::atomic<float> each{0};                                       // ticks that an element took
  };

  template <class Body>
  static void call_it(void* object, std::size_t begin, std::size_t end) {
    (*static_cast<Body*>(object))(begin, end);
  }

  /// Hidden: a symbol that is unique in the process would keep a plugin loaded after dlclose().
  template <class Body>
  [[gnu::visibility("hidden")]] static inline constinit kind kind_of{&call_it<Body>};

  void* object_;
  kind* kind_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
