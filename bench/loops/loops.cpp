// What a loop costs beyond its body: loops too short to share, some that may be worth it, and one that is.
#include <tartan/for_each.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

namespace {

using namespace std::chrono_literals;

std::vector<double> data;
constexpr auto step = [](double& x) { x = x * 0.999 + 0.5; };

/// About a tenth of a microsecond, which no compiler shortens.
constexpr auto many_steps = [](double& x) {
  for (int i = 0; i != 40; ++i) {
    step(x);
    asm volatile("" : "+x"(x));
  }
};

/// The data after one pass depends on how many passes were made: only that each element changed like the first counts.
bool uniform(std::size_t n) {
  for (std::size_t i = 0; i != n; ++i)
    if (data[i] != data[0]) return false;
  return true;
}

/// A contender that repeats the loop, so that one run is long enough to be timed; times are of all repetitions.
template <class Loop>
bench::contender repeated(std::string pattern, std::string who, unsigned workers, std::size_t n, std::size_t times,
                          Loop loop) {
  bench::contender c;
  c.pattern = std::move(pattern);
  c.backend = std::move(who);
  c.workers = workers;
  c.right = [n, loop] {
    data.assign(data.size(), 1.0);
    loop(n);
    return uniform(n) && data[0] != 1.0;
  };
  c.run = [n, times, loop] {
    for (std::size_t i = 0; i != times; ++i) loop(n);
  };
  return c;
}

/// All contenders for `times` loops of n elements each.
template <class Body>
void add_loops(std::vector<bench::contender>& out, char const* name, std::size_t n, std::size_t times, Body body) {
  unsigned const all = static_cast<unsigned>(tartan::available_workers());
  auto serial = repeated(name, "serial loop", 1, n, times, [body](std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) body(data[i]);
    asm volatile("" : : "r"(data.data()) : "memory");
  });
  serial.baseline = true;
  out.push_back(serial);
  auto const ours = [body](std::size_t count) { tartan::for_each(tartan::par, std::span(data.data(), count), body); };
  out.push_back(repeated(name, "tartan par", all, n, times, ours));
  if (times == 1)
    out.push_back(repeated(name, "tartan par, 2 ms idle before", all, n, times, [ours](std::size_t count) {
      std::this_thread::sleep_for(2ms);
      ours(count);
    }));
#if BENCH_TBB
  out.push_back(repeated(name, "oneTBB auto", all, n, times, [body](std::size_t count) {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count), [&](tbb::blocked_range<std::size_t> const& r) {
      for (std::size_t i = r.begin(); i != r.end(); ++i) body(data[i]);
    });
  }));
#endif
#if BENCH_OPENMP
  out.push_back(repeated(name, "OpenMP static", all, n, times, [body](std::size_t count) {
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < count; ++i) body(data[i]);
  }));
#endif
}

void add(bench::options const&, std::vector<bench::contender>& out) {
  data.assign(1 << 20, 1.0);
  add_loops(out, "1000 loops of 2", 2, 1000, step);
  add_loops(out, "1000 loops of 100", 100, 1000, step);
  add_loops(out, "1000 loops of 1k", 1'000, 1000, step);
  add_loops(out, "300 loops of 3k", 3'000, 300, step);
  add_loops(out, "100 loops of 10k", 10'000, 100, step);
  add_loops(out, "20 loops of 100k", 100'000, 20, step);
  add_loops(out, "1 loop of 600k", 600'000, 1, step);
  add_loops(out, "1000 loops of 8 x 0.1 us", 8, 1000, many_steps);
  add_loops(out, "1000 loops of 24 x 0.1 us", 24, 1000, many_steps);
  add_loops(out, "100 loops of 80 x 0.1 us", 80, 100, many_steps);
  add_loops(out, "100 loops of 400 x 0.1 us", 400, 100, many_steps);
}

bench::registration const here("loops", add);

}  // namespace
