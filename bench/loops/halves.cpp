// A few long parts, one fork or loop after the other: whether the second worker gets its part at once each time, or
// only when it comes to look for it.
#include <tartan/for_each.hpp>
#include <tartan/fork_join.hpp>

#include <cstddef>
#include <ranges>
#include <string>
#include <vector>

#include "harness.hpp"

#if BENCH_TBB
#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>
#endif

namespace {

constexpr std::size_t most_parts = 16, apart = 16;  // each part writes a line pair of its own
std::vector<double> data(most_parts* apart);

/// About `us` microseconds that no compiler shortens.
void work(std::size_t part, int us) {
  double x = data[part * apart];
  for (int i = 0; i != us * 400; ++i) {
    x = x * 0.999 + 0.5;
    asm volatile("" : "+x"(x));
  }
  data[part * apart] = x;
}

/// A contender that repeats the fork or loop; right if each part comes out as the serial loop's.
template <class Once>
bench::contender repeated(std::string const& pattern, std::string who, unsigned workers, std::size_t parts, int us,
                          std::size_t times, Once once) {
  bench::contender c;
  c.pattern = pattern;
  c.backend = std::move(who);
  c.workers = workers;
  c.items = static_cast<double>(times);
  c.right = [=] {
    data.assign(data.size(), 1.0);
    work(most_parts - 1, us);
    once();
    for (std::size_t p = 0; p != parts; ++p)
      if (data[p * apart] != data[(most_parts - 1) * apart]) return false;
    return true;
  };
  c.run = [=] {
    for (std::size_t i = 0; i != times; ++i) once();
  };
  return c;
}

void add_forks(std::vector<bench::contender>& out, unsigned all, int us, std::size_t times) {
  std::string const name = std::to_string(times) + " forks of 2 x " + std::to_string(us) + " us";
  auto const add = [&](char const* who, unsigned workers, auto once) {
    out.push_back(repeated(name, who, workers, 2, us, times, once));
  };
  auto const first = [us] { work(0, us); };
  auto const second = [us] { work(1, us); };
  add("serial loop", 1, [=] { first(), second(); });
  out.back().baseline = true;
  add("tartan par", all, [=] { tartan::fork_join(tartan::par, first, second); });
#if BENCH_TBB
  add("oneTBB", all, [=] { tbb::parallel_invoke(first, second); });
#endif
#if BENCH_OPENMP
  add("OpenMP sections", all, [=] {
#pragma omp parallel sections
    {
#pragma omp section
      first();
#pragma omp section
      second();
    }
  });
#endif
}

void add_loops(std::vector<bench::contender>& out, unsigned all, std::size_t parts, int us, std::size_t times) {
  std::string const name =
      std::to_string(times) + " loops of " + std::to_string(parts) + " x " + std::to_string(us) + " us";
  auto const add = [&](char const* who, unsigned workers, auto once) {
    out.push_back(repeated(name, who, workers, parts, us, times, once));
  };
  auto const body = [us](std::size_t part) { work(part, us); };
  auto const range = std::views::iota(std::size_t{0}, parts);
  add("serial loop", 1, [=] {
    for (std::size_t p = 0; p != parts; ++p) body(p);
  });
  out.back().baseline = true;
  add("tartan par", all, [=] { tartan::for_each(tartan::par, range, body); });
  add("tartan par.grain(1)", all, [=] { tartan::for_each(tartan::par.grain(1), range, body); });
#if BENCH_TBB
  add("oneTBB", all, [=] { tbb::parallel_for(std::size_t{0}, parts, body); });
#endif
#if BENCH_OPENMP
  add("OpenMP dynamic", all, [=] {
#pragma omp parallel for schedule(dynamic)
    for (std::size_t p = 0; p < parts; ++p) body(p);
  });
#endif
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  unsigned const all = static_cast<unsigned>(tartan::available_workers());
  for (int const us : {1, 5, 20, 100}) add_forks(out, all, us, o.scaled(4000) / static_cast<std::size_t>(us));
  add_loops(out, all, 2, 20, o.scaled(1600) / 10);
  add_loops(out, all, 4, 20, o.scaled(1600) / 20);
  add_loops(out, all, 8, 5, o.scaled(1600) / 10);
}

bench::registration const here("halves", add);

}  // namespace
