#include "tartan/algorithms/top_k.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

struct person {
  int age;
  int number;
  bool operator==(person const&) const = default;
};

TEMPLATE_LIST_TEST_CASE("the first k of a stable sort", "[top_k]", test::shipping_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : {0U, 1U, 255U, 257U, 5000U, 30'000U}) {
    std::mt19937 random(static_cast<unsigned>(n));
    std::vector<person> people;
    for (std::size_t i = 0; i != n; ++i)
      people.push_back({static_cast<int>(random() % (n > 5000 ? 1000 : 20)), static_cast<int>(i)});
    auto sorted = people;
    std::ranges::stable_sort(sorted, std::ranges::greater{}, &person::age);
    for (std::size_t const k : {0U, 1U, 10U, 300U, 6000U}) {
      auto const best = tn::top_k(policy, people, static_cast<std::ptrdiff_t>(k), std::ranges::greater{}, &person::age);
      CHECK(best == std::vector<person>(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(std::min(k, n))));
    }
  }
}

TEST_CASE("the best of numbers that are compared side by side", "[top_k]") {
  std::mt19937_64 random(2);
  for (std::size_t const n : {0U, 1U, 63U, 64U, 65U, 127U, 4095U, 4097U, 40'000U})
    for (std::size_t const k : {1U, 63U, 64U, 65U, 1000U})
      for (unsigned const distinct : {10U, 1'000'000U}) {
        std::vector<float> v(n);
        for (float& x : v) x = static_cast<float>(random() % distinct);
        auto largest = v, least = v;
        std::sort(largest.begin(), largest.end(), std::greater<>{});
        std::sort(least.begin(), least.end());
        largest.resize(std::min(n, k));
        least.resize(std::min(n, k));
        CHECK(tn::top_k(tn::par.workers(3), v, static_cast<std::ptrdiff_t>(k)) == largest);
        CHECK(tn::top_k(tn::seq, v, static_cast<std::ptrdiff_t>(k), std::less<>{}) == least);
      }
}

TEST_CASE("a k beyond all bounds takes everything", "[top_k]") {
  std::vector<int> v(10'000);
  for (int i = 0; i != 10'000; ++i) v[static_cast<std::size_t>(i)] = i;
  for (std::ptrdiff_t const k : {std::ptrdiff_t{10'000}, std::ptrdiff_t{1} << 62, PTRDIFF_MAX}) {
    auto const all = tn::top_k(tn::par, v, k, std::ranges::less{});
    REQUIRE(all.size() == 10'000);
    CHECK((all.front() == 0 && all.back() == 9999 && std::is_sorted(all.begin(), all.end())));
  }
}

TEST_CASE("the smallest of a list, and a k that makes no sense", "[top_k]") {
  std::list<std::string> const words{"d", "a", "c", "b"};
  CHECK(tn::top_k(tn::par, words, 2, std::less<>{}) == std::vector<std::string>{"a", "b"});
  CHECK_THROWS_AS(tn::top_k(tn::par, words, -1), tn::bad_argument);
}

}  // namespace
