#pragma once
// Sums and dot products of 8-bit integers, by the instructions that targets have for them.

#include <concepts>     // integral
#include <cstddef>      // size_t
#include <cstdint>      // int16_t, int64_t, int8_t, uint8_t
#include <functional>   // plus
#include <iterator>     // contiguous_iterator, iter_value_t
#include <memory>       // to_address
#include <tuple>        // get, tuple
#include <type_traits>  // is_signed_v, remove_cvref_t
#include <utility>      // declval

#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_INLINE_KERNEL
#include "tartan/exec/widen.hpp"         // widened, widened_product
#include "tartan/leaves/arithmetic.hpp"  // operators
#include "tartan/leaves/cast.hpp"        // to, for those functions
#include "tartan/leaves/combine.hpp"     // lane_combine
#include "tartan/leaves/convert.hpp"     // convert
#include "tartan/leaves/isa.hpp"         // register_bytes
#include "tartan/leaves/pack.hpp"        // pack
#include "tartan/leaves/reduce.hpp"      // fold_lanes
#include "tartan/leaves/source.hpp"      // iterators_of
#include "tartan/leaves/vector.hpp"      // vec, bits, unroll

#if defined(__x86_64__) && ((TARTAN_REGISTER_BYTES == 64 && __has_builtin(__builtin_ia32_psadbw512)) || \
                            (TARTAN_REGISTER_BYTES == 32 && __has_builtin(__builtin_ia32_psadbw256)) || \
                            (TARTAN_REGISTER_BYTES == 16 && __has_builtin(__builtin_ia32_psadbw128)))
#define TARTAN_SUM_OF_BYTES 1
#else
#define TARTAN_SUM_OF_BYTES 0
#endif

#if TARTAN_REGISTER_BYTES == 64 && defined(__AVX512VNNI__) && \
    (__has_builtin(__builtin_ia32_vpdpbusd_v16si) || __has_builtin(__builtin_ia32_vpdpbusd512))
#define TARTAN_DOT_OF_BYTES 1
#elif TARTAN_REGISTER_BYTES == 32 && (defined(__AVXVNNI__) || (defined(__AVX512VNNI__) && defined(__AVX512VL__))) && \
    (__has_builtin(__builtin_ia32_vpdpbusd_v8si) || __has_builtin(__builtin_ia32_vpdpbusd256))
#define TARTAN_DOT_OF_BYTES 1
#else
#define TARTAN_DOT_OF_BYTES 0
#endif

#if defined(__x86_64__) && ((TARTAN_REGISTER_BYTES == 64 && (__has_builtin(__builtin_ia32_pmaddwd512) ||        \
                                                             __has_builtin(__builtin_ia32_pmaddwd512_mask))) || \
                            (TARTAN_REGISTER_BYTES == 32 && __has_builtin(__builtin_ia32_pmaddwd256)) ||        \
                            (TARTAN_REGISTER_BYTES == 16 && __has_builtin(__builtin_ia32_pmaddwd128)))
#define TARTAN_MULTIPLY_ADD 1
#else
#define TARTAN_MULTIPLY_ADD 0
#endif

namespace tartan::inline TARTAN_ABI::lanes::impl {

inline constexpr std::size_t bytes_in_register = register_bytes;
using bytes_vec = vec<char, bytes_in_register>;
using ints_vec = vec<int, bytes_in_register / 4>;
using longs_vec = vec<long long, bytes_in_register / 8>;

/// Rounds after which sums of 32 bits must be taken out: each adds less than 2^18 to each of four rows, which are then
/// added up, with as much to be taken back.
inline constexpr std::size_t rounds_in_32_bits = 1024;

/// Registers that are summed up side by side.
inline constexpr std::size_t rows_of_bytes = 4;

/// The sum of all lanes, in 64 bits.
template <class I, std::size_t L>
TARTAN_INLINE_KERNEL std::int64_t sum_of_lanes(pack<I, L> const& lanes) {
  std::plus<> plus;
  return fold_lanes<lane_combine<std::plus<>, std::int64_t>>(convert<std::int64_t>(lanes), plus);
}

#if TARTAN_SUM_OF_BYTES

/// Sums of eight unsigned bytes each.
TARTAN_INLINE_KERNEL longs_vec sums_of_eight(bytes_vec const& a) {
#if TARTAN_REGISTER_BYTES == 64
  return bits<longs_vec>(__builtin_ia32_psadbw512(a, bytes_vec{}));
#elif TARTAN_REGISTER_BYTES == 32
  return bits<longs_vec>(__builtin_ia32_psadbw256(a, bytes_vec{}));
#else
  return bits<longs_vec>(__builtin_ia32_psadbw128(a, bytes_vec{}));
#endif
}

#endif

#if TARTAN_DOT_OF_BYTES

/// sum + products of four neighbours each, a's bytes without sign, b's with it.
TARTAN_INLINE_KERNEL ints_vec add_products(ints_vec const& sum, bytes_vec const& a, bytes_vec const& b) {
#if TARTAN_REGISTER_BYTES == 64 && __has_builtin(__builtin_ia32_vpdpbusd_v16si)
  return __builtin_ia32_vpdpbusd_v16si(sum, bits<ints_vec>(a), bits<ints_vec>(b));
#elif TARTAN_REGISTER_BYTES == 64
  return bits<ints_vec>(__builtin_ia32_vpdpbusd512(sum, bits<ints_vec>(a), bits<ints_vec>(b)));
#elif __has_builtin(__builtin_ia32_vpdpbusd_v8si)
  return __builtin_ia32_vpdpbusd_v8si(sum, bits<ints_vec>(a), bits<ints_vec>(b));
#else
  return bits<ints_vec>(__builtin_ia32_vpdpbusd256(sum, bits<ints_vec>(a), bits<ints_vec>(b)));
#endif
}

#endif

#if TARTAN_MULTIPLY_ADD

/// Sums of two neighbouring products each.
TARTAN_INLINE_KERNEL ints_vec multiply_add(vec<std::int16_t, register_bytes / 2> const& a,
                                           vec<std::int16_t, register_bytes / 2> const& b) {
#if TARTAN_REGISTER_BYTES == 64 && __has_builtin(__builtin_ia32_pmaddwd512)
  return __builtin_ia32_pmaddwd512(a, b);
#elif TARTAN_REGISTER_BYTES == 64
  return __builtin_ia32_pmaddwd512_mask(a, b, ints_vec{}, every_lane{});
#elif TARTAN_REGISTER_BYTES == 32
  return __builtin_ia32_pmaddwd256(a, b);
#else
  return __builtin_ia32_pmaddwd128(a, b);
#endif
}

#endif

/// A type of 8 bits that is a number.
template <class T>
concept narrow_type = lane_type<T> && sizeof(T) == 1;

/// load(i) and load(i, count) give a register of elements (zeros behind the last), step(r, register) adds it to row r.
template <std::size_t Width, class Load, class Step>
TARTAN_INLINE_KERNEL void for_rows(std::size_t begin, std::size_t end, Load const& load, Step const& step) {
  std::size_t i = begin;
  for (; i + rows_of_bytes * Width <= end; i += rows_of_bytes * Width)
    unroll<rows_of_bytes>([&](auto r) TARTAN_INLINE_LAMBDA { step(r, load(i + r * Width)); });
  using first_row = std::integral_constant<std::size_t, 0>;
  for (; i + Width <= end; i += Width) step(first_row{}, load(i));
  if (i != end) step(first_row{}, load(i, end - i));
}

template <narrow_type X>
struct narrow_loader {
  using P = pack<X, bytes_in_register>;
  X const* from;
  TARTAN_INLINE_KERNEL P operator()(std::size_t i) const { return P::load(from + i); }
  TARTAN_INLINE_KERNEL P operator()(std::size_t i, std::size_t count) const { return P::load_first(from + i, count); }
};

/// The sum of n elements, which wraps as T does.
template <std::integral T, narrow_type X>
TARTAN_FLATTEN T sum_of_narrow(X const* from, std::size_t n) {
#if TARTAN_DOT_OF_BYTES
  // Products with 1: one instruction where sums of bytes without sign, moved there and back, take three.
  constexpr std::size_t W = bytes_in_register, most = rounds_in_32_bits * W * rows_of_bytes;
  T sum = 0;
  for (std::size_t begin = 0; begin < n; begin += most) {
    ints_vec row[rows_of_bytes] = {};
    bytes_vec const ones = broadcast<char, W>(1);
    for_rows<W>(begin, n - begin < most ? n : begin + most, narrow_loader<X>{from},
                [&](auto r, pack<X, W> const& x) TARTAN_INLINE_LAMBDA {
                  auto const a = bits<bytes_vec>(x.part[0]);
                  row[r] = std::is_signed_v<X> ? add_products(row[r], ones, a) : add_products(row[r], a, ones);
                });
    pack<int, W / 4> all;
    all.part[0] = (row[0] + row[1]) + (row[2] + row[3]);
    sum = static_cast<T>(sum + static_cast<T>(sum_of_lanes(all)));
  }
  return sum;
#elif TARTAN_SUM_OF_BYTES
  constexpr std::size_t W = bytes_in_register;
  using P = pack<X, W>;
  longs_vec row[rows_of_bytes] = {};
  std::size_t const loads = (n + W - 1) / W;
  for_rows<W>(0, n, narrow_loader<X>{from}, [&](auto r, P const& x) TARTAN_INLINE_LAMBDA {
    auto a = bits<bytes_vec>(x.part[0]);
    if constexpr (std::is_signed_v<X>) a = a ^ broadcast<char, W>(static_cast<char>(-128));  // 128 more, without sign
    row[r] = row[r] + sums_of_eight(a);
  });
  pack<std::int64_t, W / 8> all;
  all.part[0] = bits<vec<std::int64_t, W / 8>>((row[0] + row[1]) + (row[2] + row[3]));
  std::int64_t const sum = sum_of_lanes(all);
  if constexpr (std::is_signed_v<X>)
    return static_cast<T>(sum - static_cast<std::int64_t>(128 * W * loads));
  else
    return static_cast<T>(sum);
#else
  T sum = 0;
  constexpr std::size_t W = register_bytes;
  for (std::size_t i = 0; i < n;) {
    pack<std::int16_t, W> row{0};
    for (std::size_t round = 0; round != 64 && i < n; ++round, i += W)
      row = convert<std::int16_t>(row + convert<std::int16_t>(n - i >= W ? pack<X, W>::load(from + i)
                                                                         : pack<X, W>::load_first(from + i, n - i)));
    sum = static_cast<T>(sum + static_cast<T>(sum_of_lanes(row)));
  }
  return sum;
#endif
}

/// The sum of the products of a register's worth of bytes, spread over lanes of 32 bits.
template <narrow_type X, narrow_type Y>
TARTAN_INLINE_KERNEL ints_vec products(pack<X, bytes_in_register> const& x, pack<Y, bytes_in_register> const& y) {
#if TARTAN_MULTIPLY_ADD
  auto const a = convert<std::int16_t>(x);
  auto const b = convert<std::int16_t>(y);
  return multiply_add(a.part[0], b.part[0]) + multiply_add(a.part[1], b.part[1]);
#else
  auto const p = convert<int>(x) * convert<int>(y);
  return (p.part[0] + p.part[1]) + (p.part[2] + p.part[3]);
#endif
}

#if TARTAN_DOT_OF_BYTES

/// The instruction takes its left factor without sign and the right one with it. Where the types are others, one factor
/// moves by 128, and 128 times the sum of the other one is taken back.
template <narrow_type X, narrow_type Y>
struct byte_products {
  static constexpr bool moved = std::is_signed_v<X> == std::is_signed_v<Y>;
  ints_vec sum{}, moved_by{};

  TARTAN_INLINE_KERNEL void add(pack<X, bytes_in_register> const& x, pack<Y, bytes_in_register> const& y) {
    auto const a = bits<bytes_vec>(x.part[0]), b = bits<bytes_vec>(y.part[0]);
    bytes_vec const ones = broadcast<char, bytes_in_register>(1);
    bytes_vec const half = broadcast<char, bytes_in_register>(static_cast<char>(-128));
    if constexpr (!moved) {
      sum = std::is_signed_v<Y> ? add_products(sum, a, b) : add_products(sum, b, a);
    } else if constexpr (std::is_signed_v<X>) {
      sum = add_products(sum, a ^ half, b);
      moved_by = add_products(moved_by, ones, b);
    } else {
      sum = add_products(sum, a, b ^ half);
      moved_by = add_products(moved_by, a, ones);
    }
  }
  [[nodiscard]] TARTAN_INLINE_KERNEL ints_vec total() const {
    if constexpr (!moved)
      return sum;
    else
      return std::is_signed_v<X> ? sum - (moved_by << 7) : sum + (moved_by << 7);
  }
};

#else

template <narrow_type X, narrow_type Y>
struct byte_products {
  ints_vec sum{};

  TARTAN_INLINE_KERNEL void add(pack<X, bytes_in_register> const& x, pack<Y, bytes_in_register> const& y) {
    sum = sum + products(x, y);
  }
  [[nodiscard]] TARTAN_INLINE_KERNEL ints_vec total() const { return sum; }
};

#endif

/// The sum of n products, which wraps as T does.
template <std::integral T, narrow_type X, narrow_type Y>
TARTAN_FLATTEN T dot_of_narrow(X const* x, Y const* y, std::size_t n) {
  constexpr std::size_t W = bytes_in_register, most = rounds_in_32_bits * W * rows_of_bytes;
  struct both {
    pack<X, W> x;
    pack<Y, W> y;
  };
  struct loader {
    X const* x;
    Y const* y;
    TARTAN_INLINE_KERNEL both operator()(std::size_t i) const {
      return {pack<X, W>::load(x + i), pack<Y, W>::load(y + i)};
    }
    TARTAN_INLINE_KERNEL both operator()(std::size_t i, std::size_t count) const {
      return {pack<X, W>::load_first(x + i, count), pack<Y, W>::load_first(y + i, count)};
    }
  };
  T sum = 0;
  for (std::size_t begin = 0; begin < n; begin += most) {
    byte_products<X, Y> row[rows_of_bytes];
    for_rows<W>(begin, n - begin < most ? n : begin + most, loader{x, y},
                [&](auto r, both const& b) TARTAN_INLINE_LAMBDA { row[r].add(b.x, b.y); });
    pack<int, W / 4> all;
    all.part[0] = (row[0].total() + row[1].total()) + (row[2].total() + row[3].total());
    sum = static_cast<T>(sum + static_cast<T>(sum_of_lanes(all)));
  }
  return sum;
}

template <class It>
inline constexpr bool is_narrow = false;
template <std::contiguous_iterator It>
inline constexpr bool is_narrow<It> = narrow_type<std::iter_value_t<It>>;

template <class Iterators>
inline constexpr bool two_narrow = false;
template <class A, class B>
inline constexpr bool two_narrow<std::tuple<A, B>> = is_narrow<A> && is_narrow<B>;

/// Whether there is a kernel for the sum, in T, of what Map makes of the elements behind It.
template <class T, class Map, class It>
constexpr bool sums_narrow() {
  if constexpr (!std::integral<T>)
    return false;
  else if constexpr (std::is_same_v<Map, detail::widened<T>>)
    return is_narrow<It>;
  else if constexpr (std::is_same_v<Map, detail::widened_product<T>> && requires(It const& it) { it.iterators(); })
    return two_narrow<iterators_of<It>>;
  else
    return false;
}

/// That sum.
template <class T, class Map, class It>
TARTAN_INLINE_KERNEL T narrow_total(It const& first, std::size_t n) {
  if constexpr (std::is_same_v<Map, detail::widened<T>>) {
    return sum_of_narrow<T>(std::to_address(first), n);
  } else {
    auto const both = first.iterators();
    return dot_of_narrow<T>(std::to_address(std::get<0>(both)), std::to_address(std::get<1>(both)), n);
  }
}

}  // namespace tartan::inline TARTAN_ABI::lanes::impl
