#include "tartan/map_reduce.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <numeric>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/everywhere.hpp"
#include "tartan/aggregate.hpp"

namespace tn = tartan;
using tn::test::everywhere;

namespace {

constexpr std::size_t lengths[] = {0, 1, 2, 3, 63, 64, 65, 127, 128, 1'000, 4'095, 4'096, 4'097, 8'192, 50'000};

/// Doubles whose exponents spread over 60 bits: the order of addition shows in the sum.
std::vector<double> ill_conditioned(std::size_t n) {
  std::vector<double> v(n);
  std::uint64_t state = 42;
  for (double& x : v) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    x = std::ldexp(static_cast<double>(state >> 11) - 0x1p52, static_cast<int>(state % 60) - 80);
  }
  return v;
}

/// The shape that the documentation promises, written down naively.
double documented_sum(std::vector<double> const& v, double (*map)(double)) {
  std::vector<double> parts;
  for (std::size_t b = 0; b < v.size(); b += 4'096) {
    std::size_t const n = (std::min)(v.size() - b, std::size_t{4'096});
    std::vector<double> lane;
    for (std::size_t i = 0; i != n; ++i) {
      double volatile const rounded = map(v[b + i]);  // no contraction with the addition
      double const mapped = rounded;
      if (i < 64)
        lane.push_back(mapped);
      else
        lane[i % 64] += mapped;
    }
    for (std::size_t stride = 32; stride != 0; stride /= 2)
      for (std::size_t j = 0; j != stride; ++j)
        if (j + stride < lane.size()) lane[j] += lane[j + stride];
    parts.push_back(lane[0]);
  }
  for (std::size_t step = 1; step < parts.size(); step *= 2)
    for (std::size_t i = 0; i + step < parts.size(); i += 2 * step) parts[i] += parts[i + step];
  return parts.empty() ? 0.0 : 0.0 + parts[0];
}

auto bits(double x) { return std::bit_cast<std::uint64_t>(x); }

}  // namespace

TEST_CASE("sums have the documented bits for every policy, worker count and grain", "[map_reduce][determinism]") {
  auto const square = [](double x) { return x * x; };
  for (std::size_t const n : lengths) {
    auto const v = ill_conditioned(n);
    auto const sum = bits(documented_sum(v, [](double x) { return x; }));
    auto const squares = bits(documented_sum(v, square));
    everywhere([&](auto const& p) {
      REQUIRE(bits(tn::reduce(p, v)) == sum);
      for (int const grain : {1, 100, 5'000, 1'000'000})
        REQUIRE(bits(tn::map_reduce(p.grain(grain), v, square)) == squares);
    });
  }
}

TEST_CASE("sums keep their bits when elements are dear", "[map_reduce][determinism]") {
  auto const v = ill_conditioned(3'000);
  auto const slow = [](double x) {
    if (bits(x) % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    return x * 3;
  };
  auto const expected = bits(tn::map_reduce(tn::seq, v, [](double x) { return x * 3; }));
  everywhere([&](auto const& p) { CHECK(bits(tn::map_reduce(p, v, slow)) == expected); });
}

TEST_CASE("an unknown combine keeps the order, dear or cheap", "[map_reduce]") {
  for (std::size_t const n :
       {std::size_t{0}, std::size_t{1}, std::size_t{27}, std::size_t{5'000}, std::size_t{20'000}}) {
    std::string letters(n, ' ');
    for (std::size_t i = 0; i != n; ++i) letters[i] = static_cast<char>('a' + i % 26);
    everywhere([&](auto const& p) {
      auto const all = tn::map_reduce(
          p, letters, [](char c) { return std::string(1, c); }, std::string("<"),
          [](std::string a, std::string const& b) { return std::move(a) + b; });
      REQUIRE(all == "<" + letters);
    });
  }
}

TEST_CASE("init joins once, on the left, and alone for nothing", "[map_reduce]") {
  everywhere([](auto const& p) {
    CHECK(tn::reduce(p, std::vector<int>{}, 7L) == 7);
    CHECK(tn::reduce(p, std::vector<int>(10'000, 1), 7L) == 10'007);
    CHECK(tn::reduce(p, std::vector<double>{}, -1.0, tn::maximum{}) == -1.0);
    CHECK(tn::reduce(p, std::vector<double>{3, 9, 2}, -std::numeric_limits<double>::infinity(), tn::maximum{}) == 9);
    CHECK(tn::reduce(p, std::vector<int>{3, 9, 2}, 100, tn::minimum{}) == 2);
    CHECK(tn::map_reduce(p, std::vector<std::string>{"a", "bcd"}, &std::string::size, std::size_t{0}, tn::maximum{}) ==
          3);
    CHECK(tn::map_reduce(p, std::views::iota(1, 1'001), [](long x) { return x * x; }) == 333'833'500L);
  });
}

TEST_CASE("map_reduce takes ranges that cannot be cut", "[map_reduce]") {
  std::list<int> linked(20'000);
  std::iota(linked.begin(), linked.end(), 1);
  everywhere([&](auto const& p) {
    CHECK(tn::reduce(p, linked, 0L) == 200'010'000L);
    CHECK(tn::reduce(p, linked | std::views::filter([](int x) { return x % 2 == 0; }), 0L) == 100'010'000L);
  });
}

TEST_CASE("map_reduce rethrows the first exception and stays usable", "[map_reduce][errors]") {
  std::vector<int> v(30'000);
  std::iota(v.begin(), v.end(), 0);
  everywhere([&](auto const& p) {
    for (int const first : {0, 5, 70, 4'096, 29'999}) {
      try {
        static_cast<void>(tn::map_reduce(p, v, [first](int i) {
          if (i >= first) throw i;
          return 1L;
        }));
        FAIL("nothing was thrown");
      } catch (int i) {
        REQUIRE(i == first);
      }
    }
    CHECK(tn::map_reduce(p, v, [](int) { return 1L; }) == 30'000);
  });
}

TEST_CASE("two dear elements run at the same time, and ten", "[map_reduce]") {
  std::atomic<int> now{0}, most{0};
  auto const slow = [&](int i) {
    int const here = ++now;
    int seen = most.load();
    while (seen < here && !most.compare_exchange_weak(seen, here)) {
    }
    tn::test::comes_true([&] { return most == 2; });
    --now;
    return static_cast<long>(i);
  };
  for (int const n : {2, 10}) {
    most = 0;
    CHECK(tn::map_reduce(tn::par.workers(2), std::views::iota(0, n), slow) == n * (n - 1) / 2);
    CHECK(most == 2);
  }
}

TEST_CASE("aggregate feeds states in order and merges them in order", "[aggregate]") {
  for (int const n : {0, 1, 2, 255, 256, 257, 10'007}) {
    everywhere([&](auto const& p) {
      auto const all = tn::aggregate(
          p, std::views::iota(0, n), [] { return std::vector<int>{}; },
          [](std::vector<int>& s, int x) { s.push_back(x); },
          [](std::vector<int>& a, std::vector<int>&& b) { a.insert(a.end(), b.begin(), b.end()); });
      REQUIRE(all.size() == static_cast<std::size_t>(n));
      for (int i = 0; i != n; ++i) REQUIRE(all[static_cast<std::size_t>(i)] == i);
    });
  }
}

TEST_CASE("aggregate takes a merge that returns, and a state that only moves", "[aggregate]") {
  everywhere([](auto const& p) {
    auto const sum = tn::aggregate(
        p, std::views::iota(0, 1'000), [] { return 0L; }, [](long& s, int x) { s += x; },
        [](long a, long b) { return a + b; });
    CHECK(sum == 499'500);
    auto const owned = tn::aggregate(
        p, std::views::iota(0, 1'000), [] { return std::make_unique<long>(0); },
        [](std::unique_ptr<long>& s, int x) { *s += x; },
        [](std::unique_ptr<long>& a, std::unique_ptr<long>&& b) { *a += *b; });
    CHECK(*owned == 499'500);
  });
}
