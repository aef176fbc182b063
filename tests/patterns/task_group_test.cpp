#include "tartan/patterns/task_group.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/patterns/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised; }
};

/// Calls f with seq and with pools of several sizes.
template <class F>
void with_policies(F f) {
  f(tn::seq);
  for (int const workers : {1, 2, 8}) {
    tn::thread_pool pool{workers};
    f(tn::par.on(pool));
  }
  f(tn::par);
}

/// A pool of one worker, whose thread is busy until it is let go.
struct busy_pool {
  busy_pool() {
    tn::detach(tn::par.on(*pool), [this] {
      begun = true;
      while (!go) std::this_thread::yield();
    });
    while (!begun) std::this_thread::yield();
  }
  busy_pool(busy_pool const&) = delete;
  busy_pool& operator=(busy_pool const&) = delete;
  ~busy_pool() { end(); }
  void end() {
    go = true;
    pool.reset();
  }
  [[nodiscard]] auto policy() const { return tn::par.on(*pool); }

  std::atomic<bool> begun{false}, go{false};
  std::unique_ptr<tn::thread_pool> pool = std::make_unique<tn::thread_pool>(1);
};

}  // namespace

TEST_CASE("a group runs every task once, and can be used again", "[task_group]") {
  with_policies([](auto const& p) {
    tn::task_group g{p};
    g.wait();  // nothing to wait for
    for (int const tasks : {1, 2, 100, 5000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      for (auto& r : runs) g.run([&r] { ++r; });
      g.wait();
      REQUIRE(std::all_of(runs.begin(), runs.end(), [](auto const& r) { return r == 1; }));
    }
  });
}

TEST_CASE("a task gets its arguments by value, moved in", "[task_group]") {
  with_policies([](auto const& p) {
    tn::task_group g{p};
    std::atomic<int> sum{0};
    auto const add = [](std::atomic<int>* s, std::unique_ptr<int> n) { *s += *n; };
    for (int i = 0; i != 100; ++i) g.run(add, &sum, std::make_unique<int>(i));
    g.wait();
    CHECK(sum == 4950);
  });
}

TEST_CASE("tasks of a group add tasks", "[task_group]") {
  with_policies([](auto const& p) {
    tn::task_group g{p};
    std::atomic<int> leaves{0};
    std::function<void(int)> const grow = [&](int depth) {
      if (depth == 0) {
        ++leaves;
        return;
      }
      g.run([&, depth] { grow(depth - 1); });
      g.run([&, depth] { grow(depth - 1); });
    };
    grow(10);
    g.wait();
    CHECK(leaves == 1024);
  });
}

TEST_CASE("groups inside groups, with forks between", "[task_group]") {
  with_policies([](auto const& p) {
    std::function<long(int)> const fibonacci = [&](int n) -> long {
      if (n < 2) return n;
      if (n % 3 == 0) {
        auto [a, b] = tn::fork_join(p, [&] { return fibonacci(n - 1); }, [&] { return fibonacci(n - 2); });
        return a + b;
      }
      tn::task_group g{p};
      long a = 0, b = 0;
      g.run([&] { a = fibonacci(n - 1); });
      g.run([&] { b = fibonacci(n - 2); });
      g.wait();
      return a + b;
    };
    CHECK(fibonacci(16) == 987);
  });
}

TEST_CASE("wait throws what the earliest failing run threw, and the group goes on", "[task_group]") {
  with_policies([](auto const& p) {
    tn::task_group g{p};
    for (int round = 0; round != 20; ++round) {
      std::atomic<int> before{0};
      for (int i = 0; i != 100; ++i)
        g.run([&before, i] {
          if (i < 40) ++before;
          if (i == 40 || i == 70 || i == 99) throw std::runtime_error(std::to_string(i));
        });
      REQUIRE_THROWS_WITH(g.wait(), "40");
      REQUIRE(before == 40);
      g.run([] {});
      REQUIRE_NOTHROW(g.wait());
    }
  });
}

TEST_CASE("the destructor waits, and hands on an error that nobody was told", "[task_group]") {
  static std::atomic<int> told;
  told = 0;
  auto const before = tn::set_unhandled([](std::exception_ptr) { ++told; });
  std::atomic<int> ran{0};
  {
    tn::task_group g{tn::par};
    for (int i = 0; i != 100; ++i)
      g.run([&ran, i] {
        ++ran;
        if (i == 99) throw std::runtime_error("late");
      });
  }
  tn::set_unhandled(before);
  CHECK(ran == 100);
  CHECK(told == 1);
}

#if !TARTAN_TSAN  // a thousand threads are too many for it
TEST_CASE("the destructor waits although more tasks of the pool block than may", "[task_group]") {
  std::atomic<bool> leave{false};
  std::atomic<int> blocked{0};
  std::atomic<bool> refused{false};
  bool waited = false;
  tn::thread_pool other{1};
  tn::thread_pool pool{{.workers = 1, .stack_size = 256 << 10}};
  auto const p = tn::par.on(pool);
  for (int i = 0; i != 1024; ++i)
    tn::detach(p, [&] {
      tn::blocking([&] {
        ++blocked;
        while (!leave) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      });
    });
  tn::detach(p, [&] {
    while (blocked != 1024) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    {
      std::atomic<bool> begun{false};
      tn::task_group g{tn::par.on(other)};
      g.run([&] {
        begun = true;
        tn::test::comes_true([&] { return refused.load(); });
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        waited = true;
      });
      while (!begun) std::this_thread::yield();
      try {
        g.wait();
      } catch (tn::too_many_blocked const&) {
        refused = true;
      }
    }
    leave = true;
  });
  pool.close();
  pool.join();
  CHECK(refused);
  CHECK(waited);
}
#endif

TEST_CASE("a group that ends in one of its own tasks leaves the others to the pool", "[task_group]") {
  with_policies([](auto const& p) {
    std::atomic<int> ran{0};
    std::atomic<bool> gone{false}, added{false};
    auto const here = std::this_thread::get_id();
    auto* const g = new tn::task_group{p};
    for (int i = 0; i != 20; ++i) g->run([&] { ++ran; });
    g->run([&, g] {
      while (!added && std::this_thread::get_id() != here) std::this_thread::yield();  // the destructor comes last
      delete g;
      gone = true;
    });
    added = true;
    CHECK(tn::test::comes_true([&] { return gone && ran == 20; }));
  });
}

TEST_CASE("a wait that meets the close of the pool runs what is left", "[task_group]") {
  for (int round = 0; round != 300; ++round) {
    std::atomic<int> ran{0}, ready{0};
    tn::thread_pool pool{1};
    tn::task_group g{tn::par.on(pool)};
    for (int i = 0; i != 3; ++i)
      g.run([&] {
        ++ran;
        for (int k = 0; k != 200; ++k) tn::detail::cpu_pause();
      });
    std::thread closer([&] {
      ++ready;
      while (ready != 2) tn::detail::cpu_pause();
      for (int k = round % 50; k != 0; --k) tn::detail::cpu_pause();
      pool.close();
    });
    while (ready != 1) tn::detail::cpu_pause();
    ++ready;
    REQUIRE_NOTHROW(g.wait());
    REQUIRE(ran == 3);
    closer.join();
  }
}

TEST_CASE("cancel skips what has not begun", "[task_group]") {
  tn::thread_pool pool{1};
  std::atomic<int> ran{0};
  tn::task_group g{tn::par.on(pool)};
  SECTION("from inside") {
    for (int i = 0; i != 10; ++i)
      g.run([&] {
        ++ran;
        g.cancel();
      });
    CHECK_THROWS_AS(g.wait(), tn::cancelled);
    CHECK(ran >= 1);
    CHECK(ran <= 2);  // the pool's thread may run one while this thread, which waits, runs another
  }
  SECTION("what comes later is skipped too, until a wait has told it") {
    g.run([&] {
      g.cancel();
      for (int i = 0; i != 10; ++i) g.run([&] { ++ran; });
    });
    CHECK_THROWS_AS(g.wait(), tn::cancelled);
    CHECK(ran == 0);
  }
  SECTION("too late") {
    g.run([&] { ++ran; });
    while (ran == 0) std::this_thread::yield();
    g.cancel();
    g.wait();
  }
  ran = 0;
  g.run([&] { ++ran; });
  g.wait();
  CHECK(ran == 1);
}

TEST_CASE("the policy's stop token skips tasks", "[task_group]") {
  flag stop;
  tn::task_group parallel{tn::par.stop(stop)};
  tn::task_group serial{tn::seq.stop(stop)};
  int ran = 0;
  serial.run([&] { ++ran; });
  serial.wait();
  stop.raised = true;
  serial.run([&] { ++ran; });
  parallel.run([&] { ++ran; });
  CHECK_THROWS_AS(serial.wait(), tn::cancelled);
  CHECK_THROWS_AS(parallel.wait(), tn::cancelled);
  CHECK(ran == 1);
}

TEST_CASE("what tasks hold is freed, run or skipped", "[task_group]") {
  auto held = std::make_shared<int>(0);
  tn::task_group g{tn::par};
  for (int i = 0; i != 50; ++i) g.run([held] {});
  g.cancel();
  try {
    g.wait();
  } catch (tn::cancelled const&) {
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("run and wait from several threads at once", "[task_group]") {
  tn::thread_pool pool{2};
  tn::task_group g{tn::par.on(pool)};
  std::atomic<int> ran{0};
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i != 3000; ++i) {
        g.run([&] { ran.fetch_add(1, std::memory_order_relaxed); });
        if (i % 100 == 0) g.wait();
      }
      g.wait();
    });
  for (auto& t : threads) t.join();
  CHECK(ran == 12'000);
}

TEST_CASE("a task that waits for its own group is told so", "[task_group]") {
  tn::thread_pool pool{2};
  tn::task_group g{tn::par.on(pool)};
  g.run([&] { g.wait(); });
  CHECK_THROWS_AS(g.wait(), tn::would_deadlock);
}

TEST_CASE("a task that waits for its own group is told so under seq too, and others may wait", "[task_group]") {
  tn::task_group g{tn::seq}, inner{tn::seq};
  g.run([&] { g.wait(); });
  CHECK_THROWS_AS(g.wait(), tn::would_deadlock);
  g.run([&] {
    inner.run([&] { g.wait(); });
    inner.wait();
  });
  CHECK_THROWS_AS(g.wait(), tn::would_deadlock);
  g.run([&] { std::thread([&] { g.wait(); }).join(); });
  g.wait();
}

TEST_CASE("a task that waits for its own group is told so, wherever it runs", "[task_group]") {
  busy_pool busy;
  tn::task_group g{busy.policy()}, inner{busy.policy()};
  SECTION("in a thread that is no worker") {
    g.run([&] { g.wait(); });
    busy.pool->close();
  }
  SECTION("in a wait for another group") {
    g.run([&] {
      inner.run([&] { g.wait(); });
      inner.wait();
    });
  }
  SECTION("in a wait for another group, in a thread that is no worker") {
    g.run([&] {
      inner.run([&] { g.wait(); });
      inner.wait();
    });
    busy.pool->close();
  }
  CHECK_THROWS_AS(g.wait(), tn::would_deadlock);
}

TEST_CASE("a group that ends in a wait of one of its own tasks leaves the others to the pool", "[task_group]") {
  std::atomic<int> ran{0};
  std::atomic<bool> added{false}, gone{false};
  tn::thread_pool pool{1};
  auto const p = tn::par.on(pool);
  auto* const g = new tn::task_group{p};
  g->run([&, g] {
    while (!added) std::this_thread::yield();  // the destructor comes last
    tn::task_group inner{p};
    inner.run([g] { delete g; });
    inner.wait();
    gone = true;
  });
  for (int i = 0; i != 20; ++i) g->run([&] { ++ran; });
  added = true;
  CHECK(tn::test::comes_true([&] { return gone && ran == 20; }));
}

TEST_CASE("a group of another pool can be waited for inside a task", "[task_group]") {
  tn::thread_pool one{1}, other{1};
  std::atomic<int> ran{0};
  tn::task_group outer{tn::par.on(one)};
  for (int i = 0; i != 20; ++i)
    outer.run([&] {
      tn::task_group inner{tn::par.on(other)};
      for (int k = 0; k != 20; ++k) inner.run([&] { ++ran; });
      inner.wait();
    });
  outer.wait();
  CHECK(ran == 400);
}

TEST_CASE("a closed pool takes tasks from its own tasks only", "[task_group]") {
  tn::thread_pool pool{1};
  std::atomic<bool> go{false}, begun{false};
  std::atomic<int> ran{0};
  tn::task_group g{tn::par.on(pool)};
  g.run([&] {
    begun = true;
    while (!go) std::this_thread::yield();
    g.run([&] { ++ran; });
  });
  while (!begun) std::this_thread::yield();
  pool.close();
  CHECK_THROWS_AS(g.run([] {}), tn::pool_closed);
  go = true;
  g.wait();
  CHECK(ran == 1);
}

TEST_CASE("tasks of a closed pool add tasks wherever a wait runs them", "[task_group]") {
  std::atomic<int> ran{0};
  tn::thread_pool other{2};
  busy_pool busy;
  tn::task_group g{busy.policy()};
  g.run([&] { g.run([&] { ++ran; }); });
  SECTION("in a thread that is no worker") {
    busy.pool->close();
    CHECK_NOTHROW(g.wait());
  }
  SECTION("in a worker of another pool") {
    busy.pool->close();
    CHECK_NOTHROW(tn::submit(tn::par.on(other), [&] { g.wait(); }).get());
  }
  SECTION("in a wait for a group of another pool") {
    busy_pool elsewhere;
    tn::task_group inner{elsewhere.policy()};
    g.run([&] {
      inner.run([&] { g.run([&] { ++ran; }); });
      inner.wait();
    });
    busy.pool->close();
    CHECK_NOTHROW(g.wait());
    CHECK(ran-- == 2);
  }
  CHECK(ran == 1);
}

TEST_CASE("a task of a closed pool adds tasks in a call into another pool", "[task_group]") {
  std::atomic<bool> go{false};
  std::atomic<int> ran{0};
  tn::thread_pool pool{1}, other{2};
  tn::task_group g{tn::par.on(pool)};
  auto adder = tn::submit(tn::par.on(pool), [&] {
    while (!go) std::this_thread::yield();
    tn::fork_join(tn::par.on(other), [&] { g.run([&] { ++ran; }); }, [] {});
  });
  pool.close();
  go = true;
  CHECK_NOTHROW(adder.get());
  CHECK_NOTHROW(g.wait());
  CHECK(ran == 1);
}

TEST_CASE("a task that destroys its closed pool does not wait for it in a thread that is no worker", "[task_group]") {
  std::atomic<bool> begun{false}, go{false}, waited{false};
  auto pool = std::make_unique<tn::thread_pool>(1);
  tn::task_group g{tn::par.on(*pool)};
  tn::detach(tn::par.on(*pool), [&] {
    begun = true;
    while (!go) std::this_thread::yield();
    g.wait();  // so the end of the pool comes after that of the task
    waited = true;
  });
  while (!begun) std::this_thread::yield();
  g.run([&] {
    go = true;
    pool.reset();
  });
  pool->close();
  g.wait();
  CHECK(pool == nullptr);
  CHECK(tn::test::comes_true([&] { return waited.load(); }));
}

TEST_CASE("a pool that is destroyed runs the tasks of groups, and those that its own tasks add", "[task_group]") {
  for (int const workers : {1, 2}) {
    auto pool = std::make_unique<tn::thread_pool>(workers);
    auto const p = tn::par.on(*pool);
    tn::task_group many{p}, late{p};
    std::atomic<bool> go{false}, begun{false};
    std::atomic<int> ran{0};
    for (int i = 0; i != 5000; ++i)
      many.run([&] {
        while (!go) std::this_thread::yield();
        ++ran;
      });
    tn::detach(p, [&] {
      begun = true;
      late.run([&] { late.run([&] { ++ran; }); });
    });
    tn::detail::pool const* const home = p.backend().async_pool(p.props());
    std::thread ender([&] { pool.reset(); });
    while (!home->closing()) std::this_thread::yield();
    go = true;
    ender.join();
    CHECK(begun);
    CHECK(ran == 5001);
    CHECK_NOTHROW(many.wait());
    CHECK_NOTHROW(late.wait());
  }
}

TEST_CASE("a task that a waiting thread adds to another group runs before its closed pool is gone", "[task_group]") {
  std::atomic<int> ran{0};
  busy_pool busy;
  tn::task_group g{busy.policy()}, late{busy.policy()};
  g.run([&] {
    busy.pool->close();
    late.run([&] { ++ran; });
  });
  g.wait();  // runs the task here
  busy.end();
  REQUIRE(ran == 1);
  CHECK_NOTHROW(late.wait());
}

TEST_CASE("a task that was let in before the close runs before its pool is gone", "[task_group]") {
  auto const started = GENERATE(false, true);
  auto const joined = GENERATE(false, true);
  auto pool = std::make_unique<tn::thread_pool>(1);
  auto const p = tn::par.on(*pool);
  if (started) tn::submit(p, [] {}).get();
  std::atomic<int> ran{0};
  auto const task = [&ran] { ++ran; };
  auto* const g = new tn::detail::group(p.backend().async_pool(p.props()), {}, {});
  g->admit();  // as task_group::run(), which another thread's close() interrupts here
  pool->close();
  if (joined) pool->join();
  g->add(new tn::detail::group_function<decltype(task)>(task));
  pool.reset();
  REQUIRE(ran == 1);
  CHECK_NOTHROW(g->await_all());
  g->abandon();
}

TEST_CASE("what tasks of a closed pool that run late need of each other comes about", "[task_group]") {
  auto pool = std::make_unique<tn::thread_pool>(1);
  auto const p = tn::par.on(*pool);
  tn::detail::pool* const home = p.backend().async_pool(p.props());
  tn::promise<int> made;
  std::atomic<int> got{0};
  std::mutex m;
  std::atomic<bool> held{false};
  auto const needs = [&] {
    std::lock_guard const hold(m);
    held = true;
    got = made.get_future().get();
  };
  auto const wants = [&] {  // the mutex, and so keeps its thread from the next one
    while (!held) std::this_thread::yield();
    std::lock_guard const hold(m);
  };
  auto const makes = [&] { made.set_value(7); };
  tn::detail::group* groups[3];
  for (auto& g : groups) g = new tn::detail::group(home, {}, {});
  pool->join();
  groups[0]->add(new tn::detail::group_function<decltype(needs)>(needs));
  groups[1]->add(new tn::detail::group_function<decltype(wants)>(wants));
  groups[2]->add(new tn::detail::group_function<decltype(makes)>(makes));
  pool.reset();
  REQUIRE(got == 7);
  for (auto* g : groups) g->abandon();
}

TEST_CASE("terminate skips all of many tasks of a group", "[task_group]") {
  std::atomic<int> ran{0};
  busy_pool busy;
  tn::task_group g{busy.policy()};
  auto const held = std::make_shared<int>(0);
  for (int i = 0; i != 5000; ++i) g.run([&ran, held] { ++ran; });
  tn::detail::pool const* const home = busy.policy().backend().async_pool(busy.policy().props());
  std::thread ender([&] { busy.pool->terminate(); });
  while (!home->dropping()) std::this_thread::yield();
  busy.go = true;
  ender.join();
  busy.end();
  REQUIRE(held.use_count() == 1);
  CHECK_THROWS_AS(g.wait(), tn::cancelled);
  CHECK(ran == 0);
}

TEST_CASE("terminate skips the tasks of a group that have not begun", "[task_group]") {
  std::atomic<bool> go{false}, begun{false};
  std::atomic<int> ran{0};
  tn::thread_pool pool{1};
  tn::task_group g{tn::par.on(pool)};
  for (int i = 0; i != 10; ++i)
    g.run([&] {
      begun = true;
      ++ran;
      while (!go) std::this_thread::yield();
    });
  while (!begun) std::this_thread::yield();
  tn::detail::pool const* const home = tn::par.on(pool).backend().async_pool(tn::par.on(pool).props());
  std::thread ender([&] { pool.terminate(); });
  while (!home->dropping()) std::this_thread::yield();
  go = true;
  CHECK_THROWS_AS(g.wait(), tn::cancelled);
  ender.join();
  CHECK(ran == 1);
}

TEST_CASE("a group whose pool is gone takes no task", "[task_group]") {
  auto pool = std::make_unique<tn::thread_pool>(2);
  tn::task_group g{tn::par.on(*pool)};
  g.run([] {});
  g.wait();
  pool.reset();
  CHECK_THROWS_AS(g.run([] {}), tn::pool_gone);
  CHECK_NOTHROW(g.wait());
}

TEST_CASE("what a waiting thread takes of a group's task is told that it cannot wait for the group", "[task_group]") {
  std::atomic<int> begun{0}, told{0};
  std::atomic<bool> other{false};
  tn::thread_pool pool{2};  // the first to go: nobody waits for the task that is detached
  auto const p = tn::par.on(pool);
  tn::detach(p, [&] {  // keeps the other worker
    ++begun;
    while (!other) std::this_thread::yield();
  });
  tn::task_group g{p};
  g.run([&] {
    ++begun;
    tn::fork_join(
        p,
        [&] {
          while (!other) std::this_thread::yield();
        },
        [&] {
          other = true;
          try {
            g.wait();
          } catch (tn::would_deadlock const&) {
            ++told;
          }
        });
  });
  while (begun != 2) std::this_thread::yield();
  g.wait();
  CHECK(told == 1);
}

TEST_CASE("a group that was made in a task takes no task when that task's pool is gone", "[task_group]") {
  auto pool = std::make_unique<tn::thread_pool>(2);
  std::atomic<int> ran{0};
  std::unique_ptr<tn::task_group<>> g;
  tn::submit(tn::par.on(*pool), [&] {
    g = std::make_unique<tn::task_group<>>(tn::par);
    for (int i = 0; i != 100; ++i) g->run([&] { ++ran; });
  }).get();
  SECTION("used from outside") {
    pool.reset();
    CHECK(ran == 100);
    CHECK_THROWS_AS(g->run([&] { ++ran; }), tn::pool_gone);
    CHECK_NOTHROW(g->wait());
  }
  SECTION("used in tasks of other pools, of which one may lie in its place") {
    pool.reset();
    tn::thread_pool others[3]{tn::thread_pool{2}, tn::thread_pool{2}, tn::thread_pool{2}};
    for (auto& other : others)
      tn::submit(tn::par.on(other), [&] {
        CHECK_THROWS_AS(g->run([&] { ++ran; }), tn::pool_gone);
        CHECK_NOTHROW(g->wait());
      }).get();
    CHECK(ran == 100);
  }
}

TEST_CASE("a group that was made in a task takes its tasks when that task has let its pool go", "[task_group]") {
  auto pool = std::make_unique<tn::thread_pool>(2);
  std::atomic<int> ran{0};
  auto ends = tn::submit(tn::par.on(*pool), [&] {
    tn::task_group g{tn::par}, named{tn::par.on(*pool)};
    pool.reset();
    g.run([&] { ++ran; });
    named.run([&] { ++ran; });
    g.wait();
    named.wait();
  });
  CHECK_NOTHROW(ends.get());
  CHECK(ran == 2);
}

TEST_CASE("a group wait never re-enters a lock that the waiter holds", "[task_group]") {
  auto const workers = GENERATE(1, 2, 8);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  std::mutex mutex;
  long sum = 0;
  constexpr int rounds = 3000;
  tn::task_group outer{p};
  for (int i = 0; i != rounds; ++i)
    outer.run([&, i] {
      std::lock_guard const hold(mutex);  // not recursive: whoever takes it twice on one stack hangs
      std::atomic<int> inside{0};
      tn::task_group inner{p};
      for (int k = 0; k != 4; ++k) inner.run([&] { tn::fork_join(p, [&] { ++inside; }, [&] { ++inside; }); });
      if (i % 2 == 0) tn::fork_join(p, [&] { inner.wait(); }, [] {});
      inner.wait();
      sum += inside;
    });
  outer.wait();
  CHECK(sum == 8L * rounds);
}
