// The parts of a stencil that the choice of tiles hides from calls: tiles that are narrower than the radius or lie
// wholly in the rim, and what idle vector lanes look at.
#include "tartan/patterns/stencil.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "patterns/stencil_reference.hpp"
#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/exec/scratch.hpp"
#include "tartan/leaves/simd.hpp"

namespace {

namespace tn = tartan;
namespace detail = tn::detail;
using namespace tn::test;

/// Looks `far` points up, down and to both sides.
template <std::size_t D>
struct average {
  int far;
  auto operator()(auto at) const {
    if constexpr (D == 1) return (at(-far) + at(far)) / 2;
    if constexpr (D == 2) return (at(-far, 0) + at(far, far) + at(0, -far) + at(0, far)) / 4;
    if constexpr (D == 3) return (at(-far, 0, far) + at(far, far, 0) + at(0, -far, 0) + at(0, 0, -far)) / 4;
  }
};

/// One pass by these tiles, whatever the library would choose.
template <class Leaf, std::size_t D, class T, class F>
tn::grid<T, D> pass_by(detail::tiling const& cut, tn::grid<T, D> const& g, long r, detail::edge_rule<T> rule, F f) {
  auto next = g;
  auto const size = detail::block_of<T, D>(g.extents());
  using sweep = detail::stencil_sweep<Leaf, D, F, T, std::tuple<T>, std::tuple<T>, 0>;
  sweep const s{f,         size,          detail::radii<D>(tn::radius(r)), rule,
                cut.depth, cut.depth > 1, {detail::block_of(g.view())},    {detail::block_of(next.view())},
                {}};
  detail::scratch<detail::ring_memory> memory(1);
  detail::run_tiles(tn::seq, s, cut, memory);
  return next;
}

template <std::size_t D, class T>
void check_tiles(std::array<std::size_t, D> const& extents, int r, std::ptrdiff_t depth) {
  tn::grid<T, D> g(extents);
  fill_random(g, 21);
  if constexpr (std::is_integral_v<T> && D == 2)  // the sum of four must not overflow
    for (std::size_t i = 0; i != extents[0]; ++i)
      for (std::size_t j = 0; j != extents[1]; ++j) g(i, j) /= 4;
  std::ptrdiff_t const last = static_cast<std::ptrdiff_t>(extents[D - 1]);
  for (auto const& rule : all_rules<T>()) {
    average<D> const f{r};
    auto expected = g;
    for (std::ptrdiff_t s = 0; s != depth; ++s) expected = naive_step(expected, r, rule, f);
    for (std::ptrdiff_t columns = 64; columns < last + 64; columns += 64)
      for (std::ptrdiff_t rows : {1, 5, 64}) {
        if (D != 3 && rows != 1) continue;
        for (std::ptrdiff_t bands : {1, 3}) {
          if (D == 1 && bands != 1) continue;
          INFO("boundary " << static_cast<int>(rule.kind) << ", radius " << r << ", depth " << depth << ", tiles of "
                           << rows << " x " << columns << ", bands " << bands);
          detail::tiling const cut{depth, rows, columns, bands};
          REQUIRE((pass_by<tn::simd_leaf>(cut, g, r, rule, f)) == expected);
          REQUIRE((pass_by<tn::scalar_leaf>(cut, g, r, rule, f)) == expected);
        }
      }
  }
}

}  // namespace

TEST_CASE("idle vector lanes look at elements of the grid too", "[stencil]") {
  std::atomic<bool> strange{false};
  auto const watch = [&](auto const& v) {
    using tn::lanes::any;
    if (any(v < 1) || any(v > 9)) strange = true;
    return v;
  };
  auto const f = [&](auto at) { return (watch(at(0, -1)) + watch(at(1, 0)) + watch(at(0, 1))) / 3; };
  for (std::size_t columns : {20U, 33U, 900U, 1101U}) {
    tn::grid<std::int32_t, 2> g(7, columns);
    for (std::size_t i = 0; i != 7; ++i)
      for (std::size_t j = 0; j != columns; ++j) g(i, j) = static_cast<std::int32_t>(1 + (i + j) % 9);
    for (auto const& rule : all_rules<std::int32_t>())
      for (std::ptrdiff_t depth : {1, 3}) {
        auto h = g;
        tn::stencil(tn::par.workers(2).simd(), h, tn::steps(3).temporal(depth), tn::radius(1), rule, f);
        INFO(columns << " columns, boundary " << static_cast<int>(rule.kind) << ", depth " << depth);
        REQUIRE_FALSE(strange);
      }
  }
}

TEST_CASE("any tiles give the same, also those that are narrower than the radius or all rim", "[stencil]") {
  check_tiles<1, float>({400}, 1, 3);
  check_tiles<1, float>({400}, 130, 2);
  check_tiles<2, float>({9, 300}, 1, 3);
  check_tiles<2, std::int32_t>({150, 150}, 70, 1);
  check_tiles<3, float>({5, 9, 80}, 2, 2);
}
