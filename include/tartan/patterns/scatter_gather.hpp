#pragma once
// A few large parts of a range, one result for each.

#include <algorithm>    // min
#include <cstddef>      // ptrdiff_t, size_t
#include <functional>   // invoke
#include <memory>       // to_address
#include <ranges>       // contiguous_range, iterator_t, range_value_t, subrange
#include <span>         // span
#include <type_traits>  // decay_t, invoke_result_t, is_invocable_v, is_void_v
#include <utility>      // move, pair
#include <variant>      // monostate
#include <vector>       // vector

#include "tartan/core/errors.hpp"   // bad_argument, raise
#include "tartan/core/result.hpp"   // invoke_regular, regular_result
#include "tartan/core/slots.hpp"    // slots
#include "tartan/exec/backend.hpp"  // block, block_plan, shared_memory_backend
#include "tartan/exec/leaf.hpp"     // advanced
#include "tartan/exec/plan.hpp"     // aggregate_blocks
#include "tartan/exec/policy.hpp"   // execution_policy, supports
#include "tartan/exec/source.hpp"   // divisible_range, length

namespace tartan::inline TARTAN_ABI {

/// How many parts scatter_gather makes. Throws bad_argument unless k >= 1.
class parts {
 public:
  constexpr explicit parts(std::ptrdiff_t k) : k_(static_cast<std::size_t>(k)) {
    if (k < 1)
      detail::raise<bad_argument>("tartan: parts(k) needs k >= 1; leave it out to let the length of the range decide");
  }
  [[nodiscard]] constexpr std::size_t count() const noexcept { return k_; }

 private:
  std::size_t k_;
};

namespace detail {

/// [0, n) in k parts whose lengths differ by at most one.
struct even_cut {
  std::size_t n, k;
  [[nodiscard]] constexpr std::size_t begin_of(std::size_t i) const noexcept {
    return i * (n / k) + (std::min)(i, n % k);
  }
};

/// A part as the user sees it.
template <class It>
TARTAN_ALWAYS_INLINE constexpr auto part_of(It first, std::size_t begin, std::size_t end) {
  if constexpr (std::contiguous_iterator<It>)
    return std::span(std::to_address(first) + begin, end - begin);
  else
    return std::ranges::subrange(advanced(first, begin), advanced(first, end));
}

template <class R>
using part_t = decltype(part_of(std::declval<std::ranges::iterator_t<R>>(), std::size_t{}, std::size_t{}));

/// Makes the parts on the calling side.
template <class It>
struct scattered {
  It first;
  even_cut cut;
  [[nodiscard]] auto operator()(block const& b) const {
    return std::pair(b.index, part_of(first, cut.begin_of(b.index), cut.begin_of(b.index + 1)));
  }
};

template <class It>
scattered(It, even_cut) -> scattered<It>;

/// What travels to a worker that does not see the caller's memory: a part, as a vector of its values, and its number.
template <class F>
struct scatter_work {
  [[no_unique_address]] F f;
  template <class Values>
  auto operator()(std::pair<std::size_t, Values>& numbered) const {
    return invoke_regular(f, part_of(numbered.second.begin(), 0, numbered.second.size()), numbered.first);
  }
};

template <class P, class R, class F>
auto scatter_gather_parts(P const& policy, R&& data, std::size_t k, F f) {
  static_assert(
      supports<P, property::none>,
      "tartan: scatter_gather is cut by parts(k): leave grain(), relaxed() and in_flight() out of its policy");
  static_assert(std::is_invocable_v<F&, part_t<R>, std::size_t>,
                "tartan: scatter_gather(policy, data, f): f(part, index) must accept a std::span (of data that is not "
                "contiguous: a subrange) and the number of the part");
  if constexpr (std::is_invocable_v<F&, part_t<R>, std::size_t>) {
    using raw = std::invoke_result_t<F&, part_t<R>, std::size_t>;
    using result = std::decay_t<regular_result<raw>>;
    std::size_t const n = length(data);
    auto const first = std::ranges::begin(data);
    scattered const scatter{first, even_cut{n, k}};
    auto const gather = [](auto&& gathered) {
      if constexpr (!std::is_void_v<raw>) return std::move(gathered);
    };
    if constexpr (shared_memory_backend<typename P::backend_type>) {
      slots<result> results(k);
      properties props = policy.props();
      props.grain = 1;
      policy.backend().for_range(props, k, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i != end; ++i)
          results.make(i, [&]() -> result { return invoke_regular(f, scatter(block{i, i, i + 1}).second, i); });
      });
      return gather(results.to_vector());
    } else {
      static_assert(std::is_invocable_v<F const&, std::span<std::ranges::range_value_t<R>>, std::size_t>,
                    "tartan: here f gets a span of copies of the elements; let it accept one");
      return gather(policy.backend().template collect<result>(policy.props(), block_plan(k, 1), scatter,
                                                              scatter_work<F>{std::move(f)}));
    }
  }
}

}  // namespace detail

/// Cuts the data into k parts of equal length, calls f(part, index) for each, and returns the results in order.
///
///     auto means = tartan::scatter_gather(tartan::par, v, tartan::parts(8),
///                                         [](std::span<double const> part, std::size_t index) { return mean(part); });
///
/// @param data  A random-access range with a size.
/// @param k     How many parts there are; the lengths of two differ by at most one, and some are empty if the range has
///              fewer than k elements.
/// @param f     Gets a std::span of contiguous data, else a std::ranges::subrange; where memory is not shared, a span
/// of
///              copies, and it and its results must travel.
/// @returns     std::vector of f's k results; nothing if f returns nothing.
///
/// Complexity: k calls; each part runs whole on one worker.
/// Determinism: the parts are fixed by n and k alone.
/// Exceptions: of several, the one of the lowest part is rethrown; later parts may be skipped. `cancelled` if a stop
/// skipped any. Blocking, Thread safety: as for_each. Progress counts parts.
template <execution_policy P, divisible_range R, class F>
auto scatter_gather(P const& policy, R&& data, parts k, F f) {
  return detail::scatter_gather_parts(policy, data, k.count(), std::move(f));
}

/// The same with as many parts as the length of the range suggests: one an element, but at most 256. Never the number
/// of workers: results must not depend on the machine.
template <execution_policy P, divisible_range R, class F>
auto scatter_gather(P const& policy, R&& data, F f) {
  return detail::scatter_gather_parts(policy, data, detail::aggregate_blocks(detail::length(data)).count(),
                                      std::move(f));
}

}  // namespace tartan::inline TARTAN_ABI
