// The kernels by the algorithms of the standard library under std::execution::unseq.
#include "kernels.hpp"

#if BENCH_TBB  // libstdc++ asks for it wherever <execution> is included

#include <algorithm>
#include <cmath>
#include <execution>
#include <functional>
#include <numeric>

namespace bench::simd {

namespace {

constexpr auto policy = std::execution::unseq;

template <class F>
double sum_of(arrays const& v, F f) {
  return std::transform_reduce(policy, v.a, v.a + v.n, 0.0F, std::plus<>{}, f);
}

}  // namespace

kernels unseq() {
  return {
      {"saxpy",
       [](arrays const& v) -> double {
         std::transform(policy, v.a, v.a + v.n, v.b, v.out, [](float x, float y) { return factor * x + y; });
         return v.out[v.n - 1];
       }},
      {"sum", [](arrays const& v) -> double { return std::reduce(policy, v.a, v.a + v.n, 0.0F); }},
      {"dot", [](arrays const& v) -> double { return std::transform_reduce(policy, v.a, v.a + v.n, v.b, 0.0F); }},
      {"polynomial",
       [](arrays const& v) -> double {
         std::transform(policy, v.a, v.a + v.n, v.out, [](float x) { return polynomial(x); });
         return v.out[v.n - 1];
       }},
      {"sum of exp", [](arrays const& v) { return sum_of(v, [](float x) { return std::exp(x); }); }},
      {"sum of log", [](arrays const& v) { return sum_of(v, [](float x) { return std::log(x); }); }},
      {"sum of sin", [](arrays const& v) { return sum_of(v, [](float x) { return std::sin(x); }); }},
      {"min",
       [](arrays const& v) -> double {
         return std::reduce(policy, v.a, v.a + v.n, v.a[0], [](float p, float q) { return q < p ? q : p; });
       }},
      {"argmin", [](arrays const& v) { return static_cast<double>(std::min_element(policy, v.a, v.a + v.n) - v.a); }},
      {"minmax",
       [](arrays const& v) {
         auto const both = std::minmax_element(policy, v.a, v.a + v.n);
         return static_cast<double>((both.first - v.a) + (both.second - v.a));
       }},
      {"count_if",
       [](arrays const& v) {
         return static_cast<double>(std::count_if(policy, v.a, v.a + v.n, [](float x) { return x > threshold; }));
       }},
      {"mandelbrot",
       [](arrays const& v) -> double {
         std::transform(policy, v.x, v.x + v.n, v.y, v.out, mandelbrot);
         return std::accumulate(v.out, v.out + v.n, 0.0);
       }},
      {"inclusive_scan",
       [](arrays const& v) -> double {
         std::inclusive_scan(policy, v.a, v.a + v.n, v.out);
         return v.out[v.n - 1];
       }},
      {"sum of bytes", [](arrays const& v) -> double { return std::reduce(policy, v.i, v.i + v.n, 0); }},
      {"dot of bytes",
       [](arrays const& v) -> double {
         return std::transform_reduce(policy, v.i, v.i + v.n, v.j, 0, std::plus<>{},
                                      [](int p, int q) { return p * q; });
       }},
      {"exp of 13",
       [](arrays const& v) -> double {
         std::transform(policy, v.a, v.a + v.n, v.out, [](float x) { return std::exp(x); });
         return v.out[v.n - 1];
       }},
  };
}

}  // namespace bench::simd

#else

namespace bench::simd {
kernels unseq() { return {}; }
}  // namespace bench::simd

#endif
