#include "tartan/algorithms/sort.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/sanitized.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

// Around the lengths at which kernels change: insertion, cached radix, shared merges, shared spreading.
constexpr std::size_t lengths[] = {0, 1, 2, 3, 19, 20, 21, 24, 25, 64, 255, 256, 257, 1000, 16'383, 70'001};

enum class shape { random, sorted, reversed, nearly_sorted, few_distinct, zipf, high_bits, all_equal };
constexpr shape shapes[] = {shape::random,       shape::sorted, shape::reversed,  shape::nearly_sorted,
                            shape::few_distinct, shape::zipf,   shape::high_bits, shape::all_equal};

std::vector<std::uint64_t> bits_of(shape s, std::size_t n) {
  std::mt19937_64 random(n * 8 + static_cast<std::size_t>(s));
  std::vector<std::uint64_t> v(n);
  for (auto& x : v) {
    x = random();
    if (s == shape::few_distinct) x %= 5;
    if (s == shape::zipf) x = (std::uint64_t{1} << 40) / (x % 100'000 + 1);
    if (s == shape::high_bits) x &= 0xff000000000000ff;
    if (s == shape::all_equal) x = 42;
  }
  if (s == shape::sorted || s == shape::nearly_sorted) std::sort(v.begin(), v.end());
  if (s == shape::reversed) std::sort(v.begin(), v.end(), std::greater<>{});
  if (s == shape::nearly_sorted && n > 10) std::swap(v[n / 3], v[n - 2]);
  return v;
}

template <class T>
std::vector<T> numbers(shape s, std::size_t n) {
  std::vector<T> v;
  v.reserve(n);
  for (std::uint64_t const x : bits_of(s, n)) {
    if constexpr (std::is_floating_point_v<T>)
      v.push_back(static_cast<T>(static_cast<std::int64_t>(x)) * T(0.25));
    else
      v.push_back(static_cast<T>(x));
  }
  return v;
}

struct person {  // its city decides; the number tells the equal apart
  std::string city;
  int age;
  std::size_t number;
  bool operator==(person const&) const = default;
};

// One type for all orders of people: each type of comparison compiles the sort anew, for each policy.
using order_of_people = std::function<bool(person const&, person const&)>;

std::vector<person> people(std::size_t n) {
  std::mt19937_64 random(n);
  std::vector<person> v;
  for (std::size_t i = 0; i != n; ++i)
    v.push_back({"city " + std::to_string(random() % 100), static_cast<int>(random() % 90) - 5, i});
  return v;
}

template <class T>
void check_numbers(auto const& policy) {
  for (std::size_t const n : lengths)
    for (shape const s : shapes) {
      if (test::sanitized && n > 20'000 && s != shape::random) continue;
      auto const v = numbers<T>(s, n);
      auto expected = v, sorted = v;
      std::sort(expected.begin(), expected.end());
      tn::sort(policy, sorted);
      if (sorted != expected) FAIL("less: shape " << static_cast<int>(s) << ", " << n << " elements");
      std::reverse(expected.begin(), expected.end());
      sorted = v;
      tn::stable_sort(policy, sorted, std::greater<>{});
      if (sorted != expected) FAIL("greater: shape " << static_cast<int>(s) << ", " << n << " elements");
      sorted = v;
      tn::sort(policy, sorted, [](T a, T b) { return b < a; });
      if (sorted != expected) FAIL("by comparison: shape " << static_cast<int>(s) << ", " << n << " elements");
    }
  SUCCEED();
}

TEMPLATE_LIST_TEST_CASE("numbers are sorted as std::sort sorts them", "[sort]", test::shared_policies) {
  auto const policy = TestType::make();
  check_numbers<std::uint64_t>(policy);
  check_numbers<double>(policy);
}

TEST_CASE("every type of number", "[sort]") {
  check_numbers<std::int8_t>(tn::par);
  check_numbers<std::uint16_t>(tn::par);
  check_numbers<int>(tn::par.workers(3));
  check_numbers<float>(tn::par);
  check_numbers<std::int64_t>(tn::seq);
  check_numbers<char>(tn::par);
}

TEMPLATE_LIST_TEST_CASE("a stable sort keeps the order of equal elements", "[sort]", test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : {std::size_t{100}, std::size_t{40'000}}) {
    auto const v = people(n);
    auto expected = v, sorted = v;
    std::ranges::stable_sort(expected, {}, &person::age);
    tn::stable_sort(policy, sorted, {}, &person::age);
    CHECK(sorted == expected);
    std::ranges::stable_sort(expected, std::ranges::greater{}, &person::city);
    tn::stable_sort(policy, sorted, std::ranges::greater{}, &person::city);
    CHECK(sorted == expected);
    order_of_people const by_both = [](person const& a, person const& b) { return a.city.size() < b.city.size(); };
    std::ranges::stable_sort(expected, by_both);
    tn::stable_sort(policy, sorted, by_both);
    CHECK(sorted == expected);
  }
}

TEMPLATE_LIST_TEST_CASE("texts are sorted as std::sort sorts them", "[sort]", test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : {std::size_t{50}, std::size_t{30'000}})
    for (int kind = 0; kind != 4; ++kind) {
      if (test::sanitized && n > 20'000 && kind == 3) continue;  // 30 MB, each byte of which is compared
      std::mt19937_64 random(n);
      std::vector<std::string> v(n);
      for (auto& w : v) {
        std::size_t const size = kind == 0   ? random() % 30
                                 : kind == 1 ? random() % 3
                                             : 7 * (random() % 3) + random() % 2;
        w = kind == 3 ? std::string(random() % 2000, 'x') : std::string(size, '\0');
        for (char& c : w)
          if (kind != 3) c = static_cast<char>(random() % (kind == 0 ? 256 : 2));
      }
      auto expected = v, sorted = v;
      std::sort(expected.begin(), expected.end());
      tn::sort(policy, sorted);
      CHECK(sorted == expected);
      std::vector<std::string_view> views(v.begin(), v.end());
      std::vector<std::string_view> expected_views(expected.rbegin(), expected.rend());
      tn::sort(policy, views, std::greater<>{});
      CHECK(views == expected_views);
    }
}

TEMPLATE_LIST_TEST_CASE("a comparator that throws loses no element", "[sort]", test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : {std::size_t{15}, std::size_t{300}, std::size_t{50'000}})
    for (std::size_t const after : {std::size_t{1}, n / 2, n, 3 * n}) {
      auto const v = people(n);
      auto sorted = v;
      std::atomic<std::size_t> calls{0};
      order_of_people const compare = [&](person const& a, person const& b) {
        if (++calls > after) throw std::runtime_error("compare");
        return a.age < b.age;
      };
      CHECK_THROWS_WITH(tn::sort(policy, sorted, compare), "compare");
      std::ranges::sort(sorted, {}, &person::number);
      CHECK(sorted == v);
    }
}

TEMPLATE_LIST_TEST_CASE("a comparator that lies loses no element and reads nothing outside", "[sort]",
                        test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : {std::size_t{15}, std::size_t{300}, std::size_t{50'000}}) {
    auto const v = people(n);
    std::atomic<std::uint64_t> calls{0};
    order_of_people const coin = [&](person const&, person const&) {
      return (++calls * 0x9e3779b97f4a7c15ULL >> 63) != 0;
    };
    order_of_people const always = [](person const&, person const&) { return true; };
    order_of_people const never = [](person const&, person const&) { return false; };
    auto sorted = v;
    tn::sort(policy, sorted, coin);
    tn::sort(policy, sorted, always);
    tn::sort(policy, sorted, coin);
    tn::sort(policy, sorted, never);
    std::ranges::sort(sorted, {}, &person::number);
    CHECK(sorted == v);
  }
}

// ---- what does not depend on the policy ---------------------------------------------------------------------------

TEST_CASE("zeros of both signs are equal, and not-a-numbers stand at the ends", "[sort]") {
  std::vector<double> v{0.0, -0.0, 1.0, -0.0, 0.0, -1.0};
  tn::stable_sort(tn::par, v);
  CHECK(v == std::vector<double>{-1.0, 0.0, 0.0, 0.0, 0.0, 1.0});
  CHECK((!std::signbit(v[1]) && std::signbit(v[2]) && std::signbit(v[3]) && !std::signbit(v[4])));
  double const nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  std::vector<double> w;
  for (int i = 0; i != 1000; ++i) w.insert(w.end(), {nan, 3.0, -infinity, -nan, infinity, -2.0});
  tn::sort(tn::par, w);
  CHECK(std::count_if(w.begin(), w.end(), [](double x) { return std::isnan(x); }) == 2000);
  CHECK(std::is_sorted(w.begin() + 1000, w.end() - 1000));
}

TEST_CASE("not-a-numbers among few numbers do not pass for order", "[sort]") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  for (std::vector<double> v :
       {std::vector{3.0, nan, 1.0}, {1.0, nan, 3.0, 2.0}, {nan, 2.0, nan, 1.0}, {2.0, 1.0, nan}}) {
    std::size_t const n = v.size();
    auto const nans = std::count_if(v.begin(), v.end(), [](double x) { return std::isnan(x); });
    tn::sort(tn::par, v);
    auto const numbers = v.end() - nans;
    CHECK(std::is_sorted(v.begin(), numbers));
    CHECK(std::none_of(v.begin(), numbers, [](double x) { return std::isnan(x); }));
    CHECK(v.size() == n);
  }
}

TEST_CASE("what descends with equal elements is turned, and equals keep their order", "[sort]") {
  struct pair {
    int key, place;
  };
  auto const by_key = [](pair a, pair b) { return a.key < b.key; };
  for (int const equals : {1, 2, 3, 1000, 5000}) {
    std::vector<pair> v;
    for (int i = 0; i != 5000; ++i) v.push_back({(5000 - i - 1) / equals, i});
    auto expected = v;
    std::stable_sort(expected.begin(), expected.end(), by_key);
    auto const same = [&](std::vector<pair> const& w) {
      return std::equal(w.begin(), w.end(), expected.begin(), expected.end(),
                        [](pair a, pair b) { return a.key == b.key && a.place == b.place; });
    };
    auto w = v;
    tn::stable_sort(tn::par, w, {}, &pair::key);
    CHECK(same(w));
    w = v;
    std::size_t calls = 0;
    tn::stable_sort(tn::seq, w, [&](pair a, pair b) { return ++calls, a.key < b.key; });
    CHECK(same(w));
    CHECK(calls < 15'000 + 10);
    std::swap(v[4000], v[4002]);  // equal ones that have changed places, or an end of the descent
    expected = v;
    std::stable_sort(expected.begin(), expected.end(), by_key);
    tn::stable_sort(tn::par, v, {}, &pair::key);
    CHECK(same(v));
  }
}

TEST_CASE("ranges that are not contiguous, and parts of ranges", "[sort]") {
  auto const bits = bits_of(shape::random, 10'000);
  std::deque<std::uint64_t> d(bits.begin(), bits.end()), expected = d;
  std::sort(expected.begin(), expected.end());
  tn::sort(tn::par, d);
  CHECK(d == expected);
  tn::sort(tn::par, d, [](auto a, auto b) { return a % 1000 < b % 1000; });
  CHECK(std::ranges::is_sorted(d, {}, [](auto x) { return x % 1000; }));
  std::vector<int> part{5, 4, 3, 2, 1};
  tn::sort(tn::par, std::span(part).subspan(1, 3));
  CHECK(part == std::vector<int>{5, 2, 3, 4, 1});
}

struct heavy {  // moves may throw; large
  std::string name;
  double weight[20]{};
  explicit heavy(std::string its_name) : name(std::move(its_name)) {}
  heavy(heavy const&) = default;
  heavy(heavy&& other) noexcept(false) : name(std::move(other.name)) {}
  heavy& operator=(heavy const&) = default;
  heavy& operator=(heavy&& other) noexcept(false) {
    name = std::move(other.name);
    return *this;
  }
};

TEST_CASE("elements that are move-only, over-aligned, or throw when moved", "[sort]") {
  std::vector<std::unique_ptr<int>> pointers;
  for (int i = 0; i != 5000; ++i) pointers.push_back(std::make_unique<int>(i * 7919 % 5003));
  tn::sort(tn::par, pointers, std::greater<>{}, [](auto const& p) { return *p; });
  CHECK(std::ranges::is_sorted(pointers, std::greater<>{}, [](auto const& p) { return *p; }));
  struct alignas(64) wide {
    std::uint32_t key;
  };
  std::vector<wide> wides(5000);
  for (std::uint32_t i = 0; i != 5000; ++i) wides[i].key = i * 7919 % 5003;
  tn::sort(tn::par, wides, {}, &wide::key);
  CHECK(std::ranges::is_sorted(wides, {}, &wide::key));
  tn::sort(tn::par, wides, [](wide const& a, wide const& b) { return a.key > b.key; });
  CHECK(std::ranges::is_sorted(wides, std::greater<>{}, &wide::key));
  std::vector<heavy> heavies;
  for (int i = 0; i != 3000; ++i) heavies.emplace_back(std::to_string(i * 7919 % 5003));
  tn::sort(tn::par, heavies, {}, &heavy::name);
  CHECK(std::ranges::is_sorted(heavies, {}, &heavy::name));
  tn::sort(tn::par, heavies, {}, [](heavy const& h) { return h.name.size(); });
  CHECK(std::ranges::is_sorted(heavies, {}, [](heavy const& h) { return h.name.size(); }));
}

TEST_CASE("comparisons of what is sorted already are few", "[sort]") {
  std::vector<int> v(10'000);
  for (int i = 0; i != 10'000; ++i) v[static_cast<std::size_t>(i)] = i;
  std::size_t calls = 0;
  auto const less = [&](int a, int b) { return ++calls, a < b; };
  tn::sort(tn::seq, v, less);
  CHECK(calls == 9999);
  std::reverse(v.begin(), v.end());
  calls = 0;
  tn::sort(tn::seq, v, less);
  CHECK(calls <= 10'000);
  std::mt19937 random(1);
  std::shuffle(v.begin(), v.end(), random);
  calls = 0;
  tn::sort(tn::seq, v, less);
  CHECK(calls < 150'000);  // n log2 n is 132,877
}

struct flag {
  [[nodiscard]] bool stop_requested() const { return true; }
};

TEST_CASE("a stop is seen before the first move", "[sort]") {
  flag const stop;
  std::vector<int> v{3, 1, 2};
  CHECK_THROWS_AS(tn::sort(tn::par.stop(stop), v), tn::cancelled);
  CHECK(v == std::vector<int>{3, 1, 2});
}

}  // namespace
