#include "tartan/leaves/narrow.hpp"

#include <cstdint>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "tartan/simd.hpp"
#include "tartan/sum.hpp"

namespace {

namespace tn = tartan;

template <class T>
std::vector<T> bytes(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(random());
  return v;
}

/// Sums and dots of X and Y under every policy, against a plain loop.
template <class T, class X, class Y>
void check(std::vector<X> const& x, std::vector<Y> const& y) {
  std::uint64_t sum = 0, dot = 0;  // the sums wrap as they would in T
  for (std::size_t i = 0; i != x.size(); ++i) {
    sum += static_cast<std::uint64_t>(static_cast<std::int64_t>(x[i]));
    dot += static_cast<std::uint64_t>(std::int64_t{x[i]} * std::int64_t{y[i]});
  }
  INFO(x.size() << " elements");
  auto const check_policy = [&](auto const& policy) {
    REQUIRE(tn::sum<T>(policy, x) == static_cast<T>(sum));
    REQUIRE(tn::dot<T>(policy, x, y) == static_cast<T>(dot));
  };
  check_policy(tn::seq);
  check_policy(tn::simd);
  check_policy(tn::par_simd.workers(3));
}

template <class X, class Y>
void check_types() {
  for (std::size_t n : {0U, 1U, 15U, 63U, 64U, 65U, 255U, 256U, 257U, 1000U, 5000U, 100'003U})
    check<std::int64_t>(bytes<X>(n, 1), bytes<Y>(n, 2));
  check<int>(bytes<X>(3000, 3), bytes<Y>(3000, 4));
}

}  // namespace

TEST_CASE("sums and dot products of bytes are exact", "[leaves][narrow]") {
  check_types<std::int8_t, std::int8_t>();
  check_types<std::uint8_t, std::uint8_t>();
  check_types<std::uint8_t, std::int8_t>();
  check_types<std::int8_t, std::uint8_t>();
}

TEST_CASE("the largest products do not overflow on their way to 64 bits", "[leaves][narrow]") {
  constexpr std::size_t n = 3'000'001;
  std::vector<std::uint8_t> const most(n, 255);
  std::vector<std::int8_t> const least(n, -128);
  REQUIRE(tn::lanes::impl::dot_of_narrow<std::int64_t>(most.data(), most.data(), n) == std::int64_t{n} * 255 * 255);
  REQUIRE(tn::lanes::impl::dot_of_narrow<std::int64_t>(least.data(), least.data(), n) == std::int64_t{n} * 128 * 128);
  REQUIRE(tn::lanes::impl::dot_of_narrow<std::int64_t>(most.data(), least.data(), n) == -std::int64_t{n} * 255 * 128);
  REQUIRE(tn::lanes::impl::dot_of_narrow<std::int64_t>(least.data(), most.data(), n) == -std::int64_t{n} * 255 * 128);
  REQUIRE(tn::lanes::impl::sum_of_narrow<std::int64_t>(least.data(), n) == -std::int64_t{n} * 128);
  REQUIRE(tn::lanes::impl::sum_of_narrow<std::int64_t>(most.data(), n) == std::int64_t{n} * 255);
}

TEST_CASE("other numbers are summed in the type that is asked for", "[leaves][narrow]") {
  std::vector<float> const f(1001, 0.1F), g(1001, 3.0F);
  REQUIRE(tn::sum(tn::simd, f) == tn::sum(tn::seq, f));
  REQUIRE(tn::sum<double>(tn::simd, f) == Approx(100.1).epsilon(1e-7));
  REQUIRE(tn::sum<double>(tn::simd, f) == tn::sum<double>(tn::par.workers(2), f));
  REQUIRE(tn::dot(tn::simd, f, g) == tn::dot(tn::seq, f, g));
  REQUIRE(tn::dot<double>(tn::par_simd, f, g) == tn::dot<double>(tn::seq, f, g));
  REQUIRE(tn::dot(tn::simd.relaxed(), f, g) == Approx(300.3).epsilon(1e-5));
  std::vector<std::int16_t> const s(70'000, 30'000);
  REQUIRE(tn::sum<std::int64_t>(tn::simd, s) == std::int64_t{70'000} * 30'000);
  REQUIRE(tn::dot<std::int64_t>(tn::par, s, s) == std::int64_t{70'000} * 900'000'000);
  REQUIRE_THROWS_AS(tn::dot(tn::seq, f, std::vector<float>(3)), tn::bad_argument);
}
