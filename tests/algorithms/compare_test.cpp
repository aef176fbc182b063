#include "tartan/algorithms/compare.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

constexpr std::size_t lengths[] = {0, 1, 2, 1023, 1024, 1025, 50'000};

std::vector<int> numbers(std::size_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<int> v(n);
  for (int& x : v) x = static_cast<int>(random() % 3);
  return v;
}

TEST_CASE("ranges are equal or differ first where the standard library says", "[compare]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : lengths) {
      auto const v = numbers(n);
      auto longer = v;
      longer.push_back(0);
      std::deque<int> const same(v.begin(), v.end());
      CHECK(tn::equal(policy, v, same));
      CHECK_FALSE(tn::equal(policy, v, longer));
      CHECK(tn::mismatch(policy, v, longer) == std::pair(v.end(), longer.end() - 1));
      CHECK(tn::lexicographical_compare(policy, v, longer));
      CHECK_FALSE(tn::lexicographical_compare(policy, longer, v));
      CHECK_FALSE(tn::lexicographical_compare(policy, v, same));
      for (std::size_t const change : {std::size_t{0}, n / 3, n - 1}) {
        if (n == 0) continue;
        auto other = v;
        ++other[change];
        other[n - 1] = 9;
        CHECK_FALSE(tn::equal(policy, v, other));
        auto const [here, there] = tn::mismatch(policy, v, other);
        CHECK(here - v.begin() == static_cast<std::ptrdiff_t>(change));
        CHECK(there - other.begin() == static_cast<std::ptrdiff_t>(change));
        CHECK(tn::lexicographical_compare(policy, v, other));
        CHECK_FALSE(tn::lexicographical_compare(policy, other, v));
        CHECK(tn::lexicographical_compare(policy, other, v, std::greater<>{}));
      }
    }
  });
}

TEST_CASE("a pattern is found where the standard library finds it", "[compare]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : lengths) {
      auto const v = numbers(n);
      for (std::size_t const m : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{9}, n, n + 1})
        for (std::size_t const from : {std::size_t{0}, n / 2, n - (std::min)(n, m)}) {
          std::vector<int> pattern(v.begin() + static_cast<std::ptrdiff_t>((std::min)(from, n)), v.end());
          pattern.resize(m);
          CHECK(tn::search(policy, v, pattern) == std::search(v.begin(), v.end(), pattern.begin(), pattern.end()));
        }
    }
    std::string const text(10'000, 'a');
    CHECK(tn::search(policy, text, std::string_view("aab")) == text.end());
    CHECK(tn::search(policy, text + "ab", std::string_view("AAB"), {},
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); }) -
              (text + "ab").begin() !=
          0);
  });
}

struct name {
  std::string text;
};

TEST_CASE("projections, and exceptions that lie in front of or behind a difference", "[compare]") {
  test::everywhere([](auto const& policy) {
    std::vector<name> names;
    std::vector<std::string> texts;
    for (int i = 0; i != 5000; ++i) {
      names.push_back({std::to_string(i)});
      texts.push_back(std::to_string(i));
    }
    CHECK(tn::equal(policy, names, texts, {}, &name::text));
    texts[3000] = "another";
    auto const bad_at = [&](std::size_t i) {
      return [text = std::to_string(i)](std::string const& a, std::string const& b) {
        if (a == text) throw std::runtime_error(text);
        return a == b;
      };
    };
    CHECK_THROWS_WITH(tn::equal(policy, names, texts, bad_at(2999), &name::text), "2999");
    CHECK_FALSE(tn::equal(policy, names, texts, bad_at(3001), &name::text));
    CHECK(tn::mismatch(policy, names, texts, {}, &name::text).first - names.begin() == 3000);
  });
}

}  // namespace
