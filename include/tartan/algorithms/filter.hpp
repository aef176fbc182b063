#pragma once
// Elements that are kept, in their order: copy_if, remove_if, partition, unique.

#include <algorithm>    // min
#include <concepts>     // constructible_from
#include <cstddef>      // size_t
#include <functional>   // equal_to, identity, invoke
#include <iterator>     // permutable
#include <ranges>       // begin, iter_move, iter_swap, iterator_t, range_value_t
#include <type_traits>  // is_*_v, remove_cvref_t
#include <utility>      // exchange, forward, move
#include <vector>       // vector

#include "tartan/algorithms/map.hpp"        // write_alignment
#include "tartan/algorithms/projected.hpp"  // tests_element, tests_pair
#include "tartan/algorithms/vector_of.hpp"  // vector_of_blocks
#include "tartan/core/slots.hpp"            // slots
#include "tartan/exec/backend.hpp"          // shared_memory_backend
#include "tartan/exec/plan.hpp"             // block_plan
#include "tartan/exec/policy.hpp"           // execution_policy, supports
#include "tartan/exec/source.hpp"           // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Asks about every element once, in blocks, and knows then where each of them goes.
template <class P>
class selection {
 public:
  template <class Keep>
  selection(P const& policy, std::size_t n, Keep const& keep)
      : policy_(policy), plan_(n, n / 512 + 1 < 4096 ? n / 512 + 1 : 4096), kept_(n), before_(plan_.count() + 1) {
    static_assert(shared_memory_backend<typename P::backend_type>,
                  "tartan: copy_if and its like need workers that see the caller's memory; use seq, par or par_simd");
    static_assert(supports<P, (property::grain | property::relaxed)>,
                  "tartan: copy_if and its like do not support a property of this policy (they take workers, stop, "
                  "progress, name, on)");
    each_block(policy_.props(), 0, plan_.count(), [&](block b) {
      std::size_t count = 0;
      for (std::size_t i = b.begin; i != b.end; ++i) {
        kept_[i] = keep(i);
        if (kept_[i]) ++count;
      }
      before_[b.index] = count;
    });
    std::size_t sum = 0;
    for (std::size_t& b : before_) sum += std::exchange(b, sum);
  }

  [[nodiscard]] std::size_t kept() const noexcept { return before_.back(); }
  [[nodiscard]] std::size_t blocks() const noexcept { return plan_.count(); }

  [[nodiscard]] bool keeps(std::size_t i) noexcept { return kept_[i]; }

  /// How many are kept before each block, and altogether.
  [[nodiscard]] std::vector<std::size_t> const& before() const noexcept { return before_; }

  /// f(i, place) for the elements of blocks [first, last) that are kept. If `Any`, it may be called for others before,
  /// with the same place.
  template <bool Any, class F>
  void for_kept(std::size_t first, std::size_t last, F&& f) {
    each_block(on_their_way(), first, last, [&](block b) {
      std::size_t to = before_[b.index];
      std::size_t const end = before_[b.index + 1];
      for (std::size_t i = b.begin; to != end; ++i) {
        if constexpr (Any) {  // no branch: it would be a coin toss
          f(i, to);
          to += kept_[i];
        } else if (kept_[i]) {
          f(i, to++);
        }
      }
    });
  }

  /// f(i, place) for all elements, those that are kept before the others.
  template <class F>
  void for_all(F&& f) {
    each_block(on_their_way(), 0, blocks(), [&](block b) {
      std::size_t to = before_[b.index], other = kept() + b.begin - to;
      for (std::size_t i = b.begin; i != b.end; ++i) {
        auto const keep = static_cast<std::size_t>(kept_[i]);
        f(i, other ^ ((to ^ other) & (0 - keep)));  // no branch here either
        to += keep;
        other += 1 - keep;
      }
    });
  }

 private:
  template <class F>
  void each_block(properties const& props, std::size_t first, std::size_t last, F&& f) {
    if (first == last) return;
    std::size_t const length = plan_[0].size(), elements = plan_[last - 1].end - plan_[first].begin;
    policy_.backend().for_range(props, elements, length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin / length; b * length < end; ++b) f(plan_[first + b]);
    });
  }

  [[nodiscard]] properties on_their_way() const noexcept {
    properties props = policy_.props();
    props.stop = {};
    props.progress = {};
    return props;
  }

  P const& policy_;
  block_plan plan_;
  slots<bool> kept_;
  std::vector<std::size_t> before_;
};

/// first[i] = std::move(values[i]) for i < n.
template <class P, class It, class T>
void move_back(P const& policy, It first, slots<T>& values, std::size_t n, std::size_t alignment) {
  properties props = policy.props();
  props.stop = {};
  props.progress = {};
  policy.backend().for_range(props, n, alignment, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i != end; ++i) at(first, i) = std::move(values[i]);
  });
}

/// Nobody can tell whether an element was copied.
template <class R>
inline constexpr bool seen_only =
    std::is_lvalue_reference_v<std::ranges::range_reference_t<R>> &&
    !std::is_volatile_v<std::remove_reference_t<std::ranges::range_reference_t<R>>> &&
    std::is_trivially_copyable_v<std::ranges::range_value_t<R>> && sizeof(std::ranges::range_value_t<R>) <= 16;

/// Elements that may throw when they are moved: one move after another, so that the others stay in the range.
template <bool WantOthers, class P, class It>
void compact_carefully(selection<P>& chosen, It first, std::size_t n) {
  if constexpr (WantOthers) {
    std::vector<std::size_t> from(n);
    chosen.for_all([&](std::size_t i, std::size_t place) { from[place] = i; });
    for (std::size_t i = 0; i != n; ++i)
      for (std::size_t j = i; from[j] != j;) {
        std::size_t const next = std::exchange(from[j], j);
        if (next == i) break;
        std::ranges::iter_swap(advanced(first, j), advanced(first, next));
        j = next;
      }
  } else {
    for (std::size_t i = 0, place = 0; place != chosen.kept(); ++i)
      if (chosen.keeps(i)) {
        if (i != place) at(first, place) = std::ranges::iter_move(advanced(first, i));
        ++place;
      }
  }
}

/// Moves what is kept to the front, and the others behind it if they are wanted; gives the number of the kept.
template <bool WantOthers, class P, class R, class Keep>
std::size_t compact(P const& policy, R& r, Keep const& keep) {
  using T = std::ranges::range_value_t<R>;
  auto const first = std::ranges::begin(r);
  std::size_t const n = length(r);
  selection<P> chosen(policy, n, keep);
  std::size_t const kept = chosen.kept(), moved = WantOthers ? n : kept;
  if (kept == n) return n;
  if constexpr (!std::is_nothrow_move_constructible_v<T> || !std::is_nothrow_move_assignable_v<T>)
    return compact_carefully<WantOthers>(chosen, first, n), kept;
  slots<T> values(moved);
  auto const take = [&](std::size_t i, std::size_t place) {
    values.make(place, [&]() -> T { return std::ranges::iter_move(advanced(first, i)); });
  };
  if constexpr (WantOthers)
    chosen.for_all(take);
  else
    chosen.template for_kept<seen_only<R>>(0, chosen.blocks(), take);
  move_back(policy, first, values, moved, write_alignment<std::remove_cvref_t<R>>);
  return kept;
}

template <class R>
inline constexpr bool moves_in_place =
    write_alignment<std::remove_cvref_t<R>> != 1 || std::permutable<std::ranges::iterator_t<R>>;

template <class R, class Pred, class Proj>
auto index_test(R& r, Pred& pred, Proj& proj) {
  return [first = std::ranges::begin(r), &pred, &proj](std::size_t i) -> bool {
    return static_cast<bool>(std::invoke(pred, std::invoke(proj, at(first, i))));
  };
}

}  // namespace detail

/// A vector of copies of the elements of r for whose projection pred holds, in the order of r.
///
///     std::vector<person> adults = tartan::copy_if(tartan::par, people, [](int age) { return age >= 18; },
///     &person::age);
///
/// @param r     A random-access range with a size.
/// @param pred  Called exactly once for each element, from several threads at once.
///
/// Complexity: n calls, then one copy of each element that is kept. Extra memory: a byte for each element.
/// Exceptions, Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range R, class Pred, class Proj = std::identity>
[[nodiscard]] auto copy_if(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  using T = std::ranges::range_value_t<R>;
  static_assert(detail::tests_element<Pred, Proj, R>,
                "tartan: copy_if(policy, range, pred, proj) needs a pred that answers true or false for an element");
  static_assert(std::constructible_from<T, std::ranges::range_reference_t<R>>,
                "tartan: copy_if copies elements into a vector; use remove_if for elements that only move");
  auto const first = std::ranges::begin(r);
  detail::selection<P> chosen(policy, detail::length(r), detail::index_test(r, pred, proj));
  return detail::vector_of_blocks<T>(policy, chosen.before(), [&](std::size_t b, std::size_t last, auto const& put) {
    chosen.template for_kept<detail::made_twice<T> && detail::seen_only<R>>(
        b, last, [&](std::size_t i, std::size_t place) { put(place, detail::at(first, i)); });
  });
}

/// Moves the elements for whose projection pred does not hold to the front, in their order; gives an iterator behind
/// them. What lies there is moved from: erase it.
///
///     v.erase(tartan::remove_if(tartan::par, v, [](double x) { return x < 0; }), v.end());
///
/// Extra memory: a byte for each element, and a second place for each that is kept. Exceptions: of pred as for_each,
/// and nothing has moved then; of moves. Elements that may throw when moved are moved by the calling thread alone, one
/// after another: none is lost but the one whose move throws. Everything else as copy_if; a stop is not looked at once
/// elements move.
template <execution_policy P, divisible_range R, class Pred, class Proj = std::identity>
[[nodiscard]] auto remove_if(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  static_assert(detail::tests_element<Pred, Proj, R> && detail::moves_in_place<R>,
                "tartan: remove_if(policy, range, pred, proj) needs elements that can be moved and a pred that answers "
                "true or false for an element");
  auto const test = detail::index_test(r, pred, proj);
  return detail::advanced(std::ranges::begin(r),
                          detail::compact<false>(policy, r, [&](std::size_t i) { return !test(i); }));
}

/// Moves the elements for whose projection pred holds before the others, both in their order; gives an iterator to the
/// first of the others. Everything else as remove_if.
///
///     auto children = tartan::partition(tartan::par, people, [](int age) { return age >= 18; }, &person::age);
template <execution_policy P, divisible_range R, class Pred, class Proj = std::identity>
auto partition(P const& policy, R&& r, Pred pred, Proj proj = {}) {
  static_assert(detail::tests_element<Pred, Proj, R> && detail::moves_in_place<R>,
                "tartan: partition(policy, range, pred, proj) needs elements that can be moved and a pred that answers "
                "true or false for an element");
  return detail::advanced(std::ranges::begin(r), detail::compact<true>(policy, r, detail::index_test(r, pred, proj)));
}

/// Of each run of equal elements moves the first to the front; gives an iterator behind them. Everything else as
/// remove_if.
///
///     v.erase(tartan::unique(tartan::par, v), v.end());
///
/// @param equal  An equivalence; compares neighbours.
template <execution_policy P, divisible_range R, class Equal = std::ranges::equal_to, class Proj = std::identity>
[[nodiscard]] auto unique(P const& policy, R&& r, Equal equal = {}, Proj proj = {}) {
  static_assert(detail::tests_pair<Equal, Proj, R, Proj, R> && detail::moves_in_place<R>,
                "tartan: unique(policy, range, equal, proj) needs elements that can be moved and an equal that answers "
                "true or false for two elements");
  auto const first = std::ranges::begin(r);
  auto const begins_run = [&](std::size_t i) {
    return i == 0 || !static_cast<bool>(std::invoke(equal, std::invoke(proj, detail::at(first, i - 1)),
                                                    std::invoke(proj, detail::at(first, i))));
  };
  return detail::advanced(first, detail::compact<false>(policy, r, begins_run));
}

}  // namespace tartan::inline TARTAN_ABI
