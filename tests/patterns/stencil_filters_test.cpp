#include "tartan/patterns/stencil.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "patterns/stencil_reference.hpp"
#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"
#include "tartan/leaves/wrapping.hpp"

namespace {

namespace tn = tartan;
using namespace tn::test;
using byte = std::uint8_t;
using picture = tn::grid<byte, 2>;
using rule = tn::detail::edge_rule<byte>;

constexpr std::array mirrors{rule{edge::clamp}, rule{edge::wrap}, rule{edge::reflect}, rule{edge::symmetric}};

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

TEST_CASE("interleaved elements keep to their own kind under a plain stencil too", "[stencil]") {
  tn::grid<std::int32_t, 2> start(6, 3 * 50);
  for (std::size_t i = 0; i != 6; ++i)
    for (std::size_t j = 0; j != 150; ++j) start(i, j) = j % 3 == 0 ? 600 : j % 3 == 1 ? 60 : 6;
  auto const mean = [](auto at) { return (at(0, -3) + at(0, 3) + at(-1, 0)) / 3; };
  for (auto const& edges : {tn::boundary::clamp, tn::boundary::reflect, tn::boundary::symmetric, tn::boundary::wrap})
    for (bool packs : {false, true}) {
      auto g = start;
      if (packs)
        tn::stencil(tn::par.workers(2).simd(), g, tn::steps(5), tn::radius(1, 3), edges.interleaved(3), mean);
      else
        tn::stencil(tn::par.workers(3), g, tn::steps(5), tn::radius(1, 3), edges.interleaved(3), mean);
      REQUIRE(g == start);  // each colour is even, so nothing changes, unless colours mix
    }
}
