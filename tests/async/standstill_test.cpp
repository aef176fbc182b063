// A lock held across a wait that the pool of the lock's holder cannot see: the thread that it lets in sleeps at that
// lock, and so does the next one, until the lookout lets in one that does what all wait for.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;

namespace {

/// In each worker's turn a task holds a lock across `wait(future of a promise)`, which gives the promise's value; three
/// more tasks for each worker want that lock; and the last one keeps the promise.
template <class Wait>
void stands_still(Wait wait) {
  auto const workers = GENERATE(1, 2, 8);
  CAPTURE(workers);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  for (int round = 0; round != 3; ++round) {
    std::mutex mutex;
    tn::promise<int> made;
    std::atomic<bool> filled{false};
    auto holder = tn::submit(p, [&, of = made.get_future()]() mutable {
      std::lock_guard const hold(mutex);
      while (!filled) std::this_thread::yield();
      return wait(of);
    });
    std::vector<tn::future<void>> others;
    for (int i = 0; i != 3 * workers; ++i) others.push_back(tn::submit(p, [&] { std::lock_guard const hold(mutex); }));
    auto keeper = tn::submit(p, [&] { made.set_value(round); });
    filled = true;
    CHECK(holder.get() == round);
    for (auto& f : others) f.get();
    keeper.get();
  }
}

}  // namespace

TEST_CASE("a lock may be held across a wait inside a call into another pool", "[waits][lock]") {
  tn::thread_pool other{2};
  auto const there = tn::par.on(other);
  stands_still(
      [&](tn::future<int>& f) { return tn::fork_join(there, [&] { return f.get(); }, [] { return 0; }).first; });
}

TEST_CASE("a lock may be held across the sleep at a join in another pool", "[waits][lock]") {
  tn::thread_pool other{2};
  auto const there = tn::par.on(other);
  stands_still([&](tn::future<int>& f) {
    std::atomic<bool> begun{false};
    return tn::fork_join(
               there, [&] { return tn::test::comes_true([&] { return begun.load(); }, 1s); },  // likely, not promised
               [&] {
                 begun = true;
                 return f.get();
               })
        .second;
  });
}

TEST_CASE("a lock may be held across the wait for a group of another pool", "[waits][lock]") {
  tn::thread_pool other{2};
  auto const there = tn::par.on(other);
  stands_still([&](tn::future<int>& f) {
    int result = 0;
    std::atomic<bool> begun{false};
    tn::task_group g(there);
    g.run([&] {
      begun = true;
      result = f.get();
    });
    while (!begun) std::this_thread::yield();
    g.wait();
    return result;
  });
}

TEST_CASE("a lock may be held across many short waits", "[waits][lock]") {
  stands_still([](tn::future<int>& f) {
    while (!f.wait(1ms)) {
    }
    return f.get();
  });
}

TEST_CASE("a lock may be held across what blocking() calls, however that sleeps", "[waits][lock]") {
  stands_still([](tn::future<int>& f) {
    std::mutex mutex;
    std::condition_variable told;
    int value = -1;
    auto const told_later = std::move(f).then([&](int v) {
      std::lock_guard const hold(mutex);
      value = v;
      told.notify_one();
    });
    tn::blocking([&] {
      std::unique_lock hold(mutex);
      told.wait(hold, [&] { return value != -1; });
    });
    return value;
  });
}

TEST_CASE("a lock may be held across a wait while outside threads run groups on the pool", "[waits][lock]") {
  tn::thread_pool pool{1};
  auto const p = tn::par.on(pool);
  std::mutex mutex;
  tn::promise<int> made;
  std::atomic<bool> filled{false}, end{false};
  auto holder = tn::submit(p, [&, of = made.get_future()]() mutable {
    std::lock_guard const hold(mutex);
    while (!filled) std::this_thread::yield();
    return of.get();
  });
  std::vector<tn::future<void>> others;
  for (int i = 0; i != 3; ++i) others.push_back(tn::submit(p, [&] { std::lock_guard const hold(mutex); }));
  auto keeper = tn::submit(p, [&] { made.set_value(7); });
  std::thread caller([&] {
    tn::task_group g(p);
    while (!end) {
      g.run([] {});
      g.wait();
    }
  });
  filled = true;
  CHECK(holder.get() == 7);
  end = true;
  caller.join();
}

TEST_CASE("a pool that is joined gets on although it stands still", "[waits][lock]") {
  std::mutex mutex;
  tn::promise<int> made;
  std::atomic<int> done{0};
  std::atomic<bool> filled{false};
  {
    tn::thread_pool pool{1};
    auto const p = tn::par.on(pool);
    tn::detach(p, [&, of = made.get_future()]() mutable {
      std::lock_guard const hold(mutex);
      while (!filled) std::this_thread::yield();
      done += of.get();
    });
    for (int i = 0; i != 3; ++i)
      tn::detach(p, [&] {
        std::lock_guard const hold(mutex);
        ++done;
      });
    tn::detach(p, [&] { made.set_value(10); });
    filled = true;
  }
  CHECK(done == 13);
}

namespace {

/// Calls task(policy) in a task of a pool that is being destroyed, and whose other threads have ended.
template <class Task>
void in_a_pool_that_ends(tn::thread_pool_options const& options, Task task) {
  auto pool = std::make_unique<tn::thread_pool>(options);
  auto const p = tn::par.on(*pool);
  std::atomic<bool> begun{false};
  tn::detach(p, [&] {
    begun = true;
    std::this_thread::sleep_for(20ms);  // then the pool is closed
    task(p);
  });
  while (!begun) std::this_thread::yield();
  pool.reset();
}

}  // namespace

TEST_CASE("a task of a pool that is joined may wait again and again for what continues", "[waits]") {
  int kept = 0;
  in_a_pool_that_ends({.workers = 1}, [&](auto const& p) {
    for (int round = 0; round != 3; ++round) {
      tn::promise<int> first, second;
      auto last = second.get_future();
      auto next = first.get_future().then([&](int v) { second.set_value(v + 1); });
      tn::task_group g(p);
      g.run([&] { first.set_value(1); });
      g.wait();
      kept += last.get();
      next.get();
      std::this_thread::sleep_for(20ms);  // the thread that was let in has ended
    }
  });
  CHECK(kept == 6);
}

TEST_CASE("a task of a pool that is joined may wait, untold, for what only a thread runs that has ended", "[waits]") {
  for (bool const asleep : {false, true}) {
    int kept = 0;
    in_a_pool_that_ends({.workers = 2}, [&](auto const& p) {
      for (int round = 0; round != 3; ++round) {
        std::latch ran{1};
        tn::task_group g(p);
        g.run([&] { ran.count_down(); });
        if (asleep)
          ran.wait();
        else
          while (!ran.try_wait()) std::this_thread::yield();
        g.wait();
        ++kept;
        std::this_thread::sleep_for(5ms);  // the thread that came for it has ended
      }
    });
    CHECK(kept == 3);
  }
}

TEST_CASE("a task that waits again and again while its pool is joined keeps no stacks of threads", "[waits]") {
  auto const megabytes = [] {
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages / 256;
  };
  tn::thread_pool_options o;
  o.workers = 2;
  o.stack_size = std::size_t{64} << 20;
  long grown = 0;
  in_a_pool_that_ends(o, [&](auto const& p) {
    long const before = megabytes();
    for (int round = 0; round != 32; ++round) {
      std::latch ran{1};
      tn::task_group g(p);
      g.run([&] { ran.count_down(); });
      ran.wait();
      g.wait();
      std::this_thread::sleep_for(2ms);  // the thread that came for it has ended
    }
    grown = megabytes() - before;
  });
  CHECK(grown < 1000);  // of 2048
}

TEST_CASE("what is submitted runs on a thread of the pool, though another one waits and all workers sleep", "[waits]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  std::mutex mutex;
  std::atomic<int> begun{0};
  std::thread holder([&] {
    std::lock_guard const hold(mutex);
    while (begun != 2) std::this_thread::yield();
    std::this_thread::sleep_for(50ms);
  });
  auto const call = [&] {
    ++begun;
    std::lock_guard const wanted(mutex);
  };
  auto first = tn::submit(p, call), second = tn::submit(p, call);
  CHECK(tn::submit(p, [] { return std::this_thread::get_id(); }).get() != std::this_thread::get_id());
  holder.join();
  first.get();
  second.get();
}

TEST_CASE("a pool that dies in its own task leaves no thread behind, though tasks of it have waited", "[waits]") {
  auto const threads = [] {
    int n = 0;
    for ([[maybe_unused]] auto const& one : std::filesystem::directory_iterator("/proc/self/task")) ++n;
    return n;
  };
  int const before = threads();
  for (int i = 0; i != 20; ++i) {
    auto pool = std::make_shared<tn::thread_pool>(1);
    std::mutex mutex;
    std::atomic<int> ended{0};
    std::atomic<bool> filled{false};
    auto const task = [&] {
      {
        std::lock_guard const hold(mutex);
      }
      ++ended;
    };
    tn::promise<void> made;
    tn::detach(tn::par.on(*pool), [&, pool, of = made.get_future()]() mutable {
      while (!filled) std::this_thread::yield();
      {
        std::lock_guard const hold(mutex);
        of.get();
      }
      pool.reset();
      ++ended;
    });
    tn::detach(tn::par.on(*pool), task);
    tn::detach(tn::par.on(*pool), [&] {
      made.set_value();
      ++ended;
    });
    pool.reset();
    filled = true;
    REQUIRE(tn::test::comes_true([&] { return ended == 3; }));
  }
  CHECK(tn::test::comes_true([&] { return threads() <= before; }));
}
