// expect: tartan: zip needs at least one range
// expect: tartan: zip needs ranges whose elements can be reached at once and whose number is known
// expect: tartan: zip needs a range that ends: at least one of its ranges must have a size
// expect: tartan: enumerate needs a range whose elements can be reached at once and whose number is known
#include <list>
#include <ranges>
#include <vector>

#include "tartan/algorithms/enumerate.hpp"
#include "tartan/algorithms/zip.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

int main() {
  std::vector<int> v(10);
  std::list<int> l(10);
  auto const z = tartan::zip(v, std::views::iota(0));
#if TARTAN_MUST_FAIL == 1
  static_cast<void>(tartan::zip());
#elif TARTAN_MUST_FAIL == 2
  static_cast<void>(tartan::zip(v, l));
#elif TARTAN_MUST_FAIL == 3
  static_cast<void>(tartan::zip(std::views::iota(0)));
#elif TARTAN_MUST_FAIL == 4
  static_cast<void>(tartan::enumerate(l));
#endif
  return static_cast<int>(z.size()) - 10;
}
