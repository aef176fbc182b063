#include "tartan/algorithms/filter.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

constexpr std::size_t lengths[] = {0, 1, 2, 511, 512, 513, 100'003};

std::vector<int> some_numbers(std::size_t n, int below) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<int> v(n);
  for (int& x : v) x = static_cast<int>(random() % static_cast<unsigned>(below));
  return v;
}

struct no_default {
  int value;
  explicit no_default(int v) : value(v) {}
  bool operator==(no_default const&) const = default;
};

TEMPLATE_LIST_TEST_CASE("what is kept is kept in order", "[filter]", test::shared_policies) {
  auto const policy = TestType::make();
  auto const small = [](int x) { return x < 30; };
  for (std::size_t const n : lengths) {
    auto const v = some_numbers(n, 100);
    std::vector<int> expected;
    std::copy_if(v.begin(), v.end(), std::back_inserter(expected), small);
    CHECK(tn::copy_if(policy, v, small) == expected);

    auto left = v;
    left.erase(tn::remove_if(policy, left, [](int x) { return x >= 30; }), left.end());
    CHECK(left == expected);

    auto parts = v, expected_parts = v;
    auto const middle = std::stable_partition(expected_parts.begin(), expected_parts.end(), small);
    CHECK(tn::partition(policy, parts, small) - parts.begin() == middle - expected_parts.begin());
    CHECK(parts == expected_parts);

    auto runs = some_numbers(n, 3), expected_runs = runs;
    runs.erase(tn::unique(policy, runs), runs.end());
    expected_runs.erase(std::unique(expected_runs.begin(), expected_runs.end()), expected_runs.end());
    CHECK(runs == expected_runs);
  }
}

TEMPLATE_LIST_TEST_CASE("a predicate that throws moves nothing", "[filter]", test::shared_policies) {
  auto const policy = TestType::make();
  std::vector<std::string> v;
  for (int i = 0; i != 50'000; ++i) v.push_back("a text that lies on the heap: " + std::to_string(i));
  auto const before = v;
  auto const bad = [&](std::string const& s) {
    if (s == before[20'000] || s == before[49'000]) throw std::runtime_error(s);
    return s.back() == '7';
  };
  CHECK_THROWS_WITH(static_cast<void>(tn::remove_if(policy, v, bad)), before[20'000]);
  CHECK_THROWS_WITH(tn::partition(policy, v, bad), before[20'000]);
  CHECK_THROWS_WITH(static_cast<void>(tn::copy_if(policy, v, bad)), before[20'000]);
  CHECK(v == before);
}

TEST_CASE("elements of all kinds are filtered", "[filter]") {
  std::vector<std::unique_ptr<int>> pointers;
  for (int i = 0; i != 5000; ++i) pointers.push_back(std::make_unique<int>(i));
  pointers.erase(tn::remove_if(tn::par, pointers, [](auto const& p) { return *p % 2 == 0; }), pointers.end());
  REQUIRE(pointers.size() == 2500);
  CHECK(*pointers[2499] == 4999);

  std::deque<no_default> d;
  for (int i = 0; i != 5000; ++i) d.emplace_back(i);
  auto const kept = tn::copy_if(tn::par, d, [](int x) { return x % 1000 == 0; }, &no_default::value);
  CHECK(kept ==
        std::vector<no_default>{no_default(0), no_default(1000), no_default(2000), no_default(3000), no_default(4000)});

  std::vector<bool> flags(10'000);
  for (std::size_t i = 0; i != flags.size(); ++i) flags[i] = i % 3 == 0;
  auto const others = tn::partition(tn::par.workers(3), flags, std::identity{});
  CHECK(others - flags.begin() == 3334);
  CHECK(std::count(flags.begin(), others, true) == 3334);
  CHECK(tn::copy_if(tn::par, flags, std::identity{}).size() == 3334);
}

struct sealed {  // plain, but cannot be assigned to
  int const value = 0;
};

TEST_CASE("elements that cannot be assigned are copied where they are kept", "[filter]") {
  std::vector<sealed> v;
  for (int i = 0; i != 5000; ++i) v.push_back({i});
  auto const kept = tn::copy_if(tn::par, v, [](int x) { return x % 2 == 1; }, &sealed::value);
  REQUIRE(kept.size() == 2500);
  CHECK(kept[2499].value == 4999);
}

TEST_CASE("plain elements are filtered, kept or not in runs and at the ends of blocks", "[filter]") {
  std::size_t const n = 20'000;
  for (std::size_t const run : {std::size_t{1}, std::size_t{39}, std::size_t{40}, std::size_t{41}, n - 1, n})
    for (std::size_t const first : {std::size_t{0}, std::size_t{1}}) {
      std::vector<std::uint16_t> v(n);
      for (std::size_t i = 0; i != n; ++i) v[i] = static_cast<std::uint16_t>((i / run + first) % 2 << 15 | i % 32768);
      auto const high = [](std::uint16_t x) { return x >= 32768; };
      auto expected = v, work = v;
      std::stable_partition(expected.begin(), expected.end(), high);
      CHECK(tn::partition(tn::par.workers(2), work, high) - work.begin() == std::count_if(v.begin(), v.end(), high));
      CHECK(work == expected);
      CHECK(tn::copy_if(tn::par.workers(2), v, high) ==
            std::vector<std::uint16_t>(expected.begin(), expected.begin() + std::count_if(v.begin(), v.end(), high)));
      work = v, expected = v;
      work.erase(tn::remove_if(tn::par.workers(2), work, high), work.end());
      expected.erase(std::remove_if(expected.begin(), expected.end(), high), expected.end());
      CHECK(work == expected);
    }
}

}  // namespace
