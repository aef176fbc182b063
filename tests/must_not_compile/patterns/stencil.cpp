// expect: take them as auto
// expect: one value, or
// expect: hold the same type
// expect: the grids of a stencil must lie where they do: make them tartan::shared_grid<T, D>
// expect: on processes stencil_into takes one pass
// expect: default-constructible, and no bool
// expect: the fields of a stencil are grids, or fixed(grid)
// expect: one that is const can only be read
// expect: the elements of this view are const
// expect: stencil_into reads a grid or grid_view
// expect: steps(n) or until(done, every), radius(r), a boundary and a function, in this order
// expect: a boundary and pass(radius(r), function)
#include <tartan/processes.hpp>
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <tuple>

int main() {
  tartan::grid<float, 2> g(8, 8), h(8, 8);
  tartan::grid<double, 2> d(8, 8);
#if !defined(TARTAN_MUST_FAIL)
  tartan::stencil(tartan::simd, g, tartan::steps(1), tartan::radius(1), tartan::boundary::clamp,
                  [](auto at) { return at(0, 1); });
#elif TARTAN_MUST_FAIL == 1
  tartan::stencil(tartan::simd, g, tartan::steps(1), tartan::radius(1), tartan::boundary::clamp,
                  [](tartan::detail::scalar_point<float, 2> at) { return at(0, 1); });
#elif TARTAN_MUST_FAIL == 2
  tartan::stencil(tartan::seq, tartan::fields(g, h), tartan::steps(1), tartan::radius(1), tartan::boundary::clamp,
                  [](auto a, auto b) { return std::tuple{a(0, 0), b(0, 0), a(0, 1)}; });
#elif TARTAN_MUST_FAIL == 3
  tartan::stencil(tartan::seq, tartan::fields(g, d), tartan::steps(1), tartan::radius(1), tartan::boundary::clamp,
                  [](auto a, auto b) { return a(0, 0) + b(0, 0); });
#elif TARTAN_MUST_FAIL == 4
  tartan::stencil(tartan::processes, g, tartan::steps(1), tartan::radius(1), tartan::boundary::clamp,
                  [](auto at) { return at(0, 1); });
#elif TARTAN_MUST_FAIL == 5
  tartan::shared_grid<float, 2> from(8, 8), to(8, 8);
  tartan::stencil_into(tartan::processes, from, to, tartan::boundary::clamp,
                       tartan::pass(tartan::radius(1), [](auto at) { return at(0, 1); }));
#elif TARTAN_MUST_FAIL == 6
  auto const none = tartan::until([](bool changed) { return !changed; });
  tartan::stencil(tartan::seq, g,
                  none.of([](float a, float b) { return a != b; }, [](bool a, bool b) { return a || b; }),
                  tartan::radius(1), tartan::boundary::clamp, [](auto at) { return at(0, 1); });
#elif TARTAN_MUST_FAIL == 7
  tartan::stencil(tartan::seq, tartan::fields(g, h.view()), tartan::steps(1), tartan::radius(1),
                  tartan::boundary::clamp, [](auto a, auto b) { return a(0, 0) + b(0, 0); });
#elif TARTAN_MUST_FAIL == 8
  auto const& same = h;
  tartan::stencil(tartan::seq, tartan::fields(g, same), tartan::steps(1), tartan::radius(1), tartan::boundary::clamp,
                  [](auto a, auto b) { return a(0, 0) + b(0, 0); });
#elif TARTAN_MUST_FAIL == 9
  auto const& same = h;
  tartan::stencil(tartan::seq, same.view(), tartan::steps(1), tartan::radius(1), tartan::boundary::clamp,
                  [](auto at) { return at(0, 1); });
#elif TARTAN_MUST_FAIL == 10
  float out[64] = {};
  tartan::stencil_into(tartan::seq, g, out, tartan::radius(1), tartan::boundary::clamp,
                       [](auto at) { return at(0, 1); });
#elif TARTAN_MUST_FAIL == 11
  tartan::stencil(tartan::seq, g, tartan::radius(1), tartan::boundary::clamp, [](auto at) { return at(0, 1); });
#elif TARTAN_MUST_FAIL == 12
  tartan::stencil_into(tartan::seq, g, h, tartan::boundary::clamp, tartan::radius(1), [](auto at) { return at(0, 1); });
#endif
}
