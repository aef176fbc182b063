#include "tartan/algorithms/histogram.hpp"

#include <limits>
#include <list>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

TEMPLATE_LIST_TEST_CASE("values are counted in their intervals", "[histogram]", test::shipping_policies) {
  auto const policy = TestType::make();
  std::mt19937 random(1);
  std::vector<double> v(20'000);
  std::vector<std::size_t> expected(16);
  for (double& x : v) {
    x = static_cast<double>(random() % 20'001) / 10'000 - 0.5;  // -0.5 to 1.5
    for (std::size_t b = 0; b != 16; ++b)
      if (x >= static_cast<double>(b) / 16 && (x < static_cast<double>(b + 1) / 16 || (b == 15 && x == 1.0)))
        ++expected[b];
  }
  CHECK(tn::histogram(policy, v, 16, 0.0, 1.0) == expected);
}

TEST_CASE("numbers of all types and in any number of intervals are counted alike", "[histogram]") {
  std::mt19937 random(1);
  for (std::size_t const n : {0U, 1U, 255U, 256U, 257U, 4095U, 4097U, 50'000U})
    for (int const bins : {1, 7, 4096, 4097}) {
      std::vector<float> v(n);
      for (float& x : v) x = static_cast<float>(random() % 4100);
      std::vector<long long> const whole(v.begin(), v.end());
      std::list<double> const list(v.begin(), v.end());  // counted one by one
      auto const expected = tn::histogram(tn::seq, list, bins, 3.0, 4000.0);
      CHECK(tn::histogram(tn::par.workers(3), v, bins, 3.0, 4000.0) == expected);
      CHECK(tn::histogram(tn::par, whole, bins, 3.0, 4000.0) == expected);
    }
}

TEST_CASE("bounds of a histogram", "[histogram]") {
  double const nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  CHECK(tn::histogram(tn::par, std::vector<double>{nan, infinity, -infinity, 0, 2, -0.1, 2.1}, 2, 0, 2) ==
        std::vector<std::size_t>{1, 1});
  CHECK(tn::histogram(tn::par, std::list<int>{1, 2, 2, 3}, 3, 0.5, 3.5) == std::vector<std::size_t>{1, 2, 1});
  CHECK_THROWS_AS(tn::histogram(tn::par, std::vector<int>{}, 0, 0, 1), tn::bad_argument);
  CHECK_THROWS_AS(tn::histogram(tn::par, std::vector<int>{}, 1, 1, 1), tn::bad_argument);
  CHECK_THROWS_AS(tn::histogram(tn::par, std::vector<int>{}, 1, 0, nan), tn::bad_argument);
  CHECK_THROWS_AS(tn::histogram(tn::par, std::vector<double>{0}, 5000, 0, 1e-320), tn::bad_argument);
}

}  // namespace
