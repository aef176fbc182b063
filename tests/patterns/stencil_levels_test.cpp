#include "tartan/patterns/stencil.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
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

/// Steps in packs on threads, some at once, against one scalar sweep a step.
template <class G, class Rule, class F>
void check_depths(G const& start, std::ptrdiff_t steps, std::initializer_list<std::ptrdiff_t> depths,
                  tn::detail::reach const& r, Rule const& rule, F const& f) {
  auto expected = start;
  tn::stencil(tn::seq, expected, tn::steps(steps).temporal(1), r, rule, f);
  for (std::ptrdiff_t depth : depths) {
    auto g = start;
    auto const when = depth == 0 ? tn::steps(steps) : tn::steps(steps).temporal(depth);
    tn::stencil(tn::par.workers(3).simd(), g, when, r, rule, f);
    INFO("boundary " << static_cast<int>(rule.kind) << ", depth " << depth << ", first extent " << start.extent(0));
    REQUIRE(g == expected);
  }
}

// No product meets a sum, so that scalars and packs round alike.
auto const line = [](auto at) { return (at(-1) + at(1)) / 2; };
auto const block = [](auto at) {
  return ((at(-1, 0, 0) + at(1, 1, 0)) + (at(0, -1, 0) + at(0, 0, 1))) / 4 - at(1, 0, -1) / 2;
};

}  // namespace

TEST_CASE("levels that take turns: lines of several tiles, odd and even depths", "[stencil]") {
  for (std::size_t n : {2047U, 2048U, 2049U, 6000U}) {
    tn::grid<float, 1> start(n);
    fill_random(start, 1);
    for (auto const& rule : all_rules<float>()) check_depths(start, 66, {0, 2, 3, 4, 65}, tn::radius(1), rule, line);
  }
}

TEST_CASE("levels that take turns: functions that look along rows or planes only", "[stencil]") {
  tn::grid<std::int32_t, 2> rows(5, 900);
  tn::grid<std::int32_t, 3> planes(4, 9, 40);
  fill_random(rows, 2);
  fill_random(planes, 3);
  for (auto const& rule : all_rules<std::int32_t>()) {
    check_depths(rows, 9, {0, 3, 4, 9}, tn::radius(0, 2), rule,
                 [](auto at) { return (at(0, -2) ^ at(0, 0)) & (at(0, 1) | at(0, 2)); });
    check_depths(planes, 7, {0, 3, 7}, tn::radius(0, 1, 1), rule,
                 [](auto at) { return (at(0, -1, 1) & at(0, 1, 0)) ^ at(0, 0, -1); });
  }
}

TEST_CASE("levels that take turns: a fixed field, two unknowns, and a history, which needs all of its own",
          "[stencil]") {
  tn::grid<double, 1> a0(2500), b0(2500), c(2500);
  fill_random(a0, 4);
  fill_random(b0, 5);
  fill_random(c, 6);
  auto const check = [&](auto const& f) {
    auto const run = [&](auto const& policy, std::ptrdiff_t depth) {
      auto a = a0, b = b0;
      tn::stencil(policy, tn::fields(a, b, tn::fixed(c)), tn::steps(11).temporal(depth), tn::radius(1),
                  boundary::symmetric, f);
      return std::tuple(a, b);
    };
    auto const expected = run(tn::seq, 1);
    for (std::ptrdiff_t depth : {2, 3, 4, 11}) {
      INFO("depth " << depth);
      REQUIRE(run(tn::par.workers(2).simd(), depth) == expected);
    }
  };
  check([](auto a, auto b, auto k) { return std::tuple{(a(-1) + b(1)) / 2, (b(-1) + k(1)) / 2}; });
  check([](auto a, auto b, auto k) { return (a(-1) + a(1)) / 2 - b(0) / 4 + k(-1) / 8; });
}

TEST_CASE("rows that pass from level to level: whole groups and parts, radii for which they do and do not",
          "[stencil]") {
  auto const look = [](std::ptrdiff_t r) {
    return [r](auto at) {
      int const far = static_cast<int>(r);
      return ((at(-far, 0) ^ at(far, 1)) & (at(0, -1) | at(1, far))) ^ at(-1, 0);
    };
  };
  for (std::size_t rows : {7U, 8U, 11U, 12U, 13U, 31U}) {
    tn::grid<std::int32_t, 2> start(rows, 70);
    fill_random(start, 9);
    for (auto const& rule : all_rules<std::int32_t>())
      for (std::ptrdiff_t r : {1, 2, 3}) check_depths(start, 10, {0, 2, 3, 4, 10}, tn::radius(r), rule, look(r));
  }
}

TEST_CASE("rows that pass from level to level: two unknowns and a fixed field, scalars", "[stencil]") {
  tn::grid<double, 2> a0(29, 40), b0(29, 40), c(29, 40);
  fill_random(a0, 10);
  fill_random(b0, 11);
  fill_random(c, 12);
  auto const run = [&](auto const& policy, std::ptrdiff_t depth) {
    auto a = a0, b = b0;
    tn::stencil(policy, tn::fields(a, tn::fixed(c), b), tn::steps(9).temporal(depth), tn::radius(2, 1), boundary::wrap,
                [](auto p, auto k, auto q) {
                  return std::tuple{(p(-2, 0) + q(2, 1)) / 2 - k(1, -1), (p(0, 1) + k(-2, 0)) / 4 + q(-1, 0) / 2};
                });
    return std::tuple(a, b);
  };
  auto const expected = run(tn::seq, 1);
  for (std::ptrdiff_t depth : {2, 3, 5, 9}) {
    INFO("depth " << depth);
    REQUIRE(run(tn::par.workers(2), depth) == expected);
    REQUIRE(run(tn::par.workers(3).simd(), depth) == expected);
  }
}

TEST_CASE("planes that are computed together, and those that are left over", "[stencil]") {
  for (std::size_t planes : {1U, 2U, 3U, 6U, 7U}) {
    tn::grid<float, 3> start(planes, 6, 37);
    fill_random(start, 7);
    for (auto const& rule : all_rules<float>())
      if (rule.kind != edge::none && (rule.kind != edge::reflect || planes > 1))
        check_depths(start, 5, {0, 1, 2, 5}, tn::radius(1), rule, block);
      else if (planes > 2)
        check_depths(start, 5, {0, 1, 2, 5}, tn::radius(1), rule, block);
  }
}

TEST_CASE("products and sums of three dimensions round alike however the grid is cut", "[stencil]") {
  auto const f = [](auto at) {
    return 0.3F * at(0, 0, 0) + (0.3F * at(-1, 0, 0) + 0.2F * at(1, 0, 0)) +
           (at(0, -1, 0) * 0.1F + at(0, 1, 0) * at(0, 0, -1)) * at(0, 0, 1);
  };
  for (std::size_t planes : {5U, 8U}) {
    tn::grid<float, 3> start(planes, 7, 40);
    fill_random(start, 8);
    for (std::size_t i = 0; i != planes; ++i)
      for (std::size_t j = 0; j != 7; ++j)
        for (float& x : start.row(i, j)) x /= 100;
    auto expected = start;
    tn::stencil(tn::par.workers(1).simd(), expected, tn::steps(6).temporal(1), tn::radius(1), boundary::clamp, f);
    for (std::ptrdiff_t depth : {1, 2, 3, 6}) {
      auto g = start;
      tn::stencil(tn::par.workers(3).simd(), g, tn::steps(6).temporal(depth), tn::radius(1), boundary::clamp, f);
      INFO(planes << " planes, depth " << depth);
      REQUIRE(g == expected);
    }
  }
}
