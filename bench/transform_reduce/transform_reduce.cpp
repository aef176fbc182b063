// The sum of sqrt(x) * exp(-x): elements that cost some nanoseconds each.
#include <tartan/tartan.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

namespace {

std::vector<double> v;
constexpr auto term = [](double x) { return std::sqrt(x) * std::exp(-x); };

/// Equal but for the order of addition.
struct close_to {
  double value;
  friend bool operator==(double got, close_to want) {
    return std::abs(got - want.value) <= 1e-9 * std::abs(want.value);
  }
};

void add(bench::options const& o, std::vector<bench::contender>& out) {
  v.resize(o.scaled(4'000'000));
  for (std::size_t i = 0; i != v.size(); ++i) v[i] = static_cast<double>(i % 1000) * 0.01;
  double sum = 0;
  for (double const x : v) sum += term(x);
  close_to const expected{sum};

  out.push_back(bench::make_baseline("map_reduce", expected, [] {
    double s = 0;
    for (double const x : v) s += term(x);
    return s;
  }));
  out.push_back(
      bench::make("map_reduce", "tartan seq", 1, expected, [] { return tartan::map_reduce(tartan::seq, v, term); }));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make("map_reduce", "tartan par", w, expected,
                              [p = tartan::par.workers(w)] { return tartan::map_reduce(p, v, term); }));
#if BENCH_TBB
    out.push_back(bench::make("map_reduce", "oneTBB", w, expected, [w] {
      return bench::tbb_sum<double>(w, v.size(), [](std::size_t b, std::size_t e) {
        double s = 0;
        for (; b != e; ++b) s += term(v[b]);
        return s;
      });
    }));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make("map_reduce", "OpenMP", w, expected, [w] {
      return bench::omp_sum<double>(w, v.size(), [](std::size_t i) { return term(v[i]); });
    }));
#endif
  }
}

bench::registration const here("transform_reduce", add);

}  // namespace
