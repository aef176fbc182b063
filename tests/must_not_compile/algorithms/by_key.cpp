// expect: tartan: keys are found again by == and std::hash; give the type of the keys both
// expect: tartan: keys are found again by == and std::hash; give the type of the keys both
// expect: tartan: keys are found again by == and std::hash; give the type of the keys both
#include <vector>

#include "tartan/algorithms/by_key.hpp"
#include "tartan/algorithms/group_by.hpp"
#include "tartan/backends/sequential.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

struct place {
  int x, y;
  bool operator==(place const&) const = default;  // but no std::hash
};

int main() {
  std::vector<int> const v{1, 2, 3};
  auto const odd = [](int x) { return x % 2; };
  [[maybe_unused]] auto const on_map = [](int x) { return place{x, x}; };
#if TARTAN_MUST_FAIL == 1
  static_cast<void>(tartan::count_by(tartan::seq, v, on_map));
#elif TARTAN_MUST_FAIL == 2
  static_cast<void>(tartan::group_by(tartan::seq, v, on_map));
#elif TARTAN_MUST_FAIL == 3
  auto const emit_place = [](int x, auto& emit) { emit(place{x, x}, 1); };
  static_cast<void>(tartan::map_reduce_by_key<place, int>(tartan::seq, v, emit_place));
#endif
  return tartan::count_by(tartan::seq, v, odd).size() == tartan::group_by(tartan::seq, v, odd).size() ? 0 : 1;
}
