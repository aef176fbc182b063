#include "tartan/patterns/stencil.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <stdexcept>

#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"
#include "tartan/leaves/wrapping.hpp"

namespace {

namespace tn = tartan;
namespace boundary = tn::boundary;
using tn::detail::edge;
using byte = std::uint8_t;
using picture = tn::grid<byte, 2>;
using rule = tn::detail::edge_rule<byte>;

constexpr std::array mirrors{rule{edge::clamp}, rule{edge::wrap}, rule{edge::reflect}, rule{edge::symmetric}};
constexpr std::array rules{mirrors[0], mirrors[1], mirrors[2], mirrors[3], rule{edge::constant, 7}};

template <class G>
G random_grid(std::array<std::size_t, G::rank> extents, unsigned seed) {
  G g(extents);
  std::mt19937 random{seed};
  auto const fill = [&](auto row) {
    for (auto& x : row) x = static_cast<typename G::value_type>(random() % 256);
  };
  if constexpr (G::rank == 1) {
    fill(g.row());
  } else {
    for (std::size_t i = 0; i != extents[0]; ++i)
      if constexpr (G::rank == 2)
        fill(g.row(i));
      else
        for (std::size_t j = 0; j != extents[1]; ++j) fill(g.row(i, j));
  }
  return g;
}

/// What lies at i of n groups, by the meaning of the rule alone.
long meant(edge kind, long i, long n) {
  if (i >= 0 && i < n) return i;
  if (kind == edge::clamp) return i < 0 ? 0 : n - 1;
  if (kind == edge::wrap) return ((i % n) + n) % n;
  if (kind == edge::reflect) return i < 0 ? -i : 2 * n - 2 - i;
  return i < 0 ? -i - 1 : 2 * n - 1 - i;
}

/// The binomial filter with (2 r + 1)^2 weights of pixels of `colours` bytes, one byte at a time.
int plainly(picture const& in, rule const& edges, long colours, long r, long i, long j) {
  long const rows = static_cast<long>(in.extent(0)), pixels = static_cast<long>(in.extent(1)) / colours;
  std::array<int, 5> const weight = r == 1 ? std::array{1, 2, 1, 0, 0} : std::array{1, 4, 6, 4, 1};
  int sum = r == 1 ? 8 : 128;
  for (long y = -r; y <= r; ++y)
    for (long x = -r; x <= r; ++x) {
      long const row = meant(edges.kind, i + y, rows), pixel = meant(edges.kind, j / colours + x, pixels);
      int const value = in(static_cast<std::size_t>(row), static_cast<std::size_t>(pixel * colours + j % colours));
      sum += weight[static_cast<std::size_t>(y + r)] * weight[static_cast<std::size_t>(x + r)] * value;
    }
  return r == 1 ? sum >> 4 : sum >> 8;
}

auto const narrow = [](auto x) { return tn::lanes::wrapping<std::uint16_t>(x); };

template <class P>
void blur3(P const& policy, picture const& in, picture& out, rule const& edges, int colours) {
  using tn::lanes::to;
  tn::stencil_into(
      policy, in, out, edges.interleaved(colours),
      tn::pass(tn::radius(0, colours),
               [=](auto at) {
                 return to<std::uint16_t>(narrow(at(0, -colours)) + 2 * narrow(at(0, 0)) + narrow(at(0, colours)));
               }),
      tn::pass(tn::radius(1, 0), [](auto at) {
        return to<byte>((narrow(at(-1, 0)) + 2 * narrow(at(0, 0)) + narrow(at(1, 0)) + 8) >> 4);
      }));
}

template <class P>
void blur5(P const& policy, picture const& in, picture& out, rule const& edges, int colours) {
  using tn::lanes::to;
  auto const weigh = [](auto a, auto b, auto c, auto d, auto e) {
    return narrow(a) + narrow(e) + 4 * (narrow(b) + narrow(d)) + 6 * narrow(c);
  };
  tn::stencil_into(
      policy, in, out, edges.interleaved(colours),
      tn::pass(tn::radius(2, 0),
               [=](auto at) { return to<std::uint16_t>(weigh(at(-2, 0), at(-1, 0), at(0, 0), at(1, 0), at(2, 0))); }),
      tn::pass(tn::radius(0, 2 * colours), [=](auto at) {
        return to<byte>(
            (weigh(at(0, -2 * colours), at(0, -colours), at(0, 0), at(0, colours), at(0, 2 * colours)) + 128) >> 8);
      }));
}

template <class Check>
void on_each_policy(Check&& check) {
  check(tn::seq);
  check(tn::seq.simd());
  check(tn::par.workers(3));
  check(tn::par.workers(2).simd());
}

/// Equal everywhere, or the first place that differs.
void require_picture(picture const& out, picture const& in, rule const& edges, int colours, long r) {
  for (std::size_t i = 0; i != in.extent(0); ++i)
    for (std::size_t j = 0; j != in.extent(1); ++j)
      if (out(i, j) != plainly(in, edges, colours, r, static_cast<long>(i), static_cast<long>(j))) {
        INFO("boundary " << static_cast<int>(edges.kind) << ", " << colours << " colours, radius " << r << ", at " << i
                         << ", " << j);
        REQUIRE(out(i, j) == plainly(in, edges, colours, r, static_cast<long>(i), static_cast<long>(j)));
      }
}

}  // namespace

TEST_CASE("separable filters of grey and colour pictures equal the double loop, byte for byte", "[stencil]") {
  for (int colours : {1, 3})
    for (auto const& edges : mirrors)
      for (std::array<std::size_t, 2> pixels : {std::array<std::size_t, 2>{3, 3}, {5, 70}, {37, 131}}) {
        picture const in = random_grid<picture>({pixels[0], pixels[1] * static_cast<std::size_t>(colours)}, 1);
        on_each_policy([&](auto const& policy) {
          picture out(in.extents());
          blur3(policy, in, out, edges, colours);
          require_picture(out, in, edges, colours, 1);
          blur5(policy, in, out, edges, colours);
          require_picture(out, in, edges, colours, 2);
        });
      }
}

TEST_CASE("wide rows are read where they lie, also by the first of several passes", "[stencil]") {
  for (auto const& edges : mirrors) {
    picture const in = random_grid<picture>({5, 3 * 2600}, 2);
    picture expected(in.extents()), out(in.extents());
    blur5(tn::seq, in, expected, edges, 3);
    blur5(tn::seq.simd(), in, out, edges, 3);
    REQUIRE(out == expected);
    blur3(tn::par.workers(2).simd(), in, out, edges, 3);
    require_picture(out, in, edges, 3, 1);
  }
}

TEST_CASE("passes equal as many calls, in one and three dimensions, through other types", "[stencil]") {
  auto const check = [](auto const& in, auto middle, auto out, auto const& r1, auto const& r2, auto f, auto g) {
    for (auto const& edges : rules) {
      auto expected = out;
      tn::stencil_into(tn::seq, in, middle, r1, edges, f);
      tn::stencil_into(tn::seq, middle, expected, r2, edges, g);
      on_each_policy([&](auto const& policy) {
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
  on_each_policy([&](auto const& policy) {
    picture out(in.extents());
    tn::stencil_into(policy, in, out, boundary::clamp, tn::pass(tn::radius(0), bright));
    REQUIRE(out == a);
    tn::stencil_into(policy, in, out, boundary::clamp, tn::pass(tn::radius(0), bright), tn::pass(tn::radius(1), grown),
                     tn::pass(tn::radius(1), edge_of));
    REQUIRE(out == expected);
  });
}

TEST_CASE("interleaved elements keep to their own kind under a plain stencil too", "[stencil]") {
  tn::grid<std::int32_t, 2> start(6, 3 * 50);
  for (std::size_t i = 0; i != 6; ++i)
    for (std::size_t j = 0; j != 150; ++j) start(i, j) = j % 3 == 0 ? 600 : j % 3 == 1 ? 60 : 6;
  auto const mean = [](auto at) { return (at(0, -3) + at(0, 3) + at(-1, 0)) / 3; };
  for (auto const& edges : {boundary::clamp, boundary::reflect, boundary::symmetric, boundary::wrap})
    on_each_policy([&](auto const& policy) {
      auto g = start;
      tn::stencil(policy, g, tn::steps(5), tn::radius(1, 3), edges.interleaved(3), mean);
      REQUIRE(g == start);  // each colour is even, so nothing changes, unless colours mix
    });
}

TEST_CASE("what passes and interleaved elements cannot do is refused", "[stencil]") {
  picture in(8, 10), out(8, 10), other(8, 11);
  auto const same = [](auto at) { return at(0, 0); };
  auto const one = tn::pass(tn::radius(1), same);
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
