// What a progress bar costs: the same loop with and without one. The bar writes its reports to nowhere. The difference
// of two such rows is lost in the noise of a machine, so it has rows of its own: processor time with a bar less that
// without, the median of pairs of neighbouring runs in changing order; the row below it is that of pairs without any
// bar, which says how much of it is noise.
#include <tartan/for_each.hpp>
#include <tartan/progress.hpp>

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ranges>
#include <string>
#include <vector>

#include "harness.hpp"

namespace {

std::uint64_t work(std::uint64_t x, int rounds) {
  for (int i = 0; i != rounds; ++i) x = x * 6364136223846793005U + 1442695040888963407U;
  return x;
}

tartan::progress_options shown(std::size_t n) {
  static std::FILE* const nowhere = std::fopen("/dev/null", "w");
  return {.description = "Working", .total = n, .output = tartan::progress_output::always, .stream = nowhere};
}

std::uint64_t loop(std::size_t n, int rounds) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i != n; ++i) sum ^= work(i, rounds);
  return sum;
}

std::uint64_t counted_loop(std::size_t n, int rounds) {
  std::uint64_t sum = 0;
  for (std::size_t i : tartan::progress(std::views::iota(std::size_t{0}, n), shown(n))) sum ^= work(i, rounds);
  return sum;
}

template <class P>
std::uint64_t elements(P const& p, std::size_t n, int rounds) {
  static std::vector<std::uint64_t> out;
  out.resize(n);
  tartan::for_each(p, std::views::iota(std::size_t{0}, out.size()), [&](std::size_t i) { out[i] = work(i, rounds); });
  std::uint64_t sum = 0;
  for (std::uint64_t x : out) sum ^= x;
  return sum;
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// The median of what `second` takes more than `first`, of so many pairs.
template <class F, class G>
double cost(std::size_t pairs, F const& first, G const& second) {
  auto const of = [](auto const& f) {
    double const begin = cpu_seconds();
    f();
    return cpu_seconds() - begin;
  };
  std::vector<double> more(pairs);
  for (std::size_t i = 0; i != more.size(); ++i) {
    if (i % 2 == 0) {
      double const without = of(first);
      more[i] = of(second) - without;
    } else {
      more[i] = of(second);
      more[i] -= of(first);
    }
  }
  std::sort(more.begin(), more.end());
  return more[more.size() / 2];
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  struct load {
    char const* name;
    int rounds;
    std::size_t n;
  };
  for (load const l : {load{"4 ns", 4, 4'000'000}, load{"80 ns", 90, 400'000}, load{"1 us", 1100, 40'000}}) {
    std::string const pattern = std::string("progress, ") + l.name;
    std::size_t const n = o.scaled(l.n);
    int const rounds = l.rounds;
    std::size_t const pairs = o.quick ? 7 : 31;
    std::uint64_t const answer = loop(n, rounds);
    auto const put = [&](std::string name, unsigned workers, auto f, bool baseline = false) {
      auto c = bench::make(pattern, std::move(name), workers, answer, f);
      c.items = static_cast<double>(n);
      c.baseline = baseline;
      out.push_back(std::move(c));
    };
    put("loop", 1, [=] { return loop(n, rounds); }, true);
    put("loop, progress", 1, [=] { return counted_loop(n, rounds); });
    for (unsigned const w : o.workers) {
      auto const p = tartan::par.workers(static_cast<std::ptrdiff_t>(w));
      put("par", w, [=] { return elements(p, n, rounds); });
      auto const with_bar = [=] {
        tartan::progress bar{shown(n)};
        return elements(p.progress(bar), n, rounds);
      };
      put("par, progress", w, with_bar);
      auto const put_cost = [&](char const* name, auto second) {
        put(name, w, with_bar);
        out.back().figure = [=] { return std::abs(cost(pairs, [=] { elements(p, n, rounds); }, second)); };
      };
      put_cost("what progress costs", with_bar);
      put_cost("noise of that", [=] { elements(p, n, rounds); });
    }
  }
}

bench::registration const registered("progress", add);

}  // namespace
