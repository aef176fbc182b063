// Estimates pi by throwing random points into a square. Each task draws from a stream of its own, made from the number
// of the task, so the estimate does not depend on the number of workers.
//
// Shows: map_reduce with random numbers that are reproducible.
// Build: g++ -std=c++20 -O2 monte_carlo.cpp $(pkg-config --cflags --libs tartan) -o monte_carlo
// Run:   ./monte_carlo [TASKS]          (default 2000 tasks of 5000 points)
#include <tartan/tartan.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <random>
#include <ranges>

namespace {

constexpr long points_per_task = 5'000;

long hits(long task) {
  std::seed_seq seed{static_cast<std::uint32_t>(task), static_cast<std::uint32_t>(task >> 32), 2024U};
  std::mt19937_64 random(seed);
  long inside = 0;
  for (long i = 0; i != points_per_task; ++i) {
    double const x = static_cast<double>(random() >> 11) * 0x1p-53, y = static_cast<double>(random() >> 11) * 0x1p-53;
    inside += x * x + y * y < 1 ? 1 : 0;
  }
  return inside;
}

template <class Policy>
long total_hits(Policy const& policy, long tasks) {
  return tartan::map_reduce(policy, std::views::iota(0L, tasks), hits);
}

}  // namespace

int main(int argc, char** argv) {
  long const tasks = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 2'000;
  if (tasks < 1) {
    std::fputs("monte_carlo: TASKS must be a whole number of at least 1\n", stderr);
    return EXIT_FAILURE;
  }
  long const serial = total_hits(tartan::seq, tasks);
  bool same = true;
  for (int const workers : {1, 2, 3, 8}) same = same && total_hits(tartan::par.workers(workers), tasks) == serial;
  double const points = static_cast<double>(tasks * points_per_task);
  double const estimate = 4 * static_cast<double>(serial) / points;
  std::printf("%.0f points: pi ~ %.6f (error %.1e), the same for 1, 2, 3 and 8 workers: %s\n", points, estimate,
              std::abs(estimate - std::numbers::pi), same ? "yes" : "no");
  return same && std::abs(estimate - std::numbers::pi) < 10 / std::sqrt(points) ? EXIT_SUCCESS : EXIT_FAILURE;
}
