#include "tartan/algorithms/find.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <list>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

struct person {
  std::string name;
  int age;
};

TEMPLATE_LIST_TEST_CASE("the first match is found, wherever it lies", "[find]", test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n :
       {std::size_t{0}, std::size_t{1}, std::size_t{1023}, std::size_t{1025}, std::size_t{200'001}})
    for (std::size_t const at : {std::size_t{0}, n / 3, n - 1, n}) {
      std::vector<int> v(n, 1);
      for (std::size_t i = at; i < n; i += 1 + i / 7) v[i] = 2;  // more matches behind it
      auto const expected = std::find(v.begin(), v.end(), 2);
      CHECK(tn::find(policy, v, 2) == expected);
      CHECK(tn::find_if(policy, v, [](int x) { return x > 1; }) == expected);
      CHECK(tn::any_of(policy, v, [](int x) { return x == 2; }) == (expected != v.end()));
      CHECK(tn::none_of(policy, v, [](int x) { return x == 2; }) == (expected == v.end()));
      CHECK(tn::all_of(policy, v, [](int x) { return x == 1; }) == (expected == v.end()));
    }
}

TEMPLATE_LIST_TEST_CASE("elements far behind a match are not looked at", "[find]", test::shared_policies) {
  auto const policy = TestType::make();
  std::atomic<std::size_t> calls{0};
  std::size_t const n = std::size_t{1} << 40;
  auto const it = tn::find_if(policy, std::views::iota(std::size_t{0}, n), [&](std::size_t i) {
    ++calls;
    return i >= 10'000;
  });
  CHECK(*it == 10'000);
  CHECK(calls < n / 1000);
}

TEMPLATE_LIST_TEST_CASE("what is thrown behind a match does not count, before it it does", "[find]",
                        test::shared_policies) {
  auto const policy = TestType::make();
  std::vector<int> v(100'000);
  std::iota(v.begin(), v.end(), 0);
  auto const search = [&](int match, int bad) {
    return *tn::find_if(policy, v, [=](int x) {
      if (x >= bad) throw std::runtime_error(std::to_string(x));
      return x == match;
    });
  };
  CHECK(search(20'000, 20'001) == 20'000);
  CHECK(search(20'000, 90'000) == 20'000);
  CHECK_THROWS_WITH(search(20'000, 19'999), "19999");
  CHECK_THROWS_WITH(search(-1, 50'000), "50000");
}

TEMPLATE_LIST_TEST_CASE("counts", "[find]", test::all_policies) {
  auto const policy = TestType::make();
  std::vector<int> v(10'000);
  std::iota(v.begin(), v.end(), 0);
  CHECK(tn::count_if(policy, v, [](int x) { return x % 3 == 0; }) == 3334);
  CHECK(tn::count(policy, v, 1, [](int x) { return x % 10; }) == 1000);
  CHECK(tn::count(policy, std::vector<int>{}, 1) == 0);
}

TEST_CASE("projections, and ranges of other kinds", "[find]") {
  std::vector<person> const people{{"Ada", 36}, {"Alan", 41}, {"Grace", 85}};
  CHECK(tn::find(tn::par, people, "Alan", &person::name)->age == 41);
  CHECK(tn::find_if(tn::seq, people, [](int age) { return age > 50; }, &person::age)->name == "Grace");
  CHECK(tn::all_of(tn::par, people, [](int age) { return age > 30; }, &person::age));
  std::list<int> const l(9000, 4);
  CHECK(tn::count(tn::par, l, 4) == 9000);
}

}  // namespace
