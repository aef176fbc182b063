// What is submitted has its turn beside callers from outside, who may go on for ever.
#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "tartan/core/worker.hpp"
#include "tartan/for_each.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

bool on_first_thread() { return tn::detail::current_worker()->rank == 0; }

/// Loops of which a caller hands parts to the first thread of its pool.
struct stream_of_loops {
  std::vector<char> elements = std::vector<char>(4096);
  std::atomic<bool> seen{false};
  long handed_over = 0;

  template <class P>
  void one(P const& p) {
    seen = false;
    tn::for_each(p, elements, [this](char&) {
      if (on_first_thread()) seen.store(true, std::memory_order_relaxed);
    });
    if (seen) ++handed_over;
  }
};

}  // namespace

TEST_CASE("a task waits for a few of the loops that a caller hands over without end, not for all", "[thread_pool]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  stream_of_loops loops;
  long longest = 0;
  auto const without_end = [&] {
    for (int round = 0; round != 300; ++round) {
      std::atomic<bool> ran{false}, by_first{false};
      long const before = loops.handed_over;
      tn::detach(p, [&] { by_first = on_first_thread(), ran = true; });
      while (!ran) loops.one(p);
      // Another thread may have taken the task, and lose its processor before it runs it.
      if (by_first) longest = std::max(longest, loops.handed_over - before);
    }
  };
  tn::fork_join(p, without_end, [] {});  // one call, so that the caller keeps its place
  CHECK(longest <= 60);                  // the thread looks for tasks after every 16th part
}

TEST_CASE("a caller that sleeps at a join leaves its place to what is submitted", "[thread_pool]") {
  for (int round = 0; round != 20; ++round) {
    tn::thread_pool pool{2};
    auto const p = tn::par.on(pool);
    std::atomic<bool> begun{false}, ran{false}, given_up{false};
    std::thread caller([&] {
      while (!begun && !given_up)  // nobody has promised to come for the other half
        tn::fork_join(
            p,
            [&] {
              for (int i = 0; i != 100 && !begun; ++i) std::this_thread::yield();
            },
            [&] {
              if (!on_first_thread()) return;
              begun = true;  // keeps that thread busy
              while (!ran && !given_up) std::this_thread::yield();
            });
    });
    CHECK(tn::test::comes_true([&] { return begun.load(); }));
    tn::detach(p, [&] { ran = true; });
    CHECK(tn::test::comes_true([&] { return ran.load(); }));
    given_up = true;
    caller.join();
  }
}

namespace {

/// Adds itself to the pool without end.
template <class P>
void go_on(P const& p, std::atomic<bool> const& enough, std::atomic<int>& ended) {
  if (enough)
    ++ended;
  else
    tn::detach(p, [p, &enough, &ended] { go_on(p, enough, ended); });
}

}  // namespace

TEST_CASE("tasks that add tasks without end leave others their turn", "[thread_pool]") {
  for (int const workers : {1, 2}) {
    std::atomic<bool> enough{false}, ran{false};
    std::atomic<int> ended{0};
    tn::thread_pool pool{workers};
    auto const p = tn::par.on(pool);
    for (int i = 0; i != workers; ++i) go_on(p, enough, ended);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    auto task = tn::submit(p, [&] { ran = true; });
    CHECK(tn::test::comes_true([&] { return ran.load(); }));
    enough = true;
    task.wait();
    CHECK(tn::test::comes_true([&] { return ended == workers; }));
  }
}

TEST_CASE("the places of callers that sleep serve several tasks at once", "[thread_pool]") {
  for (int round = 0; round != 60; ++round) {
    tn::thread_pool pool{4};
    auto const p = tn::par.on(pool);
    std::atomic<int> begun{0}, by_caller{0};
    std::atomic<bool> leave{false};
    auto const call = [&] {  // sleeps while a thread of the pool runs the other half
      std::atomic<bool> taken{false};
      auto const self = std::this_thread::get_id();
      tn::fork_join(
          p,
          [&] {
            for (int i = 0; i != 100'000 && !taken; ++i) std::this_thread::yield();
          },
          [&] {
            taken = true;
            if (std::this_thread::get_id() == self) ++by_caller;
            ++begun;
            while (!leave) std::this_thread::sleep_for(std::chrono::microseconds(100));
          });
    };
    tn::submit(p, [] {}).get();  // every thread has started
    std::thread first(call);
    CHECK(tn::test::comes_true([&] { return begun == 1; }));
    std::thread second(call);
    CHECK(tn::test::comes_true([&] { return begun == 2; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (by_caller == 0) {  // else a place is taken
      std::atomic<bool> warm{false}, ran{false};
      tn::detach(p, [&] { warm = true; });
      while (!warm) {  // so that a thread searches
      }
      auto waits = tn::submit(p, [&] { return tn::test::comes_true([&] { return ran.load(); }); });
      auto runs = tn::submit(p, [&] { ran = true; });
      CHECK(tn::test::comes_true([&] { return ran.load(); }));
      waits.wait();
      runs.wait();
    }
    leave = true;
    first.join();
    second.join();
  }
}
