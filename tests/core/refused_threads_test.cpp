// A pool for which the system starts no thread: its callers do the work.
#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "support/catch.hpp"
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
