#include "tartan/algorithms/fill.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/nth_element.hpp"
#include "tartan/algorithms/reverse.hpp"
#include "tartan/algorithms/scan.hpp"
#include "tartan/algorithms/shuffle.hpp"

#include <algorithm>
#include <atomic>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/sanitized.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

// Around the lengths at which shuffles get buckets and selections get rounds.
constexpr std::size_t lengths[] = {0, 1, 2, 3, 32, 33, 64, 65, 1000, 8192, 8193, 16'383, 16'384, 70'001};

std::vector<int> numbers(std::size_t n, unsigned distinct) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<int> v(n);
  for (int& x : v) x = static_cast<int>(random() % distinct);
  return v;
}

struct thrower {  // may throw when moved
  int value;
  explicit thrower(int v) : value(v) {}
  thrower(thrower const&) = default;
  thrower(thrower&& other) noexcept(false) : value(other.value) {}
  thrower& operator=(thrower const&) = default;
  thrower& operator=(thrower&& other) noexcept(false) {
    value = other.value;
    return *this;
  }
};

/// So large that some ten thousand of them are shuffled in buckets.
struct bulky {
  std::size_t value;
  std::byte rest[504];
};

struct asked_to_stop {
  bool stop_requested() const { return true; }
};

TEST_CASE("counting up from a narrow start does not wrap, and an element may be what is filled with", "[places]") {
  std::vector<std::int64_t> v(300);
  tn::iota(tn::par, v, std::uint8_t{0});
  CHECK(v[299] == 299);
  tn::iota(tn::par, v, static_cast<signed char>(-100));
  CHECK((v[0] == -100 && v[299] == 199));
  std::vector<double> reals(300);
  tn::iota(tn::par, reals, -1);
  CHECK((reals[0] == -1 && reals[299] == 298));
  tn::iota(tn::par, reals, ~std::uint64_t{0} - 299);
  CHECK(reals[0] > 1e19);
  std::vector<std::complex<double>> same(100'000, 1);
  same[50'000] = 2;
  tn::fill(tn::par.workers(2), same, same[50'000]);
  CHECK(std::count(same.begin(), same.end(), 2.0) == 100'000);
}

TEST_CASE("a part of a vector<bool> is written by one worker at a time, as it may begin within a word", "[places]") {
  std::size_t const n = 200'000;
  auto const p = tn::par.workers(4);
  std::vector<bool> flags(n + 7), expected;
  auto const part = std::ranges::subrange(flags.begin() + 3, flags.begin() + 3 + static_cast<std::ptrdiff_t>(n));
  auto const odd = [](std::size_t i) { return i % 2 == 1; };
  expected.assign(n + 7, false);
  for (std::size_t i = 0; i != n; ++i) expected[i + 3] = odd(i);
  tn::map_into(p, std::views::iota(std::size_t{0}, n), part, odd);
  CHECK(flags == expected);
  tn::fill(p, part, false);
  CHECK(std::count(flags.begin(), flags.end(), true) == 0);
  tn::generate(p, part, odd);
  CHECK(flags == expected);
  tn::reverse(p, part);
  tn::reverse(p, part);
  tn::shuffle(p, part, 1);
  CHECK(std::count(flags.begin(), flags.end(), true) == static_cast<std::ptrdiff_t>(n / 2));
  tn::inclusive_scan(p, std::vector<int>(n, 1), part, [](int a, int b) { return a & b; });
  CHECK(std::count(part.begin(), part.end(), true) == static_cast<std::ptrdiff_t>(n));
  CHECK((!flags[2] && !flags[n + 3]));
}

TEST_CASE("elements are filled, generated and counted up", "[places]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : lengths) {
      std::vector<double> v(n);
      tn::fill(policy, v, 3);
      CHECK(std::count(v.begin(), v.end(), 3.0) == static_cast<std::ptrdiff_t>(n));
      std::vector<bool> bits(n);
      tn::generate(policy, bits, [](std::size_t i) { return i % 3 == 0; });
      for (std::size_t i = 0; i != n; ++i)
        if (bits[i] != (i % 3 == 0)) FAIL("bit " << i);
      std::deque<std::int64_t> d(n), expected(n);
      tn::iota(policy, d, -5);
      std::iota(expected.begin(), expected.end(), -5);
      CHECK(d == expected);
      std::vector<double const*> addresses(n);
      tn::iota(policy, addresses, v.data());
      CHECK((n == 0 || addresses.back() == &v.back()));
    }
    std::vector<std::string> texts(500);
    tn::fill(policy, texts, "a text that lies on the heap, and more");
    CHECK(std::count(texts.begin(), texts.end(), texts[0]) == 500);
    std::atomic<int> calls{0};
    std::vector<int> v(5000);
    tn::generate(policy, v, [&] { return ++calls; });
    CHECK(calls == 5000);
    CHECK_THROWS_WITH(
        tn::generate(policy, v,
                     [](std::size_t i) { return i < 300 ? 1 : throw std::runtime_error(std::to_string(i)); }),
        "300");
  });
}

TEST_CASE("elements are turned round as by the standard library", "[places]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : lengths) {
      auto const v = numbers(n, 1000);
      auto turned = v, expected = v;
      tn::reverse(policy, turned);
      std::reverse(expected.begin(), expected.end());
      CHECK(turned == expected);
      for (std::size_t const k : {std::size_t{0}, n / 5, n - n / 7, n}) {
        turned = expected = v;
        auto const middle = static_cast<std::ptrdiff_t>(k);
        auto const at = tn::rotate(policy, turned, turned.begin() + middle);
        auto const expected_at = std::rotate(expected.begin(), expected.begin() + middle, expected.end());
        CHECK(turned == expected);
        CHECK(at - turned.begin() == expected_at - expected.begin());
      }
    }
    std::vector<std::unique_ptr<int>> pointers;
    for (int i = 0; i != 2000; ++i) pointers.push_back(std::make_unique<int>(i));
    tn::rotate(policy, pointers, pointers.begin() + 1500);
    tn::reverse(policy, pointers);
    CHECK(*pointers[0] == 1499);
    std::vector<bool> bits(1000);
    bits[10] = bits[500] = true;
    tn::reverse(policy, bits);
    tn::rotate(policy, bits, bits.begin() + 100);
    CHECK((bits[889] && bits[399] && std::count(bits.begin(), bits.end(), true) == 2));
    asked_to_stop const stop;
    std::vector<int> v{1, 2, 3};
    CHECK_THROWS_AS(tn::rotate(policy.stop(stop), v, v.begin() + 1), tn::cancelled);
    CHECK(v == std::vector<int>{1, 2, 3});
  });
}

TEST_CASE("a seed gives one order, for any number of workers", "[places]") {
  for (std::size_t const n : lengths) {
    auto const v = numbers(n, 1'000'000);
    auto once = v;
    tn::shuffle(tn::seq, once, 42);
    if (n >= 64) CHECK(once != v);
    auto sorted = once, expected = v;
    std::sort(sorted.begin(), sorted.end());
    std::sort(expected.begin(), expected.end());
    CHECK(sorted == expected);
    auto const some = tn::sample(tn::seq, v, static_cast<std::ptrdiff_t>(n / 3), 7);
    auto const few = tn::sample(tn::seq, v, static_cast<std::ptrdiff_t>(n / 50), 7);
    test::everywhere([&](auto const& policy) {
      auto again = v, other = v;
      tn::shuffle(policy, again, 42);
      CHECK(again == once);
      tn::shuffle(policy, other, 43);
      if (n >= 64) CHECK(other != once);
      std::vector<thrower> throwers(v.begin(), v.end());
      tn::shuffle(policy, throwers, 42);
      CHECK(std::ranges::equal(throwers, once, {}, &thrower::value));
      CHECK(tn::sample(policy, v, static_cast<std::ptrdiff_t>(n / 3), 7) == some);
      CHECK(tn::sample(policy, v, static_cast<std::ptrdiff_t>(n / 50), 7) == few);
    });
  }
}

TEST_CASE("all orders of few elements are about as likely", "[places]") {
  std::map<std::vector<int>, int> seen;
  for (std::uint64_t seed = 0; seed != 24'000; ++seed) {
    std::vector<int> v{1, 2, 3, 4};
    tn::shuffle(tn::seq, v, seed);
    ++seen[v];
  }
  REQUIRE(seen.size() == 24);
  double chi = 0;
  for (auto const& [order, times] : seen) chi += (times - 1000.0) * (times - 1000.0) / 1000.0;
  CHECK(chi < 60);  // 23 degrees of freedom: one in 30,000 generators is that far off; this one is always the same
}

TEST_CASE("a seed gives one order of elements that are shuffled in buckets, for any number of workers", "[places]") {
  constexpr std::size_t n = 16'389;  // the last label of a word is not the last one used
  std::vector<bulky> v(n);
  for (std::size_t i = 0; i != n; ++i) v[i].value = i;
  auto once = v;
  tn::shuffle(tn::seq, once, 42);
  std::vector<std::size_t> order(n);
  std::ranges::transform(once, order.begin(), &bulky::value);
  test::everywhere([&](auto const& policy) {
    auto again = v;
    tn::shuffle(policy, again, 42);
    CHECK(std::ranges::equal(again, order, {}, &bulky::value));
  });
  std::ranges::sort(order);
  for (std::size_t i = 0; i != n; ++i)
    if (order[i] != i) FAIL("element " << i << " is lost");
}

template <class T, class Number>
double unevenness(std::size_t n, Number number) {
  constexpr std::size_t parts = 8;
  std::vector<T> v(n);
  std::size_t count[parts][parts] = {};
  for (std::uint64_t seed = 0; seed != 10; ++seed) {
    for (std::size_t i = 0; i != n; ++i) number(v[i]) = i;
    tn::shuffle(tn::par, v, seed);
    for (std::size_t i = 0; i != n; ++i) ++count[i * parts / n][number(v[i]) * parts / n];
  }
  double chi = 0;
  double const expected = 10.0 * static_cast<double>(n) / parts / parts;
  for (auto const& row : count)
    for (std::size_t const c : row)
      chi += (static_cast<double>(c) - expected) * (static_cast<double>(c) - expected) / expected;
  return chi;
}

TEST_CASE("elements come to every place of a large shuffle alike", "[places]") {  // 49 degrees of freedom
  CHECK(unevenness<std::size_t>(40'000, [](auto& x) -> auto& { return x; }) < 100);
  CHECK(unevenness<bulky>(20'000, [](auto& x) -> auto& { return x.value; }) < 100);
}

TEST_CASE("a sample is of its size, without repetition, in order, and fair", "[places]") {
  std::vector<int> v(3000);
  std::iota(v.begin(), v.end(), 0);
  for (int const k : {0, 1, 100, 187, 188, 1500, 2999, 3000, 4000}) {
    auto const some = tn::sample(tn::par, v, k, 5);
    CHECK(some.size() == static_cast<std::size_t>(std::min(k, 3000)));
    CHECK(std::is_sorted(some.begin(), some.end()));
    CHECK(std::adjacent_find(some.begin(), some.end()) == some.end());
  }
  CHECK_THROWS_AS(tn::sample(tn::par, v, -1, 5), tn::bad_argument);
  for (int const k : {2, 15}) {  // of 40: drawn one by one, and by their bits
    std::vector<int> small(40), times(40);
    std::iota(small.begin(), small.end(), 0);
    for (unsigned seed = 0; seed != 4000; ++seed) {
      std::mt19937 generator(seed);
      for (int const x : tn::sample(tn::seq, small, k, generator)) ++times[static_cast<std::size_t>(x)];
    }
    double const expected = 4000.0 * k / 40;
    double chi = 0;
    for (int const t : times) chi += (t - expected) * (t - expected) / expected;
    CHECK(chi < 90);  // 39 degrees of freedom
  }
}

TEST_CASE("the n-th element is where sorting would put it", "[places]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : lengths)
      for (unsigned const distinct : {1U, 2U, 50U, 1'000'000U})
        for (std::size_t const nth : {std::size_t{0}, n / 100, n / 2, n - 1, n}) {
          if (nth > n) continue;
          if (test::sanitized && n > 20'000 && nth != n / 2) continue;
          auto v = numbers(n, distinct);
          auto sorted = v;
          std::sort(sorted.begin(), sorted.end());
          auto const place = v.begin() + static_cast<std::ptrdiff_t>(nth);
          tn::nth_element(policy, v, place);
          if (nth == n) continue;
          bool const right = *place == sorted[nth] &&
                             std::all_of(v.begin(), place, [&](int x) { return x <= *place; }) &&
                             std::all_of(place, v.end(), [&](int x) { return x >= *place; });
          std::sort(v.begin(), v.end());
          if (!right || v != sorted) FAIL("element " << nth << " of " << n << ", " << distinct << " distinct");
        }
    std::deque<std::string> texts;  // of many equal ones
    for (int i = 0; i != 40'000; ++i) texts.push_back("a text that lies on the heap " + std::to_string(i * 7919 % 11));
    tn::nth_element(policy, texts, texts.begin() + 25'000);
    CHECK(std::ranges::is_partitioned(texts, [&](auto const& x) { return x < texts[25'000]; }));
    CHECK(std::count(texts.begin(), texts.end(), texts[25'000]) > 3000);
    std::vector<thrower> throwers;
    for (int i = 0; i != 20'000; ++i) throwers.emplace_back(i * 7919 % 20'011);
    tn::nth_element(policy, throwers, throwers.begin() + 100, std::greater<>{}, &thrower::value);
    CHECK(std::ranges::is_partitioned(throwers, [&](int x) { return x > throwers[100].value; }, &thrower::value));
  });
}

TEST_CASE("each place of ranges about as long as a sample is selected", "[places]") {
  for (std::size_t n = 1; n != 100; ++n)
    for (unsigned const distinct : {1U, 2U, 5U, 1000U}) {
      auto sorted = numbers(n, distinct);
      auto const given = sorted;
      std::sort(sorted.begin(), sorted.end());
      for (std::size_t nth = 0; nth != n; ++nth) {
        auto v = given;
        tn::nth_element(tn::seq, v, v.begin() + static_cast<std::ptrdiff_t>(nth));
        bool const right = v[nth] == sorted[nth];
        std::sort(v.begin(), v.end());
        if (!right || v != sorted) FAIL("element " << nth << " of " << n << ", " << distinct << " distinct");
      }
    }
}

TEST_CASE("a comparator that throws or lies loses no element of a selection", "[places]") {
  test::everywhere([](auto const& policy) {
    std::vector<std::unique_ptr<int>> pointers;
    for (int i = 0; i != 30'000; ++i) pointers.push_back(std::make_unique<int>(i));
    auto const middle = pointers.begin() + 15'000;
    std::atomic<std::uint64_t> calls{0};
    auto const coin = [&](auto const&, auto const&) { return (++calls * 0x9e3779b97f4a7c15ULL >> 63) != 0; };
    tn::nth_element(policy, pointers, middle, coin);
    tn::nth_element(policy, pointers, middle, [](auto const&, auto const&) { return true; });
    for (std::uint64_t const limit : {100U, 20'000U, 45'000U, 70'000U}) {
      calls = 0;
      auto const bad = [&](auto const& a, auto const& b) {
        if (++calls > limit) throw std::runtime_error("enough");
        return *a < *b;
      };
      try {
        tn::nth_element(policy, pointers, middle, bad);
      } catch (std::runtime_error const&) {
      }
    }
    tn::nth_element(policy, pointers, middle, {}, [](auto const& p) { return *p; });
    CHECK(**middle == 15'000);
    std::ranges::sort(pointers, {}, [](auto const& p) { return *p; });
    for (int i = 0; i != 30'000; ++i)
      if (*pointers[static_cast<std::size_t>(i)] != i) FAIL("element " << i << " is lost");
  });
}

}  // namespace
