#include "tartan/patterns/divide_and_conquer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

struct interval {
  int begin = 0, end = 0;
  [[nodiscard]] int size() const { return end - begin; }
};

constexpr auto single = [](interval const& i) { return i.size() <= 1; };
constexpr auto halves = [](interval i) {
  int const middle = i.begin + i.size() / 2;
  return std::pair{interval{i.begin, middle}, interval{middle, i.end}};
};
constexpr auto text_of = [](interval i) { return i.size() == 0 ? std::string() : std::to_string(i.begin) + ','; };

std::string counted_to(int n) {
  std::string text;
  for (int i = 0; i != n; ++i) text += std::to_string(i) + ',';
  return text;
}

std::vector<int> shuffled(std::size_t n) {
  std::vector<int> v(n);
  std::iota(v.begin(), v.end(), 0);
  std::shuffle(v.begin(), v.end(), std::mt19937(7));
  return v;
}

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised; }
};

struct counter {
  std::atomic<std::size_t> total{0};
  void advance(std::size_t n) { total += n; }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("divide_and_conquer combines in order", "", test::shipping_policies) {
  auto const p = TestType::make();
  auto const joined = [](std::string a, std::string const& b) { return a + b; };
  int const n = GENERATE(0, 1, 2, 3, 64, 257);
  CHECK(tn::divide_and_conquer(p, interval{0, n}, single, text_of, halves, joined) == counted_to(n));
}

TEMPLATE_LIST_TEST_CASE("divide_and_conquer takes tuples, arrays and ranges of parts", "", test::shipping_policies) {
  auto const p = TestType::make();
  auto const thirds = [](interval i) {
    int const a = i.begin + (i.size() + 2) / 3, b = a + (i.size() + 1) / 3;
    return std::tuple{interval{i.begin, a}, interval{a, b}, interval{b, i.end}};
  };
  auto const three = [](std::string a, std::string b, std::string c) { return a + b + c; };
  CHECK(tn::divide_and_conquer(p, interval{0, 100}, single, text_of, thirds, three) == counted_to(100));
  auto const one_smaller = [](interval i) {
    return std::array{interval{i.begin, i.begin + 1}, interval{i.begin + 1, i.end}};
  };
  auto const two = [](std::string a, std::string b) { return a + b; };
  CHECK(tn::divide_and_conquer(p, interval{0, 100}, single, text_of, one_smaller, two) == counted_to(100));
  auto const sevenths = [](interval i) {
    std::vector<interval> parts;
    for (int k = 0; k != 7; ++k) parts.push_back({i.begin + i.size() * k / 7, i.begin + i.size() * (k + 1) / 7});
    return parts;
  };
  auto const all = [](std::vector<std::string> const& parts) {
    return std::accumulate(parts.begin(), parts.end(), std::string());
  };
  CHECK(tn::divide_and_conquer(p, interval{0, 1000}, single, text_of, sevenths, all) == counted_to(1000));
  auto const listed = [](interval i) {
    return std::list<interval>{
        {i.begin, i.begin + 1}, {i.begin + 1, i.begin + 1 + i.size() / 2}, {i.begin + 1 + i.size() / 2, i.end}};
  };
  CHECK(tn::divide_and_conquer(p, interval{0, 100}, single, text_of, listed, all) == counted_to(100));
  auto const never_base = [](interval i) { return i.size() == 1; };
  auto const no_parts = [](interval) { return std::vector<interval>(); };
  CHECK(tn::divide_and_conquer(p, interval{}, never_base, text_of, no_parts, all).empty());
  auto const last_one = [](interval i) { return std::tuple{interval{i.begin + 1, i.end}}; };
  CHECK(tn::divide_and_conquer(p, interval{0, 9}, single, text_of, last_one, [](std::string s) { return s; }) == "8,");
}

TEMPLATE_LIST_TEST_CASE("divide_and_conquer gives bool", "", test::shipping_policies) {
  auto const p = TestType::make();
  auto const small = [](interval i) { return i.begin < 1000; };
  auto const both = [](bool a, bool b) { return a && b; };
  auto const parts = [](interval i) {
    auto [a, b] = halves(i);
    return std::vector{a, b};
  };
  auto const all = [](std::vector<bool> const& v) { return std::ranges::all_of(v, [](bool b) { return b; }); };
  CHECK(tn::divide_and_conquer(p, interval{0, 1000}, single, small, halves, both));
  CHECK(!tn::divide_and_conquer(p, interval{0, 1002}, single, small, parts, all));
}

TEMPLATE_LIST_TEST_CASE("divide_and_conquer sorts in place", "", test::shared_policies) {
  auto const p = TestType::make();
  auto v = shuffled(20'000);
  auto const sorted = tn::divide_and_conquer(
      p, std::span(v), [](auto s) { return s.size() < 100; },
      [](auto s) {
        std::ranges::sort(s);
        return s;
      },
      [](auto s) { return std::pair{s.first(s.size() / 2), s.subspan(s.size() / 2)}; },
      [](auto a, auto b) {
        std::vector<int> merged(a.size() + b.size());
        std::ranges::merge(a, b, merged.begin());
        std::ranges::copy(merged, a.begin());  // b lies behind a
        return std::span(a.data(), merged.size());
      });
  CHECK(sorted.size() == v.size());
  CHECK(std::ranges::is_sorted(v));
  v = shuffled(20'000);
  tn::divide_and_conquer(  // without results: quicksort
      p, std::span(v), [](auto s) { return s.size() < 50; }, [](auto s) { std::ranges::sort(s); },
      [](auto s) {
        auto const pivot = s[s.size() / 2];
        auto const upper = std::ranges::partition(s, [pivot](int x) { return x < pivot; });
        auto const k = s.size() - upper.size();
        return k == 0 ? std::pair{s.first(1), s.subspan(1)} : std::pair{s.first(k), s.subspan(k)};
      },
      [] {});
  std::vector<int> expected(v.size());  // all are there; where a pivot was the least, not in order
  std::iota(expected.begin(), expected.end(), 0);
  std::ranges::sort(v);
  CHECK(v == expected);
}

TEMPLATE_LIST_TEST_CASE("divide_and_conquer moves what only moves", "", test::shared_policies) {
  auto const p = TestType::make();
  using owner = std::unique_ptr<int>;
  auto const total = tn::divide_and_conquer(
      p, std::make_unique<int>(1000), [](owner const& n) { return *n == 1; }, [](owner n) { return n; },
      [](owner n) { return std::pair{std::make_unique<int>(*n / 2), std::make_unique<int>(*n - *n / 2)}; },
      [](owner a, owner b) {
        *a += *b;
        return a;
      });
  CHECK(*total == 1000);
}

TEMPLATE_LIST_TEST_CASE("divide_and_conquer rethrows what the serial recursion throws first", "", test::all_policies) {
  auto const p = TestType::make();
  auto const sum = [](long a, long b) { return a + b; };
  for (int round = 0; round != 5; ++round) {
    auto const fails = [](std::initializer_list<int> where, interval i) {
      for (int w : where)
        if (i.begin == w) throw std::domain_error(std::to_string(w));
    };
    auto const bad_leaf = [&](interval i) {
      fails({70, 150, 30}, i);
      return 1L;
    };
    CHECK_THROWS_WITH(tn::divide_and_conquer(p, interval{0, 200}, single, bad_leaf, halves, sum), "30");
    auto const bad_divide = [&](interval i) {
      if (i.size() == 25) fails({25, 100}, i);  // deep enough to be below and above a frontier
      if (i.size() == 100) fails({100}, i);
      return halves(i);
    };
    auto const leaf = [](interval) { return 1L; };
    CHECK_THROWS_WITH(tn::divide_and_conquer(p, interval{0, 200}, single, leaf, bad_divide, sum), "25");
    CHECK_THROWS_WITH(tn::divide_and_conquer(p, interval{0, 200}, single, bad_leaf, bad_divide, sum), "25");
    auto const late_leaf = [&](interval i) {
      fails({3, 190}, i);
      return 1L;
    };
    CHECK_THROWS_WITH(tn::divide_and_conquer(p, interval{0, 200}, single, late_leaf, bad_divide, sum), "3");
    auto const bad_combine = [](long a, long b) -> long {
      if (a + b == 100) throw std::domain_error("combine");
      return a + b;
    };
    auto const last_leaf = [&](interval i) {
      fails({190}, i);
      return 1L;
    };
    CHECK_THROWS_WITH(tn::divide_and_conquer(p, interval{0, 200}, single, last_leaf, halves, bad_combine), "combine");
    auto const bad_base = [&](interval i) {
      fails({50}, i);
      return i.size() <= 1;
    };
    CHECK_THROWS_AS(tn::divide_and_conquer(p, interval{0, 200}, bad_base, leaf, halves, sum), std::domain_error);
    CHECK(tn::divide_and_conquer(p, interval{0, 200}, single, leaf, halves, sum) == 200);
  }
}

TEMPLATE_LIST_TEST_CASE("divide_and_conquer looks at a stop and tells the progress", "", test::all_policies) {
  flag stop;
  counter done;
  auto const p = TestType::make().stop(stop).progress(done);
  auto const leaf = [](interval) { return 1; };
  CHECK(tn::divide_and_conquer(p, interval{0, 100}, single, leaf, halves, std::plus<>()) == 100);
  CHECK(done.total != 0);
  stop.raised = true;
  CHECK_THROWS_AS(tn::divide_and_conquer(p, interval{0, 100}, single, leaf, halves, std::plus<>()), tn::cancelled);
}

TEMPLATE_LIST_TEST_CASE("divide_and_conquer runs inside itself", "", test::shared_policies) {
  auto const p = TestType::make();
  auto const inner = [&](interval i) {
    return tn::divide_and_conquer(
        p, interval{0, i.begin % 17}, single, [](interval) { return 1; }, halves, std::plus<>());
  };
  int expected = 0;
  for (int i = 0; i != 300; ++i) expected += i % 17 == 0 ? 1 : i % 17;
  CHECK(tn::divide_and_conquer(p, interval{0, 300}, single, inner, halves, std::plus<>()) == expected);
}

#if defined(__OPTIMIZE__) && !TARTAN_ASAN && !TARTAN_TSAN
#define TARTAN_TEST_DEPTH 50'000
#else
#define TARTAN_TEST_DEPTH 1'000
#endif

TEMPLATE_LIST_TEST_CASE("divide_and_conquer goes deep on a stack of 8 MB", "", test::shared_policies) {
  auto const p = TestType::make();
  auto const front = [](interval i) { return std::pair{interval{i.begin, i.begin + 1}, interval{i.begin + 1, i.end}}; };
  auto const back = [](interval i) { return std::pair{interval{i.begin, i.end - 1}, interval{i.end - 1, i.end}}; };
  auto const leaf = [](interval i) { return static_cast<long>(i.begin); };
  constexpr int n = TARTAN_TEST_DEPTH;
  CHECK(tn::divide_and_conquer(p, interval{0, n}, single, leaf, front, std::plus<>()) == n * (n - 1L) / 2);
  CHECK(tn::divide_and_conquer(p, interval{0, n}, single, leaf, back, std::plus<>()) == n * (n - 1L) / 2);
}
