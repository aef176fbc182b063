// A global that a worker changes stays as it was in the host: processes share nothing but what lies in shared memory.
// Then the same with a shared_array, which both sides see.
//
// Shows: what a global holds in a worker (its value when start_processes() was called), shared_array.
// Build: g++ -std=c++20 -O2 not_shared.cpp $(pkg-config --cflags --libs tartan) -o not_shared
// Run:   ./not_shared
#include <tartan/processes.hpp>
#include <tartan/tartan.hpp>

#include <cstdio>
#include <numeric>
#include <ranges>
#include <vector>

namespace {

std::vector<int> table{1, 2, 3};

}  // namespace

int main() {
  tartan::start_processes();
  table = {10, 20, 30};  // too late for the workers: they are copies of the program above

  auto const seen = tartan::map(tartan::processes, std::views::iota(0, 3), [](int i) {
    int const before = table[static_cast<std::size_t>(i)];
    table[static_cast<std::size_t>(i)] = -1;  // changes the worker's copy alone
    return before;
  });
  std::printf("workers saw         %d %d %d\n", seen[0], seen[1], seen[2]);
  std::printf("the host still has  %d %d %d\n", table[0], table[1], table[2]);

  tartan::shared_array<int> shared(table);
  tartan::for_each(tartan::processes, shared, [](int& x) { x = 2 * x; });
  std::printf("a shared array has  %d %d %d\n", shared[0], shared[1], shared[2]);

  bool const right = seen == std::vector<int>{1, 2, 3} && table == std::vector<int>{10, 20, 30} && shared[0] == 20 &&
                     shared[1] == 40 && shared[2] == 60;
  return right ? 0 : 1;
}
