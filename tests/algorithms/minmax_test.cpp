#include "tartan/algorithms/minmax.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
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

TEST_CASE("extremes of projections", "[minmax]") {
  std::vector<std::string> const words{"four", "to", "three", "an", "seven"};
  CHECK(*tn::min_element(tn::par, words, {}, &std::string::size) == "to");
  CHECK(*tn::max_element(tn::par, words, {}, &std::string::size) == "three");
  CHECK(*tn::minmax_element(tn::par, words, {}, &std::string::size).second == "seven");
}

}  // namespace
