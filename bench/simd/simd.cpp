// Vector kernels from the first-level cache (4096 floats) and from memory: tartan's packs against a plain loop, OpenMP
// simd and, where the processor has AVX-512, the same kernel in intrinsics, which is the limit to measure against.
#include <tartan/find.hpp>
#include <tartan/map.hpp>
#include <tartan/map_reduce.hpp>
#include <tartan/minmax.hpp>
#include <tartan/scan.hpp>
#include <tartan/simd.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "harness.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#define BENCH_AVX512 1
#endif

namespace {

constexpr std::size_t in_cache = 4096;
std::vector<float> numbers, results;

std::span<float const> first(std::size_t n) { return {numbers.data(), n}; }

/// A kernel gives one number, by which contenders are compared.
using kernel = float (*)(float const*, std::size_t);

auto const polynomial = [](auto x) {
  return (((((((0.1F * x + 0.2F) * x + 0.3F) * x + 0.4F) * x + 0.5F) * x + 0.6F) * x + 0.7F) * x + 0.8F) * x + 0.9F;
};

// --- plain loops ---------------------------------------------------------------------------------------------------
float plain_sum(float const* a, std::size_t n) { return std::accumulate(a, a + n, 0.0F); }
float plain_squares(float const* a, std::size_t n) { return std::inner_product(a, a + n, a, 0.0F); }
float plain_least(float const* a, std::size_t n) { return *std::min_element(a, a + n); }
float plain_count(float const* a, std::size_t n) {
  return static_cast<float>(std::count_if(a, a + n, [](float x) { return x > 0.5F; }));
}
float plain_exp(float const* a, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i != n; ++i) sum += std::exp(a[i]);
  return sum;
}
float plain_log(float const* a, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i != n; ++i) sum += std::log(a[i]);
  return sum;
}
float plain_sin(float const* a, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i != n; ++i) sum += std::sin(a[i]);
  return sum;
}
float plain_polynomial(float const* a, std::size_t n) {
  for (std::size_t i = 0; i != n; ++i) results[i] = polynomial(a[i]);
  return results[n - 1];
}

float plain_scan(float const* a, std::size_t n) {
  std::inclusive_scan(a, a + n, results.begin());
  return results[n - 1];
}

// --- tartan --------------------------------------------------------------------------------------------------------
using tartan::simd;
float packs_sum(float const*, std::size_t n) { return tartan::reduce(simd, first(n)); }
float packs_squares(float const*, std::size_t n) {
  return tartan::map_reduce(simd, first(n), [](auto x) { return x * x; });
}
float relaxed_sum(float const*, std::size_t n) { return tartan::reduce(simd.relaxed(), first(n)); }
float relaxed_squares(float const*, std::size_t n) {
  return tartan::map_reduce(simd.relaxed(), first(n), [](auto x) { return x * x; });
}
float packs_least(float const*, std::size_t n) { return tartan::reduce(simd, first(n), numbers[0], tartan::minimum{}); }
float packs_count(float const*, std::size_t n) {
  return static_cast<float>(tartan::count_if(simd, first(n), [](auto x) { return x > 0.5F; }));
}
float plain_place(float const* a, std::size_t n) { return *std::max_element(a, a + n); }
float packs_place(float const*, std::size_t n) { return *tartan::max_element(simd, first(n)); }
float packs_exp(float const*, std::size_t n) {
  return tartan::map_reduce(simd, first(n), [](auto x) { return tartan::exp(x); });
}
float packs_log(float const*, std::size_t n) {
  return tartan::map_reduce(simd, first(n), [](auto x) { return tartan::log(x); });
}
float packs_sin(float const*, std::size_t n) {
  return tartan::map_reduce(simd, first(n), [](auto x) { return tartan::sin(x); });
}
float packs_polynomial(float const*, std::size_t n) {
  tartan::map_into(simd, first(n), std::span<float>(results.data(), n), polynomial);
  return results[n - 1];
}

float packs_scan(float const*, std::size_t n) {
  tartan::inclusive_scan(simd, first(n), std::span<float>(results.data(), n));
  return results[n - 1];
}

// --- OpenMP simd ---------------------------------------------------------------------------------------------------
#if BENCH_OPENMP
float omp_sum(float const* a, std::size_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) sum += a[i];
  return sum;
}
float omp_squares(float const* a, std::size_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * a[i];
  return sum;
}
#endif

// --- intrinsics ----------------------------------------------------------------------------------------------------
#if BENCH_AVX512
/// The sum over eight accumulators; `term` is called with 16 floats and the accumulator.
template <class Step>
float eight_sums(float const* a, std::size_t n, Step step) {
  __m512 s[8];
  for (auto& x : s) x = _mm512_setzero_ps();
  for (std::size_t i = 0; i + 128 <= n; i += 128)
    for (std::size_t u = 0; u != 8; ++u) s[u] = step(_mm512_loadu_ps(a + i + 16 * u), s[u]);
  for (std::size_t u = 1; u != 8; ++u) s[0] = _mm512_add_ps(s[0], s[u]);
  return _mm512_reduce_add_ps(s[0]);
}
float intrinsics_sum(float const* a, std::size_t n) {
  return eight_sums(a, n, [](__m512 x, __m512 s) { return _mm512_add_ps(s, x); });
}
float intrinsics_squares(float const* a, std::size_t n) {
  return eight_sums(a, n, [](__m512 x, __m512 s) { return _mm512_fmadd_ps(x, x, s); });
}
float intrinsics_least(float const* a, std::size_t n) {
  __m512 s[8];
  for (auto& x : s) x = _mm512_loadu_ps(a);
  for (std::size_t i = 0; i + 128 <= n; i += 128)
    for (std::size_t u = 0; u != 8; ++u) s[u] = _mm512_min_ps(_mm512_loadu_ps(a + i + 16 * u), s[u]);
  for (std::size_t u = 1; u != 8; ++u) s[0] = _mm512_min_ps(s[0], s[u]);
  return _mm512_reduce_min_ps(s[0]);
}
float intrinsics_count(float const* a, std::size_t n) {
  int count = 0;
  for (std::size_t i = 0; i + 16 <= n; i += 16)
    count += __builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(a + i), _mm512_set1_ps(0.5F), _CMP_GT_OQ));
  return static_cast<float>(count);
}
/// e^x by the polynomial of tartan::exp and the processor's scaling.
__m512 intrinsics_exp16(__m512 x) {
  x = _mm512_max_ps(_mm512_min_ps(_mm512_set1_ps(89.0F), x), _mm512_set1_ps(-104.0F));
  __m512 const k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)), 0);
  __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693359375F), x);
  r = _mm512_fnmadd_ps(k, _mm512_set1_ps(-2.12194440e-4F), r);
  __m512 p = _mm512_set1_ps(0x1.6a2434p-10F);
  for (float c : {0x1.1239e2p-7F, 0x1.5558f2p-5F, 0x1.555492p-3F, 0x1.fffffcp-2F, 1.0F, 1.0F})
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(c));
  return _mm512_scalef_ps(p, k);
}
float intrinsics_exp(float const* a, std::size_t n) {
  return eight_sums(a, n, [](__m512 x, __m512 s) { return _mm512_add_ps(s, intrinsics_exp16(x)); });
}
float intrinsics_polynomial(float const* a, std::size_t n) {
  for (std::size_t i = 0; i + 64 <= n; i += 64)
    for (std::size_t u = 0; u != 64; u += 16) {
      __m512 const x = _mm512_loadu_ps(a + i + u);
      __m512 p = _mm512_set1_ps(0.1F);
      for (float c : {0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F, 0.9F}) p = _mm512_fmadd_ps(p, x, _mm512_set1_ps(c));
      _mm512_storeu_ps(results.data() + i + u, p);
    }
  return results[n - 1];
}
/// In-register prefix sums; only the addition to what came before waits for the last register.
float intrinsics_scan(float const* a, std::size_t n) {
  __m512i const zero = _mm512_setzero_si512(), last = _mm512_set1_epi32(15);
  auto const add_moved = [zero](__m512 x, auto lanes) {
    return _mm512_add_ps(
        x, _mm512_castsi512_ps(_mm512_maskz_alignr_epi32(0xFFFF, _mm512_castps_si512(x), zero, 16 - lanes())));
  };
  __m512 before = _mm512_setzero_ps();
  for (std::size_t i = 0; i + 16 <= n; i += 16) {
    __m512 x = _mm512_loadu_ps(a + i);
    x = add_moved(x, std::integral_constant<int, 1>{});
    x = add_moved(x, std::integral_constant<int, 2>{});
    x = add_moved(x, std::integral_constant<int, 4>{});
    x = add_moved(x, std::integral_constant<int, 8>{});
    _mm512_storeu_ps(results.data() + i, _mm512_add_ps(x, before));
    before = _mm512_add_ps(before, _mm512_maskz_permutexvar_ps(0xFFFF, last, x));
  }
  return results[n - 1];
}
#endif

void add_kernel(std::vector<bench::contender>& out, std::string const& name, std::size_t n, double expected,
                double tolerance, kernel plain, kernel packs, kernel openmp, kernel intrinsics,
                kernel relaxed = nullptr) {
  std::string const pattern = name + (n == in_cache ? " L1" : " DRAM");
  auto const add = [&](char const* who, kernel k, bool baseline) {
    if (k == nullptr) return;
    bench::contender c;
    c.pattern = pattern;
    c.backend = who;
    c.right = [=] {
      return std::abs(static_cast<double>(k(numbers.data(), n)) - expected) <= tolerance * std::abs(expected);
    };
    c.run = [=] {
      // A call of a few hundred nanoseconds is repeated, so that a measurement is longer than the clock is coarse.
      for (std::size_t i = n; i <= (std::size_t{1} << 20); i += n) {
        float answer = k(numbers.data(), n);
        asm volatile("" : "+x"(answer) : : "memory");
      }
      if (n > (std::size_t{1} << 20)) {
        float answer = k(numbers.data(), n);
        asm volatile("" : "+x"(answer) : : "memory");
      }
    };
    c.bytes = static_cast<double>(std::max(n, (std::size_t{1} << 20) / n * n)) * sizeof(float);
    c.baseline = baseline;
    out.push_back(std::move(c));
  };
  add("plain loop", plain, true);
  add("tartan simd", packs, false);
  add("tartan simd, relaxed", relaxed, false);
  add("OpenMP simd", openmp, false);
  add("AVX-512 intrinsics", intrinsics, false);
}

/// Sum and squares of doubles in the first-level cache: with the same bits everywhere, and relaxed.
void add_doubles(std::vector<bench::contender>& out) {
  static std::vector<double> const v = [] {
    std::vector<double> made(in_cache / 2);
    for (std::size_t i = 0; i != made.size(); ++i) made[i] = static_cast<double>(i * 37 % 1000 + 1) / 1024;
    return made;
  }();
  static constexpr int times = 512;
  auto const square = [](auto x) { return x * x; };
  auto const add = [&](std::string const& pattern, char const* who, double expected, auto f, bool baseline) {
    bench::contender c;
    c.pattern = pattern;
    c.backend = who;
    c.right = [=] { return std::abs(f() - expected) <= 1e-12 * expected; };
    c.run = [=] {
      for (int i = 0; i != times; ++i) {
        double answer = f();
        asm volatile("" : "+x"(answer) : : "memory");
      }
    };
    c.bytes = static_cast<double>(v.size() * sizeof(double)) * times;
    c.baseline = baseline;
    out.push_back(std::move(c));
  };
  double const sum = std::accumulate(v.begin(), v.end(), 0.0);
  double const squares = std::inner_product(v.begin(), v.end(), v.begin(), 0.0);
  add("sum f64 L1", "plain loop", sum, [] { return std::accumulate(v.begin(), v.end(), 0.0); }, true);
  add("sum f64 L1", "tartan simd", sum, [] { return tartan::reduce(simd, v); }, false);
  add("sum f64 L1", "tartan simd, relaxed", sum, [] { return tartan::reduce(simd.relaxed(), v); }, false);
  add(
      "squares f64 L1", "plain loop", squares, [] { return std::inner_product(v.begin(), v.end(), v.begin(), 0.0); },
      true);
  add("squares f64 L1", "tartan simd", squares, [=] { return tartan::map_reduce(simd, v, square); }, false);
  add(
      "squares f64 L1", "tartan simd, relaxed", squares, [=] { return tartan::map_reduce(simd.relaxed(), v, square); },
      false);
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  add_doubles(out);
  std::size_t const in_memory = o.scaled(std::size_t{1} << 25);
  numbers.resize(in_memory);
  results.resize(in_memory);
  for (std::size_t i = 0; i != in_memory; ++i) numbers[i] = static_cast<float>((i * 2654435761u) % 1000 + 1) / 1024.0F;
#if BENCH_OPENMP
  kernel const by_omp[] = {omp_sum, omp_squares};
#else
  kernel const by_omp[] = {nullptr, nullptr};
#endif
#if BENCH_AVX512
  kernel const by_hand[] = {intrinsics_sum, intrinsics_squares,    intrinsics_least, intrinsics_count,
                            intrinsics_exp, intrinsics_polynomial, intrinsics_scan};
#else
  kernel const by_hand[7] = {};
#endif
  for (std::size_t const n : {in_cache, in_memory}) {
    double sum = 0, squares = 0, exps = 0, logs = 0, sines = 0;
    std::size_t above = 0;
    for (std::size_t i = 0; i != n; ++i) {
      double const x = static_cast<double>(numbers[i]);
      sum += x, squares += x * x, exps += std::exp(x), logs += std::log(x), sines += std::sin(x);
      above += x > 0.5 ? 1 : 0;
    }
    double const last = static_cast<double>(polynomial(numbers[n - 1]));
    // The plain loop adds one after another, which in memory size costs it most of its digits.
    double const loose = n == in_cache ? 1e-4 : 1;
    add_kernel(out, "sum", n, sum, loose, plain_sum, packs_sum, by_omp[0], by_hand[0], relaxed_sum);
    add_kernel(out, "squares", n, squares, loose, plain_squares, packs_squares, by_omp[1], by_hand[1], relaxed_squares);
    add_kernel(out, "minimum", n, 1.0 / 1024, 0, plain_least, packs_least, nullptr, by_hand[2]);
    add_kernel(out, "count_if", n, static_cast<double>(above), n == in_cache ? 0 : 1e-6, plain_count, packs_count,
               nullptr, by_hand[3]);
    add_kernel(out, "max_element", n, 1000.0 / 1024, 0, plain_place, packs_place, nullptr, nullptr);
    add_kernel(out, "exp", n, exps, loose, plain_exp, packs_exp, nullptr, by_hand[4]);
    add_kernel(out, "log", n, logs, loose, plain_log, packs_log, nullptr, nullptr);
    add_kernel(out, "sin", n, sines, loose, plain_sin, packs_sin, nullptr, nullptr);
    add_kernel(out, "polynomial", n, last, 1e-6, plain_polynomial, packs_polynomial, nullptr, by_hand[5]);
    add_kernel(out, "inclusive_scan", n, sum, loose, plain_scan, packs_scan, nullptr, by_hand[6]);
  }
}

bench::registration const here("simd", add);

}  // namespace
