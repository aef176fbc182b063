#include "tartan/thread_pool.hpp"

#include <pthread.h>
#include <sched.h>
#include <algorithm>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/sanitized.hpp"
#include "tartan/for_each.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"
#include "tartan/this_worker.hpp"

namespace tn = tartan;
using tn::test::sanitized;

namespace {

template <class Condition>
void spin_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

/// Forks down to `depth` and says how many threads were seen at the leaves, and the peak of those at once.
struct crowd {
  std::atomic<int> now{0}, peak{0};
  void visit() {
    int const here = ++now;
    int seen = peak;
    while (seen < here && !peak.compare_exchange_weak(seen, here)) {
    }
    std::this_thread::yield();  // once: where others want the processor, each takes milliseconds
    --now;
  }
  template <class P>
  void tree(P const& p, int depth) {
    if (depth == 0) return visit();
    tn::fork_join(p, [&] { tree(p, depth - 1); }, [&] { tree(p, depth - 1); });
  }
};

}  // namespace

TEST_CASE("a pool has the workers that it was made with", "[thread_pool]") {
  CHECK(tn::thread_pool{3}.size() == 3);
  CHECK(tn::thread_pool{{.workers = 5, .name = "five"}}.size() == 5);
  CHECK(tn::thread_pool{{.workers = 5, .name = "five"}}.name() == "five");
  CHECK(tn::thread_pool{}.size() == tn::available_workers());
  for (std::ptrdiff_t const wrong : {std::ptrdiff_t{0}, std::ptrdiff_t{-1}, std::ptrdiff_t{4097}})
    CHECK_THROWS_AS(tn::thread_pool{wrong}, tn::bad_argument);
  CHECK_THROWS_WITH((tn::thread_pool{{.workers = -2}}), tn::test::contains_text("1 <= workers <= 4096"));
}

TEST_CASE("policies reach their pool, and learn when it is gone", "[thread_pool]") {
  auto pool = std::make_unique<tn::thread_pool>(tn::thread_pool_options{.workers = 2, .name = "mine"});
  auto const p = tn::par.on(*pool);
  CHECK(tn::submit(p, [] { return tn::this_worker().name; }).get().substr(0, 5) == "mine/");
  auto [here, there] = tn::fork_join(p, [] { return tn::this_worker().name; }, [] { return tn::this_worker().name; });
  CHECK(here.substr(0, 5) == "mine/");
  CHECK(there.substr(0, 5) == "mine/");
  pool.reset();
  CHECK_THROWS_AS(tn::submit(p, [] {}), tn::pool_gone);
  CHECK_THROWS_AS(tn::fork_join(p, [] {}, [] {}), tn::pool_gone);
  CHECK_THROWS_AS(tn::task_group{p}, tn::pool_gone);
  tn::thread_pool next{2};  // takes the entry of the old one, and is not taken for it
  CHECK_THROWS_AS(tn::submit(p, [] {}), tn::pool_gone);
}

TEST_CASE("inside a task a policy reaches the pool that it names, this one or another", "[thread_pool]") {
  tn::thread_pool one{{.workers = 1, .name = "one"}}, mine{{.workers = 2, .name = "mine"}};
  auto const pool_here = [] {
    std::string const name = tn::this_worker().name;
    return name.substr(0, name.find('/'));
  };
  auto const workers_of = [&](auto const& p) {  // by a fork of two small functions, one of large ones, and a loop
    std::vector<std::string> names;
    auto [a, b] = tn::fork_join(p, [&] { return pool_here(); }, [&] { return pool_here(); });
    std::string const padding = "large";
    auto [c, d] = tn::fork_join(
        p, [&, padding] { return pool_here() + padding; }, [&, padding] { return pool_here() + padding; });
    names.insert(names.end(), {a, b, c, d});
    std::mutex mutex;
    std::vector<int> elements(3);
    tn::for_each(p, elements, [&](int&) {
      std::lock_guard const hold(mutex);
      names.push_back(pool_here());
    });
    return names;
  };
  auto const named = [](std::string const& name) {
    return std::vector<std::string>{name, name, name + "large", name + "large", name, name, name};
  };
  auto const on_one = tn::par.on(one), on_mine = tn::par.on(mine);
  for (auto const& outer : {on_one, on_mine}) {
    std::string const home = tn::submit(outer, pool_here).get();
    tn::submit(outer, [&] {
      CHECK(workers_of(on_one) == named("one"));
      CHECK(workers_of(on_mine) == named("mine"));
      CHECK(workers_of(tn::par) == named(home));
      CHECK(workers_of(tn::par.workers(2)) == named(home));
      CHECK(workers_of(on_mine.workers(2)) == named("mine"));
      CHECK(workers_of(tn::par.workers(1)) == (home == "one" ? named("one") : named("tartan")));
    }).get();
  }
}

TEST_CASE("a task that has destroyed its pool forks there no longer by that pool's name", "[thread_pool]") {
  for (int const workers : {1, 2}) {
    auto pool = std::make_unique<tn::thread_pool>(workers);
    auto const p = tn::par.on(*pool);
    tn::submit(p, [&, p] {
      CHECK(tn::fork_join(p, [] { return 1; }, [] { return 2; }).second == 2);
      pool.reset();
      CHECK_THROWS_AS(tn::fork_join(p, [] { return 1; }, [] { return 2; }), tn::pool_gone);
      std::vector<int> elements(3);
      CHECK_THROWS_AS(tn::for_each(p, elements, [](int&) {}), tn::pool_gone);
      CHECK(tn::fork_join(tn::par, [] { return 1; }, [] { return 2; }).second == 2);
    }).get();
  }
}

TEST_CASE("a hundred pools at once, each for its policies", "[thread_pool]") {
  std::vector<std::unique_ptr<tn::thread_pool>> pools;
  for (int i = 0; i != 100; ++i)
    pools.push_back(
        std::make_unique<tn::thread_pool>(tn::thread_pool_options{.workers = 1, .name = std::to_string(i)}));
  for (int i = 0; i != 100; ++i) {
    auto const& pool = *pools[static_cast<std::size_t>(i)];
    auto const name = tn::fork_join(tn::par.on(pool), [] { return tn::this_worker().name; }, [] { return 0; });
    CHECK(name.first == std::to_string(i) + "/0");
  }
}

TEST_CASE("close refuses what comes and runs what has come", "[thread_pool]") {
  std::atomic<bool> go{false};
  std::atomic<int> ran{0};
  tn::thread_pool pool{1};
  auto const p = tn::par.on(pool);
  for (int i = 0; i != 10; ++i)
    tn::submit(p, [&] {
      spin_until([&] { return go.load(); });
      ++ran;
    });
  pool.close();
  CHECK_THROWS_AS(tn::submit(p, [] {}), tn::pool_closed);
  CHECK_THROWS_AS(tn::detach(p, [] {}), tn::pool_closed);
  CHECK_THROWS_AS(tn::fork_join(p, [] {}, [] {}), tn::pool_closed);
  go = true;
  pool.join();
  CHECK(ran == 10);
  pool.join();
  CHECK_THROWS_AS(tn::submit(p, [] {}), tn::pool_closed);
}

TEST_CASE("the first task of a pool that is joined at that moment runs or is refused", "[thread_pool]") {
  for (int round = 0; round != 4000; ++round) {
    tn::thread_pool pool{1 + round % 2};
    std::atomic<int> here{0};
    tn::future<int> f;
    std::thread other([&] {
      for (++here; here != 2;) std::this_thread::yield();
      for (int i = 0; i < round % 64; ++i) tn::detail::cpu_pause();
      try {
        f = tn::submit(tn::par.on(pool), [] { return 1; });
      } catch (tn::pool_closed const&) {
      }
    });
    for (++here; here != 2;) std::this_thread::yield();
    for (int i = 0; i < round / 64; ++i) tn::detail::cpu_pause();
    pool.join();
    other.join();
    pool.join();
    if (f.valid()) REQUIRE(f.ready());
  }
}

TEST_CASE("a refused task is destroyed, and costs nothing else", "[thread_pool]") {
  tn::thread_pool pool{1};
  pool.close();
  auto held = std::make_shared<int>(0);
  CHECK_THROWS_AS(tn::submit(tn::par.on(pool), [held] {}), tn::pool_closed);
  CHECK_THROWS_AS(tn::detach(tn::par.on(pool), [held] {}), tn::pool_closed);
  CHECK(held.use_count() == 1);
}

TEST_CASE("the destructor lets everything run", "[thread_pool]") {
  std::atomic<int> ran{0};
  {
    tn::thread_pool pool{2};
    for (int i = 0; i != 1000; ++i) tn::detach(tn::par.on(pool), [&] { ++ran; });
  }
  CHECK(ran == 1000);
}

TEST_CASE("with one worker, what one thread submits begins in that order", "[thread_pool]") {
  std::vector<int> order;
  {
    tn::thread_pool pool{1};
    for (int i = 0; i != 100'000; ++i) tn::detach(tn::par.on(pool), [&order, i] { order.push_back(i); });
  }
  REQUIRE(order.size() == 100'000);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("with one worker, what one thread submits begins in that order, also from a call", "[thread_pool]") {
  tn::thread_pool pool{1}, other{2};
  auto const p = tn::par.on(pool);
  std::vector<int> order;
  std::latch go{1};
  tn::detach(p, [&] { go.wait(); });
  tn::detach(p, [&] { order.push_back(1); });
  auto const here = std::this_thread::get_id();
  tn::fork_join(
      tn::par.on(other),
      [&] {
        REQUIRE(std::this_thread::get_id() == here);
        tn::detach(p, [&] { order.push_back(2); });
      },
      [] {});
  tn::detach(p, [&] { order.push_back(3); });
  go.count_down();
  pool.close();
  pool.join();
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("terminate cancels what has not begun", "[thread_pool]") {
  std::atomic<bool> begun{false}, go{false};
  std::atomic<int> ran{0};
  auto held = std::make_shared<int>(0);
  tn::thread_pool pool{1};
  auto const p = tn::par.on(pool);
  auto first = tn::submit(p, [&] {
    begun = true;
    spin_until([&] { return go.load(); });
    return 1;
  });
  spin_until([&] { return begun.load(); });
  std::vector<tn::future<void>> rest;
  for (int i = 0; i != 20; ++i) rest.push_back(tn::submit(p, [&ran, held] { ++ran; }));
  tn::detach(p, [&ran, held] { ++ran; });
  std::thread ender([&] { pool.terminate(); });
  rest.back().wait();  // cancelled while the first one runs
  go = true;
  ender.join();
  CHECK(first.get() == 1);
  for (auto& f : rest) CHECK_THROWS_AS(f.get(), tn::cancelled);
  CHECK(ran == 0);
  CHECK(held.use_count() == 1);
}

TEST_CASE("two threads may join one pool; a task of it may not", "[thread_pool]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  CHECK_THROWS_WITH(tn::submit(p, [&] { pool.join(); }).get(), tn::test::contains_text("cannot join that pool"));
  std::thread other([&] { pool.join(); });
  pool.join();
  other.join();
}

TEST_CASE("hooks run on each thread of the pool", "[thread_pool]") {
  std::atomic<int> started{0}, ended{0};
  std::atomic<bool> on_worker{true};
  std::latch all(3);
  {
    tn::thread_pool pool{{.workers = 3,
                          .name = "hooked",
                          .on_thread_start =
                              [&](unsigned index) {
                                ++started;
                                if (tn::this_worker().index != index) on_worker = false;
                              },
                          .on_thread_exit = [&](unsigned) { ++ended; }}};
    for (int i = 0; i != 3; ++i) tn::detach(tn::par.on(pool), [&] { all.arrive_and_wait(); });
    all.wait();
    CHECK(started == 3);
    CHECK(ended == 0);
  }
  CHECK(ended == 3);
  CHECK(on_worker);
}

TEST_CASE("what a hook ends at the exit of a thread is continued, however long the chain", "[thread_pool]") {
  tn::promise<int> made;
  auto f = made.get_future().then([](int x) { return x + 1; });
  for (int i = 0; i != 99; ++i) f = std::move(f).then([](int x) { return x + 1; });
  {
    tn::thread_pool pool{{.workers = 1, .on_thread_exit = [&](unsigned) { made.set_value(0); }}};
    tn::submit(tn::par.on(pool), [] {}).get();
  }
  REQUIRE(f.ready());
  CHECK(f.get() == 100);
}

TEST_CASE("threads carry the name of their pool, cut to what the system keeps", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 1, .name = "a name that is too long"}};
  auto const name = tn::submit(tn::par.on(pool), [] {
                      char text[16] = "";
                      ::pthread_getname_np(::pthread_self(), text, sizeof text);
                      return std::string(text);
                    }).get();
  CHECK(name == "a name that i/1");
}

TEST_CASE("this_worker says who runs", "[thread_pool]") {
  auto const outside = tn::this_worker();
  CHECK(outside.index == 0);
  CHECK(outside.pid == ::getpid());
  tn::thread_pool pool{4};
  std::latch all(4);
  std::vector<tn::future<tn::worker_info>> fs;
  for (int i = 0; i != 4; ++i)
    fs.push_back(tn::submit(tn::par.on(pool), [&] {
      all.arrive_and_wait();
      return tn::this_worker();
    }));
  std::set<unsigned> indices;
  std::set<long> threads;
  for (auto& f : fs) {
    auto const info = f.get();
    indices.insert(info.index);
    threads.insert(info.thread_id);
    CHECK(info.name == "pool/" + std::to_string(info.index));
  }
  CHECK(indices.size() == 4);
  CHECK(threads.size() == 4);
  CHECK(threads.count(outside.thread_id) == 0);
}

TEST_CASE("pinned threads stay on one processor each", "[thread_pool]") {
  tn::thread_pool pool{{.workers = 2, .pin = true}};
  std::latch both(2);
  auto where = [&] {
    both.arrive_and_wait();
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof set, &set);
    return set;
  };
  auto fa = tn::submit(tn::par.on(pool), where), fb = tn::submit(tn::par.on(pool), where);
  cpu_set_t const a = fa.get(), b = fb.get();
  CHECK(CPU_COUNT(&a) == 1);
  CHECK(CPU_COUNT(&b) == 1);
  CHECK((tn::detail::hardware_cores() == 1) == CPU_EQUAL(&a, &b));
  cpu_set_t mine;
  CPU_ZERO(&mine);
  ::sched_getaffinity(0, sizeof mine, &mine);
  CHECK(static_cast<unsigned>(CPU_COUNT(&mine)) == tn::detail::hardware_cores());
}

TEST_CASE("every idle mode does the work, again and again after sleep", "[thread_pool]") {
  auto const mode = GENERATE(tn::idle::latency, tn::idle::balanced, tn::idle::power);
  tn::thread_pool pool{{.workers = 3, .idle = mode}};
  auto const p = tn::par.on(pool);
  for (int round = 0; round != 50; ++round) {
    std::atomic<int> ran{0};
    tn::task_group g{p};
    for (int i = 0; i != 20; ++i) g.run([&] { ++ran; });
    g.wait();
    auto [a, b] = tn::fork_join(p, [] { return 1; }, [] { return 2; });
    REQUIRE(ran == 20);
    REQUIRE(a + b == 3);
    REQUIRE(tn::submit(p, [] { return 7; }).get() == 7);
    if (round % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST_CASE("a pool without work takes no processor time", "[thread_pool]") {
  auto const mode = GENERATE(tn::idle::balanced, tn::idle::power);
  tn::thread_pool pool{{.workers = 4, .idle = mode}};
  for (int i = 0; i != 100; ++i) tn::submit(tn::par.on(pool), [] {}).get();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  auto const processor_ms = [] {
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1'000'000;
  };
  auto const before = processor_ms();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  CHECK(processor_ms() - before < 20);  // threads that search would take 400 each
}

TEST_CASE("small stacks carry nested work", "[thread_pool]") {
  std::size_t const stack = sanitized ? std::size_t{1} << 20 : std::size_t{64} << 10;
  auto const workers = GENERATE(1, 2, 16, 64);
  tn::thread_pool pool{{.workers = workers, .stack_size = stack}};
  auto const p = tn::par.on(pool);
  std::function<long(int)> const fibonacci = [&](int n) -> long {
    if (n < 2) return n;
    auto [a, b] = tn::fork_join(p, [&] { return fibonacci(n - 1); }, [&] { return fibonacci(n - 2); });
    return a + b;
  };
  std::vector<tn::future<long>> fs;
  for (int i = 0; i != 8; ++i) fs.push_back(tn::submit(p, [&] { return fibonacci(18); }));
  for (auto& f : fs) CHECK(f.get() == 2584);
  CHECK(tn::submit(p, [&] {
          pthread_attr_t attributes;
          void* low = nullptr;
          std::size_t size = 0;
          ::pthread_getattr_np(::pthread_self(), &attributes);
          ::pthread_attr_getstack(&attributes, &low, &size);
          ::pthread_attr_destroy(&attributes);
          return size;
        }).get() <= stack + (std::size_t{128} << 10));
}

TEST_CASE("work nested three deep never runs on more threads than the pool has", "[thread_pool]") {
  auto const workers = GENERATE(1, 2, 3, 8);
  std::latch all(workers);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  crowd c;
  SECTION("a caller and a pool that has served submissions before") {
    for (int i = 0; i != workers; ++i) tn::detach(p, [&] { all.arrive_and_wait(); });
    all.wait();  // every thread exists
    for (int round = 0; round != 20; ++round) c.tree(p, 6);
  }
  SECTION("submissions") {
    tn::submit(p, [&] {
      tn::task_group g{p};
      for (int i = 0; i != 10; ++i) g.run([&] { tn::fork_join(p, [&] { c.tree(p, 4); }, [&] { c.tree(p, 4); }); });
      g.wait();
    }).get();
  }
  CHECK(c.peak <= workers);
}

TEST_CASE("two outside callers at once share a pool", "[thread_pool]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  std::atomic<int> wrong{0};
  auto const caller = [&] {
    for (int i = 0; i != 2000; ++i) {
      auto [a, b] = tn::fork_join(
          p, [&] { return tn::fork_join(p, [] { return 1; }, [] { return 2; }).second; }, [] { return 3; });
      if (a + b != 5) ++wrong;
    }
  };
  std::thread other(caller);
  caller();
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("what is submitted runs although outside callers keep every worker's place", "[thread_pool]") {
  tn::thread_pool pool{2};
  for (int round = 0; round != 20; ++round) {
    std::atomic<bool> ran{false};
    std::atomic<int> inside{0};
    auto const caller = [&] {
      tn::fork_join(tn::par.on(pool), [&] { ++inside, tn::test::comes_true([&] { return ran.load(); }); }, [] {});
    };
    std::thread first(caller), second(caller);
    CHECK(tn::test::comes_true([&] { return inside == 2; }));
    if (round % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the pool's thread has lain down
    auto task = tn::submit(tn::par.on(pool), [&] { ran = true; });
    CHECK(tn::test::comes_true([&] { return ran.load(); }));
    first.join();
    second.join();
    task.get();
  }
}

/// A pool of one whose only thread is in a task that blocks until another task has run, while a caller works there.
struct blocked_pool {
  tn::thread_pool pool{1};
  decltype(tn::par.on(pool)) p = tn::par.on(pool);
  std::atomic<bool> inside{false}, leave{false}, blocks{false}, ran{false};
  std::thread caller{
      [this] { tn::fork_join(p, [this] { inside = true, spin_until([this] { return leave.load(); }); }, [] {}); }};

  void block() {
    spin_until([this] { return inside.load(); });
    tn::detach(p, [this] { tn::blocking([this] { blocks = true, spin_until([this] { return ran.load(); }); }); });
    spin_until([this] { return blocks.load(); });
    tn::detach(p, [this] { ran = true; });
  }
  [[nodiscard]] bool comes_to_its_end() {
    bool const came = tn::test::comes_true([this] { return ran.load(); });
    ran = leave = true;
    caller.join();
    return came;
  }
};

TEST_CASE("what a task that blocks waits for runs although a caller keeps the last place", "[thread_pool]") {
  blocked_pool b;
  b.block();
  CHECK(b.comes_to_its_end());
}

TEST_CASE("what a task that blocks waits for runs although every thread sleeps in a wait for that task",
          "[thread_pool]") {
  for (int round = 0; round != 20; ++round) {
    tn::thread_pool pool{1};
    auto const p = tn::par.on(pool);
    std::atomic<bool> blocks{false}, waits{false}, ran{false};
    auto first = tn::submit(p, [&] { tn::blocking([&] { blocks = true, spin_until([&] { return ran.load(); }); }); });
    spin_until([&] { return blocks.load(); });
    auto second = tn::submit(p, [&] { waits = true, first.get(); });
    CHECK(tn::test::comes_true([&] { return waits.load(); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 4));  // it has fallen asleep, or is about to
    tn::detach(p, [&] { ran = true; });
    CHECK(tn::test::comes_true([&] { return ran.load(); }));
    ran = true;
    second.get();
  }
}

TEST_CASE("a task that blocks while its pool is joined lets the next one run", "[thread_pool]") {
  for (unsigned const workers : {1U, 2U}) {
    std::atomic<bool> joining{false}, ran{false};
    std::atomic<unsigned> saw_it_run{0};
    tn::thread_pool pool{workers};
    auto const p = tn::par.on(pool);
    for (unsigned i = 0; i != workers; ++i)
      tn::detach(p, [&] {
        spin_until([&] { return joining.load(); });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // join() has begun, or is about to
        if (tn::blocking([&] { return tn::test::comes_true([&] { return ran.load(); }); })) ++saw_it_run;
      });
    tn::detach(p, [&] { ran = true; });
    joining = true;
    pool.join();
    CHECK(saw_it_run == workers);
  }
}

TEST_CASE("the first task that is submitted runs although every thread blocks and callers keep the places",
          "[thread_pool]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  std::atomic<bool> leave{false}, last_begun{false}, second_inside{false}, ran{false};
  std::atomic<int> block{0};
  auto const until_leave = [&] { spin_until([&] { return leave.load(); }); };
  auto const blocks = [&] { tn::blocking([&] { ++block, until_leave(); }); };
  std::thread first([&] {
    tn::fork_join(p, until_leave, [&] {
      tn::fork_join(p, blocks, [&] {  // on the thread that was let in, which blocks when a caller more is inside
        last_begun = true;
        spin_until([&] { return second_inside.load(); });
        blocks();
      });
    });
  });
  spin_until([&] { return last_begun.load(); });
  std::thread second([&] { tn::fork_join(p, [&] { second_inside = true, until_leave(); }, [] {}); });
  spin_until([&] { return block == 2; });
  tn::detach(p, [&] { ran = true; });
  CHECK(tn::test::comes_true([&] { return ran.load(); }));
  leave = true;
  first.join();
  second.join();
}

TEST_CASE("a caller that leaves makes room for what a task that blocks waits for", "[thread_pool]") {
  for (int i = 0; i != 50; ++i) {
    blocked_pool b;
    std::thread leaves_meanwhile([&b] { spin_until([&b] { return b.inside.load(); }), b.leave = true; });
    b.block();
    CHECK(b.comes_to_its_end());
    leaves_meanwhile.join();
  }
}

TEST_CASE("a thread that has slept may run on every processor again", "[thread_pool]") {
  cpu_set_t granted;
  REQUIRE(::sched_getaffinity(0, sizeof granted, &granted) == 0);
  tn::thread_pool pool{2};
  for (int i = 0; i != 50; ++i) {
    if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // some find it asleep
    cpu_set_t its = tn::submit(tn::par.on(pool), [] {
                      cpu_set_t mine;
                      CPU_ZERO(&mine);
                      ::sched_getaffinity(0, sizeof mine, &mine);
                      return mine;
                    }).get();
    CHECK(CPU_EQUAL(&its, &granted));
  }
}

TEST_CASE("pools come and go, used or not, awake or asleep", "[thread_pool]") {
  for (int i = 0; i != 100; ++i) {
    tn::thread_pool pool{1 + i % 5};
    if (i % 2 == 0) tn::fork_join(tn::par.on(pool), [] {}, [] {});
    if (i % 3 == 0) tn::submit(tn::par.on(pool), [] {});
    if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (i % 4 == 0) pool.terminate();
  }
  SUCCEED();
}
