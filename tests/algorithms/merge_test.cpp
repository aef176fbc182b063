#include "tartan/algorithms/merge.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/sanitized.hpp"
#include "tartan/algorithms/set_operations.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

// Around the shortest and the longest block.
constexpr std::size_t lengths[] = {0, 1, 2, 31, 32, 33, 63, 64, 65, 1000, 8193, 40'000};

struct tagged {  // compared by its key; the tag tells the equal apart
  int key;
  std::size_t tag;
  bool operator==(tagged const&) const = default;
};
constexpr auto by_key = [](tagged const& a, tagged const& b) { return a.key < b.key; };

/// n sorted elements with keys below `distinct`, tagged from `tag` on.
std::vector<tagged> sorted_elements(std::size_t n, int distinct, std::size_t tag) {
  std::mt19937 random(static_cast<unsigned>(n + tag));
  std::vector<tagged> v;
  for (std::size_t i = 0; i != n; ++i) v.push_back({static_cast<int>(random() % static_cast<unsigned>(distinct)), 0});
  std::sort(v.begin(), v.end(), by_key);
  for (tagged& x : v) x.tag = tag++;
  return v;
}

/// f(a, b) for pairs of sorted ranges of all proportions, with few and with many equal elements.
template <class F>
void for_pairs(F f) {
  for (std::size_t const n : lengths)
    for (std::size_t const m : {std::size_t{0}, std::size_t{1}, n, 3 * n + 7})
      for (int const distinct : {1, 7, 1'000'000}) {
        if (test::sanitized && n > 10'000) continue;
        f(sorted_elements(n, distinct, 0), sorted_elements(m, distinct, 1'000'000));
      }
}

TEST_CASE("a merge is that of the standard library", "[merge]") {
  test::everywhere([](auto const& policy) {
    for_pairs([&](auto const& a, auto const& b) {
      std::vector<tagged> expected;
      std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(expected), by_key);
      if (tn::merge(policy, a, b, {}, &tagged::key, &tagged::key) != expected)
        FAIL("merge of " << a.size() << " and " << b.size());
      std::deque<tagged> out(expected.size() + 1, tagged{-1, 0});
      auto const end = tn::merge_into(policy, a, b, out, by_key);
      if (end - out.begin() != static_cast<std::ptrdiff_t>(expected.size()) || out.back() != tagged{-1, 0} ||
          !std::equal(expected.begin(), expected.end(), out.begin()))
        FAIL("merge_into of " << a.size() << " and " << b.size());
    });
  });
  SUCCEED();
}

TEST_CASE("set operations are those of the standard library", "[merge]") {
  test::everywhere([](auto const& policy) {
    for_pairs([&](auto const& a, auto const& b) {
      std::vector<tagged> all, common, rest, either;
      std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all), by_key);
      std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common), by_key);
      std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest), by_key);
      std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(either), by_key);
      auto const key = &tagged::key;
      if (tn::set_union(policy, a, b, {}, key, key) != all) FAIL("union of " << a.size() << " and " << b.size());
      if (tn::set_intersection(policy, a, b, {}, key, key) != common)
        FAIL("intersection of " << a.size() << " and " << b.size());
      if (tn::set_difference(policy, a, b, by_key) != rest) FAIL("difference of " << a.size() << " and " << b.size());
      if (tn::set_symmetric_difference(policy, a, b, by_key) != either)
        FAIL("symmetric difference of " << a.size() << " and " << b.size());
    });
  });
  SUCCEED();
}

struct alignas(64) wide_text {  // over-aligned, without a default constructor, made from what the other range holds
  std::string text;
  wide_text(std::string its_text) : text(std::move(its_text)) {}
};

TEST_CASE("elements of different types, and ranges of bits", "[merge]") {
  std::vector<wide_text> wide;
  std::vector<std::string> plain;
  for (int i = 0; i != 3000; ++i) {
    wide.emplace_back("a text that lies on the heap: " + std::to_string(10'000 + 2 * i));
    plain.push_back("a text that lies on the heap: " + std::to_string(10'000 + 3 * i));
  }
  auto const merged = tn::merge(tn::par, wide, plain, {}, &wide_text::text);
  REQUIRE(merged.size() == 6000);
  CHECK(std::ranges::is_sorted(merged, {}, &wide_text::text));
  CHECK(tn::set_intersection(tn::par, wide, plain, {}, &wide_text::text).size() == 1000);
  CHECK(tn::set_union(tn::par, wide, plain, {}, &wide_text::text).size() == 5000);

  std::vector<bool> bits(5000), more(3000), out(8000);
  std::fill(bits.begin() + 1000, bits.end(), true);
  std::fill(more.begin() + 2999, more.end(), true);
  tn::merge_into(tn::par.workers(3), bits, more, out);
  CHECK(std::count(out.begin(), out.end(), true) == 4001);
  CHECK(std::is_sorted(out.begin(), out.end()));
  CHECK(tn::merge(tn::par, bits, more) == out);
  CHECK(tn::set_union(tn::par, bits, more).size() == 2999 + 4000);
}

TEST_CASE("an order that is none gives all elements of a merge and reads nothing outside", "[merge]") {
  test::everywhere([](auto const& policy) {
    std::atomic<std::uint64_t> calls{0};
    auto const coin = [&](tagged const&, tagged const&) { return (++calls * 0x9e3779b97f4a7c15ULL >> 63) != 0; };
    auto const always = [](tagged const&, tagged const&) { return true; };
    auto const a = sorted_elements(20'000, 1000, 0), b = sorted_elements(7000, 1000, 20'000);
    for (int round = 0; round != 3; ++round) {
      auto merged = round == 0 ? tn::merge(policy, a, b, always) : tn::merge(policy, a, b, coin);
      REQUIRE(merged.size() == 27'000);
      std::ranges::sort(merged, {}, &tagged::tag);
      for (std::size_t i = 0; i != merged.size(); ++i)
        if (merged[i].tag != i) FAIL("an element is lost: " << i);
      CHECK(tn::set_union(policy, a, b, coin).size() <= 27'000);
      CHECK(tn::set_intersection(policy, a, b, coin).size() <= 7000);
      CHECK(tn::set_symmetric_difference(policy, a, b, always).size() <= 27'000);
    }
  });
}

TEST_CASE("an exception of a comparison, a stop and a short output reach the caller", "[merge]") {
  struct {
    bool stop_requested() const { return true; }
  } stop;
  test::everywhere([&](auto const& policy) {
    auto const a = sorted_elements(20'000, 1000, 0), b = sorted_elements(7000, 1000, 20'000);
    auto const bad = [&](tagged const& x, tagged const& y) {
      if (x.key == 500 || y.key == 500) throw std::runtime_error("five hundred");
      return x.key < y.key;
    };
    CHECK_THROWS_WITH(static_cast<void>(tn::merge(policy, a, b, bad)), "five hundred");
    CHECK_THROWS_WITH(static_cast<void>(tn::set_union(policy, a, b, bad)), "five hundred");
    CHECK_THROWS_AS(static_cast<void>(tn::merge(policy.stop(stop), a, b, by_key)), tn::cancelled);
    std::vector<tagged> out(26'999);
    CHECK_THROWS_AS(tn::merge_into(policy, a, b, out, by_key), tn::bad_argument);
  });
}

TEST_CASE("comparisons of a merge are few", "[merge]") {
  auto const a = sorted_elements(20'000, 1'000'000, 0), b = sorted_elements(20'000, 1'000'000, 20'000);
  std::atomic<std::size_t> calls{0};
  static_cast<void>(tn::merge(tn::par, a, b, [&](tagged const& x, tagged const& y) { return ++calls, by_key(x, y); }));
  CHECK(calls < 40'000 + 256 * 18);
}

}  // namespace
