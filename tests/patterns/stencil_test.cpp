#include "tartan/patterns/stencil.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"

namespace {

namespace tn = tartan;
namespace boundary = tn::boundary;
using tn::detail::edge;

template <class G>
void fill_random(G& g, unsigned seed) {
  using T = typename G::value_type;
  std::mt19937 random{seed};
  auto const next = [&] {
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(static_cast<int>(random() % 4096)) / T{64};
    else
      return static_cast<T>(random());
  };
  if constexpr (G::rank == 1)
    for (T& x : g.row()) x = next();
  if constexpr (G::rank == 2)
    for (std::size_t i = 0; i != g.extent(0); ++i)
      for (T& x : g.row(i)) x = next();
  if constexpr (G::rank == 3)
    for (std::size_t i = 0; i != g.extent(0); ++i)
      for (std::size_t j = 0; j != g.extent(1); ++j)
        for (T& x : g.row(i, j)) x = next();
}

/// The meaning of a boundary, one index at a time: nothing is shared with the library. -1 stands for the constant.
long meant(edge kind, long i, long n) {
  if (i >= 0 && i < n) return i;
  switch (kind) {
    case edge::clamp:
      return i < 0 ? 0 : n - 1;
    case edge::wrap:
      return ((i % n) + n) % n;
    case edge::reflect:
      return i < 0 ? -i : 2 * n - 2 - i;
    case edge::symmetric:
      return i < 0 ? -i - 1 : 2 * n - 1 - i;
    case edge::constant:
    case edge::none:
      break;
  }
  return -1;
}

/// A neighbourhood as the naive reference sees it.
template <class T, std::size_t D>
struct naive_point {
  tn::grid<T, D> const& g;
  edge kind;
  T constant;
  std::array<long, D> at;

  template <class... I>
  T operator()(I... offset) const {
    std::array<long, D> where{offset...};
    for (std::size_t d = 0; d != D; ++d) {
      where[d] = meant(kind, at[d] + where[d], static_cast<long>(g.extent(d)));
      if (where[d] < 0) return constant;
    }
    return std::apply([&](auto... i) { return g(static_cast<std::size_t>(i)...); }, where);
  }
  std::array<int, D> index() const {
    std::array<int, D> out{};
    for (std::size_t d = 0; d != D; ++d) out[d] = static_cast<int>(at[d]);
    return out;
  }
};

template <std::size_t D, class Body>
void each_point(std::array<std::size_t, D> const& extents, Body&& body) {
  std::array<long, D> at{};
  while (true) {
    body(at);
    std::size_t d = D;
    while (d-- != 0) {
      if (++at[d] != static_cast<long>(extents[d])) break;
      at[d] = 0;
      if (d == 0) return;
    }
  }
}

template <class T, std::size_t D, class F>
tn::grid<T, D> naive_step(tn::grid<T, D> const& g, long radius, tn::detail::edge_rule<T> rule, F& f) {
  auto next = g;
  each_point<D>(g.extents(), [&](std::array<long, D> const& at) {
    if (rule.kind == edge::none)
      for (std::size_t d = 0; d != D; ++d)
        if (at[d] < radius || at[d] >= static_cast<long>(g.extent(d)) - radius) return;
    T const value = static_cast<T>(f(naive_point<T, D>{g, rule.kind, rule.value, at}));
    std::apply([&](auto... i) { next(static_cast<std::size_t>(i)...) = value; }, at);
  });
  return next;
}

template <class T>
std::array<tn::detail::edge_rule<T>, 6> all_rules() {
  return {{{edge::clamp}, {edge::wrap}, {edge::reflect}, {edge::symmetric}, {edge::constant, T(7)}, {edge::none}}};
}

/// Fewer under the address sanitizer, in whose unoptimised builds a step takes 50 times as long.
#if TARTAN_ASAN
constexpr std::array<std::ptrdiff_t, 2> depths{1, 5};
#else
constexpr std::array<std::ptrdiff_t, 4> depths{1, 2, 5, 64};
#endif

/// Steps by every policy and several depths give the naive result, bit for bit.
template <class T, std::size_t D, class F>
void check_steps(std::array<std::size_t, D> extents, long radius, std::ptrdiff_t steps, F f) {
  for (auto const& rule : all_rules<T>()) {
    tn::grid<T, D> start(extents);
    fill_random(start, 1);
    auto expected = start;
    for (std::ptrdiff_t s = 0; s != steps; ++s) expected = naive_step(expected, radius, rule, f);
    auto const check = [&](char const* name, auto const& policy) {
      for (std::ptrdiff_t depth : depths) {
        auto g = start;
        tn::stencil(policy, g, tn::steps(steps).temporal(depth), tn::radius(radius), rule, f);
        INFO(name << ", boundary " << static_cast<int>(rule.kind) << ", depth " << depth << ", " << steps
                  << " steps, radius " << radius << ", last extent " << extents[D - 1]);
        REQUIRE(g == expected);
      }
    };
    check("seq", tn::seq);
    check("simd", tn::seq.simd());
    check("par", tn::par.workers(3));
    check("par_simd", tn::par.workers(3).simd());
  }
}

auto const cross1 = [](auto at) { return (at(-1) + at(1)) / 2; };
auto const cross2 = [](auto at) { return (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)) / 4; };
auto const uneven = [](auto at) { return at(0, 0) / 2 + at(-1, 1) / 4 - at(1, -1) / 8; };
auto const cross3 = [](auto at) {
  return (at(-1, 0, 0) + at(1, 0, 0) + at(0, -1, 0) + at(0, 1, 0) + at(0, 0, -1) + at(0, 0, 1)) / 8 + at(0, 0, 0) / 4;
};

}  // namespace

TEST_CASE("one dimension: every boundary, policy and depth", "[stencil]") {
  check_steps<float, 1>({3}, 1, 4, cross1);
  check_steps<float, 1>({100}, 1, 7, cross1);
  check_steps<double, 1>({1000}, 1, 40, cross1);
  check_steps<float, 1>({301}, 3, 5, [](auto at) { return (at(-3) + at(3) + at(0)) / 3; });
}

TEST_CASE("two dimensions: every boundary, policy and depth", "[stencil]") {
  check_steps<float, 2>({3, 3}, 1, 3, cross2);
  check_steps<float, 2>({5, 70}, 1, 6, cross2);
  check_steps<float, 2>({64, 64}, 1, 9, cross2);
  check_steps<double, 2>({33, 17}, 1, 5, cross2);
  check_steps<float, 2>({21, 90}, 2, 4,
                        [](auto at) { return (at(-2, 0) + at(2, 1) + at(0, -2) + at(1, 2) + at(0, 0)) / 5; });
  check_steps<std::int32_t, 2>({20, 50}, 1, 3, uneven);
}

TEST_CASE("a radius as wide as the user says", "[stencil]") {
  check_steps<float, 2>({23, 60}, 7, 3, [](auto at) { return (at(-7, 0) + at(6, 5) + at(0, -7) + at(5, 7)) / 4; });
}

TEST_CASE("wide rows are read where they lie, their ends from copies", "[stencil]") {
  check_steps<float, 2>({9, 1700}, 1, 3, cross2);
  check_steps<std::int32_t, 2>({6, 1700}, 1, 2, uneven);
}

TEST_CASE("products and sums round alike however the grid is cut", "[stencil]") {
  auto const f = [](auto at) {
    return 0.3F * at(0, 0) + (0.3F * at(-1, 0) + 0.2F * at(1, 0)) + (at(0, -1) * 0.1F + at(0, 1) * 0.1F) * at(0, 0);
  };
  for (std::size_t rows : {8U, 9U, 31U}) {
    tn::grid<float, 2> start(rows, 1111);
    fill_random(start, 3);
    for (std::size_t i = 0; i != rows; ++i)
      for (float& x : start.row(i)) x /= 100;
    auto expected = start;
    tn::stencil(tn::par.workers(1).simd(), expected, tn::steps(7).temporal(1), tn::radius(1), boundary::clamp, f);
    for (std::ptrdiff_t depth : {1, 2, 3, 7}) {
      auto g = start;
      tn::stencil(tn::par.workers(3).simd(), g, tn::steps(7).temporal(depth), tn::radius(1), boundary::clamp, f);
      INFO(rows << " rows, depth " << depth);
      REQUIRE(g == expected);
    }
  }
}

TEST_CASE("three dimensions: every boundary, policy and depth", "[stencil]") {
  check_steps<float, 3>({3, 4, 5}, 1, 3, cross3);
  check_steps<float, 3>({9, 20, 33}, 1, 4, cross3);
  check_steps<double, 3>({12, 7, 16}, 2, 2, [](auto at) {
    return (at(-2, 0, 0) + at(2, 1, 0) + at(0, -2, 1) + at(0, 2, 0) + at(1, 0, -2) + at(0, 0, 2)) / 6;
  });
}

TEST_CASE("a wide grid is cut into strips and bands that do not show", "[stencil]") {
  constexpr std::size_t columns = TARTAN_ASAN ? 1300 : 5000;  // see depths
  constexpr std::ptrdiff_t steps = TARTAN_ASAN ? 8 : 20;
  tn::grid<float, 2> start(40, columns);
  fill_random(start, 2);
  for (auto const& rule : all_rules<float>()) {
    auto expected = start;
    tn::stencil(tn::seq, expected, tn::steps(steps).temporal(1), tn::radius(1), rule, cross2);
    for (std::ptrdiff_t depth : {std::ptrdiff_t{2}, std::ptrdiff_t{7}, steps}) {
      auto g = start;
      tn::stencil(tn::par.workers(4).simd(), g, tn::steps(steps).temporal(depth), tn::radius(1), rule, cross2);
      INFO("boundary " << static_cast<int>(rule.kind) << ", depth " << depth);
      REQUIRE(g == expected);
    }
  }
}

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
