// Few elements that cost much: two and ten of 20 ms of computing, and eight that sleep 50 ms under more workers than
// cores.
#include <tartan/for_each.hpp>
#include <tartan/map_reduce.hpp>

#include <chrono>
#include <cstdint>
#include <ranges>
#include <thread>

#include "harness.hpp"
#include "peers.hpp"

namespace {

using namespace std::chrono_literals;

/// About 20 ms of arithmetic, the same every time; out of line, so that nobody interleaves several of them.
[[gnu::noinline]] std::uint64_t compute(std::uint64_t x) {
  for (int i = 0; i != 16'000'000; ++i) x = x * 6364136223846793005U + 1442695040888963407U;
  return x;
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  for (std::uint64_t const n : {std::uint64_t{2}, std::uint64_t{10}}) {
    std::string const name = "reduce " + std::to_string(n) + " dear";
    std::uint64_t expected = 0;
    for (std::uint64_t i = 0; i != n; ++i) expected += compute(i);
    out.push_back(bench::make_baseline(name, expected, [n] {
      std::uint64_t sum = 0;
      for (std::uint64_t i = 0; i != n; ++i) sum += compute(i);
      return sum;
    }));
    for (unsigned const w : o.workers) {
      out.push_back(bench::make(name, "tartan par, sleeping pool", w, expected, [n, p = tartan::par.workers(w)] {
        std::this_thread::sleep_for(2ms);
        return tartan::map_reduce(p, std::views::iota(std::uint64_t{0}, n), compute);
      }));
      out.push_back(bench::make(name, "tartan par, back to back", w, expected, [n, p = tartan::par.workers(w)] {
        return tartan::map_reduce(p, std::views::iota(std::uint64_t{0}, n), compute);
      }));
    }
  }
  auto const nap = [](int) { std::this_thread::sleep_for(50ms); };
  out.push_back(bench::make_baseline("for_each, 8 naps", true, [nap] {
    for (int i = 0; i != 8; ++i) nap(i);
    return true;
  }));
  for (int const w : {2, 8})
    out.push_back(bench::make("for_each, 8 naps", "tartan par", static_cast<unsigned>(w), true,
                              [nap, p = tartan::par.workers(w)] {
                                tartan::for_each(p, std::views::iota(0, 8), nap);
                                return true;
                              }));
}

bench::registration const here("dear", add);

}  // namespace
