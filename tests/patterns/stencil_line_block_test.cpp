#include "tartan/patterns/stencil.hpp"

#include <cstddef>

#include "patterns/stencil_steps.hpp"
#include "support/catch.hpp"

namespace {

using namespace tartan::test;

/// Both look r far in each direction.
struct line_ends {
  int r;
  auto operator()(auto at) const { return (at(-r) + 2 * at(r) + at(0)) / 4; }
};
struct block_ends {
  int r;
  auto operator()(auto at) const {
    return (at(-r, 0, 0) + at(r, 1, 0) + at(0, -r, 1) + at(0, r, 0) + at(1, 0, -r) + at(0, 0, r)) / 8;
  }
};

auto const cross = [](auto at) {
  return (at(-1, 0, 0) + at(1, 0, 0) + at(0, -1, 0) + at(0, 1, 0) + at(0, 0, -1) + at(0, 0, 1)) / 8 + at(0, 0, 0) / 4;
};

}  // namespace

TEST_CASE("one dimension: every boundary, policy and depth", "[stencil]") {
  auto const mean = [](auto at) { return (at(-1) + at(1)) / 2; };
  check_steps<float, 1>({3}, 1, 4, mean);
  check_steps<float, 1>({100}, 1, 7, mean);
  check_steps<double, 1>({1000}, 1, 40, line_ends{1});
  check_steps<double, 1>({301}, 3, 5, line_ends{3});
}

TEST_CASE("three dimensions: every boundary, policy and depth", "[stencil]") {
  check_steps<float, 3>({3, 4, 5}, 1, 3, cross);
  check_steps<float, 3>({9, 20, 33}, 1, 4, cross);
  check_steps<double, 3>({12, 7, 16}, 2, 2, block_ends{2});
}
