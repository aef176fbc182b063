// Values of a key come together in one order, whoever emits them and when.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/sanitized.hpp"
#include "tartan/algorithms/by_key.hpp"
#include "tartan/algorithms/group_by.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

/// Runs the pieces of a range one after the other, in any order that is wanted.
struct by_turns {
  std::size_t piece = 1;
  enum class turn { forwards, backwards, odd_ones_first } order = turn::forwards;

  [[nodiscard]] std::size_t width(tn::properties const&) const { return 3; }
  template <class Body>
  void for_range(tn::properties const&, std::size_t n, std::size_t, Body const& body) const {
    std::vector<std::size_t> begins;
    for (std::size_t b = 0; b < n; b += piece) begins.push_back(b);
    if (order == turn::backwards) std::reverse(begins.begin(), begins.end());
    if (order == turn::odd_ones_first)
      std::stable_partition(begins.begin(), begins.end(), [this](std::size_t b) { return b / piece % 2 != 0; });
    for (std::size_t const b : begins) body(b, (std::min)(n, b + piece));
  }
};
struct turns_policy {
  by_turns where;
  [[nodiscard]] by_turns const& backend() const { return where; }
  [[nodiscard]] tn::properties props() const {
    tn::properties p;
    p.grain = where.piece;
    return p;
  }
};

/// All that `f` emits for the elements, in parts, by call_in_order.
template <class Key, class Value, class F, class Combine>
std::unordered_map<Key, Value> in_turns(by_turns const& where, std::vector<std::uint64_t> const& numbers, F f,
                                        Combine combine, bool into_map, std::size_t parts) {
  turns_policy const policy{where};
  tn::detail::call_in_order<Key, Value, turns_policy, Combine> call(policy, combine, numbers.size(), into_map);
  for (std::size_t p = 0; p != parts; ++p) {
    std::size_t const begin = numbers.size() * p / parts, end = numbers.size() * (p + 1) / parts;
    call.add(numbers.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, f);
  }
  std::unordered_map<Key, Value> map;
  if (call.come_together()) {
    REQUIRE(into_map);
    return call.take_map();
  }
  auto const settled = call.settled();
  std::size_t cells = 0;
  for (auto* const t : call.results())
    t->for_each([&](auto& c) { map.emplace(c.key.template take<Key>(), settled(0, c)), ++cells; });
  CHECK(map.size() == cells);
  return map;
}

std::vector<std::uint64_t> numbers(std::size_t n, std::uint64_t distinct) {
  std::mt19937_64 random(n);
  std::vector<std::uint64_t> v(n);
  for (std::size_t i = 0; i != n; ++i) v[i] = random() % 20 == 0 ? v[i / 2] : random() % distinct;
  return v;
}

constexpr std::uint64_t most = ~std::uint64_t{0};
std::string text_of(std::uint64_t x) { return std::to_string(x % 10) + "."; }

template <class Check>
void in_every_turn(Check const& check) {
  using turn = by_turns::turn;
  for (std::uint64_t const distinct : {std::uint64_t{3}, std::uint64_t{900}, most})
    for (std::size_t const n : {1U, 300U, 5000U, 40'000U})
      for (by_turns const where : {by_turns{n, turn::forwards}, by_turns{n / 2 + 1, turn::backwards},
                                   by_turns{n / 7 + 1, turn::odd_ones_first}, by_turns{97, turn::backwards}}) {
        CAPTURE(distinct, n, where.piece);
        check(numbers(n, distinct), where);
      }
}

TEST_CASE("texts of a key stand in the order of the range, whichever piece runs first", "[by_key]") {
  auto const f = [](std::uint64_t x, auto& emit) { emit(x, text_of(x)); };
  in_every_turn([&](std::vector<std::uint64_t> const& v, by_turns const& where) {
    std::unordered_map<std::uint64_t, std::string> expected;
    if (v.size() > 5000 && where.piece == 97 && test::sanitized) return;
    for (auto const x : v) expected[x] += text_of(x);
    for (std::size_t const parts : {1U, 3U})
      for (bool const into_map : {false, true})
        CHECK(in_turns<std::uint64_t, std::string>(where, v, f, std::plus<>{}, into_map, parts) == expected);
  });
}

TEST_CASE("sums of products have the same bits, whichever piece runs first", "[by_key]") {
  auto const f = [](std::uint64_t x, auto& emit) {
    emit(text_of(x) + std::to_string(x), static_cast<double>(x % 1001) * 1.1e-3);
    if (x % 5 == 0) emit("a key that is too long for its cell", static_cast<double>(x % 777) * 0.7);
  };
  in_every_turn([&](std::vector<std::uint64_t> const& v, by_turns const& where) {
    if (v.size() > 5000 && (where.piece == 97 || test::sanitized)) return;
    auto const once = tn::map_reduce_by_key<std::string, double>(tn::seq, v, f);
    for (bool const into_map : {false, true})
      CHECK(in_turns<std::string, double>(where, v, f, std::plus<>{}, into_map, 1) == once);
  });
}

struct owned_key {  // only moves
  std::unique_ptr<std::uint64_t> number;
  explicit owned_key(std::uint64_t n) : number(std::make_unique<std::uint64_t>(n)) {}
  bool operator==(owned_key const& other) const { return *number == *other.number; }
};

}  // namespace

template <>
struct std::hash<owned_key> {
  std::size_t operator()(owned_key const& k) const noexcept { return static_cast<std::size_t>(*k.number); }
};

namespace {

TEST_CASE("keys and values that only move come together in order, too", "[by_key]") {
  using value = std::unique_ptr<std::string>;
  auto const f = [](std::uint64_t x, auto& emit) { emit(owned_key(x), std::make_unique<std::string>(text_of(x))); };
  auto const append = [](value a, value const& b) {
    *a += *b;
    return a;
  };
  in_every_turn([&](std::vector<std::uint64_t> const& v, by_turns const& where) {
    if (v.size() > 5000) return;
    std::unordered_map<std::uint64_t, std::string> expected;
    for (auto const x : v) expected[x] += text_of(x);
    for (bool const into_map : {false, true}) {
      auto const map = in_turns<owned_key, value>(where, v, f, append, into_map, 1);
      REQUIRE(map.size() == expected.size());
      CHECK(std::all_of(map.begin(), map.end(), [&](auto const& e) { return *e.second == expected[*e.first.number]; }));
    }
  });
}

TEST_CASE("few elements and many, few keys and many, give one result everywhere", "[by_key][group_by]") {
  auto const sums = [](std::uint64_t x, auto& emit) { emit(x, static_cast<double>(x % 1001) * 1.1e-3); };
  auto const texts = [](std::uint64_t x, auto& emit) { emit(x, text_of(x)); };
  for (std::uint64_t const distinct : {std::uint64_t{30}, most})
    for (std::size_t const n : {700U, test::sanitized ? 10'000U : 30'000U}) {
      auto const v = numbers(n, distinct);
      std::unordered_map<std::uint64_t, std::string> appended;
      std::unordered_map<std::uint64_t, std::size_t> counts;
      std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> groups;
      for (auto const x : v) appended[x] += text_of(x), ++counts[x], groups[x].push_back(x);
      auto const once = tn::map_reduce_by_key<std::uint64_t, double>(tn::seq, v, sums);
      test::everywhere([&](auto const& policy) {
        for (std::ptrdiff_t const grain : {std::ptrdiff_t{100}, std::ssize(v)}) {  // shared, and not
          auto const p = policy.grain(grain);
          CHECK(tn::map_reduce_by_key<std::uint64_t, double>(p, v, sums) == once);
          CHECK(tn::map_reduce_by_key<std::uint64_t, std::string>(p, v, texts) == appended);
          CHECK(tn::count_by(p, v, std::identity{}) == counts);
          CHECK(tn::group_by(p, v, std::identity{}) == groups);
        }
      });
    }
}

TEST_CASE("long ranges, whose blocks have tables of their own, are no exception", "[by_key]") {
  std::size_t const n = tn::detail::enough_for_blocks + 1000;
  std::vector<std::uint32_t> v(n);
  for (std::size_t i = 0; i != n; ++i) v[i] = static_cast<std::uint32_t>(i * i % 40'009);
  std::vector<double> exact(40'009);
  for (std::uint32_t const x : v) exact[x] += x % 7;
  auto const f = [](std::uint32_t x, auto& emit) { emit(x, x % 7); };
  auto const g = [](std::uint32_t x, auto& emit) { emit(x % 1000, static_cast<double>(x) * 1.1e-3); };
  // The types of the test above: they share its tables.
  auto const once = tn::map_reduce_by_key<std::uint64_t, double>(tn::seq, v, g);
  for (unsigned const workers : {1U, 3U}) {
    auto const p = tn::par.workers(workers);
    auto const sums = tn::map_reduce_by_key<std::uint64_t, double>(p, v, f);
    CHECK(std::all_of(sums.begin(), sums.end(), [&](auto const& e) { return exact[e.first] == e.second; }));
    CHECK(sums.size() == std::unordered_set<std::uint32_t>(v.begin(), v.end()).size());
    CHECK(tn::map_reduce_by_key<std::uint64_t, double>(p, v, g) == once);
  }
}

TEST_CASE("a combine that throws while keys wait leaves nothing behind", "[by_key]") {
  auto const alive = std::make_shared<int>(0);
  auto const v = numbers(5000, most);
  std::size_t calls = 0, throw_at = 0;
  auto const f = [&](std::uint64_t x, auto& emit) { emit(std::to_string(x) + " and more than fits", alive); };
  auto const combine = [&](std::shared_ptr<int> const& a, std::shared_ptr<int> const&) {
    if (++calls == throw_at) throw std::runtime_error("enough");
    return a;
  };
  for (by_turns const where : {by_turns{2501, by_turns::turn::backwards}, by_turns{97, by_turns::turn::backwards}})
    for (bool const into_map : {false, true}) {
      auto const call = [&] { return in_turns<std::string, std::shared_ptr<int>>(where, v, f, combine, into_map, 1); };
      calls = throw_at = 0;
      CHECK(call().size() > 4000);
      REQUIRE(calls > 20);
      throw_at = calls - 10;
      calls = 0;
      CHECK_THROWS_WITH(call(), "enough");
      CHECK(alive.use_count() == 1);
    }
}

}  // namespace
