#pragma once
// Elements that do not depend on others: fill, generate, iota.

#include <concepts>     // copy_constructible, invocable
#include <cstddef>      // ptrdiff_t, size_t
#include <cstdint>      // int64_t, uint64_t
#include <functional>   // invoke
#include <ranges>       // begin, range_reference_t, range_value_t
#include <type_traits>  // is_*_v, remove_cvref_t
#include <utility>      // move

#include "tartan/algorithms/in_memory.hpp"  // check_works_in_memory
#include "tartan/algorithms/map.hpp"        // write_alignment
#include "tartan/algorithms/projected.hpp"  // element_of
#include "tartan/exec/policy.hpp"           // execution_policy
#include "tartan/exec/source.hpp"           // divisible_range, length

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// r[i] = value(i).
template <class P, class R, class Value>
void write_each(P const& policy, R& r, Value const& value) {
  check_works_in_memory<P>();
  auto const first = plain(std::ranges::begin(r));
  policy.backend().for_range(policy.props(), length(r), write_alignment<std::remove_cvref_t<R>>,
                             [&](std::size_t begin, std::size_t end) {
                               for (std::size_t i = begin; i != end; ++i) at(first, i) = value(i);
                             });
}

template <class F, class R>
concept generates = requires(F& f) { element_of<R>() = std::invoke(f, std::size_t{}); } ||
                    (!std::invocable<F&, std::size_t> && requires(F& f) { element_of<R>() = std::invoke(f); });

template <class T, class R>
concept counts_up =
    std::is_assignable_v<std::ranges::range_reference_t<R>, std::ranges::range_value_t<R>> &&
    (std::is_arithmetic_v<T> ? std::is_constructible_v<std::ranges::range_value_t<R>, T>
                             : requires(T& start) { std::ranges::range_value_t<R>(start + std::ptrdiff_t{}); });

}  // namespace detail

/// Assigns value to each element of r.
///
///     tartan::fill(tartan::par, v, 1.0);
///
/// @param r      A random-access range with a size.
/// @param value  Assigned from several threads at once; a copy of it where it can be copied, as it may be an element.
///
/// Complexity: n assignments. Exceptions, Blocking, Thread safety: as for_each.
template <execution_policy P, divisible_range R, class T = std::ranges::range_value_t<R>>
void fill(P const& policy, R&& r, T const& value) {
  static_assert(
      requires(std::ranges::range_reference_t<R> x) { static_cast<decltype(x)&&>(x) = value; },
      "tartan: fill(policy, range, value) needs a value that can be assigned to the elements");
  if constexpr (std::is_arithmetic_v<T> && std::is_arithmetic_v<std::ranges::range_value_t<R>>) {
    auto const same = static_cast<std::ranges::range_value_t<R>>(value);
    detail::write_each(policy, r, [same](std::size_t) { return same; });
  } else if constexpr (std::copy_constructible<T>) {  // value may be one of the elements
    detail::write_each(policy, r, [same = value](std::size_t) -> T const& { return same; });
  } else {
    detail::write_each(policy, r, [&value](std::size_t) -> T const& { return value; });
  }
}

/// Assigns f(i) to element i of r, or f() where f takes no argument.
///
///     tartan::generate(tartan::par, v, [](std::size_t i) { return noise(i); });
///
/// @param f  Called once for each element, from several threads at once and in no order: what it returns should depend
///           on i alone. It may take no argument if that does not matter.
/// Everything else as fill.
template <execution_policy P, divisible_range R, class F>
void generate(P const& policy, R&& r, F f) {
  static_assert(std::invocable<F&, std::size_t> || std::invocable<F&>,
                "tartan: generate(policy, range, f) needs an f that takes the index of an element, or nothing");
  static_assert(detail::generates<F, R>,
                "tartan: generate(policy, range, f) needs an f whose results can be assigned to the elements");
  detail::write_each(policy, r, [&f](std::size_t i) -> decltype(auto) {
    if constexpr (std::invocable<F&, std::size_t>)
      return std::invoke(f, i);
    else
      return static_cast<void>(i), std::invoke(f);
  });
}

/// Assigns start + i to element i of r. Everything else as fill.
///
///     tartan::iota(tartan::par, order, 0);
///
/// @param start  A number, or anything that a whole number can be added to.
template <execution_policy P, divisible_range R, class T>
void iota(P const& policy, R&& r, T start) {
  using element = std::ranges::range_value_t<R>;
  static_assert(detail::counts_up<T, R>,
                "tartan: iota(policy, range, start) needs a start to which a whole number can be added, and elements "
                "that this can be assigned to");
  detail::write_each(policy, r, [&start](std::size_t i) {
    if constexpr (std::is_unsigned_v<T>)
      return static_cast<element>(std::uint64_t{start} + i);
    else if constexpr (std::is_integral_v<T>)  // without overflow where T is narrower than the elements
      return static_cast<element>(static_cast<std::int64_t>(static_cast<std::uint64_t>(start) + i));
    else if constexpr (std::is_arithmetic_v<T>)
      return static_cast<element>(start + static_cast<T>(i));
    else
      return element(start + static_cast<std::ptrdiff_t>(i));
  });
}

}  // namespace tartan::inline TARTAN_ABI
