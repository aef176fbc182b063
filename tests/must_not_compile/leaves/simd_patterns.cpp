// expect: make it generic
// expect: make it generic
// expect: simd needs adjacent elements
// expect: the function must return a pack
// expect: take them as auto
// expect: a stencil under simd needs grids of float, double or an integer type
// expect: a function for the packs of another library must return such a pack
#include <tartan/map.hpp>
#include <tartan/map_reduce.hpp>
#include <tartan/simd.hpp>
#include <tartan/stencil.hpp>

#include <list>
#include <string>
#include <vector>

struct two {
  float lane[2];
};
template <>
struct tartan::lanes::pack_traits<two> {
  using value_type = float;
  static constexpr std::size_t size = 2;
  static two load(float const* from) { return {{from[0], from[1]}}; }
  static void store(two const& p, float* to) { to[0] = p.lane[0], to[1] = p.lane[1]; }
};

int main() {
  std::vector<float> v(100, 1.0F);
  std::vector<std::string> words(3, "word");
  tartan::grid<float, 1> g(100);
  auto const stencil = [&](auto const& policy, auto& grid, auto f) {
    tartan::stencil(policy, grid, tartan::steps(1), tartan::radius(1), tartan::boundary::clamp, f);
  };
#if !defined(TARTAN_MUST_FAIL)
  static_cast<void>(tartan::map(tartan::simd.or_scalar(), v, [](float x) { return x > 0 ? x : -x; }));
  static_cast<void>(tartan::map_reduce(tartan::simd.or_scalar(), v, [](float x) { return x > 0 ? x : -x; }));
  static_cast<void>(tartan::map(tartan::simd.or_scalar(), words, [](std::string const& w) { return w.size(); }));
  stencil(tartan::simd, g, [](auto at) { return at(-1) + at(1); });
  static_cast<void>(tartan::map(tartan::simd, v, tartan::lanes::with_packs_of<two>([](two x) { return x; })));
#elif TARTAN_MUST_FAIL == 1
  static_cast<void>(tartan::map(tartan::simd, v, [](float x) { return x * 2; }));
#elif TARTAN_MUST_FAIL == 2
  static_cast<void>(tartan::map_reduce(tartan::simd, v, [](float x) { return x * 2; }));
#elif TARTAN_MUST_FAIL == 3
  static_cast<void>(tartan::map_reduce(tartan::simd, words, [](auto const& w) { return w.size(); }));
#elif TARTAN_MUST_FAIL == 4
  static_cast<void>(tartan::map(tartan::simd, v, [](auto) { return std::string("x"); }));
#elif TARTAN_MUST_FAIL == 5
  stencil(tartan::simd, g, [](tartan::detail::scalar_point<float, 1> const& at) { return at(-1); });
#elif TARTAN_MUST_FAIL == 6
  tartan::grid<long double, 1> wide(100);
  stencil(tartan::simd, wide, [](auto at) { return at(-1) + at(1); });
#elif TARTAN_MUST_FAIL == 7
  static_cast<void>(tartan::map(tartan::simd, v, tartan::lanes::with_packs_of<two>([](two x) { return x.lane[0]; })));
#endif
}
