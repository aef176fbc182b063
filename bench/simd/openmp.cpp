// The kernels by #pragma omp simd, as far as it goes: reductions may be reordered there.
#include <cmath>

#include "kernels.hpp"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"  // that some loops cannot be vectorised is what is measured
#endif

namespace bench::simd {

#if BENCH_OPENMP

namespace {

template <class F>
double sum_of(arrays const& v, F f) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < v.n; ++i) sum += f(i);
  return sum;
}

template <class F>
double fill(arrays const& v, F f) {
#pragma omp simd
  for (std::size_t i = 0; i < v.n; ++i) v.out[i] = f(i);
  return v.out[v.n - 1];
}

template <class F>
double count(arrays const& v, F f) {
  int sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < v.n; ++i) sum += f(i);
  return sum;
}

}  // namespace

kernels openmp() {
  return {
      {"saxpy", [](arrays const& v) { return fill(v, [&](std::size_t k) { return factor * v.a[k] + v.b[k]; }); }},
      {"sum", [](arrays const& v) { return sum_of(v, [&](std::size_t k) { return v.a[k]; }); }},
      {"dot", [](arrays const& v) { return sum_of(v, [&](std::size_t k) { return v.a[k] * v.b[k]; }); }},
      {"polynomial", [](arrays const& v) { return fill(v, [&](std::size_t k) { return polynomial(v.a[k]); }); }},
      {"sum of exp", [](arrays const& v) { return sum_of(v, [&](std::size_t k) { return std::exp(v.a[k]); }); }},
      {"sum of log", [](arrays const& v) { return sum_of(v, [&](std::size_t k) { return std::log(v.a[k]); }); }},
      {"sum of sin", [](arrays const& v) { return sum_of(v, [&](std::size_t k) { return std::sin(v.a[k]); }); }},
      {"min",
       [](arrays const& v) -> double {
         float least = v.a[0];
#pragma omp simd reduction(min : least)
         for (std::size_t k = 0; k < v.n; ++k) least = v.a[k] < least ? v.a[k] : least;
         return least;
       }},
      {"count_if", [](arrays const& v) { return count(v, [&](std::size_t k) { return v.a[k] > threshold ? 1 : 0; }); }},
      {"inclusive_scan",
       [](arrays const& v) -> double {
         float sum = 0;
#pragma omp simd reduction(inscan, + : sum)
         for (std::size_t k = 0; k < v.n; ++k) {
           sum += v.a[k];
#pragma omp scan inclusive(sum)
           v.out[k] = sum;
         }
         return v.out[v.n - 1];
       }},
      {"sum of bytes", [](arrays const& v) { return count(v, [&](std::size_t k) { return int{v.i[k]}; }); }},
      {"dot of bytes", [](arrays const& v) { return count(v, [&](std::size_t k) { return v.i[k] * v.j[k]; }); }},
      {"exp of 13", [](arrays const& v) { return fill(v, [&](std::size_t k) { return std::exp(v.a[k]); }); }},
  };
}

#else

kernels openmp() { return {}; }

#endif

}  // namespace bench::simd
