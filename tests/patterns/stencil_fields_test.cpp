#include "tartan/patterns/stencil.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <tuple>

#include "patterns/stencil_reference.hpp"
#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"

namespace {

namespace tn = tartan;
namespace boundary = tn::boundary;
using namespace tn::test;

}  // namespace

TEST_CASE("bytes wrap as in the game of life", "[stencil]") {
  auto const life = [](auto at) {
    auto const around = at(-1, -1) + at(-1, 0) + at(-1, 1) + at(0, -1) + at(0, 1) + at(1, -1) + at(1, 0) + at(1, 1);
    return tn::lanes::select(around == 3 || (around == 2 && at(0, 0) == 1), 1, 0);
  };
  tn::grid<std::uint8_t, 2> start(30, 200);
  std::mt19937 random{3};
  for (std::size_t i = 0; i != 30; ++i)
    for (auto& x : start.row(i)) x = random() % 3 == 0;
  auto expected = start;
  for (int s = 0; s != 12; ++s) expected = naive_step(expected, 1, {edge::wrap}, life);
  auto g = start;
  tn::stencil(tn::par.workers(2).simd(), g, tn::steps(12), tn::radius(1), boundary::wrap, life);
  REQUIRE(g == expected);
  g = start;
  tn::stencil(tn::seq, g, tn::steps(12), tn::radius(1), boundary::wrap, life);
  REQUIRE(g == expected);
}

TEST_CASE("index() is the place of the point, also where the grid wraps", "[stencil]") {
  auto const place = [](auto at) {
    auto const [i, j] = at.index();
    return at(0, -1) / 2 + i * 1000 + j;
  };
  tn::grid<std::int32_t, 2> start(20, 100);
  fill_random(start, 4);
  auto expected = start;
  for (int s = 0; s != 5; ++s) expected = naive_step(expected, 1, {edge::wrap}, place);
  auto const check = [&](auto const& policy) {
    auto g = start;
    tn::stencil(policy, g, tn::steps(5), tn::radius(1), boundary::wrap, place);
    REQUIRE(g == expected);
  };
  check(tn::seq);
  check(tn::seq.simd());
  check(tn::par.workers(3).simd());
}

TEST_CASE("index() of rows that are computed together, where planes come round", "[stencil]") {
  auto const place = [](auto at) {
    auto const [i, j] = at.index();
    return i * 1000 + j + 0 * at(0, 0);
  };
  for (std::size_t rows : {3U, 7U, 25U})
    for (auto const& edges : {boundary::wrap, boundary::clamp}) {
      tn::grid<std::int32_t, 2> g(rows, 70);
      tn::stencil(tn::par.workers(2).simd(), g, tn::steps(3), tn::radius(1), edges, place);
      each_point<2>(g.extents(), [&](std::array<long, 2> const& at) {
        REQUIRE(g(static_cast<std::size_t>(at[0]), static_cast<std::size_t>(at[1])) == at[0] * 1000 + at[1]);
      });
    }
}

TEST_CASE("a history of two states passes along, with a fixed field", "[stencil]") {
  tn::grid<float, 2> u0(40, 70), v0(40, 70), speed(40, 70);
  fill_random(u0, 5);
  fill_random(v0, 6);
  fill_random(speed, 7);
  auto const wave = [](auto at, auto before, auto c) {
    return (at(0, 0) - before(0, 0)) + c(0, 0) * (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)) / 1024;
  };
  for (std::ptrdiff_t steps : {1, 2, 3, 9}) {
    auto u = u0, v = v0;
    for (std::ptrdiff_t s = 0; s != steps; ++s) {
      auto next = u;
      each_point<2>(u.extents(), [&](std::array<long, 2> const& at) {
        auto const point = [&](tn::grid<float, 2> const& g) { return naive_point<float, 2>{g, edge::reflect, 0, at}; };
        next(static_cast<std::size_t>(at[0]), static_cast<std::size_t>(at[1])) = wave(point(u), point(v), point(speed));
      });
      v = u;
      u = next;
    }
    auto const check = [&](auto const& policy, std::ptrdiff_t depth) {
      auto a = u0, b = v0;
      tn::stencil(policy, tn::fields(a, b, tn::fixed(speed)), tn::steps(steps).temporal(depth), tn::radius(1),
                  boundary::reflect, wave);
      INFO(steps << " steps, depth " << depth);
      REQUIRE(a == u);
      REQUIRE(b == v);
    };
    for (std::ptrdiff_t depth : {1, 2, 4, 9}) {
      check(tn::seq, depth);
      check(tn::seq.simd(), depth);
      check(tn::par.workers(2).simd(), depth);
    }
  }
}

TEST_CASE("several unknowns change together", "[stencil]") {
  tn::grid<double, 2> a0(30, 45), b0(30, 45);
  fill_random(a0, 8);
  fill_random(b0, 9);
  auto const react = [](auto a, auto b) { return std::tuple{(a(0, -1) + b(0, 1)) / 2, (b(-1, 0) + a(1, 0)) / 2}; };
  auto a = a0, b = b0;
  for (int s = 0; s != 6; ++s) {
    auto next_a = a, next_b = b;
    each_point<2>(a.extents(), [&](std::array<long, 2> const& at) {
      auto const [x, y] =
          react(naive_point<double, 2>{a, edge::clamp, 0, at}, naive_point<double, 2>{b, edge::clamp, 0, at});
      next_a(static_cast<std::size_t>(at[0]), static_cast<std::size_t>(at[1])) = x;
      next_b(static_cast<std::size_t>(at[0]), static_cast<std::size_t>(at[1])) = y;
    });
    a = next_a;
    b = next_b;
  }
  auto const check = [&](auto const& policy) {
    auto p = a0, q = b0;
    tn::stencil(policy, tn::fields(p, q), tn::steps(6), tn::radius(1), boundary::clamp, react);
    REQUIRE(p == a);
    REQUIRE(q == b);
  };
  check(tn::seq);
  check(tn::seq.simd());
  check(tn::par.workers(2).simd());
}
