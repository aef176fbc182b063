// Every clause of the leaf contract on every leaf. A new leaf joins by one line.
#if defined(__GNUC__) && !defined(__clang__)
// g++ does not see that a fold gets at least one element.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "tartan/exec/leaf.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "tartan/leaves/simd.hpp"

namespace tn = tartan;

namespace {

#if TARTAN_ASAN  // in whose builds packs take a multiple of the time to compile: the third is the second on numbers
using leaves = std::tuple<tn::scalar_leaf, tn::simd_leaf>;
#else
using leaves = std::tuple<tn::scalar_leaf,  //
                          tn::simd_leaf,    //
                          tn::simd_or_scalar_leaf>;
#endif

/// Those that take any function.
using lenient_leaves = std::tuple<tn::scalar_leaf, tn::simd_or_scalar_leaf>;

constexpr std::size_t lengths[] = {0, 1, 2, 3, 7, 8, 63, 64, 65, 127, 128, 129, 200, 4096};

/// Numbers that show every change of order in their last bits.
template <class T>
std::vector<T> numbers(std::size_t n) {
  std::mt19937_64 random(n + 1);
  std::vector<T> v(n);
  for (T& x : v) {
    if constexpr (std::is_floating_point_v<T>)
      x = static_cast<T>(
          std::ldexp(static_cast<double>(random() % 20'000) - 10'000.0, static_cast<int>(random() % 40)));
    else
      x = static_cast<T>(random());
  }
  return v;
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// The shape of exec/leaf.hpp, written down again.
template <class T, class Combine>
T lane_fold(std::vector<T> const& values, Combine combine) {
  std::vector<T> lanes(values.begin(),
                       values.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(64, values.size())));
  for (std::size_t i = 64; i < values.size(); ++i) lanes[i % 64] = static_cast<T>(combine(lanes[i % 64], values[i]));
  for (std::size_t stride = 32; stride != 0; stride /= 2)
    for (std::size_t j = 0; j != stride && j + stride < lanes.size(); ++j)
      lanes[j] = static_cast<T>(combine(lanes[j], lanes[j + stride]));
  return lanes[0];
}

template <class Leaf, class T, class Combine>
void check_fold(Combine combine) {
  auto square = [](auto x) { return x * x; };
  using reducer = typename Leaf::template reducer<T, decltype(square), Combine>;
  for (std::size_t const n : lengths) {
    if (n == 0) continue;
    auto const v = numbers<T>(n);
    std::vector<T> mapped;
    for (T const x : v) mapped.push_back(static_cast<T>(x * x));
    T const expected = lane_fold(mapped, combine);
    for (std::size_t const piece : {std::size_t{64}, std::size_t{128}, n}) {
      reducer whole(square, combine), mixed(square, combine);
      for (std::size_t i = 0; i < n; i += piece) {
        std::size_t const m = std::min(piece, n - i);
        whole.add(v.begin() + static_cast<std::ptrdiff_t>(i), m);
        if (i / piece % 2 == 0)
          mixed.add(v.data() + i, m);
        else
          mixed.add_mapped(mapped.data() + i, m);
      }
      CHECK(same_bits(whole.finish(), expected));
      CHECK(same_bits(mixed.finish(), expected));
    }
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("for_block changes each element of its block and no other", "[contract]", leaves) {
  for (std::size_t const n : lengths) {
    auto const before = numbers<double>(n + 40);
    auto v = before;
    auto halve = [](auto& x) { x = x / 2; };
    TestType::for_block(v.begin() + 20, n, halve);
    for (std::size_t i = 0; i != v.size(); ++i) {
      bool const inside = i >= 20 && i < 20 + n;
      CHECK(same_bits(v[i], inside ? before[i] / 2 : before[i]));
    }
  }
}

TEMPLATE_LIST_TEST_CASE("map_block writes f of each element and nothing else, also in place", "[contract]", leaves) {
  for (std::size_t const n : lengths) {
    auto const v = numbers<float>(n);
    auto twice = [](auto x) { return x + x; };
    std::vector<float> out(n + 40, 7.F);
    TestType::map_block(v.begin(), n, out.begin() + 20, twice);
    for (std::size_t i = 0; i != out.size(); ++i) {
      bool const inside = i >= 20 && i < 20 + n;
      CHECK(same_bits(out[i], inside ? v[i - 20] + v[i - 20] : 7.F));
    }
    auto same = v;
    TestType::map_block(same.begin(), n, same.begin(), twice);
    CHECK(std::equal(same.begin(), same.end(), out.begin() + 20));
    std::vector<double> wider(n);
    TestType::map_block(v.begin(), n, wider.begin(), twice);
    for (std::size_t i = 0; i != n; ++i) CHECK(wider[i] == static_cast<double>(v[i] + v[i]));
  }
}

TEMPLATE_LIST_TEST_CASE("a commuting fold has the bits of 64 lanes and their tree", "[contract]", leaves) {
  check_fold<TestType, double>(std::plus<>());
  check_fold<TestType, float>(std::plus<>());
  check_fold<TestType, double>(tn::maximum());
  check_fold<TestType, float>(tn::minimum());
  check_fold<TestType, std::uint64_t>(std::plus<>());
  check_fold<TestType, std::uint32_t>(std::multiplies<>());
  check_fold<TestType, std::uint64_t>(std::bit_xor<>());
}

TEMPLATE_LIST_TEST_CASE("any other fold runs from left to right", "[contract]", leaves) {
  auto digits = [](auto x) { return x; };
  auto append = [](double a, double b) { return a / 3 + b; };
  using reducer = typename TestType::template reducer<double, decltype(digits), decltype(append)>;
  for (std::size_t const n : lengths) {
    if (n == 0) continue;
    auto const v = numbers<double>(n);
    double expected = v[0];
    for (std::size_t i = 1; i != n; ++i) expected = append(expected, v[i]);
    reducer r(digits, append);
    r.add(v.begin(), n);
    CHECK(same_bits(r.finish(), expected));
  }
}

TEMPLATE_LIST_TEST_CASE("a policy without packs still folds objects", "[contract]", lenient_leaves) {
  std::vector<int> const v{1, 2, 3, 4};
  auto text = [](int x) { return std::to_string(x); };
  auto join = [](std::string a, std::string const& b) { return a + b; };
  typename TestType::template reducer<std::string, decltype(text), decltype(join)> r(text, join);
  r.add(v.begin(), v.size());
  CHECK(r.finish() == "1234");
}
