// Sum and dot product of doubles that do not fit any cache: the limit is the bandwidth of the memory.
#include <tartan/tartan.hpp>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <ranges>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

namespace {

std::vector<double> a, b;

/// Sums in another order differ in the last bits; these inputs are exact in any order.
void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::size_t const n = o.scaled(1 << 26);
  a.resize(n);
  b.resize(n);
  for (std::size_t i = 0; i != n; ++i) a[i] = static_cast<double>(i % 1024), b[i] = static_cast<double>(i % 512) * 0.5;
  double const sum = std::accumulate(a.begin(), a.end(), 0.0),
               dot = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  auto const bytes = static_cast<double>(n * sizeof(double));

  out.push_back(bench::make_baseline("reduce", sum, [] { return std::accumulate(a.begin(), a.end(), 0.0); }, bytes));
  out.push_back(bench::make("reduce", "tartan seq", 1, sum, [] { return tartan::reduce(tartan::seq, a); }, bytes));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make(
        "reduce", "tartan par", w, sum, [p = tartan::par.workers(w)] { return tartan::reduce(p, a); }, bytes));
#if BENCH_TBB
    out.push_back(bench::make(
        "reduce", "oneTBB, hand-vectorised body", w, sum,
        [w] {
          return bench::tbb_sum<double>(w, a.size(), [](std::size_t from, std::size_t to) {
            double lane[32] = {}, rest = 0;
            for (; from + 32 <= to; from += 32)
              for (std::size_t j = 0; j != 32; ++j) lane[j] += a[from + j];
            for (; from != to; ++from) rest += a[from];
            return std::accumulate(lane, lane + 32, rest);
          });
        },
        bytes));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make(
        "reduce", "OpenMP simd", w, sum,
        [w] { return bench::omp_sum<double>(w, a.size(), [](std::size_t i) { return a[i]; }); }, bytes));
#endif
  }

  out.push_back(bench::make_baseline(
      "dot", dot, [] { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }, 2 * bytes));
  // Once as a call for it, once as any user writes it.
  auto const index = [] { return std::views::iota(std::size_t{0}, a.size()); };
  for (unsigned const w : o.workers) {
    out.push_back(bench::make(
        "dot", "tartan par, dot()", w, dot, [p = tartan::par.workers(w)] { return tartan::dot(p, a, b); }, 2 * bytes));
    out.push_back(bench::make(
        "dot", "tartan par, map_reduce", w, dot,
        [p = tartan::par.workers(w), index] {
          return tartan::map_reduce(p, index(), [x = a.data(), y = b.data()](std::size_t i) { return x[i] * y[i]; });
        },
        2 * bytes));
#if BENCH_TBB
    out.push_back(bench::make(
        "dot", "oneTBB, hand-vectorised body", w, dot,
        [w] {
          return bench::tbb_sum<double>(w, a.size(), [](std::size_t from, std::size_t to) {
            double lane[32] = {}, rest = 0;
            for (; from + 32 <= to; from += 32)
              for (std::size_t j = 0; j != 32; ++j) lane[j] += a[from + j] * b[from + j];
            for (; from != to; ++from) rest += a[from] * b[from];
            return std::accumulate(lane, lane + 32, rest);
          });
        },
        2 * bytes));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make(
        "dot", "OpenMP simd", w, dot,
        [w] { return bench::omp_sum<double>(w, a.size(), [](std::size_t i) { return a[i] * b[i]; }); }, 2 * bytes));
#endif
  }
}

bench::registration const here("sum", add);

}  // namespace
