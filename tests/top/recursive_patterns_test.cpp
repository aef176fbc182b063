// The calls of the documentation, as users write them.
#include "tartan/tartan.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace tn = tartan;

namespace {

long sum(std::span<int const> part) { return std::accumulate(part.begin(), part.end(), 0L); }

double mean(std::span<double const> part) {
  return part.empty() ? 0.0 : std::accumulate(part.begin(), part.end(), 0.0) / static_cast<double>(part.size());
}

}  // namespace

TEST_CASE("fork_join, as documented") {
  std::vector<int> const left(100, 1), right(100, 2);
  auto [l, r] = tn::fork_join(tn::par, [&] { return sum(left); }, [&] { return sum(right); });
  CHECK(l == 100);
  CHECK(r == 200);
}

TEST_CASE("divide_and_conquer, as documented") {
  std::vector<int> v(10'000);
  std::iota(v.rbegin(), v.rend(), 0);
  auto const merge = [](std::span<int> a, std::span<int> b) {
    std::vector<int> both(a.size() + b.size());
    std::ranges::merge(a, b, both.begin());
    std::ranges::copy(both, a.data());
    return std::span(a.data(), both.size());
  };
  auto sorted = tn::divide_and_conquer(
      tn::par, std::span(v), [](auto s) { return s.size() < 1000; },
      [](auto s) {
        std::ranges::sort(s);
        return s;
      },
      [](auto s) { return std::pair{s.first(s.size() / 2), s.subspan(s.size() / 2)}; },
      [&](auto a, auto b) { return merge(a, b); });
  CHECK(sorted.size() == v.size());
  CHECK(std::ranges::is_sorted(v));
}

TEST_CASE("scatter_gather, as documented") {
  std::vector<double> const v(80, 2.5);
  auto means = tn::scatter_gather(tn::par, v, tn::parts(8),
                                  [](std::span<double const> part, std::size_t) { return mean(part); });
  CHECK(means == std::vector<double>(8, 2.5));
}

TEST_CASE("zip and enumerate, as documented") {
  std::vector<double> xs(100, 2.0), ys(100, 3.0);
  auto products = tn::map(tn::par, tn::zip(xs, ys), [](auto const& xy) {
    auto [x, y] = xy;
    return x * y;
  });
  CHECK(products == std::vector<double>(100, 6.0));
  tn::for_each(tn::par, tn::enumerate(xs), [](auto const& ix) {
    auto [i, x] = ix;
    x = static_cast<double>(i);
  });
  CHECK(xs[99] == 99.0);
  double const dot = tn::map_reduce(tn::par, tn::zip(xs, ys), [](auto const& xy) {
    auto [x, y] = xy;
    return x * y;
  });
  CHECK(dot == 3.0 * 99 * 50);
}

TEST_CASE("with_policy, as documented") {
  for (std::string_view const name : {"seq", "par"}) {
    long total = 0;
    tn::with_policy(name, [&](auto policy) { total = tn::reduce(policy, std::vector<long>(10, 4)); });
    CHECK(total == 40);
  }
}
