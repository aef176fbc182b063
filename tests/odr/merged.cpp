#include "merged.hpp"

#include "tartan/fork_join.hpp"

int ODR_FUNCTION() {
  int seen = 0;
  tartan::fork_join(tartan::par, [&seen] { ++seen; }, [] {});  // of this library alone: it learns of this thread
  auto const [one, two] = tartan::fork_join(tartan::par, odr_small{seen}, odr_small{2});
  return one + two;
}
