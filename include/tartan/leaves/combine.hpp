#pragma once
// Combine functions on packs: the same operation as on numbers, in as many lanes.

#include <cstddef>      // size_t
#include <functional>   // bit_and, bit_or, bit_xor, multiplies, plus
#include <type_traits>  // is_invocable_v

#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/exec/combine.hpp"       // commutative, maximum, minimum
#include "tartan/leaves/arithmetic.hpp"  // convert
#include "tartan/leaves/isa.hpp"         // TARTAN_CONTRACT
#include "tartan/leaves/pack.hpp"        // pack, by_register
#include "tartan/leaves/select.hpp"      // min, max

namespace tartan::inline TARTAN_ABI::lanes::impl {

/// How Combine works on lanes of T. `exists` is false where only numbers can be combined.
template <class Combine, class T>
struct lane_combine {
  static constexpr bool exists = false;
};

/// An operation of the processor on whole registers, contracted with what it is given where that is not opaque. It
/// wraps as C++'s conversion back to T does.
#define TARTAN_LANE_COMBINE(function, op)                                                                  \
  template <class U, class T>                                                                              \
    requires(std::same_as<U, void> || std::same_as<U, T>)                                                  \
  struct lane_combine<function<U>, T> {                                                                    \
    static constexpr bool exists = true;                                                                   \
    template <std::size_t W>                                                                               \
    TARTAN_INLINE_KERNEL static pack<T, W> apply(function<U>&, pack<T, W> const& a, pack<T, W> const& b) { \
      return by_register<pack<T, W>>(                                                                      \
          [](auto const& x, auto const& y) TARTAN_INLINE_LAMBDA { TARTAN_CONTRACT return x op y; }, a, b); \
    }                                                                                                      \
  };

TARTAN_LANE_COMBINE(std::plus, +)
TARTAN_LANE_COMBINE(std::multiplies, *)
TARTAN_LANE_COMBINE(std::bit_and, &)
TARTAN_LANE_COMBINE(std::bit_or, |)
TARTAN_LANE_COMBINE(std::bit_xor, ^)
#undef TARTAN_LANE_COMBINE

template <class T>
struct lane_combine<maximum, T> {
  static constexpr bool exists = true;
  template <std::size_t W>
  TARTAN_INLINE_KERNEL static pack<T, W> apply(maximum&, pack<T, W> const& a, pack<T, W> const& b) {
    return (max)(a, b);
  }
};

template <class T>
struct lane_combine<minimum, T> {
  static constexpr bool exists = true;
  template <std::size_t W>
  TARTAN_INLINE_KERNEL static pack<T, W> apply(minimum&, pack<T, W> const& a, pack<T, W> const& b) {
    return (min)(a, b);
  }
};

template <class F, class T>
  requires std::is_invocable_v<F&, pack<T, 4> const&, pack<T, 4> const&>
struct lane_combine<commutative<F>, T> {
  static constexpr bool exists = true;
  template <std::size_t W>
  TARTAN_INLINE_KERNEL static pack<T, W> apply(commutative<F>& combine, pack<T, W> const& a, pack<T, W> const& b) {
    return convert<T>(combine.f(a, b));
  }
};

/// An operation whose lanes can be regrouped freely, because no regrouping shows: sums of whole numbers.
template <class Combine, class T>
inline constexpr bool is_whole_sum = false;
template <class U, std::integral T>
  requires(std::same_as<U, void> || std::same_as<U, T>)
inline constexpr bool is_whole_sum<std::plus<U>, T> = true;

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
