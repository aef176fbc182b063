#include "tartan/algorithms/minmax.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

TEMPLATE_LIST_TEST_CASE("extremes lie where the standard library sees them", "[minmax]", test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : {0U, 1U, 2U, 63U, 64U, 65U, 4096U, 4097U, 300'001U})
    for (std::uint64_t const distinct : {1U, 5U, 1'000'000U}) {
      std::mt19937_64 random(n + distinct);
      std::vector<std::uint64_t> v(n);
      for (auto& x : v) x = random() % distinct;
      CHECK(tn::min_element(policy, v) == std::min_element(v.begin(), v.end()));
      CHECK(tn::max_element(policy, v) == std::max_element(v.begin(), v.end()));
      CHECK(tn::minmax_element(policy, v) == std::pair(std::minmax_element(v.begin(), v.end())));
      CHECK(tn::min_element(policy, v, std::greater<>{}) == std::max_element(v.begin(), v.end()));
    }
}

/// Every place of the extreme among numbers that are looked at in groups, with equals behind it and NaN before it.
template <class T>
bool found_everywhere(std::vector<T> v, T common, T extreme) {
  bool right = true;
  for (std::size_t i = 0; i != v.size(); ++i) {
    std::fill(v.begin(), v.end(), common);
    v[i] = extreme;
    for (std::size_t const again : {i, i + 1, i + 16, v.size() - 1})
      if (again >= i && again < v.size()) v[again] = extreme;
    for (int nan = 0; nan != (std::is_floating_point_v<T> ? 3 : 1); ++nan) {
      if constexpr (std::is_floating_point_v<T>)
        if (nan != 0 && i > 1) v[nan == 1 ? i - 1 : 0] = std::numeric_limits<T>::quiet_NaN();
      auto const least = std::min_element(v.begin(), v.end()), most = std::max_element(v.begin(), v.end());
      right = right && tn::min_element(tn::par, v) == least && tn::max_element(tn::seq, v) == most;
    }
  }
  return right;
}

TEST_CASE("extremes of numbers lie where the standard library sees them, among equals and NaN too", "[minmax]") {
  for (std::size_t const n : {1U, 2U, 16U, 17U, 33U, 50U}) {
    CHECK(found_everywhere<double>(std::vector<double>(n), 1, -1));
    CHECK(found_everywhere<double>(std::vector<double>(n), 1, 3));
    CHECK(found_everywhere<signed char>(std::vector<signed char>(n), 0, -128));
    CHECK(found_everywhere<std::uint64_t>(std::vector<std::uint64_t>(n), 7, ~std::uint64_t{0}));
  }
  bool const flags[] = {true, true, false, false};
  CHECK(tn::min_element(tn::par, flags) == flags + 2);
  int volatile watched[] = {3, 1, 2};
  CHECK(tn::min_element(tn::par, watched) == watched + 1);
}

TEST_CASE("extremes of projections", "[minmax]") {
  std::vector<std::string> const words{"four", "to", "three", "an", "seven"};
  CHECK(*tn::min_element(tn::par, words, {}, &std::string::size) == "to");
  CHECK(*tn::max_element(tn::par, words, {}, &std::string::size) == "three");
  CHECK(*tn::minmax_element(tn::par, words, {}, &std::string::size).second == "seven");
}

}  // namespace
