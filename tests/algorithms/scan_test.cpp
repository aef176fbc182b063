#include "tartan/algorithms/scan.hpp"

#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/policies.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

// Around the ends of chains and blocks: a chain of 8-byte numbers has 4160 elements, a block 8 chains.
constexpr std::size_t sizes[] = {0, 1, 2, 63, 64, 65, 4159, 4160, 4161, 33279, 33280, 33281, 66560, 300'001};

template <class T>
std::vector<T> some_numbers(std::size_t n) {
  std::mt19937_64 random(n + 1);
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(random());
  return v;
}

/// x -> a x + b: composition is associative, and order matters.
struct affine {
  std::uint64_t a, b;
  bool operator==(affine const&) const = default;
};
affine compose(affine const& f, affine const& g) { return {f.a * g.a, f.b * g.a + g.b}; }

TEMPLATE_LIST_TEST_CASE("whole numbers scan as the standard library scans them", "[scan]", test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : sizes) {
    auto const v = some_numbers<std::uint64_t>(n);
    std::vector<std::uint64_t> out(n), expected(n);
    std::inclusive_scan(v.begin(), v.end(), expected.begin());
    CHECK(tn::inclusive_scan(policy, v, out) == out.end());
    CHECK(out == expected);
    std::exclusive_scan(v.begin(), v.end(), expected.begin(), std::uint64_t{7});
    tn::exclusive_scan(policy, v, out, std::uint64_t{7});
    CHECK(out == expected);
    std::inclusive_scan(v.begin(), v.end(), expected.begin(), std::bit_xor<>{}, std::uint64_t{9});
    out = v;
    tn::inclusive_scan(policy, out, out, std::bit_xor<>{}, std::uint64_t{9});
    CHECK(out == expected);
    out = v;
    std::exclusive_scan(v.begin(), v.end(), expected.begin(), std::uint64_t{3});
    tn::exclusive_scan(policy, out, out, std::uint64_t{3});
    CHECK(out == expected);
  }
}

TEMPLATE_LIST_TEST_CASE("what does not commute keeps its order", "[scan]", test::shared_policies) {
  auto const policy = TestType::make();
  for (std::size_t const n : std::vector<std::size_t>{1, 63, 64, 65, 129, 5000}) {
    std::vector<affine> v;
    std::vector<std::string> words;
    for (std::size_t i = 0; i != n; ++i) {
      v.push_back({2 * i + 3, i});
      words.push_back(std::string(1, static_cast<char>('a' + i % 26)));
    }
    std::vector<affine> out(n), expected(n);
    std::inclusive_scan(v.begin(), v.end(), expected.begin(), compose);
    tn::inclusive_scan(policy, v, out, compose);
    CHECK(out == expected);
    std::vector<std::string> joined(n), expected_words(n);
    std::exclusive_scan(words.begin(), words.end(), expected_words.begin(), std::string(">"));
    tn::exclusive_scan(policy, words, joined, std::string(">"));
    CHECK(joined == expected_words);
  }
}

TEMPLATE_LIST_TEST_CASE("floating scans have the same bits everywhere", "[scan]", test::shared_policies) {
  auto const policy = TestType::make();
  std::mt19937_64 random(3);
  for (std::size_t const n : std::vector<std::size_t>{100, 32769, 300'001}) {
    std::vector<double> v(n), once(n), out(n);
    for (double& x : v) x = std::ldexp(static_cast<double>(random() % 1000), static_cast<int>(random() % 60));
    tn::inclusive_scan(tn::seq, v, once);
    tn::inclusive_scan(policy, v, out);
    CHECK(out == once);
    auto const sum = [](double a, double b) { return a + b; };
    tn::inclusive_scan(tn::seq, v, once, sum);
    tn::inclusive_scan(policy, v, out, sum);
    CHECK(out == once);
    std::inclusive_scan(v.begin(), v.end(), once.begin());
    CHECK(out.back() == Approx(once.back()).epsilon(1e-12));
  }
}

TEMPLATE_LIST_TEST_CASE("the lowest block's exception wins, and nobody waits for ever", "[scan]",
                        test::shared_policies) {
  auto const policy = TestType::make();
  std::vector<int> v(400'000), out(v.size());
  std::iota(v.begin(), v.end(), 0);
  auto const max_or_throw = [](int a, int b) {
    if (b == 150'000 || b == 350'000) throw std::runtime_error(std::to_string(b));
    return a < b ? b : a;
  };
  CHECK_THROWS_WITH(tn::inclusive_scan(policy, v, out, max_or_throw), "150000");
  tn::inclusive_scan(policy, v, out, tn::maximum{});
  CHECK(out == v);
}

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised; }
};

TEST_CASE("a stop between blocks ends a scan", "[scan]") {
  flag stop;
  std::vector<long> v(1'000'000, 1), out(v.size());
  CHECK_THROWS_AS(tn::inclusive_scan(tn::par.stop(stop), v, out,
                                     [&](long a, long b) {
                                       stop.raised = true;
                                       return a + b;
                                     }),
                  tn::cancelled);
}

TEST_CASE("types of input, sums and output may differ", "[scan]") {
  std::vector<int> const v(100'000, 1'000'000);
  std::vector<double> out(v.size());
  tn::inclusive_scan(tn::par, v, out, std::plus<>{}, std::int64_t{0});
  CHECK(out.back() == 1e11);
  std::vector<bool> odd(100'000);
  tn::inclusive_scan(tn::par.workers(4), std::views::iota(0, 100'000), odd, [](int a, int b) { return (a + b) % 2; });
  for (std::size_t i = 0; i != odd.size(); ++i)
    if (odd[i] != ((i * (i + 1) / 2) % 2 == 1)) FAIL("at " << i);
  std::vector<long> too_short(3);
  CHECK_THROWS_AS(tn::inclusive_scan(tn::seq, v, too_short), tn::bad_argument);
}

TEST_CASE("scans run inside tasks", "[scan]") {
  std::vector<std::vector<long>> rows(20, std::vector<long>(100'000, 1));
  tn::par.backend().for_range(tn::par.props(), rows.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i != end; ++i) tn::inclusive_scan(tn::par, rows[i], rows[i]);
  });
  for (auto const& row : rows) CHECK(row.back() == 100'000);
}

}  // namespace
