// expect: tartan: scatter_gather(policy, data, f): f(part, index) must accept a std::span
// expect: tartan: scatter_gather is cut by parts(k): leave grain(), relaxed() and in_flight() out of its policy
#include <span>
#include <vector>

#include "tartan/backends/sequential.hpp"
#include "tartan/patterns/scatter_gather.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

int main() {
  std::vector<int> v(10);
  auto const size = [](std::span<int> part, std::size_t) { return part.size(); };
  auto const sizes = tartan::scatter_gather(tartan::seq, v, tartan::parts(2), size);
#if TARTAN_MUST_FAIL == 1
  tartan::scatter_gather(tartan::seq, v, [](int x) { return x; });
#elif TARTAN_MUST_FAIL == 2
  tartan::scatter_gather(tartan::seq.grain(4), v, size);
#endif
  return static_cast<int>(sizes.size()) - 2;
}
