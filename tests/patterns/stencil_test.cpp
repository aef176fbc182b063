#include "tartan/patterns/stencil.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "patterns/stencil_reference.hpp"
#include "patterns/stencil_steps.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"

namespace {

namespace tn = tartan;
namespace boundary = tn::boundary;
using namespace tn::test;

auto const cross = [](auto at) { return (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)) / 4; };
auto const uneven = [](auto at) { return at(0, 0) / 2 + at(-1, 1) / 4 - at(1, -1) / 8; };

/// Looks r points far in each direction.
struct far_cross {
  int r;
  auto operator()(auto at) const { return (at(-r, 0) + 2 * at(r, r) + at(0, -r) + at(0, r) + at(0, 0)) / 8; }
};

}  // namespace

TEST_CASE("two dimensions: every boundary, policy and depth", "[stencil]") {
  check_steps<float, 2>({3, 3}, 1, 3, cross);
  check_steps<float, 2>({5, 70}, 1, 6, cross);
  check_steps<float, 2>({64, 64}, 1, 9, cross);
  check_steps<std::int32_t, 2>({20, 50}, 1, 3, uneven);
}

TEST_CASE("a radius as wide as the user says, or none", "[stencil]") {
  check_steps<double, 2>({33, 17}, 1, 5, far_cross{1});
  check_steps<double, 2>({21, 90}, 2, 4, far_cross{2});
  check_steps<double, 2>({23, 60}, 7, 3, far_cross{7});
  check_steps<double, 2>({1, 1}, 0, 2, far_cross{0});
  check_steps<double, 2>({9, 40}, 0, 3, far_cross{0});
}

TEST_CASE("wide rows are read where they lie, their ends from copies", "[stencil]") {
  check_steps<float, 2>({9, 1700}, 1, 3, cross);
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

TEST_CASE("a wide grid is cut into strips and bands that do not show", "[stencil]") {
  constexpr std::size_t columns = tn::test::sanitized ? 1300 : 5000;  // see depths
  constexpr std::ptrdiff_t steps = tn::test::sanitized ? 8 : 20;
  tn::grid<float, 2> start(40, columns);
  fill_random(start, 2);
  for (auto const& rule : all_rules<float>()) {
    auto expected = start;
    tn::stencil(tn::seq, expected, tn::steps(steps).temporal(1), tn::radius(1), rule, cross);
    for (std::ptrdiff_t depth : {std::ptrdiff_t{2}, std::ptrdiff_t{7}, steps}) {
      auto g = start;
      tn::stencil(tn::par.workers(4).simd(), g, tn::steps(steps).temporal(depth), tn::radius(1), rule, cross);
      INFO("boundary " << static_cast<int>(rule.kind) << ", depth " << depth);
      REQUIRE(g == expected);
    }
  }
}
