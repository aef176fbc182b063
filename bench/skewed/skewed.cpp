// Loops whose elements cost very different amounts: how close the workers come to an even share. With w workers the
// speed-up of a perfect division is w, so time over ideal is w / speed-up.
#include <tartan/for_each.hpp>

#include <cstddef>
#include <ranges>
#include <string>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

namespace {

/// About 200 ns a unit.
double work(int units) {
  double x = 1;
  for (int i = 0; i != units * 100; ++i) x = x * 0.999999 + 1e-7;
  return x;
}

struct shape {
  char const* name;
  int (*cost)(int);  // of element i of 2000
};
constexpr shape shapes[] = {
    {"cost ~ i", [](int i) { return i / 10; }},
    {"cost ~ n - i", [](int i) { return (2000 - i) / 10; }},
    {"heavy first", [](int i) { return i < 200 ? 1000 : 1; }},
    {"heavy middle", [](int i) { return i >= 900 && i < 1100 ? 1000 : 1; }},
    {"one in a hundred", [](int i) { return i % 100 == 36 ? 10'000 : 1; }},
};

std::vector<double> results;

double total() {
  double sum = 0;
  for (double const r : results) sum += r;
  return sum;
}

void add_shape(bench::options const& o, std::vector<bench::contender>& out, shape const& s) {
  int const n = o.quick ? 500 : 2000;
  results.assign(static_cast<std::size_t>(n), 0);
  auto const body = [cost = s.cost, n](std::size_t i) { results[i] = work(cost(static_cast<int>(i) * 2000 / n)); };
  auto const each = std::views::iota(std::size_t{0}, static_cast<std::size_t>(n));
  for (std::size_t const i : each) body(i);
  double const expected = total();
  auto const contend = [&](char const* who, unsigned w, auto loop) {
    out.push_back(bench::make(s.name, who, w, expected, [=] {
      results.assign(static_cast<std::size_t>(n), 0);
      loop();
      return total();
    }));
  };
  contend("serial loop", 1, [=] {
    for (std::size_t const i : each) body(i);
  });
  out.back().baseline = true;
  for (unsigned const w : o.workers) {
    contend("tartan par", w, [=, p = tartan::par.workers(w)] { tartan::for_each(p, each, body); });
#if BENCH_TBB
    contend("oneTBB auto", w, [=] { bench::tbb_for(w, each.size(), body); });
#endif
#if BENCH_OPENMP
    contend("OpenMP dynamic", w, [=] {
#pragma omp parallel for num_threads(w) schedule(dynamic)
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) body(i);
    });
    contend("OpenMP guided", w, [=] {
#pragma omp parallel for num_threads(w) schedule(guided)
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) body(i);
    });
#endif
  }
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  for (shape const& s : shapes) add_shape(o, out, s);
}

bench::registration const here("skewed", add);

}  // namespace
