// The kernels in xsimd, where it is installed: eight batches at a time where they are added up.
#include "kernels.hpp"

#if __has_include(<xsimd/xsimd.hpp>)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12, of its own header of intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <algorithm>
#include <cmath>
#include <numeric>
#include <xsimd/xsimd.hpp>

namespace bench::simd {

namespace {

using batch = xsimd::batch<float>;
constexpr std::size_t width = batch::size;

batch at(float const* from, std::size_t k) { return batch::load_unaligned(from + k); }

/// term(k) is a batch of the terms from k on, term_of_one(k) one of them.
template <class Term, class One>
double sum_of(arrays const& v, Term term, One term_of_one) {
  constexpr std::size_t rows = 8;
  batch sums[rows];
  for (batch& s : sums) s = batch(0.0F);
  std::size_t k = 0;
  for (; k + rows * width <= v.n; k += rows * width)
    for (std::size_t r = 0; r != rows; ++r) sums[r] = term(k + r * width, sums[r]);
  for (std::size_t r = 1; r != rows; ++r) sums[0] += sums[r];
  float sum = xsimd::hadd(sums[0]);
  for (; k != v.n; ++k) sum += term_of_one(k);
  return sum;
}

template <class F>
double fill(arrays const& v, F f) {
  std::size_t k = 0;
  for (; k + width <= v.n; k += width) f(k, batch()).store_unaligned(v.out + k);
  for (; k != v.n; ++k) v.out[k] = f(k, 0.0F);
  return v.out[v.n - 1];
}

/// A batch or a number from place k, as the second argument is one.
batch value(float const* from, std::size_t k, batch) { return at(from, k); }
float value(float const* from, std::size_t k, float) { return from[k]; }

double mandelbrot_batches(arrays const& v) {
  std::size_t k = 0;
  for (; k + width <= v.n; k += width) {
    batch const x = at(v.x, k), y = at(v.y, k);
    batch re = x, im = y, rounds(0.0F);
    for (int round = 0; round != most_rounds; ++round) {
      batch const re2 = re * re, im2 = im * im;
      auto const inside = re2 + im2 <= batch(4.0F);
      if (!xsimd::any(inside)) break;
      rounds = xsimd::select(inside, rounds + 1.0F, rounds);
      im = xsimd::fma(re + re, im, y);
      re = re2 - im2 + x;
    }
    rounds.store_unaligned(v.out + k);
  }
  for (; k != v.n; ++k) v.out[k] = mandelbrot(v.x[k], v.y[k]);
  return std::accumulate(v.out, v.out + v.n, 0.0);
}

}  // namespace

kernels by_xsimd() {
  return {
      {"saxpy",
       [](arrays const& v) {
         return fill(v, [&](std::size_t k, auto kind) { return factor * value(v.a, k, kind) + value(v.b, k, kind); });
       }},
      {"sum",
       [](arrays const& v) {
         return sum_of(
             v, [&](std::size_t k, batch s) { return s + at(v.a, k); }, [&](std::size_t k) { return v.a[k]; });
       }},
      {"dot",
       [](arrays const& v) {
         return sum_of(
             v, [&](std::size_t k, batch s) { return xsimd::fma(at(v.a, k), at(v.b, k), s); },
             [&](std::size_t k) { return v.a[k] * v.b[k]; });
       }},
      {"polynomial",
       [](arrays const& v) {
         return fill(v, [&](std::size_t k, auto kind) { return polynomial(value(v.a, k, kind)); });
       }},
      {"sum of exp",
       [](arrays const& v) {
         return sum_of(
             v, [&](std::size_t k, batch s) { return s + xsimd::exp(at(v.a, k)); },
             [&](std::size_t k) { return std::exp(v.a[k]); });
       }},
      {"sum of log",
       [](arrays const& v) {
         return sum_of(
             v, [&](std::size_t k, batch s) { return s + xsimd::log(at(v.a, k)); },
             [&](std::size_t k) { return std::log(v.a[k]); });
       }},
      {"sum of sin",
       [](arrays const& v) {
         return sum_of(
             v, [&](std::size_t k, batch s) { return s + xsimd::sin(at(v.a, k)); },
             [&](std::size_t k) { return std::sin(v.a[k]); });
       }},
      {"min",
       [](arrays const& v) -> double {
         batch least[8];
         for (batch& l : least) l = batch(v.a[0]);
         std::size_t k = 0;
         for (; k + 8 * width <= v.n; k += 8 * width)
           for (std::size_t r = 0; r != 8; ++r) least[r] = xsimd::min(least[r], at(v.a, k + r * width));
         float out = v.a[0];
         for (batch const& l : least)
           for (std::size_t lane = 0; lane != width; ++lane) out = std::min(out, l.get(lane));
         for (; k != v.n; ++k) out = std::min(out, v.a[k]);
         return out;
       }},
      {"mandelbrot", mandelbrot_batches},
      {"exp of 13",
       [](arrays const& v) {
         return fill(v, [&](std::size_t k, auto kind) {
           using std::exp, xsimd::exp;
           return exp(value(v.a, k, kind));
         });
       }},
  };
}

}  // namespace bench::simd

#else

namespace bench::simd {
kernels by_xsimd() { return {}; }
}  // namespace bench::simd

#endif
