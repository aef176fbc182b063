// expect: make it generic
// expect: simd needs adjacent elements
// expect: the function must return a pack
// expect: a mask is not one truth value
#include <tartan/for_each.hpp>
#include <tartan/map.hpp>
#include <tartan/simd.hpp>

#include <list>
#include <string>
#include <vector>

int main() {
  std::vector<double> v(100, 1.0), out(100);
#if !defined(TARTAN_MUST_FAIL)
  tartan::map_into(tartan::simd, v, out, [](auto x) { return x * 2; });
  tartan::map_into(tartan::simd.or_scalar(), v, out, [](double x) { return x > 0 ? x : -x; });
#elif TARTAN_MUST_FAIL == 1
  tartan::map_into(tartan::simd, v, out, [](double x) { return x * 2; });
#elif TARTAN_MUST_FAIL == 2
  std::vector<std::string> words(3, "word");
  tartan::for_each(tartan::simd, words, [](auto& w) { w += "s"; });
#elif TARTAN_MUST_FAIL == 3
  std::vector<std::string> words(100);
  tartan::map_into(tartan::simd, v, words, [](auto) { return std::string("x"); });
#elif TARTAN_MUST_FAIL == 4
  tartan::map_into(tartan::simd, v, out, [](auto x) { return x > 0 ? x : -x; });
#endif
}
