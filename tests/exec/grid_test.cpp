#include "tartan/exec/grid.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "support/catch.hpp"

namespace {

namespace tn = tartan;

template <class T>
std::uintptr_t address(T const& x) {
  return reinterpret_cast<std::uintptr_t>(&x);
}

struct odd {
  char bytes[12];
  friend bool operator==(odd const&, odd const&) = default;
};

}  // namespace

TEST_CASE("the rows of a grid begin at cache lines and are never a multiple of 4 KiB apart", "[grid]") {
  for (std::size_t columns : {1U, 17U, 256U, 1000U, 1024U, 2048U, 4096U, 4100U}) {
    tn::grid<float, 2> const g(3, columns);
    for (std::size_t i = 0; i != 3; ++i) REQUIRE(address(g(i, 0U)) % 64 == 0);
    std::size_t const apart = address(g(1U, 0U)) - address(g(0U, 0U));
    REQUIRE(apart >= columns * sizeof(float));
    if (apart >= 1024) {
      REQUIRE(apart % 4096 >= 256);
      REQUIRE(apart % 4096 <= 4096 - 256);
    }
  }
}

TEST_CASE("grids that are made one after another begin at different places of the cache", "[grid]") {
  tn::grid<double, 2> const a(512, 512), b(512, 512), c(512, 512);
  auto const place = [](auto const& g) { return address(g(0U, 0U)) % 4096; };
  REQUIRE(place(a) != place(b));
  REQUIRE(place(b) != place(c));
}

TEST_CASE("a grid holds zeros, is indexed by dimensions, and is a value", "[grid]") {
  tn::grid<int, 3> g(2, 3, 5);
  REQUIRE(g.size() == 30);
  REQUIRE(g.extents() == std::array<std::size_t, 3>{2, 3, 5});
  for (std::size_t i = 0; i != 2; ++i)
    for (std::size_t j = 0; j != 3; ++j)
      for (std::size_t k = 0; k != 5; ++k) {
        REQUIRE(g(i, j, k) == 0);
        g(i, j, k) = static_cast<int>(100 * i + 10 * j + k);
      }
  REQUIRE(g.row(1, 2).size() == 5);
  REQUIRE(g.row(1, 2)[4] == 124);
  REQUIRE(g.view()(1, 2, 3) == 123);

  auto copy = g;
  REQUIRE(copy == g);
  copy(1, 1, 1) = -1;
  REQUIRE(!(copy == g));
  auto moved = std::move(copy);
  REQUIRE(moved(1, 1, 1) == -1);
  g = moved;
  REQUIRE(g == moved);
  g.fill(7);
  REQUIRE(std::ranges::all_of(g.row(0, 0), [](int x) { return x == 7; }));
  REQUIRE(!(tn::grid<int, 1>(4) == tn::grid<int, 1>(5)));
  REQUIRE_THROWS_AS((tn::grid<int, 3>(2, 0, 2)), tn::bad_argument);
}

TEST_CASE("elements of odd sizes lie without padding", "[grid]") {
  tn::grid<odd, 2> g(4, 100);
  REQUIRE(address(g(1U, 0U)) - address(g(0U, 0U)) == 1200);
  g(3, 99) = {{1, 2, 3}};
  auto const copy = g;
  REQUIRE(copy == g);
  REQUIRE(copy.row(3)[99].bytes[2] == 3);
}

TEST_CASE("a view without strides has rows that follow each other", "[grid]") {
  int numbers[24];
  for (int i = 0; i != 24; ++i) numbers[i] = i;
  tn::grid_view<int const, 3> const v(numbers, {2, 3, 4});
  REQUIRE(v.strides == std::array<std::ptrdiff_t, 3>{12, 4, 1});
  REQUIRE(v(1, 2, 3) == 23);
  tn::grid_view<int, 2> const upside_down(numbers + 18, {4, 6}, {-6, 1});
  REQUIRE(upside_down(0, 0) == 18);
  REQUIRE(upside_down(3, 5) == 5);
}
