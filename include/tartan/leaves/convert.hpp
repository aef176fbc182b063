#pragma once
// Lane by lane conversion, in steps that no compiler turns into scalar code.

#include <cstddef>      // size_t
#include <limits>       // numeric_limits
#include <type_traits>  // is_floating_point_v, is_signed_v

#include "tartan/core/config.hpp"    // TARTAN_INLINE_KERNEL
#include "tartan/leaves/pack.hpp"    // pack
#include "tartan/leaves/vector.hpp"  // vec, int_lane, extract, join

namespace tartan::inline TARTAN_ABI::lanes {

namespace impl {

/// An integer of `Bytes` bytes with T's signedness.
template <class T, std::size_t Bytes>
using resized = std::conditional_t<std::is_signed_v<T>, int_lane<Bytes>, std::make_unsigned_t<int_lane<Bytes>>>;

#if defined(__GNUC__) && !defined(__clang__) && TARTAN_REGISTER_BYTES == 64
#define TARTAN_DIRECT_WIDENING 1
#else
#define TARTAN_DIRECT_WIDENING 0
#endif

#if TARTAN_DIRECT_WIDENING

/// Widenings that g++ 12 builds from halves although one instruction does them.
template <class To, class From, std::size_t L>
inline constexpr bool widens_directly = (sizeof(To) == 4 && sizeof(From) == 1 && L == 16 && std::is_integral_v<To>) ||
                                        (sizeof(To) == 4 && sizeof(From) == 2 && L == 16 && std::is_integral_v<To>) ||
                                        (sizeof(To) == 2 && sizeof(From) == 1 && L == 32 && std::is_integral_v<To>) ||
                                        (sizeof(To) == 8 && sizeof(From) == 4 && L == 8 && std::is_integral_v<From>) ||
                                        (std::is_same_v<To, double> && std::is_same_v<From, float> && L == 8);

template <class To, class From, std::size_t L>
TARTAN_INLINE_KERNEL vec<To, L> widen_directly(vec<From, L> const& a) {
  using out = vec<To, L>;
  if constexpr (std::is_same_v<From, float>) {
    return bits<out>(__builtin_ia32_cvtps2pd512_mask(a, vec<double, 8>{}, every_lane{}, 4));
  } else if constexpr (std::is_same_v<To, double>) {
    if constexpr (std::is_signed_v<From>)
      return bits<out>(__builtin_ia32_cvtdq2pd512_mask(bits<vec<int, 8>>(a), vec<double, 8>{}, every_lane{}));
    else
      return bits<out>(__builtin_ia32_cvtudq2pd512_mask(bits<vec<int, 8>>(a), vec<double, 8>{}, every_lane{}));
  } else if constexpr (sizeof(To) == 2) {
    if constexpr (std::is_signed_v<From>)
      return bits<out>(__builtin_ia32_pmovsxbw512_mask(bits<vec<char, 32>>(a), vec<short, 32>{}, every_lane{}));
    else
      return bits<out>(__builtin_ia32_pmovzxbw512_mask(bits<vec<char, 32>>(a), vec<short, 32>{}, every_lane{}));
  } else if constexpr (sizeof(From) == 1) {
    if constexpr (std::is_signed_v<From>)
      return bits<out>(__builtin_ia32_pmovsxbd512_mask(bits<vec<char, 16>>(a), vec<int, 16>{}, every_lane{}));
    else
      return bits<out>(__builtin_ia32_pmovzxbd512_mask(bits<vec<char, 16>>(a), vec<int, 16>{}, every_lane{}));
  } else if constexpr (sizeof(From) == 2) {
    if constexpr (std::is_signed_v<From>)
      return bits<out>(__builtin_ia32_pmovsxwd512_mask(bits<vec<short, 16>>(a), vec<int, 16>{}, every_lane{}));
    else
      return bits<out>(__builtin_ia32_pmovzxwd512_mask(bits<vec<short, 16>>(a), vec<int, 16>{}, every_lane{}));
  } else {
    if constexpr (std::is_signed_v<From>)
      return bits<out>(__builtin_ia32_pmovsxdq512_mask(bits<vec<int, 8>>(a), vec<long long, 8>{}, every_lane{}));
    else
      return bits<out>(__builtin_ia32_pmovzxdq512_mask(bits<vec<int, 8>>(a), vec<long long, 8>{}, every_lane{}));
  }
}

#else

template <class To, class From, std::size_t L>
inline constexpr bool widens_directly = false;
template <class To, class From, std::size_t L>
vec<To, L> widen_directly(vec<From, L> const& a) = delete;

#endif

/// The type of the next step from From towards To: a width changes at most by a factor of two at once, and
/// between integers and floating point the integer is brought to the same width first.
template <class To, class From>
constexpr auto conversion_step() {
  if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    if constexpr (sizeof(To) > 2 * sizeof(From))
      return resized<From, 2 * sizeof(From)>{};
    else if constexpr (sizeof(From) > 2 * sizeof(To))
      return resized<From, sizeof(From) / 2>{};
    else
      return To{};
  } else if constexpr (std::is_integral_v<From>) {
    if constexpr (sizeof(From) < sizeof(To))
      return resized<int, 2 * sizeof(From)>{};
    else
      return To{};
  } else if constexpr (std::is_integral_v<To>) {
    if constexpr (sizeof(To) < 4)
      return int{};
    else
      return To{};
  } else {
    return To{};
  }
}

/// Converts one register (or a part of one) as static_cast<To> converts each lane.
template <class To, class From, std::size_t L>
TARTAN_INLINE_KERNEL vec<To, L> convert_register(vec<From, L> const& a) {
  if constexpr (std::is_same_v<To, From>) {
    return a;
  } else if constexpr (sizeof(To) == sizeof(From) && std::is_integral_v<To> && std::is_integral_v<From>) {
    return bits<vec<To, L>>(a);
  } else if constexpr (widens_directly<To, From, L>) {
    return widen_directly<To, From, L>(a);
  } else {
    using step = decltype([] {
      // A zero extension keeps the value, so the step may already be signed where the target is a float.
      if constexpr (std::is_unsigned_v<From> && std::is_floating_point_v<To> && sizeof(From) < sizeof(To))
        return resized<unsigned, 2 * sizeof(From)>{};
      else
        return conversion_step<To, From>();
    }());
    if constexpr (std::is_same_v<step, To>)
      return __builtin_convertvector(a, vec<To, L>);
    else
      return convert_register<To, step, L>(__builtin_convertvector(a, vec<step, L>));
  }
}

/// Registers First to First + Count of a, converted and joined into one.
template <class To, std::size_t First, std::size_t Count, class From, std::size_t N>
TARTAN_INLINE_KERNEL auto gather_registers(pack<From, N> const& a) {
  constexpr std::size_t width = pack<From, N>::register_lanes;
  if constexpr (Count == 1)
    return convert_register<To, From, width>(a.part[First]);
  else
    return join<To, width * Count / 2>(gather_registers<To, First, Count / 2>(a),
                                       gather_registers<To, First + Count / 2, Count / 2>(a));
}

/// Converts a pack as static_cast<To> converts each lane.
template <class To, class From, std::size_t N>
TARTAN_INLINE_KERNEL pack<To, N> convert(pack<From, N> const& a) {
  using in = pack<From, N>;
  using out = pack<To, N>;
  out result;
  if constexpr (in::registers == out::registers) {
    unroll<in::registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      result.part[r] = convert_register<To, From, in::register_lanes>(a.part[r]);
    });
  } else if constexpr (in::registers < out::registers) {  // widening: a source register feeds several
    constexpr std::size_t each = out::registers / in::registers;
    unroll<out::registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      constexpr std::size_t width = out::register_lanes;
      result.part[r] = convert_register<To, From, width>(
          extract<From, in::register_lanes, (r % each) * width, width>(a.part[r / each]));
    });
  } else {  // narrowing: several source registers fill one
    constexpr std::size_t each = in::registers / out::registers;
    unroll<out::registers>([&](auto r)
                               TARTAN_INLINE_LAMBDA { result.part[r] = gather_registers<To, r * each, each>(a); });
  }
  return result;
}

}  // namespace impl

}  // namespace tartan::inline TARTAN_ABI::lanes
