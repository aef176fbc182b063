// The linker takes the first library's copies for both, and this program shares none with them. So on this thread the
// second library forks, with the help of copies in the first one, which has never run here.

#include <cstdio>

#include "merged.hpp"
#include "tartan/fork_join.hpp"

int main() {
  int second = 0;
  tartan::fork_join(tartan::par.workers(2), [] {}, [&second] { second = odr_fork_second(); });  // its deque is empty
  int const first = odr_fork_first();
  if (first == 3 && second == 3) return 0;
  std::fprintf(stderr, "FAILED: 3 and 3 were wanted: %d and %d\n", first, second);
  return 1;
}
