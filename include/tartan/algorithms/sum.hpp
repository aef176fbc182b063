#pragma once
// Sums in a type of the caller's choice: sum, dot.

#include <ranges>       // input_range, range_value_t
#include <type_traits>  // conditional_t, is_arithmetic_v, is_void_v
#include <utility>      // forward

#include "tartan/algorithms/zip.hpp"         // zip
#include "tartan/core/errors.hpp"            // bad_argument, raise
#include "tartan/core/function_objects.hpp"  // plus
#include "tartan/exec/policy.hpp"            // execution_policy
#include "tartan/exec/source.hpp"            // divisible_range, length
#include "tartan/exec/widen.hpp"             // widened, widened_product
#include "tartan/patterns/map_reduce.hpp"    // map_reduce

namespace tartan::inline TARTAN_ABI {

/// The sum of all elements, each taken as a T before anything is added.
///
///     int total = tartan::sum<int>(tartan::par_simd, pixels);   // 8 bits each
///     double s  = tartan::sum(tartan::par, v);                  // double; bytes would be added up as int
///
/// @tparam T  Arithmetic; must be able to hold the sum. Left out: the type of r[0] + r[1].
/// @param r   A range of numbers. An empty one gives 0.
///
/// Under simd, adjacent elements of 8 bits are added up by the instructions that the target has for it.
/// Everything else as map_reduce.
template <class T = void, execution_policy P, std::ranges::input_range R>
[[nodiscard]] auto sum(P const& policy, R&& r) {
  using x = std::ranges::range_value_t<R>;
  static_assert(std::is_arithmetic_v<x>,
                "tartan: sum adds numbers, in a type of numbers; use reduce for anything else");
  using result = std::conditional_t<std::is_void_v<T>, decltype(x{} + x{}), T>;
  return map_reduce(policy, std::forward<R>(r), detail::widened<result>{}, result{});
}

/// The sum of a[i] * b[i], each factor taken as a T before they are multiplied.
///
///     double projection = tartan::dot(tartan::par_simd, a, b);
///     int score = tartan::dot<int>(tartan::simd, weights, inputs);   // 8 bits each
///
/// @tparam T  Arithmetic; must be able to hold the sum. Left out: the type of a[i] * b[i].
///
/// Under simd, adjacent elements of 8 bits are multiplied and added up by the instructions that the target has for it.
/// Products are rounded before they are added, except under simd.relaxed().
/// Exceptions: bad_argument unless both ranges are of one length. Everything else as map_reduce.
template <class T = void, execution_policy P, divisible_range A, divisible_range B>
[[nodiscard]] auto dot(P const& policy, A&& a, B&& b) {
  using x = std::ranges::range_value_t<A>;
  using y = std::ranges::range_value_t<B>;
  static_assert(std::is_arithmetic_v<x> && std::is_arithmetic_v<y>,
                "tartan: dot multiplies numbers; use map_reduce over a zip for anything else");
  using result = std::conditional_t<std::is_void_v<T>, decltype(x{} * y{}), T>;
  if (detail::length(a) != detail::length(b))
    detail::raise<bad_argument>(
        "tartan: dot: the two ranges differ in length; give as many factors as there are others");
  return map_reduce(policy, zip(a, b), detail::widened_product<result>{}, result{});
}

}  // namespace tartan::inline TARTAN_ABI
