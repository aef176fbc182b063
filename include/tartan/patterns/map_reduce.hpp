#pragma once
// Map every element, fold the results: the same bits for any number of workers and on any backend.

#include <concepts>     // convertible_to, copy_constructible, invocable
#include <cstddef>      // size_t
#include <iterator>     // contiguous_iterator
#include <ranges>       // begin, input_range, range_reference_t, range_value_t
#include <type_traits>  // decay_t, invoke_result_t, is_arithmetic_v, is_same_v
#include <utility>      // move
#include <vector>       // vector

#include "tartan/core/function_objects.hpp"  // identity, invoke, plus
#include "tartan/core/slots.hpp"             // slots
#include "tartan/core/smaller.hpp"           // larger, smaller
#include "tartan/core/ticks.hpp"             // ticks, ticks_per_us
#include "tartan/exec/backend.hpp"           // shared_memory_backend
#include "tartan/exec/combine.hpp"           // in_lanes
#include "tartan/exec/leaf.hpp"              // reducer_of
#include "tartan/exec/plan.hpp"              // block_plan, reduction_blocks
#include "tartan/exec/policy.hpp"            // execution_policy, supports
#include "tartan/exec/source.hpp"            // divisible_range, for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Whether a From fits a To without losing range or precision; class types only need to convert.
template <class From, class To>
concept widens_to = std::convertible_to<From, To> &&
                    (!std::is_arithmetic_v<From> || !std::is_arithmetic_v<To> || requires(From from) { To{from}; });

/// What a reduction that starts from a T gives: the type of combine(T, mapped), or void where there is none.
template <class T, class Mapped, class Combine>
consteval auto folded_type() {
  if constexpr (std::invocable<Combine&, T, Mapped>)
    return std::type_identity<std::decay_t<std::invoke_result_t<Combine&, T, Mapped>>>{};
  else if constexpr (std::convertible_to<Mapped, T> && std::invocable<Combine&, T, T>)
    return std::type_identity<std::decay_t<std::invoke_result_t<Combine&, T, T>>>{};
  else
    return std::type_identity<void>{};
}
template <class T, class Mapped, class Combine>
using folded_t = typename decltype(folded_type<T, Mapped, Combine>())::type;

/// Pairs of neighbours, then pairs of pairs: the tree is fixed by the number of parts. There is at least one.
template <class T, class Combine>
T combine_tree(T* parts, std::size_t count, Combine& combine) {
  for (std::size_t step = 1; step < count; step *= 2)
    for (std::size_t i = 0; i + step < count; i += 2 * step)
      parts[i] = static_cast<T>(detail::invoke(combine, std::move(parts[i]), std::move(parts[i + step])));
  return std::move(parts[0]);
}

/// The fold of one block of n > 0 elements in one go, which some leaves do without a state in memory.
template <class Reducer, class T, class It, class Map, class Combine>
TARTAN_ALWAYS_INLINE T fold_block(It first, std::size_t n, Map& map, Combine& combine) {
  if constexpr (requires { Reducer::whole(first, n, map, combine); }) {
    return Reducer::whole(first, n, map, combine);
  } else {
    Reducer fold(map, combine);
    fold.add(first, n);
    return fold.finish();
  }
}

/// The fold of n > 0 elements to a number, on this thread alone: the tree of combine_tree, of which those parts wait on
/// a stack whose right neighbours are yet to come.
template <class T, class Reducer, class It, class Map, class Combine>
T fold_alone(It first, std::size_t n, Map& map, Combine& combine) {
  std::size_t const length = exact<Combine, T> ? n : reduction_blocks(n)[0].size();
  T waiting[8 * sizeof(std::size_t)];  // of 2^k blocks each
  std::size_t height = 0;
  for (std::size_t index = 0, begin = 0;; ++index, begin += length) {
    T part = fold_block<Reducer, T>(advanced(first, begin), smaller(length, n - begin), map, combine);
    bool const last = n - begin <= length;
    for (std::size_t bits = index; last ? height != 0 : bits % 2 != 0; bits /= 2, --height)
      part = static_cast<T>(detail::invoke(combine, std::move(waiting[height - 1]), std::move(part)));
    if (last) return part;
    waiting[height++] = part;
  }
}

template <class Leaf, class P, class T, class Map, class Combine>
using block_reducer = typename reducer_of<Leaf, within(property::relaxed, P::used), T, Map, Combine>::type;

/// Folds one block on a backend that shares memory. Cheap elements run in one loop on this worker; dear ones are mapped
/// by whoever has time, into a buffer, and combined here in the same shape.
template <class T, class Leaf, class P, class It, class Map, class Combine>
class block_fold {
 public:
  block_fold(P const& policy, Map& map, Combine& combine, bool alone, bool spread) noexcept
      : policy_(policy), map_(map), combine_(combine), alone_(alone), spread_(spread) {}

  /// `n` is at least 1.
  T operator()(It first, std::size_t n) {
    if (nothing_to_share || alone_) return fold_block<reducer, T>(first, n, map_, combine_);
    reducer fold(map_, combine_);
    std::size_t done = smaller(n, lane_count);
    std::uint64_t const begin = ticks();
    spread_ ? add_shared(fold, first, done) : fold.add(first, done);
    while (done != n) {
      std::uint64_t const spent = ticks() - begin + 1;
      std::size_t const one_look = done * look_us * ticks_per_us() / spent;  // elements that take as long
      if (n - done > one_look && somebody_idles()) {
        add_shared(fold, advanced(first, done), n - done);
        break;
      }
      std::size_t const wanted = smaller(8 * done, one_look) / lane_count * lane_count;
      std::size_t const more = smaller(larger(wanted, lane_count), n - done);
      fold.add(advanced(first, done), more);
      done += more;
    }
    return fold.finish();
  }

  /// Whether n elements in one block may all be shared, with nobody who watches: then no range need be around it.
  [[nodiscard]] bool is_range(std::size_t n) const noexcept {
    return !nothing_to_share && !alone_ && n <= lane_count && !policy_.props().watched();
  }
  T as_range(It first, std::size_t n) {
    reducer fold(map_, combine_);
    add_shared(fold, first, n);
    return fold.finish();
  }

 private:
  using reducer = block_reducer<Leaf, P, T, Map, Combine>;
  using mapped = std::decay_t<std::invoke_result_t<Map&, std::iter_reference_t<It>>>;
  /// Numbers that lie in memory and are combined as they are: handing them over costs more than adding them up.
  static constexpr bool nothing_to_share =
      std::is_same_v<Map, std::identity> && std::contiguous_iterator<It> && std::is_arithmetic_v<T>;
  static constexpr std::uint64_t look_us = 10;  // less is not worth sharing, and so often it is asked who would help

  /// Sharing puts mapped values into memory and takes them out again, so it is for those who have nothing better to do.
  [[nodiscard]] bool somebody_idles() const {
    if constexpr (requires { policy_.backend().somebody_idles(); })
      return policy_.backend().somebody_idles();
    else
      return true;
  }

  void add_shared(reducer& fold, It first, std::size_t n) {
    slots<mapped> values(n);
    properties const props = policy_.props().uncounted();  // the enclosing range counts
    policy_.backend().for_range(props, n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      if constexpr (std::is_arithmetic_v<mapped>)
        Leaf::map_block(advanced(first, begin), end - begin, values.data() + begin, map_);
      else
        for (std::size_t i = begin; i != end; ++i)
          values.make(i, [&]() -> mapped { return detail::invoke(map_, at(first, i)); });
    });
    fold.add_mapped(values.data(), n);
  }

  P const& policy_;
  Map& map_;
  Combine& combine_;
  bool alone_;   // nobody else could help
  bool spread_;  // there are fewer blocks than workers: share even the first elements
};

/// What travels to a worker that does not see the caller's memory: a block in, its fold out.
template <class T, class Leaf, class Map, class Combine>
struct fold_work {
  [[no_unique_address]] Map map;
  [[no_unique_address]] Combine combine;
  template <class Part>
  T operator()(Part& part) const {
    Map m = map;
    Combine c = combine;
    typename Leaf::template reducer<T, Map, Combine> fold(m, c);
    fold.add(std::ranges::begin(part), static_cast<std::size_t>(std::ranges::distance(part)));
    return fold.finish();
  }
};

/// The fold of a divisible range of at least one element, in that leaf.
template <class T, class Leaf, class P, class R, class Map, class Combine>
T fold_range(P const& policy, R&& r, Map& map, Combine& combine) {
  auto const first = std::ranges::begin(r);
  std::size_t const n = length(r);
  if constexpr (std::is_arithmetic_v<T> && requires { policy.backend().in_one_piece(policy.props()); })
    if (policy.backend().in_one_piece(policy.props())) [[likely]]
      return fold_alone<T, block_reducer<Leaf, P, T, Map, Combine>>(first, n, map, combine);
  block_plan plan = reduction_blocks(n);
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    std::size_t const width = policy.backend().width(policy.props());
    // Where blocks do not show, and nobody shares or watches them, there need be one only.
    if (exact<Combine, T> && width == 1 && !policy.props().watched()) plan = {n, n};
    block_fold<T, Leaf, P, std::remove_const_t<decltype(first)>, Map, Combine> fold(policy, map, combine, width == 1,
                                                                                    plan.count() < 4 * width);
    if (fold.is_range(n)) return fold.as_range(first, n);
    slots<T> parts(plan.count());
    std::size_t const block_length = plan[0].size();
    policy.backend().for_range(policy.props(), n, block_length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin / block_length; b * block_length < end; ++b)
        parts.make(b, [&] { return fold(advanced(first, plan[b].begin), plan[b].size()); });
    });
    return combine_tree(parts.data(), parts.size(), combine);
  } else {
    auto parts = policy.backend().template collect<T>(policy.props(), plan, subrange_of{first},
                                                      fold_work<T, Leaf, Map, Combine>{map, combine});
    return combine_tree(parts.data(), parts.size(), combine);
  }
}

/// map_reduce in a leaf that need not be the policy's.
template <class Leaf, class P, class R, class Map, class T, class Combine>
T map_reduce_in(P const& policy, R&& r, Map& map, T init, Combine& combine) {
  using mapped = std::decay_t<std::invoke_result_t<Map&, std::ranges::range_reference_t<R>>>;
  using sum = folded_t<T, mapped, Combine>;
  static_assert(!std::is_void_v<sum>,
                "tartan: map_reduce: combine(init, map(x)) does not compile; give a combine that takes two values of "
                "init's type, and a map whose result converts to it");
  static_assert(std::is_void_v<sum> || widens_to<sum, T>,
                "tartan: map_reduce: init's type cannot hold the sum; write the init in the type of the sum (0.0 or 0L "
                "instead of 0)");
  static_assert(supports < P, property::grain | property::relaxed >,
                "tartan: map_reduce does not support a property of this policy (it takes workers, grain, relaxed, "
                "stop, progress, name, on)");
  for_parts(r, [&](auto&& part, std::size_t) {
    if (length(part) != 0)
      init = static_cast<T>(detail::invoke(combine, std::move(init), fold_range<T, Leaf>(policy, part, map, combine)));
  });
  return init;
}

}  // namespace detail

/// Combines map(x) of all elements x of r, from left to right in the sense of an associative combine.
///
///     double norm2 = tartan::map_reduce(tartan::par, v, [](double x) { return x * x; });
///     auto longest = tartan::map_reduce(tartan::par, words, &std::string::size, std::size_t{0}, tartan::maximum{});
///     long squares = tartan::map_reduce(tartan::par, ints, [](long x) { return x * x; }, 0L);   // integers do not
///     grow
///
/// @param r        Any input range; random-access sized ranges are used in place.
/// @param map      Called exactly once for each element, from several threads at once.
/// @param init     Joins once, on the left; its type is the type of the sum, which it must be able to hold.
/// @param combine  Associative; keeps the order of its operands, so it need not commute.
/// @returns        combine(init, ...); `init` for an empty range.
///
/// Complexity: n map, n combine; span O(n / workers + log n). Cheap and dear elements alike: see for_each.
/// Determinism: the same bits on every run, for any number of workers, grain and backend: blocks are fixed by n, within
/// a block 64 lanes are combined in a fixed tree where combine is known to commute on numbers (std::plus, multiplies,
/// bit operations, maximum, minimum, commutative(f)), else elements in order. Under simd, relaxed() gives up the
/// same bits across builds and leaves for what the target does fastest.
/// Exceptions: of map as for_each; `cancelled` if a stop was requested and elements were skipped.
/// Blocking, Thread safety: as for_each.
template <execution_policy P, std::ranges::input_range R, class Map,
          class T = std::decay_t<std::invoke_result_t<Map&, std::ranges::range_reference_t<R>>>,
          class Combine = std::plus<>>
[[nodiscard]] T map_reduce(P const& policy, R&& r, Map map, T init = {}, Combine combine = {}) {
  return detail::map_reduce_in<typename P::leaf_type>(policy, r, map, std::move(init), combine);
}

/// map_reduce of the elements themselves.
///
///     double sum = tartan::reduce(tartan::par, v);
///     double big = tartan::reduce(tartan::par, v, -inf, tartan::maximum{});
template <execution_policy P, std::ranges::input_range R, class T = std::ranges::range_value_t<R>,
          class Combine = std::plus<>>
[[nodiscard]] T reduce(P const& policy, R&& r, T init = {}, Combine combine = {}) {
  return map_reduce(policy, std::forward<R>(r), std::identity{}, std::move(init), std::move(combine));
}

}  // namespace tartan::inline TARTAN_ABI
