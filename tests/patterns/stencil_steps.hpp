#pragma once
// Steps by every policy and several depths against the meaning of a stencil.

#include <array>
#include <cstddef>

#include "patterns/stencil_reference.hpp"
#include "support/catch.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/leaves/simd.hpp"

namespace tartan::test {

/// Steps at once; 0 lets the grid decide. Fewer under sanitizers, in whose unoptimised builds a step takes 50 times as
/// long.
#if TARTAN_ASAN || TARTAN_TSAN
inline constexpr std::array<std::ptrdiff_t, 2> depths{0, 5};
#else
inline constexpr std::array<std::ptrdiff_t, 5> depths{0, 1, 2, 5, 64};
#endif

[[nodiscard]] inline detail::step_count steps_at_once(std::ptrdiff_t n, std::ptrdiff_t depth) {
  return depth == 0 ? steps(n) : steps(n).temporal(depth);
}

/// Steps by every policy and several depths give the naive result, bit for bit.
template <class T, std::size_t D, class F>
void check_steps(std::array<std::size_t, D> extents, long r, std::ptrdiff_t n, F f) {
  for (auto const& rule : all_rules<T>()) {
    grid<T, D> start(extents);
    fill_random(start, 1);
    auto expected = start;
    for (std::ptrdiff_t s = 0; s != n; ++s) expected = naive_step(expected, r, rule, f);
    auto const check = [&](char const* name, auto const& policy) {
      for (std::ptrdiff_t depth : depths) {
        auto g = start;
        stencil(policy, g, steps_at_once(n, depth), radius(r), rule, f);
        INFO(name << ", boundary " << static_cast<int>(rule.kind) << ", depth " << depth << ", " << n
                  << " steps, radius " << r << ", last extent " << extents[D - 1]);
        REQUIRE(g == expected);
      }
    };
    check("seq", seq);
    check("simd", seq.simd());
    check("par", par.workers(3));
    check("par_simd", par.workers(3).simd());
  }
}

}  // namespace tartan::test
