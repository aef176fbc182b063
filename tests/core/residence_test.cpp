#include "tartan/core/residence.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/in_child.hpp"
#include "tartan/for_each.hpp"
#include "tartan/submit.hpp"
#include "tartan/this_worker.hpp"

namespace tn = tartan;
using tn::test::in_child;

// The default pool of this program has three workers, and whoever calls first is its resident: what is checked is that
// a resident who is outside takes nobody's place, and that those whose place he gave back get it.

namespace {

constexpr std::size_t workers = 3;

void three_workers() {
  static bool const done = (tn::set_default_workers(workers), true);
  (void)done;
}

void loop(std::size_t n) {
  std::vector<int> v(n, 1);
  tn::for_each(tn::par, v, [](int& x) { ++x; });
  if (std::accumulate(v.begin(), v.end(), std::size_t{0}) != 2 * n) std::abort();  // several threads come here
}

/// As many tasks as the pool has workers, each of which waits for all others in a way that the pool cannot see.
void tasks_that_need_all_workers() {
  struct meeting {
    std::atomic<std::size_t> here{0}, gone{0};
  } m;
  for (std::size_t i = 0; i != workers; ++i)
    tn::detach(tn::par, [&m] {
      ++m.here;
      while (m.here != workers) std::this_thread::yield();
      ++m.gone;
    });
  while (m.gone != workers) std::this_thread::yield();
}

void spin(int turns) {
  for (std::atomic<int> i{0}; i < turns; ++i) {
  }
}

}  // namespace

// In children, each of which has a pool of its own: a residence ends once in the life of a pool. First: no thread may
// run yet when a child is forked.
TEST_CASE("a residence ends at any moment of its holder's calls", "[pool]") {
  three_workers();
  for (int round = 0; round != 24; ++round)
    CHECK(in_child([round] {
            loop(10);
            std::thread other([round] {
              spin(round * 50);
              if (round % 3 == 0) loop(10);
              if (round % 3 == 1) tn::submit(tn::par, [] {}).get();
              if (round % 3 == 2) std::thread([] { loop(10); }).join();
            });
            for (std::size_t i = 0; i != 2000; ++i) loop(i % 40);
            other.join();
            tasks_that_need_all_workers();
            loop(1000);
            tasks_that_need_all_workers();
          }) == 0);
}

TEST_CASE("the slot of a resident whose thread has ended is like any other", "[pool]") {
  for (int round = 0; round != 4; ++round)
    CHECK(in_child([] {
            for (int i = 0; i != 5; ++i) std::thread([] { loop(50), loop(50); }).join();
            loop(50);
            tasks_that_need_all_workers();
          }) == 0);
}

TEST_CASE("tasks find all workers although a caller was inside before", "[pool]") {
  three_workers();
  for (int round = 0; round != 300; ++round) {
    for (int i = 0; i != round % 4; ++i) loop(std::size_t{1} << (round % 14));
    if (round % 16 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    tasks_that_need_all_workers();
    SUCCEED();
  }
}

TEST_CASE("a resident calls while others call, end and submit", "[pool]") {
  three_workers();
  std::atomic<bool> stop{false};
  std::vector<std::thread> others;
  for (int t = 0; t != 2; ++t)
    others.emplace_back([&stop, t] {
      while (!stop) {
        std::thread([] { loop(100); }).join();
        if (t == 1) tn::submit(tn::par, [] {}).get();
      }
    });
  for (int round = 0; round != 2000; ++round) loop(static_cast<std::size_t>(round));
  stop = true;
  for (std::thread& t : others) t.join();
  tasks_that_need_all_workers();
  SUCCEED();
}
