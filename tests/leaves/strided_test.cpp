#include "tartan/algorithms/strided.hpp"

#include <cstdint>
#include <numeric>
#include <ranges>
#include <vector>

#include "support/catch.hpp"
#include "tartan/for_each.hpp"
#include "tartan/map.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/simd.hpp"
#include "tartan/sum.hpp"
#include "tartan/zip.hpp"

namespace tn = tartan;

static_assert(std::ranges::random_access_range<tn::strided_view<double*>>);
static_assert(std::ranges::sized_range<tn::strided_view<double const*>>);

TEST_CASE("a strided range has every step-th element", "[leaves][strided]") {
  std::vector<int> v(10);
  std::iota(v.begin(), v.end(), 0);
  auto const elements = [&](std::size_t step) {
    auto const r = tn::strided(v, step);
    return std::vector<int>(r.begin(), r.end());
  };
  REQUIRE(elements(1) == v);
  REQUIRE(elements(2) == std::vector<int>{0, 2, 4, 6, 8});
  REQUIRE(elements(3) == std::vector<int>{0, 3, 6, 9});
  REQUIRE(elements(9) == std::vector<int>{0, 9});
  REQUIRE(elements(10) == std::vector<int>{0});
  REQUIRE(elements(1000) == std::vector<int>{0});
  v.clear();
  REQUIRE(elements(3).empty());
  REQUIRE_THROWS_AS(tn::strided(v, 0), tn::bad_argument);
}

TEMPLATE_TEST_CASE("packs are read from and written to places that are apart", "[leaves][strided]", float,
                   std::uint8_t) {
  using T = TestType;
  auto const f = [](auto x) { return tn::to<T>(x + 1); };
  for (std::size_t const step : {1U, 2U, 3U, 4U, 17U})
    for (std::size_t const n : {1U, 2U, 15U, 16U, 17U, 64U, 65U, 200U}) {
      std::size_t const size = (n - 1) * step + 1;  // not one more: the sanitizer sees what is read behind the end
      std::vector<T> v(size);
      for (std::size_t i = 0; i != size; ++i) v[i] = static_cast<T>(i * 7 % 101);
      std::vector<T> expected(n), out(n);
      for (std::size_t i = 0; i != n; ++i) expected[i] = static_cast<T>(v[i * step] + 1);
      INFO(n << " elements, step " << step);
      tn::map_into(tn::simd, tn::strided(v, step), out, f);
      REQUIRE(out == expected);
      auto scattered = v;
      tn::map_into(tn::simd, tn::strided(v, step), tn::strided(scattered, step), f);
      auto changed = v;
      tn::for_each(tn::par_simd, tn::strided(changed, step), [&](auto& x) { x = f(x); });
      for (std::size_t i = 0; i != size; ++i) {
        REQUIRE(scattered[i] == (i % step == 0 ? expected[i / step] : v[i]));
        REQUIRE(changed[i] == scattered[i]);
      }
      REQUIRE(tn::sum(tn::simd, tn::strided(v, step)) == tn::sum(tn::seq, tn::strided(v, step)));
      auto const product = [](auto const& pair) {
        auto const& [x, y] = pair;
        return tn::to<double>(x) * tn::to<double>(y);
      };
      REQUIRE(tn::map_reduce(tn::simd, tn::zip(tn::strided(v, step), out), product) ==
              tn::map_reduce(tn::seq, tn::zip(tn::strided(v, step), out), product));
    }
}
