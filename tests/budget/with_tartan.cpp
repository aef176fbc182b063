#include <tartan/map_reduce.hpp>

#include <vector>

int main() {
  std::vector<int> const numbers{1, 2, 3};
  return tartan::map_reduce(tartan::par, numbers, [](int x) { return x + 1; }) == 9 ? 0 : 1;
}
