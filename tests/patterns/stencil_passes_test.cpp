#include "tartan/patterns/stencil.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

#include "patterns/stencil_reference.hpp"
#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"
#include "tartan/leaves/wrapping.hpp"

namespace {

namespace tn = tartan;
using namespace tn::test;
namespace boundary = tn::boundary;
using byte = std::uint8_t;
using picture = tn::grid<byte, 2>;
using rule = tn::detail::edge_rule<byte>;

constexpr std::array rules{rule{edge::clamp}, rule{edge::wrap}, rule{edge::reflect}, rule{edge::symmetric},
                           rule{edge::constant, 7}};

auto const narrow = [](auto x) { return tn::lanes::wrapping<std::uint16_t>(x); };

/// Both leaves on threads. The caller's thread alone is left to one test, since each policy takes long to compile.
template <class Check>
void on_both_leaves(Check&& check) {
  check(tn::par.workers(3));
  check(tn::par.workers(2).simd());
}

}  // namespace

TEST_CASE("passes equal as many calls, in one and three dimensions, through other types", "[stencil]") {
  auto const check = [](auto const& in, auto middle, auto out, auto const& r1, auto const& r2, auto f, auto g) {
    for (auto const& edges : rules) {
      auto expected = out;
      tn::stencil_into(tn::seq, in, middle, r1, edges, f);
      tn::stencil_into(tn::seq, middle, expected, r2, edges, g);
      on_both_leaves([&](auto const& policy) {
        auto got = out;
        tn::stencil_into(policy, in, got, edges, tn::pass(r1, f), tn::pass(r2, g));
        INFO("boundary " << static_cast<int>(edges.kind));
        REQUIRE(got == expected);
      });
    }
  };
  check(
      random_grid<tn::grid<std::int16_t, 1>>({301}, 3), tn::grid<std::int32_t, 1>(301), tn::grid<double, 1>(301),
      tn::radius(2), tn::radius(1), [](auto at) { return at(-2) * at(2) + at(0); },
      [](auto at) { return at(-1) - 2 * at(1); });
  check(
      random_grid<tn::grid<byte, 3>>({9, 12, 70}, 4), tn::grid<std::uint16_t, 3>(9, 12, 70),
      tn::grid<std::int32_t, 3>(9, 12, 70), tn::radius(1, 2, 0), tn::radius(2, 0, 3),
      [](auto at) { return tn::lanes::to<std::uint16_t>(narrow(at(-1, 2, 0)) + narrow(at(1, -2, 0))); },
      [](auto at) { return at(-2, 0, 3) - at(2, 0, -3); });
}

TEST_CASE("one pass, three passes, and a pass of truths", "[stencil]") {
  picture const in = random_grid<picture>({40, 90}, 5);
  auto const bright = [](auto at) { return at(0, 0) > 99; };
  auto const grown = [](auto at) { return at(0, -1) + at(0, 1) + at(-1, 0) + at(1, 0) + at(0, 0) > 0; };
  auto const edge_of = [](auto at) { return at(0, 0) - (at(0, -1) & at(0, 1) & at(-1, 0) & at(1, 0)); };
  picture a(in.extents()), b(in.extents()), expected(in.extents());
  tn::stencil_into(tn::seq, in, a, tn::radius(0), boundary::clamp, bright);
  tn::stencil_into(tn::seq, a, b, tn::radius(1), boundary::clamp, grown);
  tn::stencil_into(tn::seq, b, expected, tn::radius(1), boundary::clamp, edge_of);
  on_both_leaves([&](auto const& policy) {
    picture out(in.extents());
    tn::stencil_into(policy, in, out, boundary::clamp, tn::pass(tn::radius(0), bright));
    REQUIRE(out == a);
    tn::stencil_into(policy, in, out, boundary::clamp, tn::pass(tn::radius(0), bright), tn::pass(tn::radius(1), grown),
                     tn::pass(tn::radius(1), edge_of));
    REQUIRE(out == expected);
  });
}

TEST_CASE("what passes and interleaved elements cannot do is refused, and the caller's thread alone runs them",
          "[stencil]") {
  picture in = random_grid<picture>({8, 10}, 6), out(8, 10), other(8, 11);
  auto const same = [](auto at) { return at(0, 0); };
  auto const one = tn::pass(tn::radius(1), same);
  tn::stencil_into(tn::seq, in, out, boundary::clamp, one);
  REQUIRE(out == in);
  out.fill(0);
  tn::stencil_into(tn::seq.simd(), in, out, boundary::clamp, one);
  REQUIRE(out == in);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, out, boundary::none, one), tn::bad_argument);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, other, boundary::clamp, one), tn::bad_extents);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, out, boundary::clamp.interleaved(3), one), tn::bad_extents);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, out, boundary::reflect, tn::pass(tn::radius(8), same)),
                    tn::bad_extents);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, in, boundary::clamp, one), tn::bad_argument);
  REQUIRE_THROWS_AS(boundary::clamp.interleaved(0), tn::bad_argument);
  // Rows that go upwards: the whole block overlaps although it begins behind it.
  tn::grid_view<byte, 2> const flipped{&in(7U, 0U), {8, 10}, {-in.view().strides[0], 1}};
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, flipped, boundary::clamp, one), tn::bad_argument);
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, in, flipped, tn::radius(1), boundary::clamp, same), tn::bad_argument);
  tn::grid_view<byte, 2> const sparse{&out(0U, 0U), {4, 5}, {20, 2}};
  REQUIRE_THROWS_AS(tn::stencil_into(tn::seq, sparse, picture(4, 5), boundary::clamp, one), tn::bad_argument);
}

TEST_CASE("an exception of a pass reaches the caller", "[stencil]") {
  picture in(50, 60), out(50, 60);
  in(30, 31) = 1;
  auto const fails = [](auto at) {
    if (at(0, 0) == 1) throw std::runtime_error("here");
    return at(0, 0);
  };
  auto const same = [](auto at) { return at(0, 0); };
  REQUIRE_THROWS_AS(tn::stencil_into(tn::par.workers(2), in, out, boundary::clamp, tn::pass(tn::radius(1), same),
                                     tn::pass(tn::radius(0), fails)),
                    std::runtime_error);
}
