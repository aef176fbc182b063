// What a loop costs beyond its body: loops too short to share, and one that is worth it.
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

void add(bench::options const&, std::vector<bench::contender>& out) {
  data.assign(1 << 20, 1.0);
  struct size {
    std::size_t n, times;
    char const* name;
  };
  for (size const s : {size{2, 1000, "1000 loops of 2"}, size{100, 1000, "1000 loops of 100"},
                       size{10'000, 100, "100 loops of 10k"}, size{600'000, 1, "1 loop of 600k"}}) {
    auto serial = repeated(s.name, "serial loop", 1, s.n, s.times, [](std::size_t n) {
      for (std::size_t i = 0; i != n; ++i) step(data[i]);
      asm volatile("" : : "r"(data.data()) : "memory");
    });
    serial.baseline = true;
    out.push_back(serial);
    out.push_back(repeated(s.name, "tartan par", tartan::available_workers(), s.n, s.times,
                           [](std::size_t n) { tartan::for_each(tartan::par, std::span(data.data(), n), step); }));
    if (s.times == 1)
      out.push_back(repeated(s.name, "tartan par, 2 ms idle before", tartan::available_workers(), s.n, s.times,
                             [](std::size_t n) {
                               std::this_thread::sleep_for(2ms);
                               tartan::for_each(tartan::par, std::span(data.data(), n), step);
                             }));
#if BENCH_TBB
    out.push_back(repeated(s.name, "oneTBB auto", tartan::available_workers(), s.n, s.times, [](std::size_t n) {
      tbb::parallel_for(tbb::blocked_range<std::size_t>(0, n), [](tbb::blocked_range<std::size_t> const& r) {
        for (std::size_t i = r.begin(); i != r.end(); ++i) step(data[i]);
      });
    }));
#endif
#if BENCH_OPENMP
    out.push_back(repeated(s.name, "OpenMP static", tartan::available_workers(), s.n, s.times, [](std::size_t n) {
#pragma omp parallel for schedule(static)
      for (std::size_t i = 0; i < n; ++i) step(data[i]);
    }));
#endif
  }
}

bench::registration const here("loops", add);

}  // namespace
