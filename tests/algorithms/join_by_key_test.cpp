#include "tartan/algorithms/join_by_key.hpp"

#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

struct person {
  std::string city;
  int number;
  bool operator==(person const&) const = default;
};
struct city {
  std::string name;
  int number;
  bool operator==(city const&) const = default;
};

template <class T>
std::vector<T> named(std::size_t n, unsigned distinct, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<T> v;
  for (std::size_t i = 0; i != n; ++i)
    v.push_back({"a town with a name of some length: " + std::to_string(random() % distinct), static_cast<int>(i)});
  return v;
}

TEST_CASE("a join holds every pair of equal keys, in order", "[join]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : {0U, 1U, 255U, 256U, 257U, 2000U})
      for (std::size_t const m : {0U, 1U, 300U}) {
        auto const people = named<person>(n, 400, 1);
        auto const cities = named<city>(m, 200, 2);
        std::vector<std::pair<person, city>> expected;
        for (person const& p : people)
          for (city const& c : cities)
            if (p.city == c.name) expected.emplace_back(p, c);
        CHECK(tn::join_by_key(policy, people, &person::city, cities, &city::name) == expected);
      }
  });
}

TEST_CASE("keys are numbers, texts that are referred to, or anything that has a hash", "[join]") {
  std::vector<int> a(10'000), b(5000);
  for (std::size_t i = 0; i != a.size(); ++i) a[i] = static_cast<int>(i);
  for (std::size_t i = 0; i != b.size(); ++i) b[i] = static_cast<int>(3 * i);
  auto const pairs = tn::join_by_key(tn::par, a, [](int x) { return x; }, b, [](int x) { return x; });
  REQUIRE(pairs.size() == 3334);
  CHECK(pairs[3333] == std::pair(9999, 9999));
  std::vector<std::string> const texts{"one", "two", "three"};
  auto const joined = tn::join_by_key(
      tn::par, texts, [](std::string const& s) { return std::string_view(s).substr(0, 1); },
      std::vector<std::string>{"t", "o"}, [](std::string const& s) { return s; });
  CHECK(joined == std::vector<std::pair<std::string, std::string>>{{"one", "o"}, {"two", "t"}, {"three", "t"}});
  auto const halves = tn::join_by_key(tn::par, a, [](int x) { return x * 0.5; }, b, [](int x) { return x * 1.0; });
  CHECK(halves.size() == 1667);
}

TEST_CASE("one key on both sides gives every pair", "[join]") {
  test::everywhere([](auto const& policy) {
    std::vector<int> a(300), b(100);
    for (std::size_t i = 0; i != a.size(); ++i) a[i] = static_cast<int>(i);
    for (std::size_t i = 0; i != b.size(); ++i) b[i] = static_cast<int>(i);
    auto const same = [](int) { return 1; };
    auto const pairs = tn::join_by_key(policy, a, same, b, same);
    REQUIRE(pairs.size() == 30'000);
    for (std::size_t i = 0; i != pairs.size(); ++i)
      if (pairs[i] != std::pair(static_cast<int>(i / 100), static_cast<int>(i % 100))) FAIL("pair " << i);
  });
}

TEST_CASE("a key that throws reaches the caller", "[join]") {
  test::everywhere([](auto const& policy) {
    std::vector<int> const v(1000, 1);
    auto const bad = [](int) -> int { throw std::runtime_error("no key"); };
    auto const good = [](int x) { return x; };
    CHECK_THROWS_WITH(static_cast<void>(tn::join_by_key(policy, v, bad, v, good)), "no key");
    CHECK_THROWS_WITH(static_cast<void>(tn::join_by_key(policy, v, good, v, bad)), "no key");
  });
}

}  // namespace
