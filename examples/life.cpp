// Conway's game of life on a torus: a glider walks once round the grid and must be where it began.
//
// Shows: a stencil of bytes that wraps, select in place of if, packs and numbers from one function.
// Build: g++ -std=c++20 -O3 -march=native life.cpp $(pkg-config --cflags --libs tartan) -o life
// Run:   ./life [SIZE]                      (default 256)
#include <tartan/map_reduce.hpp>
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace {

using world = tartan::grid<std::uint8_t, 2>;

auto const rules = [](auto at) {
  auto const around = at(-1, -1) + at(-1, 0) + at(-1, 1) + at(0, -1) + at(0, 1) + at(1, -1) + at(1, 0) + at(1, 1);
  return tartan::select(around == 3 || (around == 2 && at(0, 0) == 1), 1, 0);
};

std::size_t alive(world const& w) {
  std::size_t n = 0;
  for (std::size_t i = 0; i != w.extent(0); ++i)
    n += tartan::map_reduce(tartan::simd, w.row(i), [](auto cell) { return cell == 1; }, std::size_t{0});
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  long const size = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 256;
  if (size < 8 || size > 1 << 14) {
    std::fputs("life: SIZE must be from 8 to 16384\n", stderr);
    return EXIT_FAILURE;
  }
  auto const n = static_cast<std::size_t>(size);
  world w(n, n);
  for (auto [i, j] : {std::pair{0, 1}, {1, 2}, {2, 0}, {2, 1}, {2, 2}}) w(i, j) = 1;
  world const before = w;

  // A glider moves one cell down and one to the right in four generations.
  auto const done =
      tartan::stencil(tartan::par_simd, w, tartan::steps(4 * size), tartan::radius(1), tartan::boundary::wrap, rules);
  bool const home = w == before;
  std::printf("after %zu generations on %ld x %ld, %zu cells live; the glider is %s\n", done.steps, size, size,
              alive(w), home ? "where it began" : "lost");
  return home && alive(w) == 5 ? EXIT_SUCCESS : EXIT_FAILURE;
}
