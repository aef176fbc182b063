// Stencils over std::mdspan, where the standard library has it.
#include <cstddef>
#include <cstdio>
#include <vector>

#include "tartan/simd.hpp"
#include "tartan/stencil.hpp"

#if defined(__cpp_lib_mdspan)

namespace {

namespace tn = tartan;
using plane = std::dextents<std::size_t, 2>;
constexpr std::size_t rows = 40, columns = 64;

auto const spread = [](auto at) { return (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)) / 4; };

/// One step of `spread` with wrap, element by element; place(i, j) is where an element lies.
template <class Place>
std::vector<float> naive(std::vector<float> const& a, Place place) {
  std::vector<float> out(a.size());
  for (std::size_t i = 0; i != rows; ++i)
    for (std::size_t j = 0; j != columns; ++j) {
      std::size_t const up = (i + rows - 1) % rows, down = (i + 1) % rows;
      std::size_t const west = (j + columns - 1) % columns, east = (j + 1) % columns;
      out[place(i, j)] = (a[place(up, j)] + a[place(down, j)] + a[place(i, west)] + a[place(i, east)]) / 4;
    }
  return out;
}

}  // namespace

int main() {
  std::vector<float> a(rows * columns);
  for (std::size_t i = 0; i != a.size(); ++i) a[i] = static_cast<float>(i * 37 % 101);
  auto const expected = naive(a, [](std::size_t i, std::size_t j) { return i * columns + j; });
  std::vector<float> out(a.size());
  tn::grid_view<float, 2> const from(std::mdspan<float, plane>(a.data(), rows, columns));
  tn::grid_view<float, 2> const to(std::mdspan<float, plane>(out.data(), rows, columns));
  tn::stencil_into(tn::par_simd, from, to, tn::radius(1), tn::boundary::wrap, spread);
  bool right = out == expected;

  auto const by_columns = naive(a, [](std::size_t i, std::size_t j) { return i + j * rows; });
  std::mdspan<float, plane, std::layout_left> const left(a.data(), plane(rows, columns));
  tn::stencil(tn::simd, tn::grid_view<float, 2>(left), tn::steps(1), tn::radius(1), tn::boundary::wrap, spread);
  right = right && a == by_columns;
  std::puts(right ? "right" : "wrong");
  return right ? 0 : 1;
}

#else

int main() { return 77; }

#endif
