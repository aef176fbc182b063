// expect: a task is awaited once and gives its result away: co_await std::move(t)
// expect: a task runs where its frame is
// expect: this can be awaited in a tartan::task only
#include <coroutine>
#include <utility>

#include "tartan/processes.hpp"
#include "tartan/task.hpp"

namespace tn = tartan;

struct theirs {
  struct promise_type {
    theirs get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

tn::task<int> one() { co_return 1; }

tn::task<int> twice() {
  tn::task<int> t = one();
#if TARTAN_MUST_FAIL == 1
  co_return co_await t;
#else
  co_return co_await std::move(t);
#endif
}

tn::task<> elsewhere() {
#if TARTAN_MUST_FAIL == 2
  co_await tn::schedule(tn::processes);
#else
  co_await tn::schedule(tn::par);
#endif
}

theirs waits() {
#if TARTAN_MUST_FAIL == 3
  co_await tn::submit(tn::par, [] {});
#else
  co_await elsewhere();
#endif
}

int main() {
  waits();
  return tn::sync_wait(twice());
}
