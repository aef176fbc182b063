#pragma once
// What predicates and comparators must be callable with: elements as a projection gives them.

#include <functional>  // invoke
#include <ranges>      // range_reference_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// An element of R; declared only.
template <class R>
std::ranges::range_reference_t<R> element_of();

/// pred answers, by something that converts to bool, for a projected element of R.
template <class Pred, class Proj, class R>
concept tests_element = requires(Pred& pred, Proj& proj) {
  static_cast<bool>(std::invoke(pred, std::invoke(proj, detail::element_of<R>())));
};

/// The same for one of A and one of B, in this order.
template <class F, class ProjA, class A, class ProjB, class B>
concept tests_pair = requires(F& f, ProjA& proj_a, ProjB& proj_b) {
  static_cast<bool>(
      std::invoke(f, std::invoke(proj_a, detail::element_of<A>()), std::invoke(proj_b, detail::element_of<B>())));
};

}  // namespace tartan::inline TARTAN_ABI::detail
