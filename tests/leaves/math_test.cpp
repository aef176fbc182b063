#include "tartan/leaves/math.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

#include "support/catch.hpp"

namespace {

namespace lanes = tartan::lanes;

/// The distance from `got` to the exact value in units of the last place of the exact value's neighbours.
template <class T>
double ulps(T got, long double exact) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : 1e9;
  auto const nearest = static_cast<T>(exact);
  if (std::isinf(nearest))
    return got == nearest || got == std::copysign(std::numeric_limits<T>::max(), nearest) ? 0 : 1e9;
  int exponent = 0;
  std::frexp(nearest, &exponent);
  int const last = std::max(exponent - std::numeric_limits<T>::digits,
                            std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / std::ldexp(1.0L, last));
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (std::isnan(a) && std::isnan(b));
}

/// Runs f on packs of the target's width and on numbers: both must give the same bits, at most `bound` ulp off.
template <class T, class F, class Exact, class Next>
void check_accuracy(F f, Exact exact, double bound, int rounds, Next next) {
  using P = lanes::native_pack<T>;
  double worst = 0;
  T at = 0;
  for (int round = 0; round != rounds; ++round) {
    auto const x = P::generate([&](std::size_t) { return next(); });
    auto const y = f(x);
    for (std::size_t i = 0; i != P::size; ++i) {
      if (!same_bits(y[i], f(x[i]))) {
        INFO("at " << x[i] << ": " << y[i] << " and " << f(x[i]));
        FAIL("a number and a lane differ");
      }
      double const distance = ulps(y[i], exact(static_cast<long double>(x[i])));
      if (distance > worst) worst = distance, at = x[i];
    }
  }
  INFO("worst at " << at << ": " << worst << " ulp");
  CHECK(worst <= bound);
}

/// Every exponent and sign, subnormals, infinities and NaNs included.
template <class T>
auto any_bits() {
  return [random = std::mt19937_64{5}]() mutable {
    using U = std::make_unsigned_t<lanes::impl::int_lane<sizeof(T)>>;
    auto const b = static_cast<U>(random());
    T value;
    std::memcpy(&value, &b, sizeof(T));
    return value;
  };
}

template <class T>
auto uniform(double low, double high) {
  return [random = std::mt19937_64{6}, low, high]() mutable {
    return static_cast<T>(std::uniform_real_distribution<double>(low, high)(random));
  };
}

constexpr int rounds = TARTAN_ASAN ? 8'000 : 40'000;

auto const exp_of = [](auto x) { return lanes::exp(x); };
auto const log_of = [](auto x) { return lanes::log(x); };
auto const sin_of = [](auto x) { return lanes::sin(x); };
auto const cos_of = [](auto x) { return lanes::cos(x); };
auto const exact_exp = [](long double x) { return std::exp(x); };
auto const exact_log = [](long double x) { return std::log(x); };
auto const exact_sin = [](long double x) { return std::sin(x); };
auto const exact_cos = [](long double x) { return std::cos(x); };

}  // namespace

TEMPLATE_TEST_CASE("exp keeps its bound", "[leaves][math]", float, double) {
  using T = TestType;
  check_accuracy<T>(exp_of, exact_exp, 1.1, rounds, any_bits<T>());
  check_accuracy<T>(exp_of, exact_exp, 1.1, rounds, uniform<T>(-1, 1));
  check_accuracy<T>(exp_of, exact_exp, 1.1, rounds, uniform<T>(-750, 720));
  check_accuracy<T>(exp_of, exact_exp, 1.1, rounds, uniform<T>(-104, -86));
  check_accuracy<T>(exp_of, exact_exp, 1.1, rounds, uniform<T>(-746, -708));
}

TEMPLATE_TEST_CASE("log keeps its bound", "[leaves][math]", float, double) {
  using T = TestType;
  double const bound = 1.6;
  check_accuracy<T>(log_of, exact_log, bound, rounds, any_bits<T>());
  check_accuracy<T>(log_of, exact_log, bound, rounds, uniform<T>(0.5, 2));
  check_accuracy<T>(log_of, exact_log, bound, rounds, uniform<T>(0.999, 1.001));
  check_accuracy<T>(log_of, exact_log, bound, rounds, uniform<T>(0, 1000));
}

TEMPLATE_TEST_CASE("sin and cos keep their bounds", "[leaves][math]", float, double) {
  using T = TestType;
  // Without fused operations taking away the quarter turns rounds more often.
  double const bound = lanes::has_fused_multiply_add || sizeof(T) == 4 ? 1.6 : 2.5;
  double const limit = lanes::impl::quarter_turn<T>::limit;
  for (double range : {1.0, 3.2, 1000.0, limit}) {
    check_accuracy<T>(sin_of, exact_sin, bound, rounds, uniform<T>(-range, range));
    check_accuracy<T>(cos_of, exact_cos, bound, rounds, uniform<T>(-range, range));
  }
  // Next to multiples of pi / 2, where all leading digits cancel.
  std::mt19937_64 random{7};
  auto const near_quarters = [&] {
    auto const n = static_cast<long double>(random() % static_cast<std::uint64_t>(limit / 1.6));
    auto const nudge = static_cast<long double>(static_cast<int>(random() % 7) - 3);
    return static_cast<T>(n * 1.57079632679489661923L * (1 + nudge * std::numeric_limits<T>::epsilon()));
  };
  check_accuracy<T>(sin_of, exact_sin, bound, rounds, near_quarters);
  check_accuracy<T>(cos_of, exact_cos, bound, rounds, near_quarters);
  check_accuracy<T>(
      sin_of, [](long double x) { return static_cast<long double>(std::sin(static_cast<T>(x))); }, 2, rounds / 10,
      any_bits<T>());
}

TEMPLATE_TEST_CASE("special values are those of the standard functions", "[leaves][math]", float, double) {
  using T = TestType;
  using limits = std::numeric_limits<T>;
  T const infinity = limits::infinity();
  T const nan = limits::quiet_NaN();
  REQUIRE(lanes::exp(infinity) == infinity);
  REQUIRE(same_bits(lanes::exp(-infinity), T{0}));
  REQUIRE(std::isnan(lanes::exp(nan)));
  REQUIRE(lanes::exp(T{0}) == 1);
  REQUIRE(lanes::exp(-T{0}) == 1);
  REQUIRE(lanes::exp(limits::denorm_min()) == 1);
  REQUIRE(lanes::exp(T{1000}) == infinity);
  REQUIRE(lanes::exp(-T{1000}) == 0);
  REQUIRE(lanes::log(T{0}) == -infinity);
  REQUIRE(lanes::log(-T{0}) == -infinity);
  REQUIRE(std::isnan(lanes::log(-T{1})));
  REQUIRE(std::isnan(lanes::log(-infinity)));
  REQUIRE(std::isnan(lanes::log(nan)));
  REQUIRE(lanes::log(infinity) == infinity);
  REQUIRE(same_bits(lanes::log(T{1}), T{0}));
  REQUIRE(ulps(lanes::log(limits::denorm_min()), std::log(static_cast<long double>(limits::denorm_min()))) <= 1);
  REQUIRE(same_bits(lanes::sin(T{0}), T{0}));
  REQUIRE(same_bits(lanes::sin(-T{0}), -T{0}));
  REQUIRE(same_bits(lanes::sin(limits::denorm_min()), limits::denorm_min()));
  REQUIRE(std::isnan(lanes::sin(infinity)));
  REQUIRE(std::isnan(lanes::cos(-infinity)));
  REQUIRE(std::isnan(lanes::sin(nan)));
  REQUIRE(lanes::cos(T{0}) == 1);
}

TEST_CASE("a large lane leaves its neighbours alone", "[leaves][math]") {
  using P = lanes::pack<float, 16>;
  auto const x = P::generate([](std::size_t i) { return i == 5 ? 1e20F : static_cast<float>(i); });
  auto const y = lanes::sin(x);
  for (std::size_t i = 0; i != 16; ++i) REQUIRE(same_bits(y[i], i == 5 ? std::sin(1e20F) : lanes::sin(x[i])));
}
