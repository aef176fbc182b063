// expect: when_all() takes the futures over: when_all(std::move(futures))
// expect: when_any() takes the futures over: when_any(std::move(futures))
// expect: when_all() takes the tasks over: when_all(std::move(tasks))
// expect: when_any() takes the tasks over: when_any(std::move(tasks))
#include <utility>
#include <vector>

#include "tartan/submit.hpp"
#include "tartan/task.hpp"

namespace tn = tartan;

int main() {
  std::vector<tn::future<int>> futures;
  std::vector<tn::task<>> tasks;
#if TARTAN_MUST_FAIL == 1
  auto r = tn::when_all(futures);
#elif TARTAN_MUST_FAIL == 2
  auto r = tn::when_any(futures);
#elif TARTAN_MUST_FAIL == 3
  auto r = tn::when_all(tasks);
#elif TARTAN_MUST_FAIL == 4
  auto r = tn::when_any(tasks);
#else
  auto r = tn::when_all(std::move(futures));
#endif
  static_cast<void>(r);
}
