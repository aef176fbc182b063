// More workers than cores: nothing may collapse. The base of each pattern is two workers, not a serial loop; worker
// counts of --workers above two are measured, 16 and 64 if there are none.
#include <tartan/for_each.hpp>
#include <tartan/fork_join.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

#if BENCH_TBB
#include <tbb/parallel_invoke.h>
#endif

namespace {

[[gnu::noinline]] long serial_fib(int n) { return n < 2 ? n : serial_fib(n - 1) + serial_fib(n - 2); }

long forked_fib(int n) {
  if (n < 2) return n;
  auto [a, b] = tartan::fork_join(tartan::par, [n] { return forked_fib(n - 1); }, [n] { return forked_fib(n - 2); });
  return a + b;
}

#if BENCH_TBB
long tbb_fib(int n) {
  if (n < 2) return n;
  long a = 0, b = 0;
  tbb::parallel_invoke([&] { a = tbb_fib(n - 1); }, [&] { b = tbb_fib(n - 2); });
  return a + b;
}
#endif

/// The loop, so many times over n numbers; the sum says whether each was done each time.
template <class Loop>
double looped(std::size_t n, int times, Loop const& loop) {
  std::vector<double> data(n, 1.0);
  for (int i = 0; i != times; ++i) loop(data);
  double sum = 0;
  for (double const x : data) sum += x;
  return sum;
}

constexpr auto step = [](double& x) { x = x * 0.5 + 1; };

void add_loops(std::vector<bench::contender>& out, std::string const& pattern, unsigned w, std::size_t n, int times) {
  double const expected = looped(n, times, [](auto& data) { std::ranges::for_each(data, step); });
  auto c = bench::make(pattern, "tartan par", w, expected, [=, p = tartan::par.workers(w)] {
    return looped(n, times, [&](auto& data) { tartan::for_each(p, data, step); });
  });
  c.baseline = w == 2;
  c.items = times;
  out.push_back(c);
#if BENCH_TBB
  c = bench::make(pattern, "oneTBB", w, expected, [=] {
    tbb::global_control const threads(tbb::global_control::max_allowed_parallelism, w);
    return looped(n, times, [&](auto& data) { bench::tbb_for(w, n, [&](std::size_t i) { step(data[i]); }); });
  });
  c.items = times;
  out.push_back(c);
#endif
#if BENCH_OPENMP
  c = bench::make(pattern, "OpenMP static", w, expected, [=] {
    return looped(n, times, [&](auto& data) { bench::omp_for(w, n, [&](std::size_t i) { step(data[i]); }); });
  });
  c.items = times;
  out.push_back(c);
#endif
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::vector<unsigned> counts{2};
  for (unsigned const w : o.workers)
    if (w > 2) counts.push_back(w);
  if (counts.size() == 1) counts.insert(counts.end(), {16, 64});

  int const n = o.quick ? 24 : 32;
  long const expected = serial_fib(n);
  for (unsigned const w : counts) {
    auto c = bench::make("fib", "tartan par", w, expected, [=] {
      return tartan::fork_join(tartan::par.workers(w), [n] { return forked_fib(n); }, [] {}).first;
    });
    c.baseline = w == 2;
    out.push_back(c);
#if BENCH_TBB
    out.push_back(bench::make("fib", "oneTBB", w, expected, [=] {
      tbb::global_control const threads(tbb::global_control::max_allowed_parallelism, w);
      long result = 0;
      tbb::task_arena(static_cast<int>(w)).execute([&] { result = tbb_fib(n); });
      return result;
    }));
#endif
  }
  int const times = o.quick ? 20 : 200;
  for (unsigned const w : counts) add_loops(out, "loops of 10k", w, 10'000, times);
  for (unsigned const w : counts) add_loops(out, "loops of 100k", w, 100'000, times);
  for (unsigned const w : counts) add_loops(out, "loops of 2M", w, 2'000'000, times / 10);
}

bench::registration const here("oversubscribed", add);

}  // namespace
