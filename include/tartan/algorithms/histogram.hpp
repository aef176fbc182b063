#pragma once
// How many values lie in each of a number of intervals.

#include <algorithm>    // max, min
#include <cstddef>      // ptrdiff_t, size_t
#include <cstdint>      // int32_t
#include <limits>       // numeric_limits
#include <ranges>       // begin, input_range, range_value_t
#include <type_traits>  // is_arithmetic_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/algorithms/aggregate.hpp"  // aggregate
#include "tartan/algorithms/in_memory.hpp"  // check_works_in_memory
#include "tartan/core/errors.hpp"           // bad_argument, raise
#include "tartan/core/slots.hpp"            // slots
#include "tartan/exec/backend.hpp"          // shared_memory_backend
#include "tartan/exec/plan.hpp"             // block_plan
#include "tartan/exec/policy.hpp"           // execution_policy
#include "tartan/exec/source.hpp"           // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

struct make_bins {
  std::size_t bins;
  std::vector<std::size_t> operator()() const { return std::vector<std::size_t>(bins); }
};
struct count_in_bins {
  double low, high, bins_per_unit;
  template <class X>
  TARTAN_ALWAYS_INLINE void operator()(std::vector<std::size_t>& bins, X const& x) const {
    double const v = static_cast<double>(x);
    if (!(v >= low && v <= high)) return;  // not-a-numbers too
    auto const i = static_cast<std::size_t>((v - low) * bins_per_unit);
    ++bins[i < bins.size() ? i : bins.size() - 1];
  }
};

/// The same for many numbers side by side: vector instructions compute which bins they belong to (the one behind the
/// last stands for none); then they are counted, in two tables, since equal neighbours would wait for each other.
class bins_of_block {
 public:
  static constexpr std::size_t most = std::size_t{1} << 12;  // bins: both tables stay in the first cache

  bins_of_block(count_in_bins rule, std::size_t bins) : rule_(rule), even_(bins + 1), odd_(bins + 1) {}

  template <class It>
  void add(It first, std::size_t n) {
    double const low = rule_.low, high = rule_.high, bins_per_unit = rule_.bins_per_unit;
    double const none = static_cast<double>(even_.size() - 1), last = none - 0.5;
    std::int32_t bin[stretch];
    for (std::size_t i = 0; i < n; i += stretch) {
      std::size_t const m = (std::min)(stretch, n - i);
      for (std::size_t j = 0; j != m; ++j) {  // no branch and no logical operator: else it is no vector loop
        double const v = static_cast<double>(at(first, i + j));
        double place = (v - low) * bins_per_unit;
        place = place < last ? place : last;
        place = v >= low ? place : none;
        place = v <= high ? place : none;
        bin[j] = static_cast<std::int32_t>(place);
      }
      std::size_t j = 0;
      for (; j + 2 <= m; j += 2) {
        ++even_[static_cast<std::size_t>(bin[j])];
        ++odd_[static_cast<std::size_t>(bin[j + 1])];
      }
      if (j != m) ++even_[static_cast<std::size_t>(bin[j])];
    }
  }

  [[nodiscard]] std::vector<std::size_t> take() {
    even_.pop_back();
    for (std::size_t b = 0; b != even_.size(); ++b) even_[b] += odd_[b];
    return std::move(even_);
  }

 private:
  static constexpr std::size_t stretch = 256;
  count_in_bins rule_;
  std::vector<std::size_t> even_, odd_;
};

struct add_bins {
  void operator()(std::vector<std::size_t>& a, std::vector<std::size_t>&& b) const {
    for (std::size_t i = 0; i != a.size(); ++i) a[i] += b[i];
  }
};

template <class P, class It>
std::vector<std::size_t> histogram_of_numbers(P const& policy, It first, std::size_t n, count_in_bins rule,
                                              std::size_t bins) {
  check_works_in_memory<P>();
  block_plan const plan(n, (std::max)({n / 256 + 1, std::size_t{1} << 12, 16 * bins}));  // counts are exact anyhow
  slots<std::vector<std::size_t>> tables(plan.count());
  std::size_t const size = plan.count() == 0 ? 1 : plan[0].size();
  policy.backend().for_range(policy.props(), n, size, [&](std::size_t begin, std::size_t end) {
    for (std::size_t b = begin / size; b * size < end; ++b)
      tables.make(b, [&] {
        bins_of_block block(rule, bins);
        block.add(plain(advanced(first, plan[b].begin)), plan[b].size());
        return block.take();
      });
  });
  std::vector<std::size_t> sum(bins);
  for (std::size_t b = 0; b != tables.size(); ++b) add_bins{}(sum, std::move(tables[b]));
  return sum;
}

}  // namespace detail

/// How many elements of r lie in each of `bins` intervals of equal width between low and high.
///
///     std::vector<std::size_t> h = tartan::histogram(tartan::par, v, 256, 0.0, 1.0);
///
/// Intervals contain their lower bound; the last one contains high as well. What lies outside, and not-a-numbers, are
/// counted nowhere.
/// @param r  Any input range of numbers; see for_each.
///
/// Complexity: n; at most 256 tables of `bins` numbers. Determinism: exact.
/// Exceptions: bad_argument unless bins >= 1 and low < high, both finite and far enough apart for so many bins;
/// otherwise as for_each.
template <execution_policy P, std::ranges::input_range R>
[[nodiscard]] std::vector<std::size_t> histogram(P const& policy, R&& r, std::ptrdiff_t bins, double low, double high) {
  static_assert(
      requires(std::ranges::range_value_t<R> const& x) { static_cast<double>(x); },
      "tartan: histogram needs elements that are numbers, or convert to double");
  double const infinity = std::numeric_limits<double>::infinity();
  if (bins < 1) detail::raise<bad_argument>("tartan: histogram needs at least one bin");
  if (!(low < high && high - low < infinity))
    detail::raise<bad_argument>("tartan: histogram needs finite bounds with low < high");
  auto const n = static_cast<std::size_t>(bins);
  detail::count_in_bins const rule{low, high, static_cast<double>(n) / (high - low)};
  if (!(rule.bins_per_unit < infinity))
    detail::raise<bad_argument>(
        "tartan: histogram: the intervals are too narrow for numbers to tell them apart; widen "
        "the bounds or take fewer bins");
  if constexpr (shared_memory_backend<typename P::backend_type> && divisible_range<R> &&
                std::is_arithmetic_v<std::ranges::range_value_t<R>>) {
    if (n <= detail::bins_of_block::most)
      return detail::histogram_of_numbers(policy, std::ranges::begin(r), detail::length(r), rule, n);
  }
  return aggregate(policy, std::forward<R>(r), detail::make_bins{n}, rule, detail::add_bins{});
}

}  // namespace tartan::inline TARTAN_ABI
