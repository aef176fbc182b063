#include "tartan/algorithms/by_key.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "tartan/algorithms/group_by.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

// Lengths around every way in which a text lies in a cell.
std::string word_number(std::size_t i) {
  std::string w = std::to_string(i * 0x9e3779b97f4a7c15ULL);
  w.resize(i % 41, static_cast<char>('a' + i % 26));
  return w;
}

std::vector<std::string> some_words(std::size_t n, std::size_t distinct) {
  std::mt19937_64 random(n + distinct);
  std::vector<std::string> words(n);
  for (auto& w : words) {
    std::size_t const r = random() % distinct;
    w = word_number(r * r / distinct);  // some are frequent
  }
  return words;
}

struct person {
  std::string name, city;
  bool operator==(person const&) const = default;
};

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised; }
};

/// Keeps the left value; throws when it has been called so often, if that is asked for.
struct keep_left {
  std::atomic<int>* calls = nullptr;
  int last = 0;
  std::shared_ptr<int> operator()(std::shared_ptr<int> const& a, std::shared_ptr<int> const&) const {
    if (calls != nullptr && ++*calls == last) throw std::runtime_error("enough");
    return a;
  }
};

// Each pair of a key's and a value's type compiles all tables anew, for each type of policy. So a test takes a pair
// that another has, unless the types are what it is about.

template <class Maker>
constexpr std::size_t sizes_tested() {
  return test::shares_memory<Maker> ? 100'003 : 2003;  // a fork for each worker is slow
}

TEMPLATE_LIST_TEST_CASE("words are counted as a serial map counts them", "[by_key]", test::all_policies) {
  auto const policy = TestType::make();
  for (std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{255}, std::size_t{257}, sizes_tested<TestType>()}) {
    auto const words = some_words(n, n / 3 + 1);
    std::unordered_map<std::string, std::size_t> expected;
    for (auto const& w : words) ++expected[w];
    CHECK(tn::count_by(policy, words, std::identity{}) == expected);
  }
}

TEMPLATE_LIST_TEST_CASE("floating sums by key have the same bits everywhere", "[by_key]", test::all_policies) {
  auto const policy = TestType::make();
  std::size_t const n = sizes_tested<TestType>();
  std::vector<double> values(n);
  std::mt19937_64 random(7);
  for (double& v : values) v = std::ldexp(static_cast<double>(random() % 1000), static_cast<int>(random() % 60));
  auto const f = [](double x, auto& emit) { emit(static_cast<std::uint64_t>(std::fmod(x, 101.0)), x); };
  auto const once = tn::map_reduce_by_key<std::uint64_t, double>(tn::seq, values, f);
  CHECK(tn::map_reduce_by_key<std::uint64_t, double>(policy, values, f) == once);
}

TEMPLATE_LIST_TEST_CASE("a combine that does not commute sees the order of the range", "[by_key]", test::all_policies) {
  auto const policy = TestType::make();
  std::vector<int> numbers(sizes_tested<TestType>() / 10);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::unordered_map<std::uint64_t, std::string> expected;
  for (int i : numbers) expected[static_cast<std::uint64_t>(i % 7)] += std::to_string(i) + ",";
  auto const f = [](int i, auto& emit) { emit(static_cast<std::uint64_t>(i % 7), std::to_string(i) + ","); };
  CHECK(tn::map_reduce_by_key<std::uint64_t, std::string>(policy, numbers, f, std::plus<>{}) == expected);
}

TEMPLATE_LIST_TEST_CASE("groups keep the order of the range", "[by_key]", test::all_policies) {
  auto const policy = TestType::make();
  std::vector<person> people;
  std::unordered_map<std::string, std::vector<person>> expected;
  for (std::size_t i = 0; i != sizes_tested<TestType>() / 5; ++i) {
    people.push_back({std::to_string(i), word_number(i * i % 53)});
    expected[people.back().city].push_back(people.back());
  }
  CHECK(tn::group_by(policy, people, &person::city) == expected);
  CHECK(tn::count_by(policy, people, &person::city).size() == expected.size());
}

TEMPLATE_LIST_TEST_CASE("the exception of the lowest element wins, and nothing leaks", "[by_key]",
                        test::shared_policies) {
  auto const policy = TestType::make();
  auto const alive = std::make_shared<int>(0);
  std::vector<int> numbers(50'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto const f = [&](int i, auto& emit) {
    emit(word_number(static_cast<std::size_t>(i)), alive);
    if (i == 30'123 || i == 44'000) throw std::runtime_error(std::to_string(i));
  };
  auto const call = [&](auto const& p) {
    return tn::map_reduce_by_key<std::string, std::shared_ptr<int>>(p, numbers, f, keep_left{});
  };
  CHECK_THROWS_WITH(call(policy), "30123");
  CHECK_THROWS_WITH(call(policy.relaxed()), "30123");
  CHECK(alive.use_count() == 1);
  CHECK(tn::count_by(policy, numbers, [](int i) { return i % 2; }).size() == 2);  // the pool still works
}

// ---- what does not depend on the policy ---------------------------------------------------------------------------

TEST_CASE("ranges that cannot be cut are taken in windows", "[by_key]") {
  std::string text;
  for (int i = 0; i != 20'000; ++i) text += "w" + std::to_string(i % 999) + " ";
  std::istringstream stream(text);
  auto const counts = tn::count_by(tn::par, std::views::istream<std::string>(stream), std::identity{});
  CHECK(counts.size() == 999);
  CHECK(counts.at("w0") == 21);

  std::list<person> people;
  for (int i = 0; i != 10'000; ++i) people.push_back({std::to_string(i), "c" + std::to_string(i % 3)});
  auto const groups = tn::group_by(tn::par.workers(3), people, &person::city);
  REQUIRE(groups.size() == 3);
  CHECK(groups.at("c1").size() == 3333);
  CHECK(groups.at("c1")[1000].name == "3001");
  CHECK(people.front().name == "0");  // elements that lie somewhere are copied
  std::list<double> const halves(9000, 0.5);
  auto const f = [](double x, auto& emit) { emit(std::uint64_t{1}, x); };
  auto const sums = tn::map_reduce_by_key<std::uint64_t, double>(tn::par, halves, f);
  CHECK(sums.at(1) == 4500.0);
}

TEST_CASE("a key may be looked up as a view, a literal or a string", "[by_key]") {
  std::vector<std::size_t> const numbers{1, 2, 3, 4};
  auto const m = tn::map_reduce_by_key<std::string, std::size_t>(tn::seq, numbers, [](std::size_t i, auto& emit) {
    emit("one", i);
    emit(std::string_view("one"), i);
    emit(std::string("one"), i);
    emit(std::string("exactly sixteen."), i);
    emit(std::string_view("exactly sixteen!"), i);
    emit("", i);
    emit(std::string_view("\0", 1), i);
    emit(std::string_view("\0\0", 2), i);
  });
  CHECK(m.size() == 6);
  CHECK(m.at("one") == 30);
  CHECK(m.at("exactly sixteen.") == 10);
  CHECK(m.at("exactly sixteen!") == 10);
  CHECK(m.at("") == 10);
  CHECK(m.at(std::string(1, '\0')) == 10);
  CHECK(m.at(std::string(2, '\0')) == 10);
}

TEST_CASE("every text of up to 40 characters is told from every other", "[by_key]") {
  std::vector<std::string> words;
  for (std::size_t n = 0; n != 41; ++n)
    for (std::size_t at = 0; at <= n; ++at)
      for (char c : {'\0', 'a', '\x7f', '\xff'}) {
        std::string w(n, 'x');
        if (at != n) w[at] = c;
        words.push_back(w);
      }
  std::map<std::string, std::size_t> expected;
  for (auto const& w : words) ++expected[w];
  auto const counts = tn::count_by(tn::par, words, std::identity{});
  CHECK(std::map<std::string, std::size_t>(counts.begin(), counts.end()) == expected);
}

TEST_CASE("views that a key function returns become strings", "[by_key]") {
  std::vector<std::string> const lines{"a 1", "b 2", "a 3"};
  auto const counts =
      tn::count_by(tn::par, lines, [](std::string const& l) { return std::string_view(l).substr(0, 1); });
  STATIC_REQUIRE(std::is_same_v<decltype(counts), std::unordered_map<std::string, std::size_t> const>);
  CHECK(counts.at("a") == 2);
}

enum class colour : std::int8_t { red = -1, green = 0, blue = 100 };

TEST_CASE("numbers, enumerations, pointers and objects are keys", "[by_key]") {
  std::vector<int> numbers(10'000);
  std::iota(numbers.begin(), numbers.end(), -5000);
  CHECK(tn::count_by(tn::par, numbers, std::identity{}).size() == 10'000);
  CHECK(tn::count_by(tn::par, numbers, [](int i) {
          return i < 0 ? colour::red : i < 9 ? colour::green : colour::blue;
        }).at(colour::green) == 9);
  CHECK(tn::count_by(tn::par, numbers, [](int const& i) { return &i; }).size() == 10'000);
  CHECK(tn::count_by(tn::par, numbers, [](int i) { return i % 2 == 0; }).at(true) == 5000);
  auto const halves = tn::count_by(tn::par, numbers, [](int i) { return i == 1 ? -0.0 : i == 2 ? 0.0 : 0.5 * i; });
  CHECK(halves.at(0.0) == 3);  // 0, -0 and 0
  CHECK(halves.size() == 9998);
}

struct odd_key {  // its hash is bad, its move may throw, and it is large
  std::uint64_t value;
  std::uint64_t weight[10]{};
  explicit odd_key(std::uint64_t v) : value(v) {}
  odd_key(odd_key const& other) : value(other.value) {}
  odd_key& operator=(odd_key const&) = default;
  bool operator==(odd_key const& other) const { return value == other.value; }
};
struct alignas(64) wide_value {
  double sum;
};

}  // namespace

template <>
struct std::hash<odd_key> {
  std::size_t operator()(odd_key const& k) const noexcept { return k.value % 3; }
};

namespace {

TEST_CASE("keys with a bad hash and over-aligned values", "[by_key]") {
  std::vector<std::uint64_t> numbers(3000);
  std::iota(numbers.begin(), numbers.end(), 0U);
  auto const m = tn::map_reduce_by_key<odd_key, wide_value>(
      tn::par, numbers, [](std::uint64_t i, auto& emit) { emit(odd_key(i % 500), wide_value{1}); },
      [](wide_value const& a, wide_value const& b) {
        if (reinterpret_cast<std::uintptr_t>(&a) % 64 != 0) throw std::logic_error("not aligned");
        return wide_value{a.sum + b.sum};
      });
  REQUIRE(m.size() == 500);
  for (auto const& [key, value] : m) CHECK(value.sum == 6);
}

TEST_CASE("a value whose construction throws leaves no trace", "[by_key]") {
  static std::atomic<int> alive;
  struct fragile {
    int n;
    explicit fragile(int its_n) : n(its_n) {
      if (n == 777) throw std::runtime_error("777");
      ++alive;
    }
    fragile(fragile const& other) : n(other.n) { ++alive; }
    fragile& operator=(fragile const&) = default;
    ~fragile() { --alive; }
  };
  std::vector<int> numbers(5000);
  std::iota(numbers.begin(), numbers.end(), 0);
  alive = 0;
  auto const call = [&](auto const& policy) {
    return tn::map_reduce_by_key<int, fragile>(
        policy, numbers, [](int i, auto& emit) { emit(i % 100, i); },
        [](fragile const& a, fragile const& b) { return fragile(a.n > b.n ? a : b); });
  };
  CHECK_THROWS_WITH(call(tn::par), "777");
  CHECK_THROWS_WITH(call(tn::seq.relaxed()), "777");
  CHECK(alive == 0);
}

TEST_CASE("move-only values", "[by_key]") {
  auto const m = tn::map_reduce_by_key<int, std::unique_ptr<int>>(
      tn::par, std::views::iota(0, 1000), [](int i, auto& emit) { emit(i % 10, std::make_unique<int>(i)); },
      [](std::unique_ptr<int> a, std::unique_ptr<int> b) { return *a > *b ? std::move(a) : std::move(b); });
  REQUIRE(m.size() == 10);
  CHECK(*m.at(3) == 993);
}

TEST_CASE("a stop skips what has not begun", "[by_key]") {
  flag stop;
  std::vector<int> numbers(100'000);
  auto const f = [&](int, auto& emit) {
    stop.raised = true;
    emit(1, std::size_t{1});
  };
  CHECK_THROWS_AS((tn::map_reduce_by_key<int, std::size_t>(tn::par.stop(stop).grain(100), numbers, f)), tn::cancelled);
}

TEST_CASE("calls nest", "[by_key]") {
  std::vector<int> outer(64);
  std::iota(outer.begin(), outer.end(), 1);
  auto const m = tn::map_reduce_by_key<int, std::size_t>(tn::par, outer, [](int i, auto& emit) {
    auto const inner = tn::count_by(tn::par, std::views::iota(0, 100 * i), [](int j) { return j % 5; });
    for (auto const& [key, count] : inner) emit(key, count);
  });
  REQUIRE(m.size() == 5);
  for (auto const& [key, count] : m) CHECK(count == std::size_t{20} * 64 * 65 / 2);
}

// ---- hashes of whole numbers
// -----------------------------------------------------------------------------------------

/// Steps beyond the first probe, for each of `keys` multiples of `stride` in a table of 2^bits cells.
double extra_probes(std::size_t keys, unsigned bits, std::uint64_t stride) {
  std::vector<bool> taken(std::size_t{1} << bits);
  std::size_t steps = 0;
  for (std::uint64_t i = 0; i != keys; ++i) {
    std::size_t at = tn::detail::hash_number(i * stride) >> (64 - bits);
    for (; taken[at]; at = (at + 1) % taken.size()) ++steps;
    taken[at] = true;
  }
  return static_cast<double>(steps) / static_cast<double>(keys);
}

TEST_CASE("dense whole numbers meet nobody in a table, and no stride crowds together", "[by_key]") {
  for (unsigned const bits : {6U, 8U, 12U, 16U}) CHECK(extra_probes(std::size_t{1} << (bits - 2), bits, 1) == 0);
  CHECK(extra_probes(100'000, 18, 1) < 0.2);
  std::vector<std::uint64_t> strides{0x9e3779b97f4a7c15ULL, 1'000'000'007};
  for (unsigned i = 0; i != 47; ++i) strides.push_back(std::uint64_t{1} << i);  // doubles of whole numbers look so, too
  for (std::uint64_t a = 1, b = 1; b < std::uint64_t{1} << 60; b += std::exchange(a, b)) strides.push_back(b);
  for (std::uint64_t const stride : strides) {
    CAPTURE(stride);
    CHECK(extra_probes(16'000, 15, stride) < 20);
  }
}

// ---- more keys than a cache holds, nearly all of them new ----------------------------------------------------------

/// Each number emits `each` keys, of which the next number emits the second half again; what a serial loop makes of it.
template <class Key, class KeyAt, class Check>
void with_many_keys(KeyAt const& key, Check const& check) {
  constexpr std::size_t each = 24'000;  // beyond what one table takes of keys that are new
  auto const emit_all = [&key](std::size_t i, auto const& emit) {
    for (std::size_t k = 0; k != each; ++k) emit(key(i * each / 2 + k), i * each + k);
  };
  std::unordered_map<Key, std::string> expected;
  for (std::size_t i = 0; i != 3; ++i)
    emit_all(i, [&](Key const& k, std::size_t n) { expected[k] += std::to_string(n) + " "; });
  check(emit_all, expected);
}

template <class Key, class KeyAt>
void many_keys_come_together(KeyAt const& key) {
  with_many_keys<Key>(key, [](auto const& emit_all, auto const& expected) {
    auto const texts = [&](std::size_t i, auto& emit) {
      emit_all(i, [&](Key const& k, std::size_t n) { emit(k, std::to_string(n) + " "); });
    };
    auto const ones = [&](std::size_t i, auto& emit) {
      emit_all(i, [&](Key const& k, std::size_t) { emit(k, std::size_t{1}); });
    };
    std::unordered_map<Key, std::size_t> counts;
    for (auto const& [k, text] : expected)
      counts[k] = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
    std::vector<std::size_t> const numbers{0, 1, 2};
    for (unsigned const workers : {1U, 4U}) {
      auto const p = tn::par.workers(workers);
      CHECK(tn::map_reduce_by_key<Key, std::string>(p, numbers, texts) == expected);
      CHECK(tn::map_reduce_by_key<Key, std::size_t>(p, numbers, ones) == counts);
      auto const sorted = tn::map_reduce_by_key<Key, std::size_t>(p, numbers, ones, tn::sorted_by_key);
      CHECK(sorted == std::map<Key, std::size_t>(counts.begin(), counts.end()));
    }
  });
}

TEST_CASE("many new numbers", "[by_key]") {
  many_keys_come_together<std::uint64_t>([](std::size_t i) { return i * 0x9e3779b97f4a7c15ULL; });
}
TEST_CASE("many new texts, short and long", "[by_key]") {
  many_keys_come_together<std::string>([](std::size_t i) {
    return i % 3 == 0 ? "a text that does not fit a cell: " + std::to_string(i) : std::to_string(i);
  });
}
TEST_CASE("many new objects", "[by_key]") {
  many_keys_come_together<double>([](std::size_t i) { return 0.5 * static_cast<double>(i); });
}

TEST_CASE("keys that all differ, then one that does not", "[by_key]") {
  std::vector<std::uint64_t> numbers(300'000);  // so many that one worker, too, has tables of its own
  for (std::size_t i = 0; i != numbers.size(); ++i) numbers[i] = i < 200'000 ? i << 20 : 7;
  for (unsigned const workers : {1U, 3U}) {
    auto const counts = tn::count_by(tn::par.workers(workers), numbers, std::identity{});
    CHECK(counts.size() == 200'001);
    CHECK(counts.at(7) == 100'000);
    CHECK(counts.at(199'999ULL << 20) == 1);
  }
}

TEST_CASE("a combine that throws among many new keys leaves no trace", "[by_key]") {
  auto const alive = std::make_shared<int>(0);
  std::vector<std::size_t> const numbers{0, 1, 2};
  auto const f = [&](std::size_t, auto& emit) {
    for (std::size_t k = 0; k != 50'000; ++k) emit(word_number(k % 30'000), alive);
  };
  std::atomic<int> calls{0};
  for (unsigned const workers : {1U, 3U}) {
    calls = 0;
    CHECK_THROWS_WITH((tn::map_reduce_by_key<std::string, std::shared_ptr<int>>(tn::par.workers(workers), numbers, f,
                                                                                keep_left{&calls, 30'000})),
                      "enough");
    CHECK(alive.use_count() == 1);
  }
}

}  // namespace
