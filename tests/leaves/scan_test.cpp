#include "tartan/leaves/scan.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <ranges>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "tartan/scan.hpp"
#include "tartan/simd.hpp"

namespace {

namespace tn = tartan;

/// Numbers whose sums show every change of order; with zeros of both signs, infinities and NaN among them.
template <class T>
std::vector<T> numbers(std::size_t n, bool special) {
  std::mt19937_64 random(n);
  std::vector<T> v(n);
  for (T& x : v) {
    if constexpr (std::is_floating_point_v<T>) {
      x = static_cast<T>(std::ldexp(static_cast<double>(random() % 2000) - 1000, static_cast<int>(random() % 20)));
      if (auto const kind = random() % 64; special && kind < 4) {
        using limits = std::numeric_limits<T>;
        T const strange[] = {T(-0.0F), T(0), limits::infinity(), limits::quiet_NaN()};
        x = strange[kind];
      }
    } else {
      x = static_cast<T>(random());
    }
  }
  return v;
}

/// Equal bits, of which a NaN may have any.
template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
  for (std::size_t i = 0; i != a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0 && !(a[i] != a[i] && b[i] != b[i])) return false;
  return true;
}

template <bool Inclusive, class T, class In, class To, class Combine>
void compare(std::vector<In> const& v, T const* before, Combine combine, To marker) {
  std::size_t const n = v.size();
  std::vector<To> expected(n + 1, marker), got(n + 1, marker);
  std::vector<T> end(1), end_got(1);
  end[0] = tn::detail::scalar_scan_block<Inclusive, T>(v.begin(), expected.begin(), n, before, combine);
  end_got[0] = tn::simd_leaf::scan_block<Inclusive, T>(v.begin(), got.begin(), n, before, combine);
  INFO(n << " elements, inclusive " << Inclusive << ", with init " << (before != nullptr));
  REQUIRE(same(expected, got));
  REQUIRE(same(end, end_got));
}

template <class T, class Combine>
void compare_all(Combine combine) {
  for (std::size_t n = 1; n < 300; n += n < 70 ? 1 : 37)
    for (bool const special : {false, true}) {
      auto const v = numbers<T>(n, special);
      T const before = numbers<T>(3, false)[2];
      compare<true, T>(v, static_cast<T const*>(nullptr), combine, T{7});
      compare<true, T>(v, &before, combine, T{7});
      compare<false, T>(v, &before, combine, T{7});
    }
}

#if TARTAN_ASAN  // in whose builds every instantiation takes a multiple of the time: one type of each kind
using lane_types = std::tuple<float, std::uint32_t>;
#else
using lane_types = std::tuple<float, double, std::int8_t, std::uint32_t>;
#endif

}  // namespace

TEMPLATE_LIST_TEST_CASE("a scan in packs has the bits of the scalar one", "[leaves][scan]", lane_types) {
  using T = TestType;
  compare_all<T>(std::plus<>{});
  compare_all<T>(tn::maximum{});
  if constexpr (std::is_integral_v<T>)
    compare_all<T>(std::bit_and<>{});
  else
    compare_all<T>(std::multiplies<>{});
  compare_all<T>(tn::commutative{[](auto const& a, auto const& b) { return a + b - 1; }});
}

TEST_CASE("numbers of other types are read and written", "[leaves][scan]") {
  double const before = 0.5;
  for (std::size_t n : {1U, 7U, 8U, 9U, 15U, 16U, 100U}) {
    compare<true, double>(numbers<std::int16_t>(n, false), &before, std::plus<>{}, 7.0F);
    compare<false, double>(numbers<float>(n, false), &before, std::plus<>{}, 7.0);
    std::int64_t const whole = 9;
    compare<false, std::int64_t>(numbers<std::uint8_t>(n, false), &whole, std::plus<>{}, std::int64_t{7});
  }
}

TEST_CASE("scans have the same bits under seq, simd, par and par_simd", "[leaves][scan]") {
  for (std::size_t n : {0U, 1U, 17U, 4160U, 4161U, 33'279U, 33'280U, 33'281U, 200'001U}) {
    auto const v = numbers<double>(n, false);
    std::vector<double> expected(n), out(n);
    tn::inclusive_scan(tn::seq, v, expected);
    auto const check = [&](auto const& policy) {
      tn::inclusive_scan(policy, v, out);
      REQUIRE(same(expected, out));
      out = v;
      tn::inclusive_scan(policy, out, out);
      REQUIRE(same(expected, out));
      out = v;
      tn::exclusive_scan(policy, out, out, -0.0);
      for (std::size_t i = 1; i < n; i += 1 + i / 100) REQUIRE(out[i] == Approx(expected[i - 1]).epsilon(1e-9));
    };
    check(tn::simd);
    for (int workers : {1, 2, 5}) {
      check(tn::par.workers(workers));
      check(tn::par_simd.workers(workers));
    }
  }
}

TEST_CASE("ranges without packs are scanned one by one if that is allowed", "[leaves][scan]") {
  std::vector<bool> const bits{true, false, true, true};
  std::vector<int> counts(4);
  tn::inclusive_scan(tn::simd.or_scalar(), bits, counts, std::plus<>{}, 0);
  REQUIRE(counts == std::vector<int>{1, 1, 2, 3});
  std::vector<long> sums(1000);
  tn::inclusive_scan(tn::simd, std::views::iota(0L, 1000L), sums);
  for (std::size_t i = 0; i != 1000; ++i) REQUIRE(sums[i] == static_cast<long>(i * (i + 1) / 2));
}

TEST_CASE("a scan of floats is more exact than a running sum", "[leaves][scan]") {
  std::vector<float> v(100'000), out(v.size());
  for (std::size_t i = 0; i != v.size(); ++i) v[i] = static_cast<float>(i % 1000) / 1024.0F;
  tn::inclusive_scan(tn::simd, v, out);
  double exact = 0, worst = 0, worst_running = 0;
  float running = 0;
  for (std::size_t i = 0; i != v.size(); ++i) {
    exact += static_cast<double>(v[i]);
    running += v[i];
    worst = std::max(worst, std::abs(static_cast<double>(out[i]) - exact));
    worst_running = std::max(worst_running, std::abs(static_cast<double>(running) - exact));
  }
  INFO("errors: " << worst << ", of a running sum " << worst_running);
  CHECK(worst <= worst_running);
}
