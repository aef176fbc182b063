// Searches, counts and extremes in packs: what the loops of the scalar leaf find.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "tartan/find.hpp"
#include "tartan/minmax.hpp"
#include "tartan/simd.hpp"

namespace {

namespace tn = tartan;

constexpr std::size_t lengths[] = {0, 1, 2, 7, 15, 16, 17, 63, 64, 65, 129, 300, 5000};

template <class T>
std::vector<T> numbers(std::size_t n) {
  std::mt19937 random{static_cast<unsigned>(n)};
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(random() % 100);
  return v;
}

/// body(policy) for the policies with packs.
template <class Body>
void with_packs(Body const& body) {
  body(tn::simd);
  body(tn::par_simd.workers(3));
}

}  // namespace

TEMPLATE_TEST_CASE("counts and searches in packs find what a loop finds", "[leaves][search]", float, std::uint8_t,
                   std::int64_t) {
  using T = TestType;
  auto const large = [](auto x) { return x > 97; };
  auto const large_number = [](T x) { return x > 97; };
  for (std::size_t n : lengths) {
    auto const v = numbers<T>(n);
    auto const where = std::find_if(v.begin(), v.end(), large);
    with_packs([&](auto const& policy) {
      INFO(n << " elements");
      REQUIRE(tn::count_if(policy, v, large) == static_cast<std::size_t>(std::count_if(v.begin(), v.end(), large)));
      REQUIRE(tn::count_if(policy, v, large_number) == tn::count_if(tn::seq, v, large));
      REQUIRE(tn::count(policy, v, T{50}) == static_cast<std::size_t>(std::count(v.begin(), v.end(), T{50})));
      REQUIRE(tn::find_if(policy, v, large) == where);
      REQUIRE(tn::find_if(policy, v, large_number) == where);
      REQUIRE(tn::find(policy, v, T{50}) == std::find(v.begin(), v.end(), T{50}));
      REQUIRE(tn::any_of(policy, v, large) == (where != v.end()));
      REQUIRE(tn::none_of(policy, v, large) == (where == v.end()));
      REQUIRE(tn::all_of(policy, v, [](auto x) { return x <= 97; }) == (where == v.end()));
    });
  }
}

TEST_CASE("a search in packs finds the first match wherever it lies", "[leaves][search]") {
  for (std::size_t n : {1U, 16U, 65U, 200U})
    for (std::size_t k = 0; k != n; ++k) {
      std::vector<float> v(n, 1.0F);
      v[k] = 2;
      if (k + 3 < n) v[k + 3] = 2;
      REQUIRE(tn::find_if(tn::simd, v, [](auto x) { return x > 1; }) - v.begin() == static_cast<std::ptrdiff_t>(k));
      v[k] = 0;
      REQUIRE(tn::min_element(tn::simd, v) - v.begin() == static_cast<std::ptrdiff_t>(k));
    }
}

TEMPLATE_TEST_CASE("the first of the extremes", "[leaves][search]", float, double, std::uint8_t, std::int16_t,
                   std::int64_t) {
  for (std::size_t n : lengths) {
    auto const v = numbers<TestType>(n);
    with_packs([&](auto const& policy) {
      INFO(n << " elements");
      REQUIRE(tn::min_element(policy, v) == std::min_element(v.begin(), v.end()));
      REQUIRE(tn::max_element(policy, v) == std::max_element(v.begin(), v.end()));
      REQUIRE(tn::minmax_element(policy, v) == tn::minmax_element(tn::seq, v));
    });
  }
}

TEST_CASE("NaN and -0 among the extremes are treated as by a loop", "[leaves][search]") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t at : {0U, 1U, 40U, 299U}) {
    auto v = numbers<float>(300);
    v[at] = nan;
    REQUIRE(tn::min_element(tn::simd, v) == tn::min_element(tn::seq, v));
    REQUIRE(tn::max_element(tn::simd, v) == tn::max_element(tn::seq, v));
    REQUIRE(tn::minmax_element(tn::par_simd.workers(3), v) == tn::minmax_element(tn::seq, v));
    v[at] = std::numeric_limits<float>::infinity();
    v[299 - at] = -v[at];
    with_packs([&](auto const& policy) {
      REQUIRE(tn::min_element(policy, v) - v.begin() == static_cast<std::ptrdiff_t>(299 - at));
      REQUIRE(tn::minmax_element(policy, v) == std::minmax_element(v.begin(), v.end()));
    });
  }
  std::vector<float> zeros(100, 0.0F);
  zeros[50] = -0.0F;
  REQUIRE(tn::min_element(tn::simd, zeros) == zeros.begin());
  REQUIRE(tn::max_element(tn::simd, zeros) == zeros.begin());
  REQUIRE(tn::minmax_element(tn::simd, zeros) == std::pair(zeros.begin(), zeros.end() - 1));
}

TEST_CASE("the first smallest and the last largest are found in whatever block and piece they lie",
          "[leaves][search]") {
  constexpr std::size_t n = 9001;
  std::vector<float> v(n, 1.0F);
  for (std::size_t k = 0; k < n; k += 97)
    for (std::size_t const again : {k, k + 1, k + 2000, n - 1}) {
      if (again >= n) continue;
      v[k] = v[again] = 0;
      with_packs([&](auto const& policy) {
        REQUIRE(tn::min_element(policy, v) - v.begin() == static_cast<std::ptrdiff_t>(k));
        REQUIRE(tn::minmax_element(policy, v) == std::minmax_element(v.begin(), v.end()));
      });
      v[k] = v[again] = 2;
      with_packs([&](auto const& policy) {
        REQUIRE(tn::max_element(policy, v) - v.begin() == static_cast<std::ptrdiff_t>(k));
        REQUIRE(tn::minmax_element(policy, v) == std::minmax_element(v.begin(), v.end()));
      });
      v[k] = v[again] = 1;
    }
}

TEST_CASE("people are still compared one by one under simd", "[leaves][search]") {
  struct person {
    int age;
  };
  std::vector<person> const people{{40}, {20}, {60}, {20}};
  REQUIRE(tn::min_element(tn::simd, people, {}, &person::age) == people.begin() + 1);
  REQUIRE(tn::count_if(tn::simd, people, [](int age) { return age > 30; }, &person::age) == 2);
  REQUIRE(tn::find(tn::simd, people, 60, &person::age) == people.begin() + 2);
}
