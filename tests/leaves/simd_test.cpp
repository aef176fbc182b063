#if defined(__GNUC__) && !defined(__clang__)
// g++ does not see that a fold gets at least one element.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "tartan/leaves/simd.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "tartan/leaves/math.hpp"

namespace {

using tartan::scalar_leaf;
using tartan::simd_leaf;
using tartan::simd_or_scalar_leaf;
namespace lanes = tartan::lanes;

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
std::vector<T> values(std::size_t n, unsigned seed = 1) {
  std::mt19937_64 random{seed};
  std::vector<T> out(n);
  for (auto& x : out) {
    if constexpr (std::is_floating_point_v<T>) {  // exponents spread over 60 bits: every other order gives other bits
      auto const digits = static_cast<double>(static_cast<std::int32_t>(random()));
      x = static_cast<T>(std::ldexp(digits, static_cast<int>(random() % 60) - 60));
    } else {
      x = static_cast<T>(random());
    }
  }
  return out;
}

constexpr std::size_t lengths[] = {1, 2, 3, 13, 31, 32, 33, 63, 64, 65, 66, 127, 128, 129, 500, 4095, 4096};

/// The fold of one block by a leaf, brought in pieces of `piece` elements.
template <class Leaf, class T, class It, class Map, class Combine>
T fold(It first, std::size_t n, std::size_t piece, Map map, Combine combine) {
  typename Leaf::template reducer<T, Map, Combine> reducer(map, combine);
  std::size_t i = 0;
  do {
    reducer.add(first + static_cast<std::ptrdiff_t>(i), std::min(piece, n - i));
    i += piece;
  } while (i < n);
  return reducer.finish();
}

/// The same in one go.
template <class T, class It, class Map, class Combine>
T whole_fold(It first, std::size_t n, Map map, Combine combine) {
  using reducer = simd_leaf::reducer<T, Map, Combine>;
  if constexpr (requires { reducer::whole(first, n, map, combine); })
    return reducer::whole(first, n, map, combine);
  else
    return fold<simd_leaf, T>(first, n, n, map, combine);
}

template <class T, class It, class Map, class Combine>
void check_fold(char const* what, It first, std::size_t most, Map map, Combine combine) {
  for (std::size_t n : lengths) {
    if (n > most) continue;
    T const expected = fold<scalar_leaf, T>(first, n, 64, map, combine);
    T const got = whole_fold<T>(first, n, map, combine);
    INFO(what << " of " << n << " in one go: " << +got << " and " << +expected);
    REQUIRE(same_bits(got, expected));
  }
  for (std::size_t n : lengths)
    for (std::size_t piece : {64U, 128U, 4096U}) {
      if (n > most) continue;
      T const expected = fold<scalar_leaf, T>(first, n, piece, map, combine);
      T const got = fold<simd_leaf, T>(first, n, piece, map, combine);
      INFO(what << " of " << n << " in pieces of " << piece << ": " << +got << " and " << +expected);
      REQUIRE(same_bits(got, expected));
    }
}

auto const square = [](auto x) { return x * x; };
auto const third = [](auto x) { return x / 3; };
auto const positive = [](auto x) { return x > 0; };
auto const same = [](auto x) { return x; };

#if TARTAN_ASAN  // in whose builds every instantiation takes a multiple of the time: one type of each kind
using whole_types = std::tuple<std::int8_t, std::uint32_t>;
using mapped_types = std::tuple<float, std::uint16_t>;
#else
using whole_types =
    std::tuple<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::uint32_t, std::int64_t, std::uint64_t>;
using mapped_types = std::tuple<float, double, std::int8_t, std::uint16_t, std::int32_t, std::int64_t>;
#endif

}  // namespace

TEMPLATE_TEST_CASE("packs and numbers fold to the same bits", "[leaves][simd]", float, double) {
  using T = TestType;
  auto const v = values<T>(4096);
  auto const p = v.data();
  check_fold<T>("sum", p, v.size(), std::identity{}, std::plus<>{});
  check_fold<T>("sum of squares", p, v.size(), square, std::plus<>{});
  check_fold<T>("sum of thirds", p, v.size(), third, std::plus<T>{});
  check_fold<T>("product", p, 60, third, std::multiplies<>{});
  check_fold<T>("maximum", p, v.size(), same, tartan::maximum{});
  check_fold<T>("minimum", p, v.size(), same, tartan::minimum{});
  check_fold<double>("sum in double", p, v.size(), square, std::plus<>{});
  check_fold<T>("own combine", p, v.size(), square, tartan::commutative{[](auto a, auto b) { return a + b * T(0.5); }});
  check_fold<T>("combine of numbers", p, v.size(), square,
                tartan::commutative{[](T a, T b) { return a > b ? a + b : b + a; }});
  check_fold<T>("left to right", p, v.size(), square, [](T a, T b) { return a + b; });
  check_fold<T>("exp", p, v.size(), [](auto x) { return lanes::exp(x * T(1e-9)); }, std::plus<>{});
  check_fold<long>("count", p, v.size(), positive, std::plus<>{});
  check_fold<int>("any", p, v.size(), positive, std::bit_or<>{});
  check_fold<T>(
      "whole numbers", std::views::iota(0, 4096).begin(), v.size(), [](auto i) { return lanes::to<T>(i) / 3; },
      std::plus<>{});
}

TEST_CASE("NaN and -0 fold alike", "[leaves][simd]") {
  auto v = values<float>(4096);
  v[100] = std::numeric_limits<float>::quiet_NaN();
  v[3000] = std::numeric_limits<float>::infinity();
  check_fold<float>("maximum", v.data(), v.size(), same, tartan::maximum{});
  check_fold<float>("minimum", v.data(), v.size(), same, tartan::minimum{});
  std::vector<float> const zeros(200, -0.0F);
  check_fold<float>("sum of -0", zeros.data(), zeros.size(), std::identity{}, std::plus<>{});
  check_fold<float>("product of -0", zeros.data(), zeros.size(), std::identity{}, std::multiplies<>{});
}

TEMPLATE_LIST_TEST_CASE("folds of whole numbers are exact in every type", "[leaves][simd]", whole_types) {
  using T = TestType;
  auto const v = values<T>(4096);
  check_fold<std::uint64_t>("sum", v.data(), v.size(), std::identity{}, std::plus<>{});
  check_fold<std::uint32_t>("narrow sum", v.data(), v.size(), same, std::plus<>{});
  check_fold<T>("xor", v.data(), v.size(), same, std::bit_xor<>{});
  check_fold<T>("minimum", v.data(), v.size(), same, tartan::minimum{});
  check_fold<std::size_t>("count", v.data(), v.size(), [](auto x) { return x > 17; }, std::plus<>{});
  check_fold<int>("positive", v.data(), v.size(), positive, std::plus<>{});
  check_fold<double>("mean", v.data(), v.size(), [](auto x) { return lanes::to<double>(x) * 0.1; }, std::plus<>{});
}

TEST_CASE("mapped values and elements mix in one block", "[leaves][simd]") {
  auto const v = values<float>(4096);
  std::plus<> plus;
  auto map = square;
  simd_leaf::reducer<float, decltype(map), std::plus<>> packs(map, plus);
  scalar_leaf::reducer<float, decltype(map), std::plus<>> numbers(map, plus);
  std::vector<float> mapped(1024);
  for (std::size_t i = 0; i != 1024; ++i) mapped[i] = v[1024 + i] * v[1024 + i];
  packs.add(v.data(), 1024);
  packs.add_mapped(mapped.data(), 1024);
  packs.add(v.data() + 2048, 2000);
  numbers.add(v.data(), 4048);
  REQUIRE(same_bits(packs.finish(), numbers.finish()));
}

TEST_CASE("sums are far more accurate than left to right", "[leaves][simd]") {
  std::vector<float> const tenths(4096, 0.1F);
  double exact = 0, serial_error = 0, error = 0;
  float serial = 0;
  for (float x : tenths) exact += x, serial += x;
  serial_error = std::abs(serial - exact);
  error = std::abs(fold<simd_leaf, float>(tenths.data(), tenths.size(), 4096, std::identity{}, std::plus<>{}) - exact);
  REQUIRE(error * 10 < serial_error);
}

TEMPLATE_LIST_TEST_CASE("map_block writes what the scalar leaf writes, and nothing behind it", "[leaves][simd]",
                        mapped_types) {
  using T = TestType;
  for (std::size_t n : {0U, 1U, 2U, 5U, 13U, 16U, 17U, 63U, 64U, 65U, 200U, 1000U}) {
    auto const v = values<T>(n + 1);
    auto f = [](auto x) { return lanes::to<T>(x / 3 + 1); };
    std::vector<T> expected(n + 1, T{7}), got(n + 1, T{7});
    scalar_leaf::map_block(v.begin(), n, expected.begin(), f);
    simd_leaf::map_block(v.begin(), n, got.begin(), f);
    REQUIRE(expected == got);
    std::vector<double> wide_expected(n + 1, 7), wide(n + 1, 7);
    auto g = [](auto x) { return lanes::to<double>(x) / 3; };
    scalar_leaf::map_block(v.begin(), n, wide_expected.begin(), g);
    simd_leaf::map_block(v.begin(), n, wide.begin(), g);
    REQUIRE(wide_expected == wide);
    auto in_place = v;
    simd_leaf::map_block(in_place.begin(), n, in_place.begin(), f);
    for (std::size_t i = 0; i != n; ++i) REQUIRE(in_place[i] == expected[i]);
    auto is_large = [](auto x) { return x > 50; };
    std::vector<std::uint8_t> flags(n, 9);
    simd_leaf::map_block(v.begin(), n, flags.begin(), is_large);
    for (std::size_t i = 0; i != n; ++i) REQUIRE(flags[i] == (v[i] > 50 ? 1 : 0));
  }
}

TEST_CASE("for_block changes elements through a reference and leaves the rest", "[leaves][simd]") {
  for (std::size_t n : {0U, 1U, 15U, 16U, 17U, 100U}) {
    auto v = values<float>(n + 1);
    auto const before = v;
    auto halve = [](auto& x) { x = x / 2; };
    simd_leaf::for_block(v.begin(), n, halve);
    for (std::size_t i = 0; i != n; ++i) REQUIRE(v[i] == before[i] / 2);
    REQUIRE(v[n] == before[n]);
  }
}

TEST_CASE("a division in the tail meets no zero that is not there", "[leaves][simd]") {
  std::vector<int> const v(13, 5);
  std::vector<int> out(13);
  auto f = [](auto x) { return 100 / x; };
  simd_leaf::map_block(v.begin(), v.size(), out.begin(), f);
  REQUIRE(out == std::vector<int>(13, 20));
}

TEST_CASE("or_scalar runs what takes numbers only", "[leaves][simd]") {
  auto const v = values<float>(1000);
  std::vector<float> out(1000);
  auto branch = [](float x) { return x > 0 ? x : -x; };
  simd_or_scalar_leaf::map_block(v.begin(), v.size(), out.begin(), branch);
  for (std::size_t i = 0; i != v.size(); ++i) REQUIRE(out[i] == std::abs(v[i]));
  float const sum = fold<simd_or_scalar_leaf, float>(v.begin(), v.size(), 4096, branch, std::plus<>{});
  REQUIRE(same_bits(sum, fold<scalar_leaf, float>(v.begin(), v.size(), 4096, branch, std::plus<>{})));
  std::vector<bool> const bits(100, true);
  std::vector<int> numbers(100);
  auto to_int = [](bool b) { return b ? 1 : 0; };
  simd_or_scalar_leaf::map_block(bits.begin(), bits.size(), numbers.begin(), to_int);
  REQUIRE(numbers == std::vector<int>(100, 1));
}

TEST_CASE("every target gives these bits", "[leaves][simd]") {
  auto const v = values<float>(4000, 9);
  auto const w = values<double>(4000, 9);
  auto const root = [](auto x) { return lanes::sqrt(lanes::abs(x)) + x / 3; };
  auto const fused = [](auto x) { return lanes::fma(x, x, x); };
  CHECK(fold<simd_leaf, float>(v.begin(), v.size(), 4096, root, std::plus<>{}) == 0x1.066bc6p+30F);
  CHECK(fold<simd_leaf, double>(w.begin(), w.size(), 4096, root, std::plus<>{}) == 0x1.066bc77b7ed85p+30);
  CHECK(fold<simd_leaf, float>(v.begin(), v.size(), 4096, fused, std::plus<>{}) == 0x1.0941a4p+65F);
  CHECK(fold<simd_leaf, double>(w.begin(), w.size(), 4096, fused, std::plus<>{}) == 0x1.0941a3ae0c26bp+65);
  CHECK(fold<simd_leaf, double>(w.begin(), w.size(), 4096, square, std::plus<>{}) == 0x1.0941a3adaa2fbp+65);
}
