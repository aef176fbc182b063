// A loop that only counts, once on one thread and twice at once on two: pure computation scales with the cores.
#include <tartan/tartan.hpp>

#include <cstdint>
#include <vector>

#include "harness.hpp"

namespace {

/// Counts n down to zero; the register barrier keeps the compiler from doing it at once.
std::uint64_t countdown(std::uint64_t n) {
  std::uint64_t steps = 0;
  while (n != 0) {
    asm volatile("" : "+r"(n));
    --n;
    ++steps;
  }
  return steps;
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::uint64_t const n = o.scaled(50'000'000);
  out.push_back(bench::make_baseline("for_each", 2 * n, [n] { return countdown(n) + countdown(n); }));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("for_each", "tartan par, two countdowns", w, 2 * n, [n, p = tartan::par.workers(w)] {
      std::uint64_t steps[2] = {n, n};
      tartan::for_each(p, steps, [](std::uint64_t& x) { x = countdown(x); });
      return steps[0] + steps[1];
    }));
}

bench::registration const here("countdown", add);

}  // namespace
