// What a task in another process costs, beside Python's pools on the same work. Every answer is checked before it is
// timed; a wrong one prints no number.
//
//   tartan_bench_processes [workers] [--alone]      (default: 2; --alone leaves the peers out)
//
// The peers are those of python3, or of the program that TARTAN_BENCH_PYTHON names: joblib and mpi4py where it has
// them.

#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "tartan/algorithms/for_each.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/async/map_async.hpp"
#include "tartan/async/submit.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;

template <class F>
double seconds_of(F f) {
  auto const begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class F>
double median_seconds(int times, F f) {
  std::vector<double> all;
  for (int i = 0; i != times; ++i) all.push_back(seconds_of(f));
  std::ranges::nth_element(all, all.begin() + times / 2);
  return all[static_cast<std::size_t>(times / 2)];
}

void report(char const* row, double value) {
  std::printf("%-24s %-46s %10.4g\n", "tartan", row, value);
  std::fflush(stdout);
}

void require(bool right, char const* what) {
  if (right) return;
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::exit(1);
}

using row = std::array<int, 5>;

int count_in(row const& r, int low, int high) {
  int n = 0;
  for (int const d : r) n += d >= low && d <= high ? 1 : 0;
  return n;
}

int count_row(row const& r) { return count_in(r, 4, 8); }

struct counted_row {
  row digits;
  int inside;
};

double sum_of(tn::shared_span<double const> s) {
  double lanes[16] = {};
  for (std::size_t i = 0; i + 16 <= s.size(); i += 16)
    for (std::size_t k = 0; k != 16; ++k) lanes[k] += s.data()[i + k];
  return std::accumulate(lanes, lanes + 16, 0.0);
}

void small_tasks(tn::process_pool& pool, unsigned workers) {
  auto const p = tn::processes.on(pool);
  std::vector<int> const one{7};
  auto const identity = [](int x) { return x; };
  require(*tn::try_map(p, one, identity)[0] == 7, "round trip");
  report(workers == 1 ? "round trip of an empty task, 1 worker, us" : "round trip of an empty task, us",
         median_seconds(5000, [&] { (void)tn::try_map(p, one, identity); }) * 1e6);

  std::vector<int> numbers(1'000'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  require(tn::map(p, numbers, identity) == numbers, "map");
  auto const n = static_cast<double>(numbers.size());
  report("batched map, million tasks a second",
         n / median_seconds(5, [&] { (void)tn::map(p, numbers, identity); }) / 1e6);
  report("try_map, an outcome each, million a second",
         n / median_seconds(5, [&] { (void)tn::try_map(p, numbers, identity); }) / 1e6);
  double const submitted = median_seconds(3, [&] {
    std::vector<tn::future<int>> all;
    for (int i = 0; i != 100'000; ++i) all.push_back(tn::submit(p, identity, i));
    for (int i = 0; i != 100'000; ++i) require(all[static_cast<std::size_t>(i)].get() == i, "submit");
  });
  report("submit with a future each, million a second", 0.1 / submitted);
}

void large_data(tn::process_pool& pool) {
  auto const p = tn::processes.on(pool);
  std::vector<std::vector<double>> const big(1, std::vector<double>(8 << 20, 1.0));
  auto const first = [](std::vector<double> const& v) { return v[5]; };
  require(*tn::try_map(p, big, first)[0] == 1.0, "copied");
  double const bytes = 8.0 * (8 << 20);
  report("64 MB to a worker, copied, GB/s", bytes / median_seconds(5, [&] { (void)tn::try_map(p, big, first); }) / 1e9);
  tn::shared_array<double> shared(8 << 20, 1.0);
  std::vector<tn::shared_span<double const>> const spans{shared.span()};
  require(*tn::try_map(p, spans, &sum_of)[0] == 8 << 20, "in place");
  report("64 MB read by a worker in place, GB/s",
         bytes / median_seconds(9, [&] { (void)tn::try_map(p, spans, &sum_of); }) / 1e9);
}

// For each row of five digits, how many lie in [4, 8]: every way to hand the rows over.
void rows(tn::process_pool& pool) {
  auto const p = tn::processes.on(pool);
  std::vector<row> all(1'000'000);
  for (std::size_t i = 0; i != all.size(); ++i)
    for (std::size_t k = 0; k != 5; ++k) all[i][k] = static_cast<int>((i * 7 + k * 3) % 10);
  std::vector<std::tuple<row, int, int>> arguments;
  for (row const& r : all) arguments.emplace_back(r, 4, 8);
  std::vector<int> right(all.size());
  auto const plain = [&] {
    for (std::size_t i = 0; i != all.size(); ++i) right[i] = count_row(all[i]);
  };
  plain();
  auto const ns_a_row = [&](char const* how, std::size_t n, auto const& f) {
    report((std::string("range count by ") + how + ", ns a row").c_str(),
           median_seconds(5, f) / static_cast<double>(n) * 1e9);
  };
  ns_a_row("a plain loop", all.size(), plain);
  require(tn::map(p, all, &count_row) == right, "map");
  ns_a_row("map", all.size(), [&] { (void)tn::map(p, all, &count_row); });
  require(tn::starmap(p, arguments, &count_in) == right, "starmap");
  ns_a_row("starmap", all.size(), [&] { (void)tn::starmap(p, arguments, &count_in); });
  require(tn::map_async(p, all, &count_row).get() == right, "map_async");
  ns_a_row("map_async", all.size(), [&] { (void)tn::map_async(p, all, &count_row).get(); });

  std::size_t const some = 100'000;  // one future a row
  ns_a_row("submit", some, [&] {
    std::vector<tn::future<int>> futures;
    for (std::size_t i = 0; i != some; ++i) futures.push_back(tn::submit(p, &count_row, all[i]));
    for (std::size_t i = 0; i != some; ++i) require(futures[i].get() == right[i], "submit");
  });
  ns_a_row("callbacks", some, [&] {
    std::atomic<long> total{0};
    std::vector<tn::future<void>> told;
    for (std::size_t i = 0; i != some; ++i)
      told.push_back(tn::submit(p, &count_row, all[i]).then([&](int n) { total += n; }));
    for (auto& t : told) t.get();
    require(total == std::accumulate(right.begin(), right.begin() + some, 0L), "callbacks");
  });

  tn::shared_array<counted_row> shared(all.size());
  for (std::size_t i = 0; i != all.size(); ++i) shared[i].digits = all[i];
  auto const count_here = [](counted_row& r) { r.inside = count_row(r.digits); };
  tn::for_each(p, shared, count_here);
  for (std::size_t i = 0; i != all.size(); ++i) require(shared[i].inside == right[i], "in place");
  ns_a_row("for_each in place", all.size(), [&] { tn::for_each(p, shared, count_here); });
  ns_a_row("a plain loop over the same memory", all.size(), [&] { std::ranges::for_each(shared, count_here); });
}

void lives(unsigned workers) {
  std::vector<int> const one{1};
  std::vector<double> starts;
  for (int i = 0; i != 51; ++i) {
    auto const begin = std::chrono::steady_clock::now();
    tn::process_pool pool{{.workers = 1}};
    require(tn::try_map(tn::processes.on(pool), one, [](int x) { return x; })[0].has_value(), "start");
    starts.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::nth_element(starts, starts.begin() + 25);
  report("start a worker to its first result, us", starts[25] * 1e6);
  tn::process_pool pool{{.workers = workers}};
  report("crash to its error and a result after it, us",
         median_seconds(200, [&] {
           auto const p = tn::processes.on(pool);
           require(!tn::try_map(p, one, [](int) { return ::raise(SIGKILL); })[0].has_value(), "crash");
           require(tn::try_map(p, one, [](int x) { return x; })[0].has_value(), "after the crash");
         }) * 1e6);
}

void peers(unsigned workers) {
  char const* const wish = std::getenv("TARTAN_BENCH_PYTHON");
  auto const command = std::string(wish != nullptr ? wish : "python3") + " " BENCH_PEERS " " + std::to_string(workers);
  std::FILE* const out = ::popen(command.c_str(), "r");
  if (out == nullptr) return;
  char line[256];
  while (std::fgets(line, sizeof line, out) != nullptr) {
    char* const name = std::strtok(line, "|");
    char* const what = std::strtok(nullptr, "|\n");
    char* const value = std::strtok(nullptr, "|\n");
    if (value != nullptr)
      std::printf("%-24s %-46s %10.4g\n", name, what, std::atof(value));
    else if (what != nullptr)
      std::printf("%-24s %s\n", name, what);
    std::fflush(stdout);
  }
  ::pclose(out);
}

}  // namespace

int main(int argc, char** argv) {
  tn::start_processes();
  unsigned const workers = argc > 1 && argv[1][0] != '-' ? static_cast<unsigned>(std::atoi(argv[1])) : 2;
  bool const alone = std::string(argv[argc - 1]) == "--alone";
  lives(workers);
  {
    tn::process_pool pool{{.workers = 1}};
    small_tasks(pool, 1);
    large_data(pool);
  }
  if (workers > 1) {
    tn::process_pool pool{{.workers = workers}};
    small_tasks(pool, workers);
    rows(pool);
  }
  if (!alone) peers(workers);
}
