#include "tartan/patterns/scatter_gather.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <numeric>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "tartan/algorithms/zip.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

std::vector<int> numbers(std::size_t n) {
  std::vector<int> v(n);
  std::iota(v.begin(), v.end(), 0);
  return v;
}

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised; }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("scatter_gather cuts evenly and gathers in order", "", test::shipping_policies) {
  auto const p = TestType::make();
  std::size_t const n = GENERATE(0U, 1U, 2U, 3U, 255U, 256U, 257U, 10'007U);
  auto const v = numbers(n);
  for (std::ptrdiff_t const k : {1, 2, 3, 8, 300}) {
    auto const texts = tn::scatter_gather(p, v, tn::parts(k), [](std::span<int const> part, std::size_t index) {
      return std::vector<int>{static_cast<int>(index), static_cast<int>(part.size()), part.empty() ? -1 : part.front()};
    });
    REQUIRE(texts.size() == static_cast<std::size_t>(k));
    int next = 0, longest = 0, shortest = static_cast<int>(n);
    for (int i = 0; i != k; ++i) {
      auto const& t = texts[static_cast<std::size_t>(i)];
      CHECK(t[0] == i);
      CHECK(t[2] == (t[1] == 0 ? -1 : next));
      next += t[1];
      longest = std::max(longest, t[1]);
      shortest = std::min(shortest, t[1]);
    }
    CHECK(next == static_cast<int>(n));
    CHECK(longest - shortest <= 1);
  }
}

TEMPLATE_LIST_TEST_CASE("scatter_gather fixes the parts by the length alone", "", test::shipping_policies) {
  auto const p = TestType::make();
  auto const lengths = [&](std::size_t n) {
    return tn::scatter_gather(p, numbers(n), [](std::span<int const> part, std::size_t) { return part.size(); });
  };
  CHECK(lengths(0).empty());
  CHECK(lengths(3) == std::vector<std::size_t>{1, 1, 1});
  auto const many = lengths(10'007);
  CHECK(many ==
        tn::scatter_gather(tn::seq, numbers(10'007), [](std::span<int const> s, std::size_t) { return s.size(); }));
  CHECK(many.size() <= 256);
  CHECK(std::accumulate(many.begin(), many.end(), std::size_t{0}) == 10'007);
}

TEMPLATE_LIST_TEST_CASE("scatter_gather takes what is not contiguous, and temporaries", "", test::shipping_policies) {
  auto const p = TestType::make();
  std::deque<int> const d(100, 2);
  auto const sum = [](auto part, std::size_t) { return std::accumulate(part.begin(), part.end(), 0L); };
  CHECK(tn::scatter_gather(p, d, tn::parts(3), sum) == std::vector<long>{68, 66, 66});
  CHECK(tn::scatter_gather(p, std::views::iota(0, 10), tn::parts(2), sum) == std::vector<long>{10, 35});
  std::vector<int> const a(10, 1), b(10, 2);
  auto const dot = [](auto part, std::size_t) {
    int total = 0;
    for (auto const& ab : part) total += std::get<0>(ab) * std::get<1>(ab);
    return total;
  };
  CHECK(tn::scatter_gather(p, tn::zip(a, b), tn::parts(2), dot) == std::vector<int>{10, 10});
  CHECK(tn::scatter_gather(p, a, tn::parts(3), [](auto part, std::size_t) { return part.size() == 4; }) ==
        std::vector<bool>{true, false, false});
}

TEMPLATE_LIST_TEST_CASE("scatter_gather writes through its parts and returns what only moves", "",
                        test::shared_policies) {
  auto const p = TestType::make();
  auto v = numbers(1000);
  tn::scatter_gather(p, v, [](std::span<int> part, std::size_t) {
    for (int& x : part) x *= 2;
  });
  CHECK(v[999] == 1998);
  auto const owners = tn::scatter_gather(p, v, tn::parts(5), [](std::span<int> part, std::size_t i) {
    return std::make_unique<int>(part.front() + static_cast<int>(i));
  });
  CHECK(*owners[4] == 1604);
  auto const nested = tn::scatter_gather(p, v, tn::parts(4), [&](std::span<int> part, std::size_t) {
    auto const inner = tn::scatter_gather(p, part, tn::parts(3), [](auto s, std::size_t) { return s.size(); });
    return inner[0] + inner[1] + inner[2];
  });
  CHECK(nested == std::vector<std::size_t>(4, 250));
}

TEMPLATE_LIST_TEST_CASE("scatter_gather rethrows the lowest part's exception, stops, and stays usable", "",
                        test::all_policies) {
  auto const p = TestType::make();
  auto const v = numbers(64);
  auto const fails = [](std::span<int const>, std::size_t i) -> int {
    if (i >= 5) throw std::range_error(std::to_string(i));
    return 1;
  };
  for (int round = 0; round != 5; ++round) CHECK_THROWS_WITH(tn::scatter_gather(p, v, tn::parts(16), fails), "5");
  CHECK(tn::scatter_gather(p, v, tn::parts(5), fails) == std::vector<int>(5, 1));
  flag stop;
  stop.raised = true;
  CHECK_THROWS_AS(tn::scatter_gather(p.stop(stop), v, tn::parts(5), fails), tn::cancelled);
}

TEST_CASE("parts needs at least one") { CHECK_THROWS_AS(tn::parts(0), tn::bad_argument); }
