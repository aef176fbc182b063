// expect: tartan: master_worker(policy, tasks, work) needs a work that can be called, without changing itself
// expect: tartan: master_worker does not support a property of this policy
// expect: tartan: the on_result of master_worker is called with what work returns
#include "tartan/patterns/master_worker.hpp"
#include "tartan/backends/sequential.hpp"

#include <vector>

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

int main() {
  std::vector<int> const tasks{1, 2, 3};
  auto const same = [](int x) { return x; };
  auto const results = tartan::master_worker(tartan::seq.in_flight(2), tasks, same);
#if TARTAN_MUST_FAIL == 1
  tartan::master_worker(tartan::seq, tasks, [](char const* text) { return text; });
#elif TARTAN_MUST_FAIL == 2
  tartan::master_worker(tartan::seq.grain(2), tasks, same);
#elif TARTAN_MUST_FAIL == 3
  tartan::master_worker(tartan::seq, tasks, same, [](char const*) {});
#endif
  return static_cast<int>(results.size()) - 3;
}
