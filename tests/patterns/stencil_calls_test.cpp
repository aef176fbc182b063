#include "tartan/patterns/stencil.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "patterns/stencil_reference.hpp"
#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"

namespace {

namespace tn = tartan;
namespace boundary = tn::boundary;
using namespace tn::test;

auto const cross1 = [](auto at) { return (at(-1) + at(1)) / 2; };
auto const cross2 = [](auto at) { return (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)) / 4; };

}  // namespace

TEST_CASE("until stops when little changes, and says how much", "[stencil]") {
  tn::grid<float, 2> g(16, 16);
  fill_random(g, 10);
  auto plain = g;
  auto const done = tn::stencil(tn::par.simd(), g, tn::until([](float change) { return change < 1e-2F; }, 10),
                                tn::radius(1), boundary::constant(0.0F), cross2);
  REQUIRE(done.steps % 10 == 0);
  REQUIRE(done.last < 1e-2F);
  auto before = plain;
  for (std::size_t s = 0; s != done.steps; ++s) {
    before = plain;
    plain = naive_step(plain, 1, {edge::constant, 0.0F}, cross2);
  }
  REQUIRE(g == plain);
  float change = 0;
  each_point<2>(g.extents(), [&](std::array<long, 2> const& at) {
    auto const i = static_cast<std::size_t>(at[0]), j = static_cast<std::size_t>(at[1]);
    change = std::max(change, std::abs(plain(i, j) - before(i, j)));
  });
  REQUIRE(done.last == change);
  auto const capped = tn::stencil(tn::seq, g, tn::until([](float) { return false; }, 4).at_most(10), tn::radius(1),
                                  boundary::clamp, cross2);
  REQUIRE(capped.steps == 10);
  g(3, 3) = std::numeric_limits<float>::quiet_NaN();
  auto const sick =
      tn::stencil(tn::seq, g, tn::until([](float c) { return std::isnan(c); }), tn::radius(1), boundary::clamp, cross2);
  REQUIRE(sick.steps == 1);
}

TEST_CASE("until measures what it is told to, the same for any number of workers", "[stencil]") {
  tn::grid<float, 2> start(23, 37);
  fill_random(start, 14);
  auto const square = [](float now, float before) {
    return (static_cast<double>(now) - static_cast<double>(before)) *
           (static_cast<double>(now) - static_cast<double>(before));
  };
  auto const check = [&](auto const& policy) {
    auto g = start;
    auto const done = tn::stencil(policy, g, tn::until([](double d) { return d < 1; }, 3).of(square, std::plus<>{}),
                                  tn::radius(1), boundary::constant(0.0F), cross2);
    REQUIRE(done.steps % 3 == 0);
    REQUIRE(done.last < 1);
    auto before = start, plain = start;
    for (std::size_t s = 0; s != done.steps; ++s) {
      before = plain;
      plain = naive_step(plain, 1, {edge::constant, 0.0F}, cross2);
    }
    REQUIRE(g == plain);
    double sum = 0;
    for (std::size_t i = 0; i != 23; ++i) {
      double row = square(plain(i, 0), before(i, 0));
      for (std::size_t j = 1; j != 37; ++j) row += square(plain(i, j), before(i, j));
      sum = i == 0 ? row : sum + row;
    }
    REQUIRE(done.last == sum);
  };
  check(tn::seq);
  check(tn::par.workers(3).simd());
  auto g = start;
  auto const changed = tn::stencil(tn::par, g,
                                   tn::until([](int n) { return n == 0; })
                                       .of([](float a, float b) { return a != b ? 1 : 0; }, std::plus<>{})
                                       .at_most(5),
                                   tn::radius(0), boundary::clamp, [](auto at) { return at(0, 0); });
  REQUIRE(changed.steps == 1);
  REQUIRE(changed.last == 0);
}

TEST_CASE("until sees every change, and none where there is none", "[stencil]") {
  auto const last_of = []<class T>(T from, T to) {
    tn::grid<T, 1> g(40);
    g.fill(to);
    g(17) = from;
    auto const turn = [=](auto at) { return tn::lanes::select(at(0) == from, to, at(0)); };
    return tn::stencil(tn::par.simd(), g, tn::until([](T) { return true; }), tn::radius(0), boundary::clamp, turn).last;
  };
  constexpr auto most = std::numeric_limits<std::int32_t>::max();
  REQUIRE(last_of(std::int8_t{127}, std::int8_t{-128}) == 127);
  REQUIRE(last_of(std::int8_t{-3}, std::int8_t{50}) == 53);
  REQUIRE(last_of(std::int32_t{-2}, most) == most);
  REQUIRE(last_of(std::uint8_t{255}, std::uint8_t{3}) == 252);
  constexpr float infinite = std::numeric_limits<float>::infinity();
  REQUIRE(last_of(1.0F, infinite) == infinite);

  tn::grid<float, 1> wall(50);
  wall.fill(infinite);
  auto const stays = tn::stencil(tn::seq, wall, tn::until([](float d) { return d == 0; }).at_most(3), tn::radius(1),
                                 boundary::clamp, cross1);
  REQUIRE(stays.steps == 1);
}

TEST_CASE("stencil_into writes another type, from and to views with strides", "[stencil]") {
  std::vector<std::uint8_t> pixels(50 * 80);
  std::mt19937 random{11};
  for (auto& p : pixels) p = static_cast<std::uint8_t>(random());
  tn::grid_view<std::uint8_t const, 2> const image{pixels.data() + 3, {50, 70}, {80, 1}};
  auto const blur = [](auto at) {
    return (at(-1, -1) + 2 * at(-1, 0) + at(-1, 1) + 2 * at(0, -1) + 4 * at(0, 0) + 2 * at(0, 1) + at(1, -1) +
            2 * at(1, 0) + at(1, 1));
  };
  tn::grid<std::uint8_t, 2> copy(50, 70);
  for (std::size_t i = 0; i != 50; ++i)
    for (std::size_t j = 0; j != 70; ++j) copy(i, j) = image(i, j);
  for (auto const& rule : all_rules<std::uint8_t>()) {
    auto const check = [&](auto const& policy) {
      tn::grid<std::int16_t, 2> out(50, 70);
      out.fill(-1);
      tn::stencil_into(policy, image, out, tn::radius(1), rule, blur);
      each_point<2>(copy.extents(), [&](std::array<long, 2> const& at) {
        bool const rim = at[0] == 0 || at[0] == 49 || at[1] == 0 || at[1] == 69;
        auto const expected =
            rule.kind == edge::none && rim ? -1 : blur(naive_point<std::uint8_t, 2>{copy, rule.kind, rule.value, at});
        REQUIRE(out(static_cast<std::size_t>(at[0]), static_cast<std::size_t>(at[1])) == expected);
      });
    };
    check(tn::seq);
    check(tn::seq.simd());
    check(tn::par.workers(2).simd());
  }
  std::vector<float> wide(40 * 60, 1.0F);  // every other element of every row
  tn::grid_view<float, 2> const sparse{wide.data(), {40, 30}, {60, 2}};
  sparse(20, 15) = 9;
  tn::grid<float, 2> dense(40, 30);
  dense.fill(1);
  dense(20, 15) = 9;
  tn::stencil(tn::par.simd(), sparse, tn::steps(3), tn::radius(1), boundary::clamp, cross2);
  tn::stencil(tn::seq, dense, tn::steps(3), tn::radius(1), boundary::clamp, cross2);
  for (std::size_t i = 0; i != 40; ++i)
    for (std::size_t j = 0; j != 30; ++j) REQUIRE(sparse(i, j) == dense(i, j));
  REQUIRE(wide[1] == 1.0F);
}

TEST_CASE("bad input is refused by a typed error with a sentence", "[stencil]") {
  tn::grid<float, 2> g(4, 10), other(4, 11), small(2, 2);
  REQUIRE_THROWS_AS((tn::grid<float, 2>(0, 3)), tn::bad_argument);
  REQUIRE_THROWS_AS(tn::steps(0), tn::bad_argument);
  REQUIRE_THROWS_AS(tn::radius(-1), tn::bad_argument);
  REQUIRE_THROWS_AS(tn::until([](float) { return true; }, 0), tn::bad_argument);
  REQUIRE_THROWS_AS(tn::stencil(tn::seq, small, tn::steps(1), tn::radius(2), boundary::reflect, cross2),
                    tn::bad_extents);
  REQUIRE_THROWS_AS(tn::stencil(tn::seq, small, tn::steps(1), tn::radius(1), boundary::none, cross2), tn::bad_extents);
  REQUIRE_THROWS_AS(tn::stencil(tn::seq, g, tn::steps(1), tn::radius(1, 1, 1), boundary::clamp, cross2),
                    tn::bad_argument);
  REQUIRE_THROWS_AS(tn::stencil(tn::seq, tn::fields(g, other), tn::steps(1), tn::radius(1), boundary::clamp,
                                [](auto a, auto) { return a(0, 0); }),
                    tn::bad_extents);
  REQUIRE_THROWS_AS(tn::stencil(tn::seq, tn::fields(g, g), tn::steps(1), tn::radius(1), boundary::clamp,
                                [](auto a, auto) { return a(0, 0); }),
                    tn::bad_argument);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, g, other, tn::radius(1), boundary::clamp, cross2), tn::bad_extents);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, g, g, tn::radius(1), boundary::clamp, cross2), tn::bad_argument);
}

TEST_CASE("an extent beyond what at.index() can say is refused", "[stencil]") {
  constexpr std::size_t n = std::size_t{1} << 31;
  // Addresses only: nothing is read or written.
  void* const memory = ::mmap(nullptr, 2 * n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  tn::grid_view<char, 1> const in(static_cast<char*>(memory), {n}), out(static_cast<char*>(memory) + n, {n});
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, out, tn::radius(1), boundary::clamp, [](auto at) { return at(0); }),
                    tn::bad_extents);
  ::munmap(memory, 2 * n);
}

TEST_CASE("an exception leaves the state before the steps in progress", "[stencil]") {
  tn::grid<float, 2> g(50, 60);
  fill_random(g, 12);
  auto const before = g;
  auto const throws_inside = [](auto at) {
    auto const [i, j] = at.index();
    if (i == 30 && j == 31) throw std::runtime_error("here");
    return at(0, 0) / 2;
  };
  REQUIRE_THROWS_AS(tn::stencil(tn::par.workers(2), g, tn::steps(5), tn::radius(1), boundary::clamp, throws_inside),
                    std::runtime_error);
  REQUIRE(g == before);
}

TEST_CASE("f may itself run a stencil", "[stencil]") {
  tn::grid<float, 2> g(6, 8);
  fill_random(g, 13);
  auto expected = g;
  auto const outer = [](auto at) {
    tn::grid<float, 1> line(5);
    line(2) = at(0, 1);
    tn::stencil(tn::seq, line, tn::steps(2), tn::radius(1), boundary::clamp, cross1);
    return line(2) + at(0, -1) / 4;
  };
  expected = naive_step(expected, 1, {edge::clamp}, outer);
  tn::stencil(tn::par.workers(2), g, tn::steps(1), tn::radius(1), boundary::clamp, outer);
  REQUIRE(g == expected);
}
