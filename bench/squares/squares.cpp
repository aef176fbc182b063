// The sum of the squares of 1 to n, by several patterns and by chunk size: the first thing that people measure.
#include <tartan/tartan.hpp>

#include <cstdint>
#include <ranges>
#include <string>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"

namespace {

/// An object, not a function: the compiler knows what a call of it does wherever it is passed.
constexpr auto square = [](std::uint64_t x) { return x * x; };

void add(bench::options const& o, std::vector<bench::contender>& out) {
  static std::vector<std::uint64_t> numbers;
  numbers.resize(o.scaled(10'000'000));
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i != numbers.size(); ++i) expected += square(numbers[i] = i + 1);

  out.push_back(bench::make_baseline("map_reduce", expected, [] {
    std::uint64_t sum = 0;
    for (std::uint64_t const x : numbers) sum += square(x);
    return sum;
  }));
  auto const tartan_row = [&](std::string name, unsigned workers, auto policy) {
    out.push_back(bench::make("map_reduce", std::move(name), workers, expected,
                              [policy] { return tartan::map_reduce(policy, numbers, square); }));
  };
  tartan_row("tartan seq", 1, tartan::seq);
  for (unsigned const w : o.workers)
    for (std::size_t const g : o.grains)
      if (g == 0)
        tartan_row("tartan par", w, tartan::par.workers(w));
      else
        tartan_row("tartan par grain " + std::to_string(g), w,
                   tartan::par.workers(w).grain(static_cast<std::ptrdiff_t>(g)));
  for (unsigned const w : o.workers) {
    static_cast<void>(w);
#if BENCH_TBB
    out.push_back(bench::make("map_reduce", "oneTBB", w, expected, [w] {
      return bench::tbb_sum<std::uint64_t>(w, numbers.size(), [](std::size_t b, std::size_t e) {
        std::uint64_t sum = 0;
        for (std::size_t i = b; i != e; ++i) sum += square(numbers[i]);
        return sum;
      });
    }));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make("map_reduce", "OpenMP", w, expected, [w] {
      return bench::omp_sum<std::uint64_t>(w, numbers.size(), [](std::size_t i) { return square(numbers[i]); });
    }));
#endif
  }

  std::vector<std::uint64_t> mapped;
  for (std::uint64_t const x : numbers) mapped.push_back(square(x));
  out.push_back(bench::make_baseline("map", mapped, [] {
    std::vector<std::uint64_t> result;
    result.reserve(numbers.size());
    for (std::uint64_t const x : numbers) result.push_back(square(x));
    return result;
  }));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("map", "tartan par", w, mapped,
                              [p = tartan::par.workers(w)] { return tartan::map(p, numbers, square); }));

  static std::vector<std::uint64_t> target;
  target.resize(numbers.size());
  out.push_back(bench::make_baseline("map_into", true, [mapped] {
    for (std::size_t i = 0; i != numbers.size(); ++i) target[i] = square(numbers[i]);
    return target.back() == mapped.back();
  }));
  for (unsigned const w : o.workers) {
    auto const same = [mapped] { return target.front() == mapped.front() && target.back() == mapped.back(); };
    out.push_back(bench::make("map_into", "tartan par", w, true, [p = tartan::par.workers(w), same] {
      tartan::map_into(p, numbers, target, square);
      return same();
    }));
    out.push_back(bench::make("for_each", "tartan par", w, true, [p = tartan::par.workers(w), same] {
      tartan::for_each(p, std::views::iota(std::size_t{0}, numbers.size()),
                       [](std::size_t i) { target[i] = square(numbers[i]); });
      return same();
    }));
#if BENCH_TBB
    out.push_back(bench::make("for_each", "oneTBB", w, true, [w, same] {
      bench::tbb_for(w, numbers.size(), [](std::size_t i) { target[i] = square(numbers[i]); });
      return same();
    }));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make("for_each", "OpenMP", w, true, [w, same] {
      bench::omp_for(w, numbers.size(), [](std::size_t i) { target[i] = square(numbers[i]); });
      return same();
    }));
#endif
  }
}

bench::registration const here("squares", add);

}  // namespace
