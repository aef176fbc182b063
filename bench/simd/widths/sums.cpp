// Compiled for x86-64 (BENCH_BITS=128), x86-64-v3 (256) and x86-64-v4 (512).
#include "sums.hpp"

#include <tartan/map_reduce.hpp>
#include <tartan/simd.hpp>
#include <tartan/sum.hpp>

#include <span>

namespace bench::sums {

namespace {

template <class T>
T reproducible(T const* a, T const* b, std::size_t n) {
  return b == nullptr ? tartan::reduce(tartan::simd, std::span(a, n))
                      : tartan::dot(tartan::simd, std::span(a, n), std::span(b, n));
}

template <class T>
T relaxed(T const* a, T const* b, std::size_t n) {
  auto const policy = tartan::simd.relaxed();
  return b == nullptr ? tartan::reduce(policy, std::span(a, n)) : tartan::dot(policy, std::span(a, n), std::span(b, n));
}

template <class T>
struct registers {
  typedef T type __attribute__((vector_size(BENCH_BITS / 8)));
  typedef T unaligned __attribute__((vector_size(BENCH_BITS / 8), aligned(alignof(T)), may_alias));
  static constexpr std::size_t lanes = BENCH_BITS / 8 / sizeof(T);
};

/// n is a multiple of 8 registers.
template <class T>
T by_hand(T const* a, T const* b, std::size_t n) {
  using vec = typename registers<T>::type;
  constexpr std::size_t lanes = registers<T>::lanes;
  auto const at = [](T const* from) -> vec { return *reinterpret_cast<typename registers<T>::unaligned const*>(from); };
  vec s[8] = {};
  if (b == nullptr) {
    for (std::size_t k = 0; k < n; k += 8 * lanes) {
#pragma GCC unroll 8
      for (std::size_t u = 0; u != 8; ++u) s[u] += at(a + k + u * lanes);
    }
  } else {
#if defined(__clang__)
#pragma clang fp contract(fast)
#endif
    for (std::size_t k = 0; k < n; k += 8 * lanes) {
#pragma GCC unroll 8
      for (std::size_t u = 0; u != 8; ++u) s[u] += at(a + k + u * lanes) * at(b + k + u * lanes);
    }
  }
  vec const all = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  T sum = 0;
  for (std::size_t lane = 0; lane != lanes; ++lane) sum += all[lane];
  return sum;
}

template <class T>
constexpr ways<T> all_ways{reproducible<T>, relaxed<T>, by_hand<T>};

}  // namespace

#if BENCH_BITS == 128
width of_128_bits() { return {all_ways<float>, all_ways<double>}; }
#elif BENCH_BITS == 256
width of_256_bits() { return {all_ways<float>, all_ways<double>}; }
#else
width of_512_bits() { return {all_ways<float>, all_ways<double>}; }
#endif

}  // namespace bench::sums
