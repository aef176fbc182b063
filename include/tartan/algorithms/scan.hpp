#pragma once
// Running sums, for any associative operation: inclusive_scan, exclusive_scan.

#include <algorithm>    // clamp, min
#include <array>        // array
#include <atomic>       // atomic, memory_order_*
#include <concepts>     // convertible_to, copy_constructible, invocable
#include <cstddef>      // size_t
#include <cstdint>      // uint8_t
#include <functional>   // identity, invoke, plus
#include <iterator>     // iter_value_t
#include <memory>       // make_unique, unique_ptr
#include <optional>     // optional
#include <ranges>       // begin, range_reference_t, range_value_t
#include <thread>       // this_thread
#include <type_traits>  // is_arithmetic_v, remove_cvref_t, type_identity
#include <utility>      // forward, move

#include "tartan/algorithms/map.hpp"   // write_alignment
#include "tartan/core/atomics.hpp"     // cpu_pause
#include "tartan/core/errors.hpp"      // bad_argument, raise
#include "tartan/core/range.hpp"       // first_error
#include "tartan/core/slots.hpp"       // slots
#include "tartan/exec/backend.hpp"     // team_backend
#include "tartan/exec/combine.hpp"     // exact, in_lanes
#include "tartan/exec/plan.hpp"        // block_plan
#include "tartan/exec/policy.hpp"      // execution_policy, supports
#include "tartan/exec/scan_block.hpp"  // scalar_scan_block, write_at
#include "tartan/exec/source.hpp"      // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// One chain of combines: writes what has come together before (exclusive) or with (inclusive) each element, and gives
/// what has come together at the end. `before` is empty only at the very left of an inclusive scan without init.
template <bool Inclusive, class T, class It, class Out, class Combine>
void scan_chain(It first, Out out, std::size_t n, std::optional<T> before, Combine& combine) {
  std::size_t i = 0;
  if (!before.has_value()) {
    before.emplace(static_cast<T>(at(first, 0)));
    write_at(out, 0, *before);
    i = 1;
  }
  T running = std::move(*before);
  for (; i != n; ++i) {
    if constexpr (Inclusive) {
      running = static_cast<T>(std::invoke(combine, std::move(running), at(first, i)));
      write_at(out, i, running);
    } else {
      T next = static_cast<T>(std::invoke(combine, static_cast<T const&>(running), at(first, i)));
      write_at(out, i, std::move(running));
      running = std::move(next);
    }
  }
}

/// What a block comes to, and its scan once it is known what comes before: every element in its turn.
template <bool Inclusive, class T, class Combine>
struct plain_block {
  static constexpr bool scan_needs_total(std::size_t) noexcept { return false; }

  static constexpr std::size_t length(std::size_t n) noexcept {
    constexpr std::size_t most = sizeof(T) < (std::size_t{1} << 18) ? (std::size_t{1} << 18) / sizeof(T) : 1;
    return std::clamp<std::size_t>(n / 64 + (n % 64 != 0 ? 1 : 0), 1, most);
  }

  Combine& combine;

  template <class It>
  T total(It first, std::size_t n) {
    T sum = static_cast<T>(at(first, 0));
    for (std::size_t i = 1; i != n; ++i) sum = static_cast<T>(std::invoke(combine, std::move(sum), at(first, i)));
    return sum;
  }
  template <class It, class Out>
  void scan(It first, Out out, std::size_t n, std::optional<T> const& before) {
    scan_chain<Inclusive, T>(first, out, n, before, combine);
  }
};

/// Numbers: a block is eight chains that advance side by side, so that none waits for the latency of the others, nor
/// for the first bytes of a page. The whole block stays in the second-level cache between its two passes.
template <class T>
struct block_of_chains {
  static constexpr std::size_t chains = 8;
  /// About 32 KB, but no multiple of 4 KB: the heads of the chains would meet in one set of the first-level cache. A
  /// block has a multiple of 64 elements.
  static constexpr std::size_t chain = ((std::size_t{1} << 15) + 512) / sizeof(T);
  static constexpr std::size_t length(std::size_t) noexcept { return chains * chain; }
  static constexpr bool scan_needs_total(std::size_t n) noexcept { return n > chain; }
};

/// Under a combine that works in lanes the leaf has kernels for both passes.
template <bool Inclusive, class T, class Leaf, class Combine>
class lane_block : public block_of_chains<T> {
 public:
  explicit lane_block(Combine& its_combine) noexcept : combine_(its_combine) {}

  template <class It>
  T total(It first, std::size_t n) {
    for (std::size_t j = 0; j * chain < n; ++j) {
      std::identity same;
      typename Leaf::template reducer<T, std::identity, Combine> fold(same, combine_);
      fold.add(advanced(first, j * chain), (std::min)(chain, n - j * chain));
      total_[j] = fold.finish();
    }
    T sum = total_[0];
    for (std::size_t j = 1; j * chain < n; ++j) sum = static_cast<T>(combine_(sum, total_[j]));
    return sum;
  }

  template <class It, class Out>
  void scan(It first, Out out, std::size_t n, std::optional<T> const& before) {
    std::array<T, chains> start{};
    if (before) start[0] = *before;
    for (std::size_t j = 1; j * chain < n; ++j)
      start[j] = j == 1 && !before ? total_[0] : static_cast<T>(combine_(start[j - 1], total_[j - 1]));
    std::size_t const piece = n <= chain ? chain : turn;
    for (std::size_t done = 0; done < (std::min)(n, chain); done += piece)
      for (std::size_t j = 0; j * chain + done < n; ++j) {
        std::size_t const begin = j * chain + done, end = (std::min)({n, (j + 1) * chain, begin + piece});
        bool const leftmost = begin == 0 && !before;
        start[j] =
            scan_piece(advanced(first, begin), advanced(out, begin), end - begin, leftmost ? nullptr : &start[j]);
      }
  }

  template <class It, class Out>
  static constexpr bool in_one_look = requires(It first, Out out, T const* before, Combine& combine) {
    Leaf::template scan_and_fold_block<Inclusive, T>(first, out, 0, before, combine);
  };

  /// total() and scan() in one look, as nobody waits for the total: gives it, unless less than a chain is left at last.
  template <class It, class Out>
  T scan_and_total(It first, Out out, std::size_t n, std::optional<T> const& before) {
    T start{}, sum{};
    if (before) start = *before;
    for (std::size_t begin = 0; begin < n; begin += chain) {
      T const* const left = begin == 0 && !before ? nullptr : &start;
      It const from = advanced(first, begin);
      Out const to = advanced(out, begin);
      if (n - begin < chain) {
        scan_piece(from, to, n - begin, left);
        break;
      }
      T const total = Leaf::template scan_and_fold_block<Inclusive, T>(from, to, chain, left, combine_);
      start = left == nullptr ? total : static_cast<T>(combine_(start, total));
      sum = begin == 0 ? total : static_cast<T>(combine_(sum, total));
    }
    return sum;
  }

 private:
  using block_of_chains<T>::chain, block_of_chains<T>::chains;
  static constexpr std::size_t turn =
      256 / sizeof(T);  // of one chain, before the next is on; long turns are slow from memory

  template <class It, class Out>
  T scan_piece(It first, Out out, std::size_t n, T const* before) {
    if constexpr (requires { Leaf::template scan_block<Inclusive, T>(first, out, n, before, combine_); })
      return Leaf::template scan_block<Inclusive, T>(first, out, n, before, combine_);
    else
      return scalar_scan_block<Inclusive, T>(first, out, n, before, combine_);
  }

  Combine& combine_;
  std::array<T, chains> total_{};
};

/// Any other combine keeps to the order of the elements.
template <bool Inclusive, class T, class Combine>
class chained_block : public block_of_chains<T> {
 public:
  explicit chained_block(Combine& its_combine) noexcept : combine_(its_combine) {}

  template <class It>
  T total(It first, std::size_t n) {
    if (n == chains * chain) {
      total_of_chains(plain(first));
    } else {
      for (std::size_t j = 0; j * chain < n; ++j)
        total_[j] = total_of_one(advanced(first, j * chain), (std::min)(chain, n - j * chain));
    }
    T sum = total_[0];
    for (std::size_t j = 1; j * chain < n; ++j) sum = together(sum, total_[j]);
    return sum;
  }

  template <class It, class Out>
  void scan(It first, Out out, std::size_t n, std::optional<T> const& before) {
    std::array<T, chains> start{};
    for (std::size_t j = 1; j * chain < n; ++j)
      start[j] = j != 1 ? together(start[j - 1], total_[j - 1]) : before ? together(*before, total_[0]) : total_[0];
    if (n == chains * chain && before) {
      start[0] = *before;
      scan_side_by_side(plain(first), plain(out), start);
    } else {
      scan_chain<Inclusive, T>(first, out, (std::min)(chain, n), before, combine_);
      for (std::size_t j = 1; j * chain < n; ++j)
        scan_chain<Inclusive, T>(advanced(first, j * chain), advanced(out, j * chain), (std::min)(chain, n - j * chain),
                                 std::optional<T>(start[j]), combine_);
    }
  }

 private:
  using block_of_chains<T>::chain, block_of_chains<T>::chains;

  TARTAN_ALWAYS_INLINE T together(T a, T b) { return static_cast<T>(std::invoke(combine_, a, b)); }

  template <class It>
  T total_of_one(It first, std::size_t n) {
    T sum = static_cast<T>(at(first, 0));
    for (std::size_t i = 1; i != n; ++i) sum = together(sum, static_cast<T>(at(first, i)));
    return sum;
  }

  template <class It>
  void total_of_chains(It from) {
    std::array<T, chains> sum;
    for (std::size_t j = 0; j != chains; ++j) sum[j] = static_cast<T>(at(from, j * chain));
    for (std::size_t i = 1; i != chain; ++i)
      for (std::size_t j = 0; j != chains; ++j) sum[j] = together(sum[j], static_cast<T>(at(from, j * chain + i)));
    total_ = sum;
  }

  template <class It, class Out>
  void scan_side_by_side(It from, Out to, std::array<T, chains> running) {
    for (std::size_t i = 0; i != chain; ++i)
      for (std::size_t j = 0; j != chains; ++j) {
        T const next = together(running[j], static_cast<T>(at(from, j * chain + i)));
        write_at(to, j * chain + i, Inclusive ? next : running[j]);
        running[j] = next;
      }
  }

  Combine& combine_;
  std::array<T, chains> total_{};
};

/// How the blocks of a scan are worked on.
template <bool Inclusive, class T, class Leaf, class Combine>
consteval auto block_work() {
  if constexpr (in_lanes<Combine, T>)
    return std::type_identity<lane_block<Inclusive, T, Leaf, Combine>>{};
  else if constexpr (std::is_arithmetic_v<T>)
    return std::type_identity<chained_block<Inclusive, T, Combine>>{};
  else
    return std::type_identity<plain_block<Inclusive, T, Combine>>{};
}

/// Blocks in the order of their tickets. Whoever has block b sums it up, waits for what comes before it, says what
/// comes before b + 1, and only then writes: nobody waits for writing, and the block is still in the cache.
template <bool Inclusive, class T, class P, class It, class Out, class Combine>
class scan_call {
  using work = typename decltype(block_work<Inclusive, T, typename P::leaf_type, Combine>())::type;

 public:
  scan_call(P const& policy, It first, Out out, std::size_t n, std::size_t alignment, std::optional<T> const& init,
            Combine& combine)
      : policy_(policy),
        first_(first),
        out_(out),
        plan_(n, aligned(work::length(n), alignment)),
        init_(init),
        combine_(combine),
        control_(policy.props().control()),
        sum_(plan_.count()),
        state_(std::make_unique<std::atomic<progress>[]>(plan_.count())) {}

  void run() {
    auto body = [&](std::size_t, std::size_t, auto&) { take_part(); };
    properties props = policy_.props();
    if (plan_.count() == 1) props.workers = 1;
    props.work_us = plan_.elements() / 1000;  // a nanosecond an element, or more
    policy_.backend().team(props, body);
    error_.rethrow();
    control_.conclude();
  }

 private:
  enum class progress : std::uint8_t { pending, summed, failed };

  static constexpr std::size_t aligned(std::size_t n, std::size_t alignment) noexcept {
    return (n + alignment - 1) / alignment * alignment;
  }

  void take_part() {
    for (;;) {
      std::size_t const b = next_.fetch_add(1, std::memory_order_relaxed);  // relaxed: only a ticket
      if (b >= plan_.count()) return;
      if (control_.skips() || !scan_block(b)) {
        state_[b].store(progress::failed, std::memory_order_release);  // with wait_for()
        return;
      }
      control_.finished(plan_[b].size());
    }
  }

  /// False if blocks above cannot go on.
  bool scan_block(std::size_t b) {
    bool passed_on = false;
#if TARTAN_EXCEPTIONS
    try {
      return sum_and_scan(b, passed_on);
    } catch (...) {
      error_.record(b);
      return passed_on;
    }
#else
    return sum_and_scan(b, passed_on);
#endif
  }

  bool sum_and_scan(std::size_t b, bool& passed_on) {
    It const from = advanced(first_, plan_[b].begin);
    Out const to = advanced(out_, plan_[b].begin);
    std::size_t const n = plan_[b].size();
    work block{combine_};
    bool const last = b + 1 == plan_.count();
    std::optional<T> total;
    if (!last || work::scan_needs_total(n)) total.emplace(block.total(from, n));
    std::optional<T> before;
    if (b == 0) {
      before = init_;
    } else {
      if (wait_for(b - 1) == progress::failed) return false;
      before.emplace(sum_[b - 1]);
    }
    if (!last) {
      sum_.make(b, [&]() -> T {
        return before ? static_cast<T>(std::invoke(combine_, T(*before), std::move(*total))) : std::move(*total);
      });
      state_[b].store(progress::summed, std::memory_order_release);  // with wait_for()
    }
    passed_on = true;
    block.scan(from, to, n, before);
    return true;
  }

  /// The owner of a lower ticket runs on a thread of its own, which may be without a core for a while.
  progress wait_for(std::size_t b) noexcept {
    for (int spins = 0;; ++spins) {
      progress const p = state_[b].load(std::memory_order_acquire);  // with the stores above
      if (p != progress::pending) return p;
      if (spins < 500)
        cpu_pause();
      else
        std::this_thread::yield();
    }
  }

  P const& policy_;
  It first_;
  Out out_;
  block_plan plan_;
  std::optional<T> const& init_;
  Combine& combine_;
  run_control control_;
  slots<T> sum_;
  std::unique_ptr<std::atomic<progress>[]> state_;
  std::atomic<std::size_t> next_{0};
  first_error error_;
};

/// A scan on this thread, which nobody watches: one look is enough. False if there is no such way, and nothing is done.
template <bool Inclusive, class T, class Leaf, class It, class Out, class Combine>
bool scan_alone(It first, Out out, std::size_t n, std::optional<T> const& init, Combine& combine) {
  using block = lane_block<Inclusive, T, Leaf, Combine>;
  if (n <= block_of_chains<T>::chain) {
    block(combine).scan(first, out, n, init);
    return true;
  }
  if constexpr (block::template in_one_look<It, Out>) {
    std::optional<T> before = init;
    for (std::size_t begin = 0; begin < n; begin += block::length(n)) {
      T const total = block(combine).scan_and_total(advanced(first, begin), advanced(out, begin),
                                                    (std::min)(n - begin, block::length(n)), before);
      before = before ? static_cast<T>(combine(*before, total)) : total;
    }
    return true;
  }
  return false;
}

template <bool Inclusive, class T, class P, class R, class Out, class Combine>
auto scan(P const& policy, R& r, Out& out, std::optional<T> init, Combine& combine) {
  static_assert(team_backend<typename P::backend_type>,
                "tartan: a scan needs workers that see the caller's memory and run at the same time; use seq, par or "
                "par_simd");
  static_assert(
      supports<P, (property::grain | property::relaxed)>,
      "tartan: a scan does not support a property of this policy (it takes workers, stop, progress, name, on)");
  static_assert(std::invocable<Combine&, T, std::ranges::range_reference_t<R>> && std::invocable<Combine&, T, T>,
                "tartan: a scan needs an associative combine that takes two values of the type of its sums (that of "
                "init, or else of the elements)");
  static_assert(std::copy_constructible<T>, "tartan: the sums of a scan are copied; give them a copy constructor");
  std::size_t const n = length(r);
  if (length(out) < n)
    raise<bad_argument>("tartan: a scan needs an output range that is at least as long as its input");
  auto const first = std::ranges::begin(r);
  auto const to = std::ranges::begin(out);
  if constexpr (in_lanes<Combine, T> && requires { policy.backend().in_one_piece(policy.props()); })
    if (n != 0 && policy.backend().in_one_piece(policy.props()) &&
        scan_alone<Inclusive, T, typename P::leaf_type>(first, to, n, init, combine))
      return advanced(to, n);
  if (n != 0)
    scan_call<Inclusive, T, P, std::remove_const_t<decltype(first)>, std::remove_const_t<decltype(to)>, Combine>(
        policy, first, to, n, write_alignment<std::remove_cvref_t<Out>>, init, combine)
        .run();
  return advanced(to, n);
}

}  // namespace detail

/// out[i] = r[0] + r[1] + ... + r[i], for + or any associative combine; returns an iterator behind the last one
/// written.
///
///     tartan::inclusive_scan(tartan::par, v, out);
///     tartan::inclusive_scan(tartan::par, v, v, tartan::maximum{});   // in place: the largest so far
///
/// @param r        A random-access range with a size.
/// @param out      One of at least as many elements: r itself, or one that does not overlap r.
/// @param combine  Associative; keeps the order of its operands, so it need not commute. Called from several threads.
///
/// Complexity: about 2 n combines and one pass over memory; span O(n / workers + n / 33280). Sums have the type of the
/// elements (of init below); extra memory: one for each block.
/// Determinism: the same bits on every run, for any number of workers and under any policy: blocks are fixed by n, and
/// a combine that is known to commute on numbers runs in groups of 64 bytes, each in log2 steps (as the lanes of a
/// vector register do), which spares a running sum most of its rounding errors too.
/// Exceptions: bad_argument if out is too short; what combine throws, that of the lowest block; `cancelled` after a
/// stop. out is then written in part.
/// Blocking: the calling thread takes part; workers wait for each other, so combine must not wait for another element.
/// Thread safety: may be called from many threads and from inside tasks.
/// Source: Merrill, Garland: Single-pass Parallel Prefix Scan with Decoupled Look-back (2016), with one predecessor.
template <execution_policy P, divisible_range R, divisible_range Out, class Combine = std::plus<>>
auto inclusive_scan(P const& policy, R&& r, Out&& out, Combine combine = {}) {
  using T = std::ranges::range_value_t<R>;
  return detail::scan<true, T>(policy, r, out, std::optional<T>{}, combine);
}

/// The same with init on the left: out[i] = init + r[0] + ... + r[i], in the type of init.
template <execution_policy P, divisible_range R, divisible_range Out, class Combine, class T>
auto inclusive_scan(P const& policy, R&& r, Out&& out, Combine combine, T init) {
  return detail::scan<true, T>(policy, r, out, std::optional<T>{std::move(init)}, combine);
}

/// out[i] = init + r[0] + ... + r[i - 1], in the type of init: what comes before each element.
///
///     tartan::exclusive_scan(tartan::par, sizes, offsets, std::size_t{0});
///
/// Everything else as inclusive_scan.
template <execution_policy P, divisible_range R, divisible_range Out, class T = std::ranges::range_value_t<R>,
          class Combine = std::plus<>>
auto exclusive_scan(P const& policy, R&& r, Out&& out, T init = {}, Combine combine = {}) {
  return detail::scan<false, T>(policy, r, out, std::optional<T>{std::move(init)}, combine);
}

}  // namespace tartan::inline TARTAN_ABI
