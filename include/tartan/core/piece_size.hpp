#pragma once
// How long the pieces of a range are, and who hears when they have run.

#include <cstddef>  // size_t
#include <cstdint>  // uint64_t
#include <utility>  // exchange

#include "tartan/core/config.hpp"       // TARTAN_ABI
#include "tartan/core/run_control.hpp"  // run_control
#include "tartan/core/smaller.hpp"      // larger, smaller
#include "tartan/core/ticks.hpp"        // ticks, ticks_per_us

namespace tartan::inline TARTAN_ABI::detail {

/// How one participant learns what an element costs. It starts with a single element, because two may take 100 ms each
/// and must not share a piece, and reads the clock. The next two pieces are longer than the first answer suggests:
/// elements are often many times cheaper in the company of others (vector instructions, overlapping latencies), which
/// short pieces never find out. From then on pieces take a microsecond, so that the fork and the look at the clock that
/// come with each cost some percent of it; where the caller gave a grain, only the looks come so often. A range of a
/// few elements is cut to single ones without a clock.
class piece_size {
 public:
  static constexpr std::size_t too_few_for_clock = 3;

  piece_size(std::size_t n, std::size_t grain) noexcept
      : is_given_(grain != 0), limit_(larger<std::size_t>(grain, 1)), longest_guess_(n / 16) {
    if (n <= larger(grain, too_few_for_clock)) {
      next_look_ = ~std::size_t{0};
    } else {
      guesses_left_ = is_given_ ? 1 : n <= few ? 2 : 3;
      begin_ = last_ = ticks();
    }
  }

  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

  /// Whether too little has run to cut the range by.
  [[nodiscard]] bool guesses() const noexcept { return guesses_left_ != 0; }

  /// Whether it never reads the clock.
  [[nodiscard]] bool clockless() const noexcept { return next_look_ == ~std::size_t{0}; }

  [[nodiscard]] std::uint64_t last_look() const noexcept { return last_; }

  /// Ticks from the begin to the last look.
  [[nodiscard]] std::uint64_t elapsed() const noexcept { return last_ - begin_; }

  /// Ticks at the begin.
  [[nodiscard]] std::uint64_t begun() const noexcept { return begin_; }

  /// How many ticks `elements` more take at the price of those that ran before the last look.
  [[nodiscard]] double ticks_of(std::size_t elements) const noexcept {
    return static_cast<double>(elements) * static_cast<double>(spent_) / static_cast<double>(measured_);
  }

  /// Elements from the begin to the last look.
  [[nodiscard]] std::size_t looked_over() const noexcept { return at_last_; }

  /// True about once in a microsecond: time to look whether somebody wants work.
  [[nodiscard]] bool ran(std::size_t elements) noexcept {
    done_ += elements;
    if (done_ < next_look_) [[likely]]
      return false;
    return look();
  }

 private:
  static constexpr std::size_t few = 256;   // so few are no longer than what the second guess may choose
  static constexpr std::size_t growth = 8;  // from one guess to the next: dearer elements may follow cheap ones

  bool look() noexcept {
    std::uint64_t const now = ticks();
    std::uint64_t const us = ticks_per_us();
    spent_ = larger<std::uint64_t>(now - last_, 1);
    measured_ = done_ - at_last_;
    last_ = now;
    at_last_ = done_;
    std::size_t const in_a_us = larger<std::size_t>(measured_ * us / spent_, 1);
    if (guesses_left_ != 0) --guesses_left_;
    if (!is_given_) {
      limit_ = in_a_us;
      if (guesses_left_ != 0) limit_ = smaller(growth * done_, larger(limit_, smaller(longest_guess_, 2 * limit_)));
    }
    next_look_ = done_ + (is_given_ ? in_a_us : limit_);
    return now - begin_ > us;
  }

  bool is_given_;  // the length of pieces
  std::size_t limit_, longest_guess_;
  std::size_t done_ = 0, at_last_ = 0, next_look_ = 1;
  std::uint64_t begin_ = 0, last_ = 0;
  std::size_t measured_ = 1;  // elements between the last two looks
  std::uint64_t spent_ = 1;   // ticks between them
  unsigned guesses_left_ = 0;
};

/// What one participant has run and not yet told those who count: they hear of it once in 16 us, since a locked
/// instruction after each short piece costs some percent; after each piece where no clock is read.
class piece_count {
 public:
  void add(std::size_t elements) noexcept { untold_ += elements; }
  void look(piece_size const& size, run_control const& control) {
    if (!size.clockless()) {
      if (size.last_look() - told_ < 16 * ticks_per_us()) return;
      told_ = size.last_look();
    }
    tell(control);
  }
  void tell(run_control const& control) {
    if (untold_ != 0) control.finished(std::exchange(untold_, 0));
  }

 private:
  std::size_t untold_ = 0;
  std::uint64_t told_ = 0;  // ticks
};

}  // namespace tartan::inline TARTAN_ABI::detail
