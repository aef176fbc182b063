// The kernels as calls of tartan.
#include <tartan/find.hpp>
#include <tartan/map.hpp>
#include <tartan/map_reduce.hpp>
#include <tartan/minmax.hpp>
#include <tartan/scan.hpp>
#include <tartan/simd.hpp>
#include <tartan/sum.hpp>
#include <tartan/zip.hpp>

#include <numeric>
#include <span>

#include "kernels.hpp"

namespace bench::simd {

namespace {

using tartan::simd;

auto a(arrays const& v) { return std::span(v.a, v.n); }
auto b(arrays const& v) { return std::span(v.b, v.n); }
auto i(arrays const& v) { return std::span(v.i, v.n); }
auto j(arrays const& v) { return std::span(v.j, v.n); }
auto out(arrays const& v) { return std::span(v.out, v.n); }

}  // namespace

kernels packs() {
  return {
      {"saxpy",
       [](arrays const& v) -> double {
         tartan::map_into(simd, tartan::zip(a(v), b(v)), out(v), [](auto const& pair) {
           auto const& [x, y] = pair;
           return factor * x + y;
         });
         return v.out[v.n - 1];
       }},
      {"sum", [](arrays const& v) -> double { return tartan::reduce(simd, a(v)); }},
      {"dot", [](arrays const& v) -> double { return tartan::dot(simd, a(v), b(v)); }},
      {"polynomial",
       [](arrays const& v) -> double {
         tartan::map_into(simd, a(v), out(v), polynomial);
         return v.out[v.n - 1];
       }},
      {"sum of exp",
       [](arrays const& v) -> double { return tartan::map_reduce(simd, a(v), [](auto x) { return tartan::exp(x); }); }},
      {"sum of log",
       [](arrays const& v) -> double { return tartan::map_reduce(simd, a(v), [](auto x) { return tartan::log(x); }); }},
      {"sum of sin",
       [](arrays const& v) -> double { return tartan::map_reduce(simd, a(v), [](auto x) { return tartan::sin(x); }); }},
      {"min", [](arrays const& v) -> double { return tartan::reduce(simd, a(v), v.a[0], tartan::minimum{}); }},
      {"argmin",
       [](arrays const& v) {
         auto const r = a(v);
         return static_cast<double>(tartan::min_element(simd, r) - r.begin());
       }},
      {"minmax",
       [](arrays const& v) {
         auto const r = a(v);
         auto const both = tartan::minmax_element(simd, r);
         return static_cast<double>((both.first - r.begin()) + (both.second - r.begin()));
       }},
      {"count_if",
       [](arrays const& v) {
         return static_cast<double>(tartan::count_if(simd, a(v), [](auto x) { return x > threshold; }));
       }},
      {"mandelbrot",
       [](arrays const& v) -> double {
         tartan::map_into(simd, tartan::zip(std::span(v.x, v.n), std::span(v.y, v.n)), out(v), [](auto const& point) {
           auto const& [x, y] = point;
           auto re = x, im = y, rounds = 0 * x;
           for (int k = 0; k != most_rounds; ++k) {
             auto const re2 = re * re, im2 = im * im;
             auto const inside = re2 + im2 <= 4;
             if (!tartan::lanes::any(inside)) break;
             rounds = tartan::select(inside, rounds + 1, rounds);
             im = (re + re) * im + y;
             re = re2 - im2 + x;
           }
           return rounds;
         });
         return std::accumulate(v.out, v.out + v.n, 0.0);
       }},
      {"inclusive_scan",
       [](arrays const& v) -> double {
         tartan::inclusive_scan(simd, a(v), out(v));
         return v.out[v.n - 1];
       }},
      {"sum of bytes", [](arrays const& v) -> double { return tartan::sum<int>(simd, i(v)); }},
      {"dot of bytes", [](arrays const& v) -> double { return tartan::dot<int>(simd, i(v), j(v)); }},
      {"exp of 13",
       [](arrays const& v) -> double {
         tartan::map_into(simd, a(v), out(v), [](auto x) { return tartan::exp(x); });
         return v.out[v.n - 1];
       }},
  };
}

kernels relaxed_packs() {
  return {
      {"sum", [](arrays const& v) -> double { return tartan::reduce(simd.relaxed(), a(v)); }},
      {"dot", [](arrays const& v) -> double { return tartan::dot(simd.relaxed(), a(v), b(v)); }},
      {"sum of exp",
       [](arrays const& v) -> double {
         return tartan::map_reduce(simd.relaxed(), a(v), [](auto x) { return tartan::exp(x); });
       }},
  };
}

}  // namespace bench::simd
