// expect: tartan: task_group::run(f) calls its copy of f as an lvalue: leave out the && of its operator()
#include "tartan/patterns/task_group.hpp"

#include "tartan/backends/sequential.hpp"

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

namespace {
struct once {
  void operator()() && {}
};
}  // namespace

int main() {
  tartan::task_group g{tartan::seq};
  g.run([] { once{}(); });
#if TARTAN_MUST_FAIL == 1
  g.run(once{});
#endif
  g.wait();
}
