#include "tartan/leaves/pack.hpp"
#include "tartan/leaves/arithmetic.hpp"
#include "tartan/leaves/cast.hpp"
#include "tartan/leaves/mask.hpp"
#include "tartan/leaves/move.hpp"
#include "tartan/leaves/numeric.hpp"
#include "tartan/leaves/select.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace lanes = tartan::lanes;
using lanes::pack;

template <class T>
T lane_value(std::mt19937_64& random) {
  if constexpr (std::is_floating_point_v<T>) {
    static T const special[] = {T(0),
                                -T(0),
                                std::numeric_limits<T>::infinity(),
                                -std::numeric_limits<T>::infinity(),
                                std::numeric_limits<T>::quiet_NaN(),
                                std::numeric_limits<T>::denorm_min(),
                                T(0.5),
                                T(-2.5),
                                T(3.5),
                                std::numeric_limits<T>::max()};
    if (random() % 4 == 0) return special[random() % std::size(special)];
    return static_cast<T>(std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), -60));
  } else {
    static T const special[] = {T(0), T(1), std::numeric_limits<T>::max(), std::numeric_limits<T>::min(), T(-1)};
    if (random() % 4 == 0) return special[random() % std::size(special)];
    return static_cast<T>(random());
  }
}

template <class T>
bool same_bits(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    if (std::isnan(a) && std::isnan(b)) return true;
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T, std::size_t N>
pack<T, N> random_pack(std::mt19937_64& random) {
  return pack<T, N>::generate([&](std::size_t) { return lane_value<T>(random); });
}

/// f on packs equals f on each lane, in value and in type.
template <class F, class... P>
void check_lanes(char const* what, F f, P const&... p) {
  auto const got = f(p...);
  using value = decltype(f(p[0]...));
  if constexpr (std::is_same_v<value, bool>) {
    for (std::size_t i = 0; i != got.size; ++i) {
      INFO(what << " lane " << i << " of " << got.size);
      REQUIRE(got[i] == f(p[i]...));
    }
  } else {
    STATIC_REQUIRE(std::is_same_v<typename decltype(got)::value_type const, value const>);
    for (std::size_t i = 0; i != got.size; ++i) {
      INFO(what << " lane " << i << " of " << got.size << ": " << +got[i] << " and " << +f(p[i]...));
      REQUIRE(same_bits(got[i], f(p[i]...)));
    }
  }
}

template <class T, std::size_t N>
void check_arithmetic(std::mt19937_64& random) {
  auto const a = random_pack<T, N>(random);
  auto const b = random_pack<T, N>(random);
  auto const s = lane_value<T>(random);
  if constexpr (std::is_floating_point_v<T> || std::is_unsigned_v<T> || sizeof(T) < 4) {
    if constexpr (!(sizeof(T) == 2 && std::is_unsigned_v<T>))  // uint16 * uint16 overflows int
      check_lanes("*", [](auto x, auto y) { return x * y; }, a, b);
    check_lanes("+", [](auto x, auto y) { return x + y; }, a, b);
    check_lanes("-", [](auto x, auto y) { return x - y; }, a, b);
    check_lanes("negate", [](auto x) { return -x; }, a);
    check_lanes("+ scalar", [s](auto x) { return x + s; }, a);
  }
  check_lanes("plus", [](auto x) { return +x; }, a);
  check_lanes("<", [](auto x, auto y) { return x < y; }, a, b);
  check_lanes("<=", [](auto x, auto y) { return x <= y; }, a, b);
  check_lanes("==", [](auto x, auto y) { return x == y; }, a, b);
  check_lanes("!=", [](auto x, auto y) { return x != y; }, a, b);
  check_lanes("> scalar", [s](auto x) { return x > s; }, a);
  check_lanes("min", [](auto x, auto y) { return lanes::min(x, y); }, a, b);
  check_lanes("max", [](auto x, auto y) { return lanes::max(x, y); }, a, b);
  check_lanes("select", [](auto x, auto y) { return lanes::select(x < y, x, y); }, a, b);
  check_lanes("&&", [s](auto x, auto y) { return (x < y && !(y == s)) || x == s; }, a, b);
  if constexpr (std::is_integral_v<T>) {
    check_lanes("&", [](auto x, auto y) { return x & y; }, a, b);
    check_lanes("|", [](auto x, auto y) { return x | y; }, a, b);
    check_lanes("^", [](auto x, auto y) { return x ^ y; }, a, b);
    check_lanes("~", [](auto x) { return ~x; }, a);
    check_lanes(">>", [](auto x) { return x >> 3; }, a);
    if constexpr (std::is_unsigned_v<T>) check_lanes("<<", [](auto x) { return x << 3; }, a);
  } else {
    check_lanes("/", [](auto x, auto y) { return x / y; }, a, b);
    check_lanes("abs", [](auto x) { return lanes::abs(x); }, a);
    check_lanes("sqrt", [](auto x) { return lanes::sqrt(x); }, a);
    check_lanes("fma", [](auto x, auto y) { return lanes::fma(x, y, x); }, a, b);
    check_lanes("nearbyint", [](auto x) { return lanes::nearbyint(x); }, a);
    check_lanes("floor", [](auto x) { return lanes::floor(x); }, a);
    check_lanes("ceil", [](auto x) { return lanes::ceil(x); }, a);
    check_lanes("trunc", [](auto x) { return lanes::trunc(x); }, a);
  }
}

/// Values of From that To can hold, so that the scalar conversion is defined.
template <class To, class From>
From convertible_value(std::mt19937_64& random) {
  From value = lane_value<From>(random);
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (!std::isfinite(value)) return From{1};
    auto const low = std::is_signed_v<To> ? -From(100) : From(0);
    return std::fmod(value, From(100)) < low ? From(7) : std::fmod(value, From(100));
  }
  if constexpr (std::is_same_v<To, float> && std::is_same_v<From, double>)
    if (std::abs(value) > 1e30 && !std::isinf(value)) return 1;
  return value;
}

template <class To, class From, std::size_t N>
void check_conversion(std::mt19937_64& random) {
  auto const a = pack<From, N>::generate([&](std::size_t) { return convertible_value<To, From>(random); });
  check_lanes("to", [](auto x) { return lanes::to<To>(x); }, a);
  if constexpr (std::is_integral_v<To> && std::is_integral_v<From>)
    check_lanes("saturate", [](auto x) { return lanes::saturate<To>(x); }, a);
}

template <class From, std::size_t N, class... To>
void check_conversions(std::mt19937_64& random, std::tuple<To...>) {
  (check_conversion<To, From, N>(random), ...);
}

#if TARTAN_ASAN  // in whose builds every instantiation takes a multiple of the time: one type of each kind
using lane_types = std::tuple<float, double, std::int8_t, std::uint16_t, std::int64_t>;
#else
using lane_types = std::tuple<float, double, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                              std::uint32_t, std::int64_t, std::uint64_t>;
#endif

}  // namespace

TEMPLATE_LIST_TEST_CASE("a pack computes as its lanes do", "[leaves][pack]", lane_types) {
  std::mt19937_64 random{1};
  for (int round = 0; round != 20; ++round) {
    check_arithmetic<TestType, 1>(random);
    check_arithmetic<TestType, 4>(random);
    check_arithmetic<TestType, lanes::register_bytes / sizeof(TestType)>(random);
    check_arithmetic<TestType, 2 * lanes::register_bytes / sizeof(TestType)>(random);
  }
}

TEMPLATE_LIST_TEST_CASE("a pack converts as its lanes do", "[leaves][pack]", lane_types) {
  std::mt19937_64 random{2};
  for (int round = 0; round != 20; ++round) {
    check_conversions<TestType, 8>(random, lane_types{});
    check_conversions<TestType, 64>(random, lane_types{});
  }
}

TEMPLATE_LIST_TEST_CASE("a part of a pack is loaded and stored alone", "[leaves][pack]", lane_types) {
  using T = TestType;
  using P = pack<T, 2 * lanes::register_bytes / sizeof(T)>;
  for (std::size_t count = 0; count <= P::size; ++count) {
    // The heap block ends where the part ends, so that a sanitizer sees a read or write behind it.
    std::vector<T> data(count);
    for (std::size_t i = 0; i != count; ++i) data[i] = static_cast<T>(i + 1);
    auto const loaded = P::load_first(data.data(), count);
    for (std::size_t i = 0; i != P::size; ++i) REQUIRE(loaded[i] == (i < count ? static_cast<T>(i + 1) : T{0}));
    std::vector<T> out(P::size + 1, T{99});
    loaded.store_first(out.data(), count);
    for (std::size_t i = 0; i != out.size(); ++i) REQUIRE(out[i] == (i < count ? static_cast<T>(i + 1) : T{99}));
  }
}

TEST_CASE("lanes of different types meet as numbers do", "[leaves][pack]") {
  auto const f = pack<float, 8>::iota(1);
  STATIC_REQUIRE(std::is_same_v<decltype(f * 0.5), pack<double, 8>>);
  STATIC_REQUIRE(std::is_same_v<decltype(f * 2), pack<float, 8>>);
  STATIC_REQUIRE(std::is_same_v<decltype(pack<std::uint8_t, 8>{} + pack<std::uint8_t, 8>{}), pack<int, 8>>);
  STATIC_REQUIRE(std::is_same_v<decltype(pack<int, 8>{} + pack<unsigned, 8>{}), pack<unsigned, 8>>);
  auto a = pack<std::uint8_t, 16>{200};
  a += 100;
  REQUIRE(a[3] == 44);
  auto const wide = pack<double, 8>::iota();
  auto const chosen = lanes::select(f < 4, wide, -1);  // the mask has lanes of 4 bytes, the choice lanes of 8
  STATIC_REQUIRE(std::is_same_v<decltype(chosen), pack<double, 8> const>);
  for (std::size_t i = 0; i != 8; ++i) REQUIRE(chosen[i] == (i < 3 ? static_cast<double>(i) : -1.0));
}

TEMPLATE_TEST_CASE_SIG("masks answer any, all, none, count and first_true", "[leaves][mask]",
                       ((class T, std::size_t N), T, N), (float, 1), (float, 4), (float, 8), (float, 16), (float, 32),
                       (double, 2), (double, 4), (double, 8), (std::int8_t, 16), (std::int8_t, 32), (std::int8_t, 64),
                       (std::int16_t, 8), (std::int16_t, 16), (std::int16_t, 32)) {
  using P = pack<T, N>;
  std::mt19937_64 random{3};
  for (int round = 0; round != 200; ++round) {
    auto const a =
        P::generate([&](std::size_t) { return static_cast<T>(random() % static_cast<unsigned>(round % 5 + 1)); });
    auto const m = a == T{0};
    std::size_t expected = 0, first = N;
    for (std::size_t i = N; i-- != 0;)
      if (a[i] == T{0}) ++expected, first = i;
    REQUIRE(lanes::count(m) == expected);
    REQUIRE(lanes::any(m) == (expected != 0));
    REQUIRE(lanes::all(m) == (expected == N));
    REQUIRE(lanes::none(m) == (expected == 0));
    REQUIRE(lanes::first_true(m) == first);
  }
  for (std::size_t n = 0; n <= N; ++n) REQUIRE(lanes::count(lanes::mask<sizeof(T), N>::first(n)) == n);
}

TEMPLATE_TEST_CASE_SIG("slide, reverse and gather move lanes", "[leaves][move]", ((class T, std::size_t N), T, N),
                       (float, 4), (float, 16), (float, 32), (double, 8), (std::int8_t, 64), (std::uint16_t, 16)) {
  using P = pack<T, N>;
  auto const a = P::iota();
  auto const b = P::iota(static_cast<T>(N));
  auto const check = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
    auto const moved = lanes::slide<K>(a, b);
    for (std::size_t i = 0; i != N; ++i) REQUIRE(moved[i] == static_cast<T>(i + K));
  };
  check(std::integral_constant<std::size_t, 0>{});
  check(std::integral_constant<std::size_t, 1>{});
  check(std::integral_constant<std::size_t, 3>{});
  check(std::integral_constant<std::size_t, N - 1>{});
  check(std::integral_constant<std::size_t, N>{});
  auto const turned = lanes::reverse(a);
  for (std::size_t i = 0; i != N; ++i) REQUIRE(turned[i] == static_cast<T>(N - 1 - i));
  std::vector<T> table(3 * N);
  for (std::size_t i = 0; i != table.size(); ++i) table[i] = static_cast<T>(i % 100);
  auto const index = pack<int, N>::generate([](std::size_t i) { return static_cast<int>((i * 7) % (3 * N)); });
  auto const got = lanes::gather(table.data(), index);
  for (std::size_t i = 0; i != N; ++i) REQUIRE(got[i] == table[(i * 7) % (3 * N)]);
}

namespace {
using namespace std;
using namespace tartan;
using namespace tartan::lanes;
}  // namespace

TEST_CASE("with every namespace open, calls on numbers and packs stay unambiguous", "[leaves][pack]") {
  float const x = -2.25F;
  REQUIRE(abs(x) == 2.25F);
  REQUIRE(min(1, 2) == 1);
  REQUIRE(max(1.0, 2.0) == 2.0);
  REQUIRE(sqrt(4.0) == 2.0);
  REQUIRE(floor(x) == -3.0F);
  REQUIRE(fma(2.0F, 3.0F, 1.0F) == 7.0F);
  lanes::pack<float, 8> const p = x;
  REQUIRE(abs(p)[7] == 2.25F);
  REQUIRE(min(p, 0)[0] == x);
  REQUIRE(sqrt(p * p)[1] == 2.25F);
  REQUIRE(select(p < 0, 1.0F, 2.0F)[2] == 1.0F);
  REQUIRE(any(p < 0));
}
