#pragma once
// Searches and counts: find, find_if, any_of, all_of, none_of, count, count_if.

#include <algorithm>    // min
#include <atomic>       // atomic, memory_order_relaxed
#include <concepts>     // convertible_to, invocable, predicate
#include <cstddef>      // size_t
#include <functional>   // equal_to, identity, invoke, plus
#include <iterator>     // indirect_unary_predicate, projected
#include <ranges>       // begin, input_range, iterator_t, range_reference_t
#include <type_traits>  // invoke_result_t
#include <utility>      // forward, move

#include "tartan/core/config.hpp"          // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/core/range.hpp"           // first_error
#include "tartan/exec/backend.hpp"         // shared_memory_backend
#include "tartan/exec/policy.hpp"          // execution_policy, supports
#include "tartan/exec/source.hpp"          // divisible_range, length
#include "tartan/patterns/map_reduce.hpp"  // map_reduce

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The lowest index for which a test holds, while several workers look.
class lowest_index {
 public:
  explicit lowest_index(std::size_t none) noexcept : lowest_(none) {}
  /// Relaxed: a late reader only looks at more than it must; the value is read after the join.
  [[nodiscard]] std::size_t get() const noexcept { return lowest_.load(std::memory_order_relaxed); }
  void found(std::size_t i) noexcept {
    std::size_t now = get();
    while (i < now && !lowest_.compare_exchange_weak(now, i, std::memory_order_relaxed)) {  // relaxed: as above
    }
  }

 private:
  std::atomic<std::size_t> lowest_;
};

/// Moves i on to the first index for which holds(i), else to stop; to the one that holds() threw for.
template <class Holds>
TARTAN_ALWAYS_INLINE void first_that(std::size_t& i, std::size_t stop, Holds const& holds) {
  struct cursor {  // in a register, as i may not be
    std::size_t& to;
    std::size_t now;
    ~cursor() { to = now; }
  } at{i, i};
  for (; stop - at.now >= 4; ++at.now) {  // four at a time: the loop takes longer than many a test
    if (holds(at.now)) return;
    if (holds(++at.now)) return;
    if (holds(++at.now)) return;
    if (holds(++at.now)) return;
  }
  while (at.now != stop && !holds(at.now)) ++at.now;
}

/// The lowest i < n that look() stops at, else n: look(i, stop) moves i on until it is found or stop. What is thrown
/// counts only if a serial search would have come that far.
template <class P, class Look>
std::size_t find_index(P const& policy, std::size_t n, Look const& look) {
  static_assert(shared_memory_backend<typename P::backend_type>,
                "tartan: find needs workers that see the caller's memory; use seq, par or par_simd, or map_reduce");
  static_assert(
      supports<P, (property::grain | property::relaxed)>,
      "tartan: find does not support a property of this policy (it takes workers, grain, stop, progress, name, "
      "on)");
  constexpr std::size_t between_looks = 1024;
  lowest_index lowest(n);
  first_error error;
  policy.backend().for_range(policy.props(), n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
    std::size_t i = begin;
    auto const search = [&] {
      while (i < end) {
        if (lowest.get() < i || error.skips(i)) return;
        std::size_t const stop = (std::min)(end, i + between_looks);
        look(i, stop);
        if (i != stop) return lowest.found(i);
      }
    };
#if TARTAN_EXCEPTIONS
    try {
      search();
    } catch (...) {
      error.record(i);
    }
#else
    search();
#endif
  });
  if (error.skips(lowest.get())) error.rethrow();
  return lowest.get();
}

/// The answer of a predicate to a pack of elements: one truth value a lane.
template <class R>
concept answers_by_lane = requires { typename R::lanes_type; };

/// What count_if adds up; travels if pred and proj do. Of a pack pred says yes or no lane by lane, where it can.
template <class Pred, class Proj>
struct one_if {
  [[no_unique_address]] Pred pred;
  [[no_unique_address]] Proj proj;
  template <class X>
    requires std::predicate<Pred const&, std::invoke_result_t<Proj const&, X>>
  TARTAN_ALWAYS_INLINE std::size_t operator()(X&& x) const {
    return static_cast<bool>(std::invoke(pred, std::invoke(proj, std::forward<X>(x)))) ? 1 : 0;
  }
  template <class X>
    requires answers_by_lane<std::invoke_result_t<Pred const&, std::invoke_result_t<Proj const&, X>>>
  TARTAN_ALWAYS_INLINE auto operator()(X&& x) const {
    return std::invoke(pred, std::invoke(proj, std::forward<X>(x)));
  }
};
template <class Pred>
struct negation {
  Pred& pred;
  template <class X>
    requires std::predicate<Pred&, X>
  TARTAN_ALWAYS_INLINE bool operator()(X&& x) const {
    return !std::invoke(pred, std::forward<X>(x));
  }
  template <class X>
    requires answers_by_lane<std::invoke_result_t<Pred&, X>>
  TARTAN_ALWAYS_INLINE auto operator()(X&& x) const {
    return !std::invoke(pred, std::forward<X>(x));
  }
};
template <class T>
struct equals {
  T value;
  template <class X>
    requires requires(X const& x, T const& v) {
      { x == v } -> std::convertible_to<bool>;
    }
  TARTAN_ALWAYS_INLINE bool operator()(X const& x) const {
    return x == value;
  }
  template <class X>
    requires requires(X const& x, T const& v) {
      { x == v } -> answers_by_lane;
    }
  TARTAN_ALWAYS_INLINE auto operator()(X const& x) const {
    return x == value;
  }
};

}  // namespace detail

/// An iterator to the first element of r for whose projection pred holds, else the end.
///
///     auto it = tartan::find_if(tartan::par, v, [](double x) { return x < 0; });
///
/// @param r     A random-access range with a size, which must outlive the result.
/// @param pred  Called at most once for each element, from several threads at once. Under simd a pred that takes packs
///              is asked of several elements at once, a few behind the match among them.
///
/// Complexity: at most n calls; elements behind a match are skipped soon after it was found.
/// Determinism: always the first. Exceptions: what a serial search would throw: nothing that lies behind the match;
/// `cancelled` if a stop was requested and elements were skipped. Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range R, class Pred, class Proj = std::identity>
auto find_if(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  static_assert(std::indirect_unary_predicate<Pred, std::projected<std::ranges::iterator_t<R>, Proj>>,
                "tartan: find_if(policy, range, pred, proj) needs a pred that answers true or false for an element");
  auto const first = std::ranges::begin(r);
  using leaf = typename P::leaf_type;
  using test = detail::one_if<Pred&, Proj&>;
  return detail::advanced(first, detail::find_index(policy, detail::length(r), [&](std::size_t& i, std::size_t stop) {
                            if constexpr (requires(test t) { leaf::find_block(first, i, t); }) {
                              test t{pred, proj};
                              i += leaf::find_block(detail::advanced(first, i), stop - i, t);
                            } else {
                              detail::first_that(i, stop, [&](std::size_t k) -> bool {
                                return static_cast<bool>(std::invoke(pred, std::invoke(proj, detail::at(first, k))));
                              });
                            }
                          }));
}

/// find_if for elements whose projection equals value.
template <execution_policy P, divisible_range R, class T, class Proj = std::identity>
auto find(P const& policy, R&& r, T const& value, Proj proj = {}) {
  return find_if(policy, std::forward<R>(r), detail::equals<T const&>{value}, std::move(proj));
}

/// Whether pred holds for any element; see find_if. False for an empty range.
template <execution_policy P, divisible_range R, class Pred, class Proj = std::identity>
[[nodiscard]] bool any_of(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  return find_if(policy, r, std::move(pred), std::move(proj)) !=
         detail::advanced(std::ranges::begin(r), detail::length(r));
}

/// Whether pred holds for all elements; see find_if. True for an empty range.
template <execution_policy P, divisible_range R, class Pred, class Proj = std::identity>
[[nodiscard]] bool all_of(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  return !any_of(policy, r, detail::negation<Pred>{pred}, std::move(proj));
}

/// Whether pred holds for no element; see find_if. True for an empty range.
template <execution_policy P, divisible_range R, class Pred, class Proj = std::identity>
[[nodiscard]] bool none_of(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  return !any_of(policy, r, std::move(pred), std::move(proj));
}

/// How many elements of r have a projection for which pred holds.
///
///     std::size_t negative = tartan::count_if(tartan::par, v, [](double x) { return x < 0; });
///
/// Everything else as map_reduce: any input range, any backend.
template <execution_policy P, std::ranges::input_range R, class Pred, class Proj = std::identity>
[[nodiscard]] std::size_t count_if(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  static_assert(std::invocable<detail::one_if<Pred, Proj>&, std::ranges::range_reference_t<R>>,
                "tartan: count_if(policy, range, pred, proj) needs a pred that answers true or false for an element");
  detail::one_if<Pred, Proj> one{std::move(pred), std::move(proj)};
  std::plus<> plus;
  return detail::map_reduce_in<or_scalar_t<typename P::leaf_type>>(policy, r, one, std::size_t{0}, plus);
}

/// count_if for elements whose projection equals value.
template <execution_policy P, std::ranges::input_range R, class T, class Proj = std::identity>
[[nodiscard]] std::size_t count(P const& policy, R&& r, T value, Proj proj = {}) {
  return count_if(policy, std::forward<R>(r), detail::equals<T>{std::move(value)}, std::move(proj));
}

}  // namespace tartan::inline TARTAN_ABI
