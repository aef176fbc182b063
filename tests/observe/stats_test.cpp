#include "tartan/stats.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <sstream>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "tartan/as_completed.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/this_worker.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

TEST_CASE("stats count tasks, steals, and the time at work and without", "[stats]") {
  std::latch both(2);
  tn::thread_pool pool{{.workers = 2, .name = "counted"}};
  CHECK(tn::stats(pool).tasks() == 0);
  for (int i = 0; i != 2; ++i) tn::detach(tn::par.on(pool), [&] { both.arrive_and_wait(); });
  both.wait();
  for (int i = 0; i != 98; ++i) tn::submit(tn::par.on(pool), [] {}).get();
  auto const s = tn::stats(pool);
  CHECK(s.name == "counted");
  CHECK(s.tasks() == 100);
  int threads = 0;
  for (auto const& w : s.workers) {
    threads += w.own_thread;
    if (w.own_thread) CHECK(w.busy + w.idle > std::chrono::nanoseconds{0});
  }
  CHECK(threads == 2);
  CHECK_THAT(s.text(), tn::test::contains_text("counted: worker"));
  std::ostringstream out;
  out << s;
  CHECK(out.str() == s.text());
  CHECK(format_as(s) == s.text());
}

TEST_CASE("a steal is counted", "[stats]") {
  std::latch both(2);  // so that the second half must run elsewhere
  tn::thread_pool pool{2};
  tn::fork_join(tn::par.on(pool), [&] { both.arrive_and_wait(); }, [&] { both.arrive_and_wait(); });
  auto const s = tn::stats(pool);
  CHECK(s.tasks() == 0);
  CHECK(s.steals() == 1);
  CHECK(s.workers.size() == 2);
}

namespace {

template <class P>
long fib(P const& p, int n) {
  if (n < 2) return n;
  auto [a, b] = tn::fork_join(p, [&p, n] { return fib(p, n - 1); }, [&p, n] { return fib(p, n - 2); });
  return a + b;
}

}  // namespace

TEST_CASE("forks are counted while somebody asks for it", "[stats]") {
  int const workers = GENERATE(1, 2, 5);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  CHECK(fib(p, 15) == 610);
  CHECK(tn::stats(pool).forks() == 0);
  std::uint64_t const a_fork_each = workers == 1 ? 0 : 986;  // fib(16) - 1; one worker puts nothing up for others
  {
    tn::count_forks const counting(pool);
    CHECK(fib(p, 15) == 610);
    CHECK(tn::stats(pool).forks() == a_fork_each);
    {
      tn::count_forks const another(pool);
      tn::fork_join(tn::par, [] {}, [] {});  // of another pool
    }
    CHECK(tn::submit(p, [] { return fib(tn::par, 15); }).get() == 610);  // the quick ones, inside of a task
    CHECK(tn::stats(pool).forks() == 2 * a_fork_each);
  }
  CHECK(tn::submit(p, [] { return fib(tn::par, 15); }).get() == 610);
  CHECK(tn::stats(pool).forks() == 2 * a_fork_each);
  tn::count_forks const of_default;
  auto const before = tn::stats().forks();
  tn::fork_join(tn::par, [] {}, [] {});
  CHECK(tn::stats().forks() - before == (tn::available_workers() == 1 ? 0 : 1));
}

TEST_CASE("a thread that is gone is neither busy nor idle any more", "[stats]") {
  tn::thread_pool pool{1};
  tn::submit(tn::par.on(pool), [] {}).get();
  pool.join();
  auto const time = [&] {
    auto const s = tn::stats(pool);
    std::chrono::nanoseconds sum{0};
    for (auto const& w : s.workers) sum += w.busy + w.idle;
    return sum;
  };
  auto const before = time();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(time() < before + std::chrono::milliseconds(25));
}

TEST_CASE("idle time grows in a pool that sleeps, busy time does not", "[stats]") {
  tn::thread_pool pool{1};
  tn::submit(tn::par.on(pool), [] {}).get();
  while (tn::stats(pool).parks() == 0) std::this_thread::yield();
  auto const before = tn::stats(pool);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  auto const after = tn::stats(pool);
  auto const thread = [](tn::pool_stats const& s) {
    for (auto const& w : s.workers)
      if (w.own_thread) return w;
    return tn::worker_stats{};
  };
  auto const idle = thread(after).idle - thread(before).idle, busy = thread(after).busy - thread(before).busy;
  CHECK(idle > busy);
  CHECK(thread(after).tasks == 1);
}

TEST_CASE("a task that sleeps in a wait for some time is idle meanwhile", "[stats]") {
  using namespace std::chrono_literals;
  tn::thread_pool pool{1};
  tn::promise<int> late, later;
  auto const never = late.get_future();
  auto const idle = [&] {  // of this worker: others are let in meanwhile
    for (auto const& w : tn::stats(pool).workers)
      if (w.index == tn::this_worker().index) return w.idle;
    return std::chrono::nanoseconds{0};
  };
  auto const idle_in = [&](auto const& wait) {
    return tn::submit(tn::par.on(pool),
                      [&] {
                        auto const before = idle();
                        wait();
                        return idle() - before;
                      })
        .get();
  };
  // The wait begins with letting a thread in, which may take long where others are busy.
  auto const is_idle_in = [&](auto const& wait_of_20ms) {
    for (int round = 0; round != 50; ++round)
      if (idle_in(wait_of_20ms) >= 10ms) return true;
    return false;
  };
  CHECK(is_idle_in([&] { CHECK_FALSE(never.wait(20ms)); }));
  std::vector<tn::future<int>> none;
  none.push_back(later.get_future());
  CHECK(is_idle_in([&] { CHECK_THROWS_AS(tn::as_completed(none, 20ms).begin(), tn::timeout_error); }));
  CHECK(idle_in([&] { std::this_thread::sleep_for(20ms); }) < 20ms);  // which nobody told the pool
  late.set_value(1);
  later.set_value(1);
}

TEST_CASE("the default pool has stats too", "[stats]") { CHECK_FALSE(tn::stats().workers.empty()); }
