// A user's program: adds the squares of 1 to 1000 in parallel and checks the sum.
#include <tartan/map_reduce.hpp>

#include <cstdio>
#include <numeric>
#include <vector>

int main() {
  std::vector<long> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 1L);
  long const squares = tartan::map_reduce(tartan::par, numbers, [](long x) { return x * x; });
  std::printf("%ld\n", squares);
  return squares == 333'833'500L ? 0 : 1;
}
