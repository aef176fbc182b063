// A pool for which the system starts no thread: its callers do the work.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "tartan/as_completed.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

/// More than the addresses that a process has.
constexpr std::size_t too_large = std::size_t{1} << (8 * sizeof(void*) - 2);

}  // namespace

TEST_CASE("without threads of the pool the caller runs what it forks, and what is submitted is refused",
          "[thread_pool]") {
  tn::thread_pool pool{{.workers = 3, .stack_size = too_large}};
  auto const p = tn::par.on(pool);
  CHECK(tn::fork_join(p, [] { return 1; }, [] { return 2; }) == std::pair(1, 2));
  CHECK_THROWS_AS(tn::submit(p, [] {}), tn::error);
  CHECK_THROWS_WITH(tn::detach(p, [] {}), tn::test::contains_text("refuses to start a thread"));
}

TEST_CASE("what follows an end runs there when the pool has no thread for it", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 2, .stack_size = too_large}};
  tn::promise<int> made;
  auto f = made.get_future().then([](int x) { return x + 1; });
  for (int i = 0; i != 99; ++i)
    f = std::move(f).then([](int x) { return x + 1; });  // deeper than ends follow from ends
  tn::fork_join(tn::par.on(pool), [&] { made.set_value(0); }, [] {});
  CHECK(f.get() == 100);
}

TEST_CASE("without threads of the pool a group's tasks are run by who waits for them", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 2, .stack_size = too_large}};
  auto const p = tn::par.on(pool);
  std::atomic<int> ran{0};
  for (int round = 0; round != 3; ++round) {
    tn::task_group g{p};
    for (int i = 0; i != 100; ++i) g.run([&] { ++ran; });
    g.run([&] {
      for (int i = 0; i != 10; ++i) g.run([&] { ++ran; });
    });
    g.wait();
    CHECK(ran == 110 * (round + 1));
    g.run([] { throw std::runtime_error("a task"); });
    CHECK_THROWS_WITH(g.wait(), "a task");
  }
}

TEST_CASE("without threads of the pool its end runs a group's tasks that come beside the close", "[thread_pool]") {
  auto pool = std::make_unique<tn::thread_pool>(tn::thread_pool_options{.workers = 2, .stack_size = too_large});
  auto const p = tn::par.on(*pool);
  std::atomic<int> ran{0};
  auto const task = [&] { tn::fork_join(p, [&] { ++ran; }, [&] { ++ran; }); };
  auto* const g = new tn::detail::group(p.backend().async_pool(p.props()), {}, {});
  g->admit();
  pool->close();
  g->add(new tn::detail::group_function<decltype(task)>(task));
  pool.reset();
  CHECK(ran == 2);
  g->abandon();
}

TEST_CASE("without threads of the pool its end runs a group's tasks for which nobody has waited", "[thread_pool]") {
  auto pool = std::make_unique<tn::thread_pool>(tn::thread_pool_options{.workers = 2, .stack_size = too_large});
  auto const p = tn::par.on(*pool);
  std::atomic<int> ran{0};
  auto g = std::make_unique<tn::task_group<>>(p);
  auto const add_some = [&] {
    for (int i = 0; i != 100; ++i) g->run([&] { ++ran; });
    g->run([&] { g->run([&] { ++ran; }); });
  };
  add_some();
  SECTION("at once") {
    pool.reset();
    REQUIRE(ran == 101);
    CHECK_NOTHROW(g->wait());
  }
  SECTION("behind a wait, too") {
    g->wait();
    add_some();
    pool.reset();
    REQUIRE(ran == 202);
  }
  SECTION("in join()") {
    pool->join();
    REQUIRE(ran == 101);
    pool.reset();
    CHECK_NOTHROW(g->wait());
  }
  SECTION("in a wait behind the close") {
    pool->close();
    g->wait();
    REQUIRE(ran == 101);
    g.reset();
    pool.reset();
  }
  SECTION("what a task threw is told") {
    g->run([] { throw std::runtime_error("a task"); });
    pool.reset();
    CHECK_THROWS_WITH(g->wait(), "a task");
  }
  SECTION("terminate() skips them") {
    pool->terminate();
    REQUIRE(ran == 0);
    pool.reset();
    CHECK_THROWS_AS(g->wait(), tn::cancelled);
  }
}

TEST_CASE("without threads of the pool a group is run at its end that one of its tasks has destroyed",
          "[thread_pool]") {
  auto pool = std::make_unique<tn::thread_pool>(tn::thread_pool_options{.workers = 2, .stack_size = too_large});
  std::atomic<int> ran{0};
  auto* const g = new tn::task_group<>(tn::par.on(*pool));
  g->run([&, g] {
    for (int i = 0; i != 10; ++i) g->run([&] { ++ran; });
    delete g;
  });
  pool.reset();
  CHECK(ran == 10);
}

TEST_CASE("groups that come and go leave nothing in a pool without threads", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 2, .stack_size = too_large}};
  auto const p = tn::par.on(pool);
  std::atomic<int> ran{0};
  auto const rounds = [&] {
    for (int round = 0; round != 2000; ++round) {
      tn::task_group waited{p}, unwaited{p};
      for (int i = 0; i != 3; ++i) waited.run([&] { ++ran; }), unwaited.run([&] { ++ran; });
      waited.wait();
    }
  };
  std::thread other(rounds);
  rounds();
  other.join();
  CHECK(ran == 24000);
  CHECK(p.backend().async_pool(p.props())->shelf()->close() == 0);
}

#if !TARTAN_TSAN && !TARTAN_ASAN  // which need address space of their own

namespace {

/// The system refuses threads with stacks of `too_large_now` bytes while one of these lives.
class little_address_space {
 public:
  static constexpr std::size_t too_large_now = std::size_t{1} << 30;
  little_address_space() {
    ::getrlimit(RLIMIT_AS, &before_);
    long pages = 0;
    std::FILE* const f = std::fopen("/proc/self/statm", "r");
    REQUIRE(f != nullptr);
    REQUIRE(std::fscanf(f, "%ld", &pages) == 1);
    std::fclose(f);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE)) + too_large_now / 2;
    REQUIRE(::setrlimit(RLIMIT_AS, &now) == 0);
  }
  little_address_space(little_address_space const&) = delete;
  little_address_space& operator=(little_address_space const&) = delete;
  ~little_address_space() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

/// A task that waits for a promise which another task keeps.
auto kept_by_a_task(tn::thread_pool& pool) {
  auto const p = tn::par.on(pool);
  return tn::submit(p, [p] {
    tn::promise<int> made;
    auto f = made.get_future();
    tn::detach(p, [made = std::move(made)]() mutable { made.set_value(3); });
    return f.get();
  });
}

}  // namespace

TEST_CASE("a wait throws where the system refuses the thread that what it waits for needs", "[thread_pool]") {
  for (int const workers : {1, 2}) {
    CAPTURE(workers);
    tn::thread_pool pool{{.workers = workers, .stack_size = little_address_space::too_large_now}};
    auto const p = tn::par.on(pool);
    tn::submit(p, [] {}).get();  // has its threads
    {
      little_address_space const limit;
      std::vector<tn::future<int>> all;
      for (int i = 0; i != 3 * workers; ++i) all.push_back(kept_by_a_task(pool));
      int kept = 0;
      for (auto& f : all) try {
          kept += f.get();
        } catch (tn::error const& e) {
          CHECK_THAT(e.what(), tn::test::contains_text("refuses to start another one"));
        }
      if (workers == 1) CHECK(kept == 0);
      auto g = tn::submit(p, [&] { return tn::blocking([] { return 4; }); });
      CHECK(g.get() == 4);  // nothing lies in the queue
    }
    CHECK(kept_by_a_task(pool).get() == 3);
  }
}

TEST_CASE("what was submitted while the system refused threads runs when it does so no longer", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 1, .stack_size = little_address_space::too_large_now}};
  auto const p = tn::par.on(pool);
  std::atomic<bool> waits{false}, ran{false};
  tn::submit(p, [] {}).get();
  std::optional<little_address_space> limit(std::in_place);
  auto holder = tn::submit(p, [&] {
    tn::blocking([&] {
      waits = true;
      while (!ran) std::this_thread::yield();
    });
    return 5;
  });
  while (!waits) std::this_thread::yield();
  tn::detach(p, [&] { ran = true; });
  CHECK_FALSE(holder.wait(std::chrono::milliseconds(50)));
  limit.reset();
  tn::detach(p, [] {});  // whoever submits, or waits, tries again
  CHECK(holder.get() == 5);
}

TEST_CASE("a wait in a call into another pool throws where it would leave no thread of its own pool", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 1, .stack_size = little_address_space::too_large_now}}, other{2};
  auto const p = tn::par.on(pool);
  tn::submit(p, [] {}).get();
  little_address_space const limit;
  for (bool const as_completed : {false, true}) {
    auto f = tn::submit(p, [&] {
      return tn::fork_join(
                 tn::par.on(other),
                 [&] {
                   tn::promise<int> made;
                   std::vector<tn::future<int>> kept;
                   kept.push_back(made.get_future());
                   tn::detach(p, [made = std::move(made)]() mutable { made.set_value(3); });
                   if (as_completed)
                     for (auto& one : tn::as_completed(kept)) return one.get();
                   return kept[0].get();
                 },
                 [] { return 0; })
          .first;
    });
    CHECK_THROWS_WITH(f.get(), tn::test::contains_text("refuses to start another one"));
  }
}

TEST_CASE("a group's tasks run without a wait once the system gives its pool a thread", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 2, .stack_size = little_address_space::too_large_now}};
  auto const p = tn::par.on(pool);
  std::atomic<int> ran{0};
  tn::task_group g{p};
  {
    little_address_space const limit;
    g.run([&] { ++ran; });
    CHECK_THROWS_AS(tn::submit(p, [] {}), tn::error);
  }
  tn::submit(p, [] {}).get();
  while (ran == 0) std::this_thread::yield();
  g.run([&] { ++ran; });
  while (ran == 1) std::this_thread::yield();
}

TEST_CASE("a wait that ends by itself does not throw although the system refuses threads", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 1, .stack_size = little_address_space::too_large_now}};
  auto const p = tn::par.on(pool);
  tn::submit(p, [] {}).get();
  little_address_space const limit;
  auto f = tn::submit(p, [&] {
    tn::promise<int> made;
    auto const kept = made.get_future();
    tn::detach(p, [] {});
    return kept.wait(std::chrono::milliseconds(1)) ? 1 : tn::blocking([] { return 2; });
  });
  CHECK(f.get() == 2);
  tn::fork_join(
      p, [&] { tn::blocking([] {}); },  // a caller takes no thread away
      [&] { tn::detach(p, [] {}); });
}

#endif
