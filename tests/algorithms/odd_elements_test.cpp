#include "tartan/algorithms/fill.hpp"
#include "tartan/algorithms/filter.hpp"
#include "tartan/algorithms/reverse.hpp"
#include "tartan/algorithms/set_operations.hpp"
#include "tartan/algorithms/strided.hpp"
#include "tartan/algorithms/top_k.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/algorithms/zip.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"

namespace tn = tartan;

namespace {

/// Knows neither where it is nor how lists of expressions are written.
struct secretive {
  int value;
  void operator&() const = delete;
  template <class T>
  void operator,(T&&) const = delete;
};

struct constant {
  int const value = 1;
};

/// The move that `left` counts down to throws, before anything has changed.
struct fragile {
  static inline int left = 0;
  std::unique_ptr<int> value;
  explicit fragile(int v) : value(std::make_unique<int>(v)) {}
  fragile(fragile&& other) noexcept(false) : value((tick(), std::move(other.value))) {}
  fragile& operator=(fragile&& other) noexcept(false) {
    tick();
    value = std::move(other.value);
    return *this;
  }
  static void tick() {
    if (--left == 0) throw std::runtime_error("a move");
  }
};

std::vector<fragile> fragiles() {
  std::vector<fragile> v;
  v.reserve(60);
  for (int i = 0; i != 60; ++i) v.emplace_back(i);
  return v;
}

TEST_CASE("bits that a view turns or skips are written by one worker", "[odd]") {
  std::vector<bool> bits(500);
  auto const check = [&](auto&& view) {
    std::mutex guard;
    std::set<std::thread::id> threads;
    tn::generate(tn::par.workers(4), view, [&](std::size_t) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      std::lock_guard const hold(guard);
      threads.insert(std::this_thread::get_id());
      return true;
    });
    CHECK(threads.size() == 1);
  };
  check(bits | std::views::reverse);
  CHECK(std::count(bits.begin(), bits.end(), true) == 500);
  check(tn::strided(bits, 2));
}

TEST_CASE("a zip rotates on one worker and on several", "[odd]") {
  for (unsigned const workers : {1U, 3U}) {
    std::vector<int> numbers(1000);
    tn::iota(tn::seq, numbers, 0);
    auto others = numbers;
    auto const both = tn::zip(numbers, others);
    auto const at = tn::rotate(tn::par.workers(workers), both, both.begin() + 300);
    CHECK(at - both.begin() == 700);
    CHECK((numbers[0] == 300 && numbers[700] == 0 && numbers == others));
  }
}

TEST_CASE("elements may hide their address", "[odd]") {
  std::vector<secretive> v;
  for (int i = 0; i != 6000; ++i) v.push_back({i * 7 % 6000});
  auto const best = tn::top_k(tn::par, v, 3, [](auto const& a, auto const& b) { return a.value < b.value; });
  CHECK((best.size() == 3 && best[0].value == 0 && best[2].value == 2));
  auto const outcomes = tn::try_map(tn::par, v, [](secretive const& x) { return x; });
  CHECK(outcomes[1]->value == 7);
}

TEST_CASE("sets of elements that cannot be assigned", "[odd]") {
  std::vector<constant> const two(2), three(3);
  CHECK(tn::set_union(tn::par, two, three, {}, &constant::value, &constant::value).size() == 3);
}

TEST_CASE("a move that throws loses no other element", "[odd]") {
  auto const third = [](fragile const& x) { return *x.value % 3 == 0; };
  for (int left = 1; left != 130; ++left) {
    auto v = fragiles();
    fragile::left = left;
    try {
      auto const others = tn::partition(tn::par, v, third);
      CHECK(others - v.begin() == 20);
      for (int i = 0; i != 20; ++i) CHECK(*v[static_cast<std::size_t>(i)].value == 3 * i);
      for (int i = 0; i != 40; ++i) CHECK(*v[static_cast<std::size_t>(i + 20)].value == i + i / 2 + 1);
    } catch (std::runtime_error const&) {
    }
    fragile::left = 0;
    CHECK(std::count_if(v.begin(), v.end(), [](auto const& x) { return x.value != nullptr; }) >= 59);
    v = fragiles();
    fragile::left = left;
    try {
      auto const rest = tn::remove_if(tn::par, v, third);
      CHECK(rest - v.begin() == 40);
      for (int i = 0; i != 40; ++i) CHECK(*v[static_cast<std::size_t>(i)].value == i + i / 2 + 1);
    } catch (std::runtime_error const&) {
    }
    fragile::left = 0;
    CHECK(std::count_if(v.begin(), v.end(), [&](auto const& x) { return x.value && !third(x); }) >= 39);
  }
}

TEST_CASE("strides over narrow numbers, and strides that are none", "[odd]") {
  auto const every_third = tn::strided(std::views::iota(short{0}, short{100}), 3);
  CHECK((every_third.size() == 34 && every_third[33] == 99 && *(every_third.begin() + 2) == 6));
  std::vector<int> v(10);
  CHECK_THROWS_AS(tn::strided(v, 0), tn::bad_argument);
  CHECK_THROWS_AS(tn::strided(v, static_cast<std::size_t>(-1)), tn::bad_argument);
  CHECK(tn::strided(v, ~std::size_t{0} / 2).size() == 1);
}

}  // namespace
