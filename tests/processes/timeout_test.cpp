#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

using tartan::test::numbers;

}  // namespace

TEST_CASE("timeout: a task that hangs is killed and told, others keep their results") {
  // Retries, because a busy machine may let any task stand for longer than its time.
  auto const r = tn::try_map(tn::processes.workers(2).timeout(200ms).retries(3), numbers(50), [](int x) {
    if (x == 10) {
      for (;;) ::pause();
    }
    if (x == 20) {  // deaf to everything that can be blocked
      sigset_t all;
      sigfillset(&all);
      ::sigprocmask(SIG_SETMASK, &all, nullptr);
      for (std::atomic<int> spin{0};;) ++spin;
    }
    if (x == 30) std::raise(SIGSTOP);
    return x;
  });
  for (int i = 0; i != 50; ++i) {
    auto const& o = r[static_cast<std::size_t>(i)];
    if (i == 10 || i == 20 || i == 30) {
      try {
        (void)o.value();
        FAIL("task " << i << " ended");
      } catch (tn::task_timeout const& e) {
        CHECK(e.signal == SIGKILL);
        CHECK(e.task == static_cast<std::size_t>(i));
        CHECK(e.attempts == 4);
      }
    } else {
      CHECK(o.value() == i);
    }
  }
}

TEST_CASE("timeout: comes at its time, neither before nor much later") {
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i != 10 && best > 120ms; ++i) {
    auto const begin = std::chrono::steady_clock::now();
    auto const r = tn::try_map(tn::processes.workers(1).timeout(100ms), numbers(1), [](int) { ::pause(); });
    std::chrono::nanoseconds const took = std::chrono::steady_clock::now() - begin;
    CHECK_THROWS_AS(r[0].value(), tn::task_timeout);
    CHECK(took >= 100ms);
    best = std::min(best, took);
  }
  CHECK(best < 2s);  // 20 ms late at most is promised; a loaded machine gets more
}

TEST_CASE("timeout: counts from the task's own beginning, not from its place in the queue") {
  // All together they take longer than one may, and one much less, also where the machine is busy.
  auto const r = tn::try_map(tn::processes.workers(1).timeout(2s), numbers(21), [](int x) {
    std::this_thread::sleep_for(100ms);
    return x;
  });
  for (auto const& o : r) CHECK(o.has_value());
}

TEST_CASE("timeout: retries give the task more tries") {
  tn::process_pool pool{{.workers = 1, .timeout = 50ms, .retries = 2}};
  auto const r = tn::try_map(tn::processes.on(pool), numbers(1), [](int) { ::pause(); });
  try {
    (void)r[0].value();
    FAIL("ended");
  } catch (tn::task_timeout const& e) {
    CHECK(e.attempts == 3);
  }
  CHECK(pool.stats().timeouts == 3);
}

TEST_CASE("timeout: a result that comes at the very moment counts once, or not at all") {
  tn::process_pool pool{{.workers = 2}};
  auto const r = tn::try_map(tn::processes.on(pool).timeout(2ms).retries(3), numbers(200), [](int x) {
    auto const end = std::chrono::steady_clock::now() + 1900us + std::chrono::microseconds(x);
    while (std::chrono::steady_clock::now() < end) {
    }
    return x;
  });
  std::uint64_t values = 0, late = 0;
  for (int i = 0; i != 200; ++i) {
    auto const& o = r[static_cast<std::size_t>(i)];
    CHECK(o.index() == static_cast<std::size_t>(i));
    if (o.has_value()) {
      ++values;
      CHECK(*o == i);
    } else {
      ++late;
      CHECK_THROWS_AS(o.value(), tn::task_timeout);
    }
  }
  CHECK(values + late == 200);
  CHECK(pool.stats().tasks == values);  // no answer was taken of a task that was then said to be late, or run again
  CHECK(pool.stats().timeouts >= 4 * late);
}
