// A standing wave in a closed box: the amplitude must swing as the theory says, cos(omega t).
//
// Shows: a stencil over the history of a field in three dimensions, a fixed field of coefficients, symmetric walls.
// Build: g++ -std=c++20 -O3 -march=native wave3d.cpp $(pkg-config --cflags --libs tartan) -o wave3d
// Run:   ./wave3d [SIZE] [STEPS]            (default 64 200)
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

int main(int argc, char** argv) {
  long const size = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 64;
  long const steps = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 200;
  if (size < 4 || size > 512 || steps < 1) {
    std::fputs("wave3d: SIZE must be from 4 to 512 and STEPS at least 1\n", stderr);
    return EXIT_FAILURE;
  }
  auto const n = static_cast<std::size_t>(size);
  double const courant = 0.25;  // (c dt / dx)^2
  double const k = std::numbers::pi / static_cast<double>(size);
  // The scheme's own frequency of this mode: 2 - 2 cos(omega) = courant * 3 * (2 - 2 cos(k)).
  double const omega = std::acos(1 - courant * 3 * (1 - std::cos(k)));
  auto const mode = [&](std::size_t i) { return std::cos(k * (static_cast<double>(i) + 0.5)); };

  tartan::grid<double, 3> u(n, n, n), before(n, n, n), speed(n, n, n);
  speed.fill(courant);
  for (std::size_t z = 0; z != n; ++z)
    for (std::size_t y = 0; y != n; ++y)
      for (std::size_t x = 0; x != n; ++x) {
        u(z, y, x) = mode(z) * mode(y) * mode(x);
        before(z, y, x) = u(z, y, x) * std::cos(omega);
      }

  auto const done =
      tartan::stencil(tartan::par_simd, tartan::fields(u, before, tartan::fixed(speed)), tartan::steps(steps),
                      tartan::radius(1), tartan::boundary::symmetric, [](auto at, auto past, auto c) {
                        auto const laplace = (at(-1, 0, 0) + at(1, 0, 0)) + (at(0, -1, 0) + at(0, 1, 0)) +
                                             (at(0, 0, -1) + at(0, 0, 1)) - 6 * at(0, 0, 0);
                        return 2 * at(0, 0, 0) - past(0, 0, 0) + c(0, 0, 0) * laplace;
                      });

  double worst = 0;
  double const swing = std::cos(omega * static_cast<double>(steps));
  for (std::size_t z = 0; z != n; ++z)
    for (std::size_t y = 0; y != n; ++y)
      for (std::size_t x = 0; x != n; ++x)
        worst = std::max(worst, std::abs(u(z, y, x) - swing * mode(z) * mode(y) * mode(x)));
  std::printf("after %zu steps on %ld^3 points the wave is %.1e from the theory\n", done.steps, size, worst);
  return worst < 1e-9 ? EXIT_SUCCESS : EXIT_FAILURE;
}
