#pragma once
// Running sums, for any associative operation: inclusive_scan, exclusive_scan.

#include <algorithm>    // min
#include <atomic>       // atomic, memory_order_*
#include <concepts>     // constructible_from, copy_constructible, invocable
#include <cstddef>      // size_t
#include <cstdint>      // uint8_t
#include <functional>   // invoke, plus
#include <memory>       // make_unique, unique_ptr
#include <optional>     // optional
#include <ranges>       // begin, range_reference_t, range_value_t
#include <thread>       // this_thread
#include <type_traits>  // is_arithmetic_v, is_assignable_v, remove_const_t, remove_cvref_t
#include <utility>      // forward, move

#include "tartan/algorithms/map.hpp"          // one_piece, write_alignment
#include "tartan/algorithms/scan/blocks.hpp"  // block_of_chains, block_work, lane_block
#include "tartan/core/atomics.hpp"            // cpu_pause
#include "tartan/core/errors.hpp"             // bad_argument, raise
#include "tartan/core/range.hpp"              // first_error
#include "tartan/core/slots.hpp"              // slots
#include "tartan/exec/backend.hpp"            // team_backend
#include "tartan/exec/combine.hpp"            // in_lanes
#include "tartan/exec/plan.hpp"               // block_plan
#include "tartan/exec/policy.hpp"             // execution_policy, supports
#include "tartan/exec/source.hpp"             // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

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
        plan_(n, aligned(work::length(n), alignment == one_piece ? 1 : alignment)),
        alone_(alignment == one_piece),
        init_(init),
        combine_(combine),
        control_(policy.props().control()),
        sum_(plan_.count()),
        state_(std::make_unique<std::atomic<progress>[]>(plan_.count())) {}

  void run() {
    auto body = [&](std::size_t, std::size_t, auto&) { take_part(); };
    properties props = policy_.props();
    if (plan_.count() == 1 || alone_) props.workers = 1;
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
  bool alone_;
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
  static_assert(std::constructible_from<T, std::ranges::range_reference_t<R>>,
                "tartan: a scan makes its first sums of elements: they must convert to the type of init");
  static_assert(std::is_assignable_v<std::ranges::range_reference_t<Out>, T> ||
                    (std::is_arithmetic_v<T> && std::is_arithmetic_v<std::ranges::range_value_t<Out>> &&
                     std::is_assignable_v<std::ranges::range_reference_t<Out>, std::ranges::range_value_t<Out>>),
                "tartan: a scan needs an output range to whose elements its sums can be assigned");
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
