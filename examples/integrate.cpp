// Integrates 4 / (1 + x^2) over [0, 1], which is pi, by the midpoint rule: a sum that has the same bits however many
// workers add it up.
//
// Shows: map_reduce over an index range, choosing the policy by its name, reproducible sums.
// Build: g++ -std=c++20 -O2 integrate.cpp $(pkg-config --cflags --libs tartan) -o integrate
// Run:   ./integrate [STEPS]            (default 10000000)
#include <tartan/tartan.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <ranges>

namespace {

template <class Policy>
double integrate(Policy const& policy, long steps) {
  double const h = 1.0 / static_cast<double>(steps);
  return h * tartan::map_reduce(policy, std::views::iota(0L, steps), [h](long i) {
           double const x = (static_cast<double>(i) + 0.5) * h;
           return 4.0 / (1.0 + x * x);
         });
}

}  // namespace

int main(int argc, char** argv) {
  long const steps = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 10'000'000;
  if (steps < 1) {
    std::fputs("integrate: STEPS must be a whole number of at least 1\n", stderr);
    return EXIT_FAILURE;
  }
  double const serial = integrate(tartan::seq, steps);
  std::printf("seq              %.17g\n", serial);
  bool same = true;
  for (int const workers : {1, 2, 4, 8}) {
    double const parallel = integrate(tartan::par.workers(workers), steps);
    std::printf("par.workers(%d)   %.17g\n", workers, parallel);
    same = same && parallel == serial;
  }
  std::printf("the same bits everywhere: %s; error against pi: %.1e\n", same ? "yes" : "no",
              std::abs(serial - std::numbers::pi));
  return same && (steps < 1000 || std::abs(serial - std::numbers::pi) < 1e-6) ? EXIT_SUCCESS : EXIT_FAILURE;
}
