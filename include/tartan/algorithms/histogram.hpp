#pragma once
// How many values lie in each of a number of intervals.

#include <cstddef>  // ptrdiff_t, size_t
#include <limits>   // numeric_limits
#include <ranges>   // input_range, range_reference_t
#include <utility>  // forward, move
#include <vector>   // vector

#include "tartan/algorithms/aggregate.hpp"  // aggregate
#include "tartan/core/errors.hpp"           // bad_argument, raise
#include "tartan/exec/policy.hpp"           // execution_policy

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
struct add_bins {
  void operator()(std::vector<std::size_t>& a, std::vector<std::size_t>&& b) const {
    for (std::size_t i = 0; i != a.size(); ++i) a[i] += b[i];
  }
};

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
/// Exceptions: bad_argument unless bins >= 1 and low < high, both finite; otherwise as for_each.
template <execution_policy P, std::ranges::input_range R>
[[nodiscard]] std::vector<std::size_t> histogram(P const& policy, R&& r, std::ptrdiff_t bins, double low, double high) {
  double const infinity = std::numeric_limits<double>::infinity();
  if (bins < 1) detail::raise<bad_argument>("tartan: histogram needs at least one bin");
  if (!(low < high && high - low < infinity))
    detail::raise<bad_argument>("tartan: histogram needs finite bounds with low < high");
  auto const n = static_cast<std::size_t>(bins);
  return aggregate(policy, std::forward<R>(r), detail::make_bins{n},
                   detail::count_in_bins{low, high, static_cast<double>(n) / (high - low)}, detail::add_bins{});
}

}  // namespace tartan::inline TARTAN_ABI
