// The kernels as plain loops and algorithms of the standard library: what one gets without doing anything.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels.hpp"

namespace bench::simd {

namespace {

template <class F>
double sum_of(arrays const& v, F f) {
  float sum = 0;
  for (std::size_t i = 0; i != v.n; ++i) sum += f(v.a[i]);
  return sum;
}

}  // namespace

kernels plain() {
  return {
      {"saxpy",
       [](arrays const& v) -> double {
         for (std::size_t i = 0; i != v.n; ++i) v.out[i] = factor * v.a[i] + v.b[i];
         return v.out[v.n - 1];
       }},
      {"sum", [](arrays const& v) -> double { return std::accumulate(v.a, v.a + v.n, 0.0F); }},
      {"dot", [](arrays const& v) -> double { return std::inner_product(v.a, v.a + v.n, v.b, 0.0F); }},
      {"polynomial",
       [](arrays const& v) -> double {
         for (std::size_t i = 0; i != v.n; ++i) v.out[i] = polynomial(v.a[i]);
         return v.out[v.n - 1];
       }},
      {"sum of exp", [](arrays const& v) { return sum_of(v, [](float x) { return std::exp(x); }); }},
      {"sum of log", [](arrays const& v) { return sum_of(v, [](float x) { return std::log(x); }); }},
      {"sum of sin", [](arrays const& v) { return sum_of(v, [](float x) { return std::sin(x); }); }},
      {"min",
       [](arrays const& v) -> double {
         float least = v.a[0];
         for (std::size_t i = 1; i != v.n; ++i) least = v.a[i] < least ? v.a[i] : least;
         return least;
       }},
      {"argmin", [](arrays const& v) { return static_cast<double>(std::min_element(v.a, v.a + v.n) - v.a); }},
      {"minmax",
       [](arrays const& v) {
         auto const both = std::minmax_element(v.a, v.a + v.n);
         return static_cast<double>((both.first - v.a) + (both.second - v.a));
       }},
      {"count_if",
       [](arrays const& v) {
         return static_cast<double>(std::count_if(v.a, v.a + v.n, [](float x) { return x > threshold; }));
       }},
      {"mandelbrot",
       [](arrays const& v) -> double {
         for (std::size_t i = 0; i != v.n; ++i) v.out[i] = mandelbrot(v.x[i], v.y[i]);
         return std::accumulate(v.out, v.out + v.n, 0.0);
       }},
      {"inclusive_scan",
       [](arrays const& v) -> double {
         std::inclusive_scan(v.a, v.a + v.n, v.out);
         return v.out[v.n - 1];
       }},
      {"sum of bytes",
       [](arrays const& v) -> double {
         int sum = 0;
         for (std::size_t k = 0; k != v.n; ++k) sum += v.i[k];
         return sum;
       }},
      {"dot of bytes",
       [](arrays const& v) -> double {
         int sum = 0;
         for (std::size_t k = 0; k != v.n; ++k) sum += v.i[k] * v.j[k];
         return sum;
       }},
      {"exp of 13",
       [](arrays const& v) -> double {
         for (std::size_t i = 0; i != v.n; ++i) v.out[i] = std::exp(v.a[i]);
         return v.out[v.n - 1];
       }},
  };
}

}  // namespace bench::simd
