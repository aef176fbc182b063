#include "tartan/algorithms/group_by.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/sanitized.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

struct element {  // with memory of its own
  std::string text;
  std::size_t place;
  bool operator==(element const&) const = default;
};

// Some keys are frequent, some are there once.
std::vector<std::uint64_t> numbers(std::size_t n, std::size_t distinct) {
  std::mt19937_64 random(n + distinct);
  std::vector<std::uint64_t> v(n);
  for (auto& x : v) {
    std::uint64_t const r = random() % distinct;
    x = r * r / distinct * 0x9e3779b97f4a7c15ULL;
  }
  return v;
}

std::string name_of(std::uint64_t number) { return "a name of " + std::to_string(number % 1'000'003); }

template <class Key, class R, class KeyOf>
auto expected_groups(R const& r, KeyOf key) {
  std::unordered_map<Key, std::vector<std::ranges::range_value_t<R>>> groups;
  for (auto const& x : r) groups[key(x)].push_back(x);
  return groups;
}

template <class Groups>
auto in_order(Groups const& groups) {
  return std::map<typename Groups::key_type, typename Groups::mapped_type>(groups.begin(), groups.end());
}

// Around the lengths at which blocks, batches and partitions begin.
constexpr std::size_t lengths[] = {0, 1, 2, 15, 255, 257, 4095, 4097, 60'001};

TEST_CASE("groups of numbers and of objects, few and many, are those of a serial loop", "[group_by]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : lengths)
      for (std::size_t const distinct : {std::size_t{1}, std::size_t{40}, n / 3 + 1, 1000 * n + 1}) {
        if (test::sanitized && n > 5000 && distinct != n / 3 + 1) continue;
        auto const v = numbers(n, distinct);
        CHECK(tn::group_by(policy, v, std::identity{}) == expected_groups<std::uint64_t>(v, std::identity{}));
        if (n > 5000 && distinct == 40) continue;
        std::vector<element> objects;
        for (auto const x : v) objects.push_back({name_of(x), objects.size()});
        CHECK(tn::group_by(policy, objects, &element::text) ==
              expected_groups<std::string>(objects, [](element const& e) { return e.text; }));
      }
  });
}

TEST_CASE("results sorted by key", "[group_by][sorted]") {
  test::everywhere([](auto const& policy) {
    for (std::size_t const n : {0U, 1U, 300U, 20'000U}) {
      auto const v = numbers(n, n + 1);
      auto const groups = tn::group_by(policy, v, std::identity{}, tn::sorted_by_key);
      STATIC_REQUIRE(std::is_same_v<decltype(groups), std::map<std::uint64_t, std::vector<std::uint64_t>> const>);
      CHECK(groups == in_order(expected_groups<std::uint64_t>(v, std::identity{})));

      auto const counts = tn::count_by(policy, v, name_of, tn::sorted_by_key(std::greater<>{}));
      CHECK(counts == [&] {
        std::map<std::string, std::size_t, std::greater<>> m;
        for (auto const x : v) ++m[name_of(x)];
        return m;
      }());

      auto const emit = [](std::uint64_t x, auto& to) { to(x % 1000, 1.0); };
      auto const sums = tn::map_reduce_by_key<std::uint64_t, double>(policy, v, emit, tn::sorted_by_key);
      CHECK(sums == tn::map_reduce_by_key<std::uint64_t, double>(tn::seq, v, emit, std::plus<>{}, tn::sorted_by_key));
      CHECK(sums == in_order(tn::map_reduce_by_key<std::uint64_t, double>(policy, v, emit)));
    }
  });
}

TEST_CASE("elements that only move, and bits, are grouped", "[group_by]") {
  test::everywhere([](auto const& policy) {
    std::vector<int> const n(5000, 7);
    auto const owners = n | std::views::transform([](int x) { return std::make_unique<int>(x); });
    auto const groups = tn::group_by(policy, owners, [](std::unique_ptr<int> const& p) { return *p; });
    REQUIRE(groups.size() == 1);
    CHECK(groups.at(7).size() == 5000);

    std::vector<bool> bits(5000);
    for (std::size_t i = 0; i < bits.size(); i += 3) bits[i] = true;
    auto const both = tn::group_by(policy, bits, [](bool b) { return b; });
    CHECK(both.at(true).size() == 1667);
    CHECK(both.at(false).size() == 3333);
  });
}

TEST_CASE("each key is called once, and the exception of the lowest element wins", "[group_by]") {
  test::everywhere([](auto const& policy) {
    std::vector<std::size_t> v(30'000);
    for (std::size_t i = 0; i != v.size(); ++i) v[i] = i;
    std::vector<unsigned char> calls(v.size());
    auto const groups = tn::group_by(policy, v, [&](std::size_t i) {
      ++calls[i];
      return i % 1000;
    });
    CHECK(calls == std::vector<unsigned char>(v.size(), 1));
    CHECK(groups.at(999).back() == 29'999);

    auto const alive = std::make_shared<int>(0);
    std::vector<std::shared_ptr<int>> const shared(30'000, alive);
    auto const key = [&, first = shared.data()](std::shared_ptr<int> const& p) {
      auto const i = &p - first;
      if (i == 12'345 || i == 25'000) throw std::runtime_error(std::to_string(i));
      return i;
    };
    CHECK_THROWS_WITH(tn::group_by(policy, shared, key), "12345");
    CHECK(alive.use_count() == 30'001);
  });
}

struct stop_at_once {
  [[nodiscard]] bool stop_requested() const { return true; }
};

TEST_CASE("a stop ends a grouping", "[group_by]") {
  stop_at_once const stop;
  std::vector<int> const v(10'000);
  CHECK_THROWS_AS(tn::group_by(tn::seq.stop(stop), v, std::identity{}), tn::cancelled);
  CHECK_THROWS_AS(tn::group_by(tn::par.workers(3).stop(stop), v, std::identity{}), tn::cancelled);
}

TEST_CASE("keys that std::hash maps to few numbers, and a list", "[group_by]") {
  std::list<element> list;
  for (std::size_t i = 0; i != 3000; ++i) list.push_back({std::string(i % 70, 'x'), i});
  auto const groups = tn::group_by(
      tn::par.workers(3), list, [](element const& e) { return std::string_view(e.text); }, tn::sorted_by_key);
  REQUIRE(groups.size() == 70);
  CHECK(groups.begin()->first.empty());
  CHECK(groups.at(std::string(69, 'x'))[1].place == 139);
  CHECK(list.front() == element{"", 0});  // elements that lie somewhere are copied
}

}  // namespace
