// Sorts of elements that are copied freely, by a comparator that is not known: they have kernels of their own.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <random>
#include <stdexcept>
#include <vector>

#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "tartan/algorithms/sort.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"

namespace tn = tartan;

namespace {

template <std::size_t Size>
struct keyed {  // the place tells equal keys apart
  std::uint32_t key, place;
  unsigned char rest[Size - 8];
};

enum class order { random, displaced, high, tail, organ, turned, runs, local, few, two, window };
constexpr order orders[] = {order::random, order::displaced, order::high, order::tail, order::organ, order::turned,
                            order::runs,   order::local,     order::few,  order::two,  order::window};

/// Keys with equals among them.
std::vector<std::uint32_t> keys_of(order o, std::size_t n, std::mt19937& random) {
  std::vector<std::uint32_t> v(n);
  for (auto& x : v) x = static_cast<std::uint32_t>(random() % (n / 2 + 1));
  auto const at = [&](std::size_t i) { return v.begin() + static_cast<std::ptrdiff_t>(i); };
  auto const swap_some = [&](std::size_t some) {
    for (std::size_t i = 0; i < some; ++i) std::swap(v[random() % n], v[random() % n]);
  };
  if (o == order::organ) {
    std::sort(at(0), at(n / 2));
    std::sort(at(n / 2), at(n), std::greater<>{});
  } else if (o == order::turned) {
    std::sort(at(0), at(n), std::greater<>{});
    swap_some(n / 100 + 1);
  } else if (o == order::runs) {
    for (std::size_t i = 0; i != 6; ++i) std::sort(at(n * i / 6), at(n * (i + 1) / 6));
  } else if (o == order::tail) {
    std::sort(at(0), at(n - n / 50));
  } else if (o == order::few || o == order::two) {
    for (auto& x : v) x %= o == order::few ? 16 : 2;
  } else if (o == order::window) {
    for (std::size_t i = 0; i != n; ++i) v[i] = static_cast<std::uint32_t>(i) + v[i] % 100;
  } else if (o != order::random) {
    std::sort(at(0), at(n));
    if (o == order::displaced) swap_some(n / 20 + 1);
    if (o == order::high)  // some that are far too high come together
      for (std::size_t i = 0; i + 3 < n; i += 50) v[i] = v[i + 1] = v[i + 3] = static_cast<std::uint32_t>(2 * n - i);
    if (o == order::local)
      for (std::size_t i = 0; i + 8 < n; i += 4) std::swap(v[i + random() % 8], v[i + random() % 8]);
  }
  return v;
}

template <std::size_t Size>
std::vector<keyed<Size>> elements(std::vector<std::uint32_t> const& keys) {
  std::vector<keyed<Size>> v(keys.size());
  for (std::size_t i = 0; i != v.size(); ++i) v[i] = {keys[i], static_cast<std::uint32_t>(i), {}};
  return v;
}

template <std::size_t Size>
bool same(std::vector<keyed<Size>> const& a, std::vector<keyed<Size>> const& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](auto const& x, auto const& y) { return x.key == y.key && x.place == y.place; });
}

template <std::size_t Size>
void check_orders(auto const& policy, std::initializer_list<std::size_t> sizes) {
  std::mt19937 random(Size);
  for (std::size_t const n : sizes)
    for (order const o : orders) {
      auto v = elements<Size>(keys_of(o, n, random)), expected = v;
      auto const less = [](auto const& a, auto const& b) { return a.key < b.key; };
      std::stable_sort(expected.begin(), expected.end(), less);
      tn::stable_sort(policy, v, less);
      if (!same(v, expected)) FAIL("order " << static_cast<int>(o) << ", " << n << " elements of " << Size);
    }
  SUCCEED();
}

TEST_CASE("a stable sort by a lambda, whatever the order before", "[sort]") {
  check_orders<16>(tn::par.workers(3),
                   {7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, 129, 150, 257, 1000, 5000, 20'000, 60'000});
}

TEST_CASE("a stable sort by a lambda of larger elements", "[sort]") {
  check_orders<32>(tn::par, {20, 21, 40, 200, 9000, 30'000});
  check_orders<64>(tn::par, {10, 30, 64, 65, 300, 5000, 20'000});
  check_orders<120>(tn::par, {10, 30, 64, 65, 300, 5000});
}

TEST_CASE("a stable sort by a number, whatever the order before", "[sort]") {
  std::mt19937 random(3);
  for (std::size_t const n : {2047U, 2048U, 2500U, 9000U, 20'000U, 70'000U})
    for (order const o : orders) {
      if (tn::test::sanitized && n > 20'000 && o != order::random) continue;
      auto const v = elements<16>(keys_of(o, n, random));
      auto expected = v, up = v, down = v;
      std::ranges::stable_sort(expected, {}, &keyed<16>::key);
      tn::stable_sort(tn::par.workers(3), up, {}, &keyed<16>::key);
      if (!same(up, expected)) FAIL("order " << static_cast<int>(o) << ", " << n << " elements");
      expected = v;
      std::ranges::stable_sort(expected, std::ranges::greater{}, &keyed<16>::key);
      tn::stable_sort(tn::par.workers(3), down, std::ranges::greater{}, &keyed<16>::key);
      if (!same(down, expected)) FAIL("descending, order " << static_cast<int>(o) << ", " << n << " elements");
    }
  SUCCEED();
}

TEST_CASE("few elements out of order cost few comparisons, wherever they are", "[sort]") {
  constexpr std::size_t n = 20'000;
  for (unsigned seed = 0; seed != 40; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::uint32_t> v(n);
    for (auto& x : v) x = static_cast<std::uint32_t>(random());
    std::sort(v.begin(), v.end());
    for (std::size_t i = 0; i != n / 100; ++i) std::swap(v[random() % n], v[random() % n]);
    std::size_t asked = 0;
    tn::sort(tn::seq, v, [&asked](std::uint32_t a, std::uint32_t b) { return ++asked, a < b; });
    INFO("seed " << seed);
    CHECK(asked < 5 * n);
    CHECK(std::is_sorted(v.begin(), v.end()));
  }
}

TEST_CASE("every short sort by a lambda", "[sort]") {
  std::mt19937 random(3);
  for (std::size_t n = 0; n != 140; ++n)
    for (int round = 0; round != 60; ++round) {
      std::vector<std::uint32_t> keys(n);
      for (auto& k : keys) k = static_cast<std::uint32_t>(random() % (round % 2 == 0 ? 4 : 1000));
      if (round % 3 == 0) std::sort(keys.begin(), keys.end() - static_cast<std::ptrdiff_t>(n / 8));
      if (round % 5 == 0) std::sort(keys.begin() + static_cast<std::ptrdiff_t>(n / 9), keys.end(), std::greater<>{});
      auto v = elements<16>(keys), expected = v;
      auto const less = [](auto const& a, auto const& b) { return a.key < b.key; };
      std::stable_sort(expected.begin(), expected.end(), less);
      tn::stable_sort(tn::seq, v, less);
      if (!same(v, expected)) FAIL(n << " elements, round " << round);
    }
  SUCCEED();
}

bool all_there(std::vector<keyed<16>> v, std::vector<keyed<16>> const& before) {
  std::sort(v.begin(), v.end(), [](auto const& a, auto const& b) { return a.place < b.place; });
  return same(v, before);
}

TEST_CASE("a comparator of plain elements that throws or lies loses none", "[sort]") {
  std::mt19937 random(5);
  for (std::size_t const n : {12U, 30U, 100U, 400U, 6000U, 20'000U})
    for (order const o : orders) {
      if (tn::test::sanitized && n > 6000 && o != order::random) continue;
      auto const before = elements<16>(keys_of(o, n, random));
      for (std::size_t const after : {std::size_t{3}, n / 3, n - 1, n + n / 2, 2 * n, 3 * n, 5 * n, 9 * n}) {
        auto v = before;
        std::atomic<std::size_t> calls{0};
        auto const less = [&](auto const& a, auto const& b) {
          if (++calls > after) throw std::runtime_error("compare");
          return a.key < b.key;
        };
        try {
          tn::sort(tn::par, v, less);
        } catch (std::runtime_error const&) {
        }
        if (!all_there(v, before)) FAIL("throws: order " << static_cast<int>(o) << ", " << n << " after " << after);
      }
      for (std::uint64_t const rarely : {1U, 2U, 16U, 300U}) {  // one answer of so many is wrong
        auto v = before;
        std::atomic<std::uint64_t> calls{0};
        tn::sort(tn::par, v, [&](auto const& a, auto const& b) {
          return (a.key < b.key) != ((++calls * 0x9e3779b97f4a7c15ULL >> 40) % rarely == 0);
        });
        tn::sort(tn::par, v, [](auto const&, auto const&) { return true; });
        if (!all_there(v, before)) FAIL("lies: order " << static_cast<int>(o) << ", " << n << ", 1 of " << rarely);
      }
    }
  SUCCEED();
}

struct moved_bytes {  // trivially copyable, but copies are forbidden
  int key;
  moved_bytes(int its_key) : key(its_key) {}
  moved_bytes(moved_bytes const&) = delete;
  moved_bytes(moved_bytes&&) = default;
  moved_bytes& operator=(moved_bytes const&) = delete;
  moved_bytes& operator=(moved_bytes&&) = default;
};

TEST_CASE("move-only elements that are plain bytes", "[sort]") {
  std::vector<moved_bytes> v;
  for (int i = 0; i != 3000; ++i) v.emplace_back(i * 7919 % 3001);
  tn::sort(tn::par, v, {}, &moved_bytes::key);
  CHECK(std::ranges::is_sorted(v, {}, &moved_bytes::key));
  tn::sort(tn::par, v, [](moved_bytes const& a, moved_bytes const& b) { return b.key < a.key; });
  CHECK(std::ranges::is_sorted(v, std::greater<>{}, &moved_bytes::key));
}

}  // namespace
