#pragma once
// The compiler's vector types, and the few operations on them that need an index list.

#include <bit>          // has_single_bit
#include <concepts>     // floating_point, integral, same_as
#include <cstddef>      // size_t
#include <cstdint>      // int8_t ... int64_t
#include <type_traits>  // is_same_v, remove_cv_t
#include <utility>      // index_sequence

#include "tartan/core/config.hpp"  // TARTAN_INLINE_KERNEL
#include "tartan/leaves/isa.hpp"   // register_bytes

namespace tartan::inline TARTAN_ABI::lanes {

/// A type that one lane can hold: float, double and the integers of 8 to 64 bits.
template <class T>
concept lane_type = std::same_as<T, std::remove_cv_t<T>> && (std::integral<T> || std::floating_point<T>) &&
                    !std::same_as<T, bool> && sizeof(T) <= 8;

namespace impl {

template <class T, std::size_t N>
struct vector_of {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};

/// N lanes of T in one register (or a part of one).
template <class T, std::size_t N>
using vec = typename vector_of<T, N>::type;

template <std::size_t Bytes>
struct int_of;
template <>
struct int_of<1> {
  using type = std::int8_t;
};
template <>
struct int_of<2> {
  using type = std::int16_t;
};
template <>
struct int_of<4> {
  using type = std::int32_t;
};
template <>
struct int_of<8> {
  using type = std::int64_t;
};

/// The signed integer that is as wide as a lane; what comparisons yield.
template <std::size_t Bytes>
using int_lane = typename int_of<Bytes>::type;

/// How many lanes of T share a register when a pack has N of them.
template <class T, std::size_t N>
inline constexpr std::size_t lanes_in_register = N < register_bytes / sizeof(T) ? N : register_bytes / sizeof(T);

/// The mask of a compiler's built-in function, whose type is a different integer in each.
struct every_lane {
  template <class M>
  TARTAN_INLINE_KERNEL constexpr operator M() const {
    return static_cast<M>(-1);
  }
};

/// The same bits as another vector type of that size.
template <class To, class From>
TARTAN_INLINE_KERNEL To bits(From const& from) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

/// f(0), f(1), ... f(N - 1) with constants, so that registers in arrays never meet a run-time index.
template <std::size_t N, class F>
TARTAN_INLINE_KERNEL constexpr void unroll(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>)
      TARTAN_INLINE_LAMBDA { (f(std::integral_constant<std::size_t, I>{}), ...); }(std::make_index_sequence<N>{});
}

template <class T, std::size_t N>
TARTAN_INLINE_KERNEL vec<T, N> broadcast(T value) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    return vec<T, N>{(static_cast<void>(I), value)...};
  }(std::make_index_sequence<N>{});
}

/// Lanes First, First + 1, ... of a, `Count` of them.
template <class T, std::size_t N, std::size_t First, std::size_t Count>
TARTAN_INLINE_KERNEL vec<T, Count> extract(vec<T, N> const& a) {
  if constexpr (Count == N) {
    return a;
  } else {
    return [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
      return __builtin_shufflevector(a, a, static_cast<int>(First + I)...);
    }(std::make_index_sequence<Count>{});
  }
}

/// a's lanes, then b's.
template <class T, std::size_t N>
TARTAN_INLINE_KERNEL vec<T, 2 * N> join(vec<T, N> const& a, vec<T, N> const& b) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
    return __builtin_shufflevector(a, b, static_cast<int>(I)...);
  }(std::make_index_sequence<2 * N>{});
}

/// The compiler may assume nothing about a's value from here on: it contracts and reorders nothing across. What is made
/// opaque twice is the same value to clang, unless by two numbers.
template <int Number = 0, class V>
TARTAN_INLINE_KERNEL void opaque(V& a) {
  if constexpr (sizeof(V) < 16) {
    asm("" : "+m"(a) : "i"(Number));
  } else {
#if defined(__aarch64__)
    asm("" : "+w"(a) : "i"(Number));
#elif TARTAN_REGISTER_BYTES == 64
    asm("" : "+v"(a) : "i"(Number));
#elif defined(__SSE2__)
    asm("" : "+x"(a) : "i"(Number));
#else
    asm("" : "+m"(a) : "i"(Number));
#endif
  }
}

}  // namespace impl

}  // namespace tartan::inline TARTAN_ABI::lanes
