// Ranges side by side under simd: the function gets a tuple of packs.
#include <cstdint>
#include <functional>
#include <random>
#include <ranges>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "tartan/for_each.hpp"
#include "tartan/map.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/simd.hpp"
#include "tartan/zip.hpp"

namespace {

namespace tn = tartan;

constexpr std::size_t lengths[] = {0, 1, 3, 16, 17, 63, 64, 65, 1000, 9001};

template <class T>
std::vector<T> numbers(std::size_t n, unsigned seed) {
  std::mt19937 random{seed};
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(random() % 1000) / T{8};
  return v;
}

}  // namespace

TEST_CASE("zips are mapped and folded in packs", "[leaves][zip]") {
  auto const product = [](auto const& xy) {
    auto const [x, y] = xy;
    return x * y;
  };
  for (std::size_t n : lengths) {
    INFO(n << " elements");
    auto const a = numbers<float>(n, 1), b = numbers<float>(n, 2);
    auto const wide = numbers<double>(n, 3);
    std::vector<float> expected(n), out(n);
    for (std::size_t i = 0; i != n; ++i) expected[i] = a[i] * b[i];
    for (int workers : {1, 3}) {
      auto const policy = tn::par_simd.workers(workers);
      tn::map_into(policy, tn::zip(a, b), out, product);
      REQUIRE(out == expected);
      REQUIRE(tn::map_reduce(policy, tn::zip(a, b), product) == tn::map_reduce(tn::seq, tn::zip(a, b), product));
      REQUIRE(tn::map_reduce(policy, tn::zip(a, wide), product) == tn::map_reduce(tn::seq, tn::zip(a, wide), product));
      auto const weighed = [](auto const& element) {
        auto const [i, x] = element;
        return tn::to<double>(i) * x;
      };
      auto const indexed = tn::zip(std::views::iota(0, static_cast<int>(n)), wide);
      REQUIRE(tn::map_reduce(policy, indexed, weighed, 0.0) == tn::map_reduce(tn::seq, indexed, weighed, 0.0));
    }
  }
}

TEST_CASE("for_each changes what lies behind a zip, and nothing else", "[leaves][zip]") {
  for (std::size_t n : lengths) {
    INFO(n << " elements");
    auto const x = numbers<float>(n, 1);
    auto const before = numbers<float>(n + 1, 2);
    auto y = before;
    tn::for_each(tn::par_simd.workers(2), tn::zip(x, std::ranges::subrange(y.begin(), y.end() - 1)), [](auto&& xy) {
      auto&& [a, b] = xy;
      b += 2 * a;
    });
    for (std::size_t i = 0; i != n; ++i) REQUIRE(y[i] == before[i] + 2 * x[i]);
    REQUIRE(y[n] == before[n]);
  }
}

TEST_CASE("columns of different widths advance together", "[leaves][zip]") {
  std::vector<std::uint8_t> bytes(1000);
  std::vector<double> const scale = numbers<double>(1000, 5);
  for (std::size_t i = 0; i != bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  std::vector<double> out(1000);
  tn::map_into(tn::simd, tn::zip(bytes, scale), out, [](auto const& e) {
    auto const [b, s] = e;
    return tn::to<double>(b) * s;
  });
  for (std::size_t i = 0; i != out.size(); ++i) REQUIRE(out[i] == bytes[i] * scale[i]);
}
