// What a pool costs while it has nothing to do, in processor time of the whole process; and what that buys: how fast a
// loop begins after a pause. Pools are idle for 50 ms before each measurement, so that none disturbs the next.
#include <tartan/for_each.hpp>
#include <tartan/thread_pool.hpp>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

namespace {

using namespace std::chrono_literals;

double seconds_on(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
double processor_seconds() { return seconds_on(CLOCK_PROCESS_CPUTIME_ID); }
double wall_seconds() { return seconds_on(CLOCK_MONOTONIC); }

constexpr std::size_t length = 40'000;      // about 70 us on one core, and in its cache
constexpr std::size_t short_length = 1000;  // about 2 us: not worth waking anybody
constexpr auto step = [](double& x) {
  for (int i = 0; i != 40; ++i) x = x * 0.999 + 0.5;
};

/// A loop of one contender over data; made anew for each measurement, so that a pool is there only while it is
/// measured.
using loop = std::function<void(std::span<double>)>;
using make_loop = std::function<loop()>;

struct runner {
  char const* name;
  unsigned workers;
  make_loop make;
};

std::vector<runner> runners() {
  std::vector<runner> all;
  all.push_back({"serial loop", 1, [] {
                   return [](std::span<double> data) {
                     for (double& x : data) step(x);
                     asm volatile("" : : "r"(data.data()) : "memory");
                   };
                 }});
  unsigned const n = tartan::available_workers();
  all.push_back({"tartan par", n, [] { return [](std::span<double> d) { tartan::for_each(tartan::par, d, step); }; }});
  for (auto const& [name, mode] : {std::pair{"tartan, idle::balanced", tartan::idle::balanced},
                                   std::pair{"tartan, idle::power", tartan::idle::power},
                                   std::pair{"tartan, idle::latency", tartan::idle::latency}})
    all.push_back({name, n, [mode] {
                     auto const pool = std::make_shared<tartan::thread_pool>(tartan::thread_pool_options{.idle = mode});
                     return [pool](std::span<double> d) { tartan::for_each(tartan::par.on(*pool), d, step); };
                   }});
#if BENCH_TBB
  all.push_back({"oneTBB", n, [n] {
                   return [n](std::span<double> d) { bench::tbb_for(n, d.size(), [d](std::size_t i) { step(d[i]); }); };
                 }});
#endif
#if BENCH_OPENMP
  all.push_back({"OpenMP static", n, [n] {
                   return [n](std::span<double> d) { bench::omp_for(n, d.size(), [d](std::size_t i) { step(d[i]); }); };
                 }});
#endif
  return all;
}

/// What `rounds` measurements of measure(loop over n elements) have in the middle; nothing if an element was not done
/// exactly once a loop.
template <class Measure>
std::optional<double> measured(make_loop const& make, std::size_t n, int rounds, Measure const& measure) {
  std::vector<double> data(n, 1.0);
  int loops = 0;
  loop const run = make();
  auto const once = [&] {
    run(data);
    ++loops;
  };
  std::this_thread::sleep_for(50ms);
  std::vector<double> figures;
  for (int i = 0; i != rounds; ++i) figures.push_back(measure(once));
  double expected = 1.0;
  for (int i = 0; i != loops; ++i) step(expected);
  if (std::ranges::any_of(data, [&](double x) { return x != data[0]; }) || std::abs(data[0] - expected) > 1e-12)
    return {};
  std::ranges::nth_element(figures, figures.begin() + rounds / 2);
  return figures[static_cast<std::size_t>(rounds / 2)];
}

template <class Measure>
void add_pattern(std::vector<bench::contender>& out, std::string const& pattern, int rounds, Measure measure,
                 std::size_t n = length) {
  for (runner const& r : runners()) {
    bench::contender c;
    c.pattern = pattern;
    c.backend = r.name;
    c.workers = r.workers;
    c.right = [=, make = r.make] { return measured(make, n, 1, measure).has_value(); };
    c.figure = [=, make = r.make] { return measured(make, n, rounds, measure).value_or(0); };
    c.baseline = r.workers == 1;
    out.push_back(std::move(c));
  }
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  int const rounds = o.quick ? 11 : 51;
  auto const window = o.quick ? 100ms : 990ms;
  add_pattern(out, o.quick ? "CPU, 10 to 110 ms after" : "CPU, 10 ms to 1 s after", 1, [=](auto const& once) {
    for (int i = 0; i != 20; ++i) once();
    std::this_thread::sleep_for(10ms);
    double const begin = processor_seconds();
    std::this_thread::sleep_for(window);
    return processor_seconds() - begin;
  });
  add_pattern(out, "CPU in a gap of 2 ms", rounds, [](auto const& once) {
    once();
    double const begin = processor_seconds();
    std::this_thread::sleep_for(2ms);
    return processor_seconds() - begin;
  });
  auto const loop_after = [](std::chrono::microseconds pause) {
    return [pause](auto const& once) {
      once();
      if (pause.count() > 100)
        std::this_thread::sleep_for(pause);
      else
        for (double const end = wall_seconds() + 1e-6 * static_cast<double>(pause.count()); wall_seconds() < end;) {
        }
      double const begin = wall_seconds();
      once();
      return wall_seconds() - begin;
    };
  };
  add_pattern(out, "loop, back to back", rounds, loop_after(0us));
  add_pattern(out, "loop after 50 us", rounds, loop_after(50us));
  add_pattern(out, "loop after 2 ms", rounds, loop_after(2ms));
  add_pattern(out, "short loop after 2 ms", rounds, loop_after(2ms), short_length);
}

bench::registration const here("idle", add);

}  // namespace
