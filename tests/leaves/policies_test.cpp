#include "tartan/simd.hpp"

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <ranges>
#include <thread>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "tartan/for_each.hpp"
#include "tartan/map.hpp"
#include "tartan/map_reduce.hpp"

namespace {

/// Positive and negative numbers of very different size: every other order of addition gives other bits.
template <class T>
std::vector<T> ill_conditioned(std::size_t n) {
  std::mt19937_64 random{n};
  std::vector<T> v(n);
  for (T& x : v) {
    auto const digits = static_cast<double>(static_cast<std::int32_t>(random()));
    x = static_cast<T>(std::ldexp(digits, static_cast<int>(random() % 60) - 60));
  }
  return v;
}

template <class T>
bool same_bits(T a, T b) {
  using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<U>(a) == std::bit_cast<U>(b);
}

#if TARTAN_ASAN  // in whose builds every instantiation takes a multiple of the time
using lane_types = std::tuple<float>;
#else
using lane_types = std::tuple<float, double>;
#endif

}  // namespace

TEMPLATE_LIST_TEST_CASE("seq, simd, par and par_simd give the same bits on any number of workers", "[leaves][policies]",
                        lane_types) {
  auto const square = [](auto x) { return x * x; };
  for (std::size_t n : {1U, 63U, 64U, 4097U, 100'003U}) {
    auto const v = ill_conditioned<TestType>(n);
    auto const sum = tartan::reduce(tartan::seq, v);
    auto const squares = tartan::map_reduce(tartan::seq, v, square);
    auto const least = tartan::reduce(tartan::seq, v, v[0], tartan::minimum{});
    auto const exps = tartan::map_reduce(tartan::seq, v, [](auto x) { return tartan::sin(x); });
    auto const check = [&](auto const& policy) {
      REQUIRE(same_bits(tartan::reduce(policy, v), sum));
      REQUIRE(same_bits(tartan::map_reduce(policy, v, square), squares));
      REQUIRE(same_bits(tartan::reduce(policy, v, v[0], tartan::minimum{}), least));
      REQUIRE(same_bits(tartan::map_reduce(policy, v, [](auto x) { return tartan::sin(x); }), exps));
    };
    check(tartan::simd);
    check(tartan::par);
    for (int workers : {1, 2, 5, 64}) {
      check(tartan::par.workers(workers));
      check(tartan::par_simd.workers(workers));
    }
  }
}

TEST_CASE("dear elements are shared between workers without changing a bit", "[leaves][policies]") {
  auto const v = ill_conditioned<double>(500);
  auto const slow = [](auto x) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    return x * x;
  };
  auto const expected = tartan::map_reduce(tartan::seq, v, [](auto x) { return x * x; });
  REQUIRE(same_bits(tartan::map_reduce(tartan::par_simd.workers(3), v, slow), expected));
}

TEST_CASE("map, map_into and for_each run in packs", "[leaves][policies]") {
  auto const v = ill_conditioned<float>(10'007);
  auto const f = [](auto x) { return tartan::select(x > 0, x / 2, -x); };
  std::vector<float> out(v.size()), expected(v.size());
  tartan::map_into(tartan::seq, v, expected, f);
  tartan::map_into(tartan::par_simd, v, out, f);
  REQUIRE(out == expected);
  REQUIRE(tartan::map(tartan::simd, v, f) == expected);
  auto changed = v;
  tartan::for_each(tartan::par_simd, changed, [](auto& x) { x = tartan::select(x > 0, x / 2, -x); });
  REQUIRE(changed == expected);
  REQUIRE(tartan::map_reduce(tartan::par_simd, std::views::iota(0, 10'000), [](auto i) { return i % 7; }) ==
          tartan::map_reduce(tartan::seq, std::views::iota(0, 10'000), [](int i) { return i % 7; }));
  REQUIRE(tartan::map_reduce(
              tartan::par_simd, v, [](auto x) { return x > 0; }, 0L) ==
          tartan::map_reduce(tartan::seq, v, [](float x) { return x > 0 ? 1L : 0L; }, 0L));
}

TEMPLATE_LIST_TEST_CASE("relaxed sums differ in their last bits at most", "[leaves][policies]", lane_types) {
  auto const square = [](auto x) { return x * x; };
  for (std::size_t n : {1U, 3U, 16U, 63U, 64U, 65U, 1000U, 4097U, 100'003U}) {
    std::vector<TestType> v(n);
    for (std::size_t i = 0; i != n; ++i) v[i] = static_cast<TestType>(i % 1000) / TestType{1024};
    auto const near = [&](TestType got, TestType expected) {
      INFO(n << " elements: " << got << " and " << expected);
      REQUIRE(std::abs(got - expected) <= expected * (sizeof(TestType) == 4 ? TestType(1e-5) : TestType(1e-13)));
    };
    for (int workers : {1, 3}) {
      auto const relaxed = tartan::par_simd.workers(workers).relaxed();
      near(tartan::reduce(relaxed, v), tartan::reduce(tartan::seq, v));
      near(tartan::map_reduce(relaxed, v, square), tartan::map_reduce(tartan::seq, v, square));
      REQUIRE(tartan::reduce(relaxed, v, v[0], tartan::maximum{}) ==
              tartan::reduce(tartan::seq, v, v[0], tartan::maximum{}));
      REQUIRE(tartan::map_reduce(
                  relaxed, v, [](auto x) { return x > TestType(0.5); }, 0L) ==
              tartan::map_reduce(tartan::seq, v, [](TestType x) { return x > TestType(0.5); }, 0L));
    }
  }
}
