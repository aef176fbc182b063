#pragma once
// A function of each element, its results in order.

#include <concepts>     // default_initializable, invocable
#include <cstddef>      // size_t
#include <functional>   // invoke
#include <iterator>     // random_access_iterator
#include <ranges>       // begin, input_range, iterator_t, range_reference_t, range_value_t, subrange
#include <tuple>        // apply
#include <type_traits>  // decay_t, invoke_result_t, is_assignable_v, is_class_v, is_same_v, is_void_v
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/algorithms/growing.hpp"  // fill_fresh
#include "tartan/core/errors.hpp"         // bad_argument, raise
#include "tartan/core/slots.hpp"          // slots
#include "tartan/exec/backend.hpp"        // shared_memory_backend
#include "tartan/exec/policy.hpp"         // execution_policy, supports
#include "tartan/exec/source.hpp"         // for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class F, class R>
using mapped_t = std::decay_t<std::invoke_result_t<F&, std::ranges::range_reference_t<R>>>;

/// What travels to a worker that does not see the caller's memory: a block in, its results out.
template <class F>
struct map_work {
  [[no_unique_address]] F f;
  template <class Part>
  auto operator()(Part& part) const {
    std::vector<std::decay_t<decltype(std::invoke(f, *std::ranges::begin(part)))>> results;
    results.reserve(static_cast<std::size_t>(std::ranges::distance(part)));
    for (auto&& element : part) results.push_back(std::invoke(f, std::forward<decltype(element)>(element)));
    return results;
  }
};

/// f of the members of a tuple-like element.
template <class F>
struct starred {
  [[no_unique_address]] F f;
  template <class Tuple>
  decltype(auto) operator()(Tuple&& t) const {
    return std::apply(f, std::forward<Tuple>(t));
  }
};

/// An alignment for what is written in one piece.
inline constexpr std::size_t one_piece = (~std::size_t{0} >> 2) + 1;

/// Whether elements may share a word: a bool that is referred to by an object (vector<bool>), also in a tuple of
/// others.
template <class Reference, class Value>
inline constexpr bool packed = std::is_class_v<Reference> && std::is_same_v<Value, bool>;
template <template <class...> class Tuple, class... Reference, template <class...> class Values, class... Value>
  requires(sizeof...(Reference) == sizeof...(Value))
inline constexpr bool packed<Tuple<Reference...>, Values<Value...>> = (packed<Reference, Value> || ...);

/// Elements written by different workers must not share a word: vector<bool> packs 64 of them. A part of one may begin
/// anywhere, and a view of one end, turn or skip anywhere.
template <class Out>
inline constexpr std::size_t write_alignment =
    std::is_same_v<Out, std::vector<bool>>                                         ? 64
    : packed<std::ranges::range_reference_t<Out>, std::ranges::range_value_t<Out>> ? one_piece
                                                                                   : 1;

template <class P, class Part, class Out, class F>
void map_part(P const& policy, Part&& part, Out& out, std::size_t offset, F& f, std::size_t alignment) {
  auto const first = std::ranges::begin(part);
  auto const to = advanced(std::ranges::begin(out), offset);
  policy.backend().for_range(policy.props(), length(part), alignment, [&](std::size_t begin, std::size_t end) {
    P::leaf_type::map_block(advanced(first, begin), end - begin, advanced(to, begin), f);
  });
}

/// Makes `out`, which is empty, from a part that is all there is.
template <class P, class Part, class R, class F>
void map_fresh(P const& policy, Part&& part, std::vector<R>& out, F& f) {
  auto const first = std::ranges::begin(part);
  fill_fresh(
      policy, out, length(part), [](std::size_t, std::size_t end) { return end; },
      [&](std::size_t begin, std::size_t end) {
        map_part(policy, std::ranges::subrange(advanced(first, begin), advanced(first, end)), out, begin, f,
                 write_alignment<std::vector<R>>);
      });
}

/// Results that no vector can hold before they exist: built in raw storage, then moved.
template <class R, class P, class Part, class F>
void map_part_raw(P const& policy, Part&& part, std::vector<R>& out, F& f) {
  auto const first = std::ranges::begin(part);
  slots<R> results(length(part));
  policy.backend().for_range(policy.props(), results.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i != end; ++i) results.make(i, [&]() -> R { return std::invoke(f, at(first, i)); });
  });
  out.reserve(out.size() + results.size());
  for (std::size_t i = 0; i != results.size(); ++i) out.push_back(std::move(results[i]));
}

template <class R, class P, class Part, class F>
void map_part_remote(P const& policy, Part&& part, std::vector<R>& out, F& f) {
  std::size_t const n = length(part);
  block_plan const plan(n, policy.backend().block_length(policy.props(), n));
  auto blocks = policy.backend().template collect<std::vector<R>>(
      policy.props(), plan, subrange_of{std::ranges::begin(part)}, map_work<F>{f});
  out.reserve(out.size() + n);
  for (std::vector<R>& one : blocks)
    for (auto&& r : one) out.push_back(std::move(r));
}

template <class P, class R, class Result, class F>
void map_parts(P const& policy, R& r, std::vector<Result>& out, F& f) {
  for_parts(r, [&](auto&& part, std::size_t offset) {
    if constexpr (!shared_memory_backend<typename P::backend_type>) {
      map_part_remote(policy, part, out, f);
    } else if constexpr (std::default_initializable<Result> && std::is_move_assignable_v<Result>) {
      if constexpr (divisible_range<R>) return map_fresh(policy, part, out, f);
      out.resize(offset + length(part));
      map_part(policy, part, out, offset, f, write_alignment<std::vector<Result>>);
    } else {
      map_part_raw(policy, part, out, f);
    }
  });
}

}  // namespace detail

/// The vector of f(x) for each element x of r, in the order of r.
///
///     std::vector<double> squares = tartan::map(tartan::par, v, [](double x) { return x * x; });
///
/// @param r  Any input range; see for_each.
/// @param f  Called exactly once for each element, from several threads at once; returns a value.
/// @returns  std::vector of f's decayed result type, which needs no default constructor.
///
/// Complexity: n calls. A vector of plain numbers is zeroed before it is filled: a step ahead where it is large, so
/// that the zeros stay in the cache. map_into spares that, and fresh memory. Exceptions, Blocking, Thread safety: as
/// for_each; results made so far are destroyed.
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto map(P const& policy, R&& r, F f) {
  static_assert(std::invocable<F&, std::ranges::range_reference_t<R>>,
                "tartan: map(policy, range, f) needs an f that can be called with an element of the range");
  static_assert(
      supports < P, property::grain | property::relaxed >,
      "tartan: map does not support a property of this policy (it takes workers, grain, stop, progress, name, on)");
  if constexpr (std::invocable<F&, std::ranges::range_reference_t<R>>) {
    using result = detail::mapped_t<F, R>;
    static_assert(!std::is_void_v<result>,
                  "tartan: map needs an f that returns a value; use for_each for one that returns nothing");
    if constexpr (!std::is_void_v<result>) {
      std::vector<result> out;
      detail::map_parts(policy, r, out, f);
      return out;
    }
  }
}

/// Writes f(x) for each element x of r to the elements of out, in order; returns an iterator behind the last one
/// written.
///
///     tartan::map_into(tartan::par, v, out, [](double x) { return x * x; });
///
/// @param out  A random-access range of at least as many elements, which may be r itself.
/// Exceptions: bad_argument if out is too short; otherwise as for_each.
template <execution_policy P, divisible_range R, divisible_range Out, class F>
auto map_into(P const& policy, R&& r, Out&& out, F f) {
  static_assert(std::invocable<F&, std::ranges::range_reference_t<R>>,
                "tartan: map_into(policy, range, out, f) needs an f that can be called with an element of the range");
  static_assert(supports < P, property::grain | property::relaxed >,
                "tartan: map_into does not support a property of this policy (it takes workers, grain, stop, progress, "
                "name, on)");
  static_assert(std::is_assignable_v<std::ranges::range_reference_t<Out>,
                                     std::invoke_result_t<F&, std::ranges::range_reference_t<R>>>,
                "tartan: map_into needs an output range to whose elements the results of f can be assigned");
  std::size_t const n = detail::length(r);
  if (detail::length(out) < n)
    detail::raise<bad_argument>(
        "tartan: map_into: the output range is shorter than the input; make it at least as long");
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    detail::map_part(policy, r, out, 0, f, detail::write_alignment<std::remove_cvref_t<Out>>);
  } else {
    auto results = map(policy, r, f);
    for (std::size_t i = 0; i != n; ++i) detail::at(std::ranges::begin(out), i) = std::move(results[i]);
  }
  return detail::advanced(std::ranges::begin(out), n);
}

/// map with the members of each tuple, pair or array as arguments.
///
///     auto areas = tartan::starmap(tartan::par, sizes, [](int w, int h) { return w * h; });
template <execution_policy P, std::ranges::input_range R, class F>
[[nodiscard]] auto starmap(P const& policy, R&& r, F f) {
  return map(policy, std::forward<R>(r), detail::starred<F>{std::move(f)});
}

}  // namespace tartan::inline TARTAN_ABI
