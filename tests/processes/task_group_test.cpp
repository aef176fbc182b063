#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/process_main.hpp"
#include "tartan/ipc/shared_array.hpp"
#include "tartan/processes.hpp"
#include "tartan/tartan.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

using counters = tn::shared_span<std::atomic<int>>;

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised; }
};

}  // namespace

TEST_CASE("task_group on processes: every task once, of many kinds, and the group can be used again") {
  tn::process_pool pool{{.workers = 2}};
  tn::task_group g{tn::processes.on(pool)};
  tn::shared_array<std::atomic<int>> runs(5000);
  g.wait();  // nothing to wait for
  for (int round = 1; round != 4; ++round) {
    for (int i = 0; i != 2500; ++i)
      g.run([](counters s, int k) { return std::to_string(++s[static_cast<std::size_t>(k)]); }, runs.span(), i);
    for (int i = 2500; i != 5000; ++i)
      g.run(tn::closure(runs.span(), i, [](counters const& s, int k) { ++s[static_cast<std::size_t>(k)]; }));
    g.wait();
    REQUIRE(std::ranges::all_of(runs, [&](auto const& n) { return n == round; }));
  }
}

TEST_CASE("task_group on processes: tasks run elsewhere, two at a time") {
  tn::process_pool pool{{.workers = 2}};
  tn::task_group g{tn::processes.on(pool)};
  tn::shared_array<std::atomic<int>> seen(2);
  for (int i = 0; i != 2; ++i)
    g.run(
        [](counters s, int k, int host) {
          s[static_cast<std::size_t>(k)] = ::getpid();
          while (s[static_cast<std::size_t>(1 - k)] == 0) std::this_thread::yield();
          if (::getpid() == host) throw std::logic_error("in the host");
        },
        seen.span(), i, ::getpid());
  g.wait();
  CHECK(seen[0] != seen[1]);
}

TEST_CASE("task_group on processes: wait throws what the earliest failing run threw, and the group goes on") {
  tn::process_pool pool{{.workers = 2}};
  tn::task_group g{tn::processes.on(pool)};
  tn::shared_array<std::atomic<int>> before(1);
  for (int round = 0; round != 20; ++round) {
    before[0] = 0;
    for (int i = 0; i != 100; ++i)
      g.run(
          [](counters s, int k) {
            if (k < 40) ++s[0];
            if (k == 40 || k == 70 || k == 99) throw std::out_of_range(std::to_string(k));
          },
          before.span(), i);
    REQUIRE_THROWS_WITH(g.wait(), "40");
    REQUIRE(before[0] == 40);
    g.run([] {});
    REQUIRE_NOTHROW(g.wait());
  }
}

TEST_CASE("task_group on processes: a death, a time limit and a retry are those of one task") {
  tn::process_pool pool{{.workers = 2}};
  tn::shared_array<std::atomic<int>> runs(1);
  {
    tn::task_group g{tn::processes.on(pool)};
    g.run([] { std::raise(SIGKILL); });
    CHECK_THROWS_AS(g.wait(), tn::worker_died);
  }
  {
    tn::task_group g{tn::processes.on(pool).timeout(20ms)};
    g.run([] { ::pause(); });
    CHECK_THROWS_AS(g.wait(), tn::task_timeout);
  }
  tn::task_group g{tn::processes.on(pool).retries(1)};
  g.run(
      [](counters s) {
        if (++s[0] == 1) std::raise(SIGSEGV);
      },
      runs.span());
  CHECK_NOTHROW(g.wait());
  CHECK(runs[0] == 2);
}

TEST_CASE("task_group on processes: cancel and a stop token skip what has not begun") {
  tn::process_pool pool{{.workers = 1}};
  tn::shared_array<std::atomic<int>> state(2);  // begun, may go on
  flag stop;
  tn::task_group g{tn::processes.on(pool).stop(stop)};
  auto const hold = [](counters s) {
    ++s[0];
    while (s[1] == 0) std::this_thread::yield();
  };
  auto const by_cancel = GENERATE(true, false);
  for (int i = 0; i != 50; ++i) g.run(hold, state.span());
  while (state[0] == 0) std::this_thread::yield();
  by_cancel ? g.cancel() : stop.raised.store(true);
  g.run([](counters s) { ++s[0]; }, state.span());  // of another kind
  state[1] = 1;
  CHECK_THROWS_AS(g.wait(), tn::cancelled);
  CHECK(state[0] < 50);
  stop.raised = false;
  state[0] = 0;
  for (int i = 0; i != 50; ++i) g.run(hold, state.span());
  g.wait();
  CHECK(state[0] == 50);
}

TEST_CASE("task_group on processes: used by many threads, and inside tasks of a thread pool") {
  tn::process_pool pool{{.workers = 2}};
  tn::thread_pool threads{2};
  tn::shared_array<std::atomic<int>> runs(1);
  auto const add = [](counters s) { ++s[0]; };
  tn::task_group shared{tn::processes.on(pool)};
  tn::for_each(tn::par.on(threads).grain(1), std::vector<int>(8), [&](int) {
    tn::task_group own{tn::processes.on(pool)};
    for (int i = 0; i != 100; ++i) {
      own.run(add, runs.span());
      shared.run(add, runs.span());
    }
    own.wait();
  });
  shared.wait();
  CHECK(runs[0] == 1600);
}

TEST_CASE("task_group on processes: the destructor waits, and hands on an error that nobody was told") {
  static std::atomic<int> told;
  told = 0;
  auto const before = tn::set_unhandled([](std::exception_ptr) { ++told; });
  tn::shared_array<std::atomic<int>> runs(1);
  {
    tn::task_group g{tn::processes.workers(2)};
    for (int i = 0; i != 100; ++i)
      g.run(
          [](counters s, int k) {
            ++s[0];
            if (k == 99) throw std::runtime_error("late");
          },
          runs.span(), i);
  }
  tn::set_unhandled(before);
  CHECK(runs[0] == 100);
  CHECK(told == 1);
}

TEST_CASE("task_group on processes: a closed pool takes no task, and the group can be left") {
  tn::process_pool pool{{.workers = 1}};
  tn::task_group g{tn::processes.on(pool)};
  g.run([] {});
  g.wait();
  pool.close();
  CHECK_THROWS_AS(g.run([] {}), tn::pool_closed);
  CHECK_NOTHROW(g.wait());
}
