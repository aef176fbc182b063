// Locks, permits, events, meetings and queues between processes, with deaths in the middle.

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "tartan/algorithms/for_each.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

using tartan::test::numbers;

using shared_long = tn::shared_span<long>;

/// Workers for tasks that wait for each other: each task needs a worker of its own. Where workers have had quick tasks
/// before, one of these may be sent behind another, if a worker is late to start.
struct fresh_workers {
  explicit fresh_workers(unsigned n) : pool{{.workers = n, .timeout = 60s}} {}
  tn::process_pool pool;
  decltype(tn::processes.on(pool)) policy = tn::processes.on(pool);
};

}  // namespace

TEST_CASE("ipc::mutex: increments by several processes are not lost") {
  tn::ipc::mutex m;
  tn::shared_array<long> total(1);
  tn::for_each(tn::processes.workers(3), numbers(4000),
               tn::closure(m, total.span(), [](tn::ipc::mutex its_lock, shared_long t, int) {
                 std::scoped_lock const hold(its_lock);
                 long const before = t[0];
                 if (before % 100 == 0) std::this_thread::yield();
                 t[0] = before + 1;
               }));
  CHECK(total[0] == 4000);
}

TEST_CASE("ipc::mutex: the death of the holder is told to everybody until somebody repairs") {
  tn::ipc::mutex m;
  tn::shared_array<long> pair(2);
  auto const r = tn::try_map(tn::processes.workers(1), numbers(2),
                             tn::closure(m, pair.span(), [](tn::ipc::mutex its_lock, shared_long p, int x) {
                               std::scoped_lock const hold(its_lock);
                               p[0] = x + 1;
                               if (x == 0) std::raise(SIGKILL);
                               p[1] = x + 1;
                             }));
  CHECK_FALSE(r[0].has_value());
  CHECK_THROWS_AS(r[1].value(), tn::owner_died);
  CHECK(pair[0] == 1);
  CHECK(pair[1] == 0);
  CHECK_THROWS_AS(m.lock(), tn::owner_died);
  CHECK_THROWS_AS(m.try_lock(), tn::owner_died);
  CHECK_THROWS_AS(m.repair([] { throw 1; }), int);
  CHECK_THROWS_AS(m.lock(), tn::owner_died);
  m.repair([&] { pair[1] = pair[0]; });
  m.lock();
  m.unlock();
  CHECK(tn::try_map(tn::processes.workers(1), numbers(1),
                    tn::closure(m,
                                [](tn::ipc::mutex its_lock, int) {
                                  std::scoped_lock const hold(its_lock);
                                  return 1;
                                }))[0]
            .has_value());
}

TEST_CASE("ipc::mutex: a waiter that sleeps is told of the death") {
  tn::ipc::mutex m;
  tn::ipc::event held;
  bool told = false;
  std::jthread waiter([&] {
    held.wait();
    try {
      m.lock();
    } catch (tn::owner_died const&) {
      told = true;
    }
  });
  auto const r = tn::try_map(tn::processes.workers(1), numbers(1),
                             tn::closure(m, held, [](tn::ipc::mutex its_lock, tn::ipc::event its_event, int) {
                               its_lock.lock();
                               its_event.set();
                               std::this_thread::sleep_for(50ms);
                               std::raise(SIGKILL);
                             }));
  waiter.join();
  CHECK(told);
  CHECK_FALSE(r[0].has_value());
}

TEST_CASE("ipc::mutex: try and time limits; recursive_mutex may be taken again") {
  tn::ipc::mutex m;
  m.lock();
  auto const tries =
      tn::map(tn::processes.workers(1), numbers(1), tn::closure(m, [](tn::ipc::mutex its_lock, int) {
                return std::vector<int>{its_lock.try_lock() ? 1 : 0, its_lock.try_lock_for(20ms) ? 1 : 0};
              }));
  CHECK(tries[0] == std::vector<int>{0, 0});
  m.unlock();
  tn::ipc::recursive_mutex r;
  r.lock();
  CHECK(r.try_lock());
  r.unlock();
  CHECK_FALSE(tn::map(tn::processes.workers(1), numbers(1),
                      tn::closure(r, [](tn::ipc::recursive_mutex its_lock, int) { return its_lock.try_lock(); }))[0]);
  r.unlock();
  CHECK(tn::map(tn::processes.workers(1), numbers(1), tn::closure(r, [](tn::ipc::recursive_mutex its_lock, int) {
                  return its_lock.try_lock() && (its_lock.unlock(), true);
                }))[0]);
}

TEST_CASE("ipc::semaphore: at most so many at a time") {
  tn::ipc::semaphore s(2);
  tn::shared_value<std::atomic<int>> inside(0);
  tn::shared_value<std::atomic<int>> most(0);
  tn::for_each(tn::processes.workers(4).grain(1), numbers(200),
               tn::closure(s, inside.span(), most.span(),
                           [](tn::ipc::semaphore its_permits, auto const& in, auto const& top, int) {
                             its_permits.acquire();
                             int const now = ++in[0];
                             int seen = top[0];
                             while (now > seen && !top[0].compare_exchange_weak(seen, now)) {
                             }
                             std::this_thread::sleep_for(100us);
                             --in[0];
                             its_permits.release();
                           }));
  CHECK(*most <= 2);
  CHECK(*most >= 1);
  s.acquire();
  s.acquire();
  CHECK_FALSE(s.try_acquire());
  CHECK_FALSE(s.try_acquire_for(10ms));
  s.release(2);
  CHECK(s.try_acquire_for(10ms));
}

TEST_CASE("ipc::semaphore and event: no wake-up is lost although sleepers are killed") {
  tn::ipc::semaphore ping(0);
  tn::ipc::semaphore pong(0);
  tn::process_pool pool{{.workers = 2}};
  std::jthread const other([&] {
    for (int i = 0; i != 2000; ++i) {
      ping.release();
      pong.acquire();
    }
  });
  auto const r = tn::try_map(tn::processes.on(pool), numbers(1),
                             tn::closure(ping, pong, [](tn::ipc::semaphore its_ping, tn::ipc::semaphore its_pong, int) {
                               for (int i = 0; i != 2000; ++i) {
                                 its_ping.acquire();
                                 its_pong.release();
                               }
                             }));
  CHECK(r[0].has_value());
  // Sleepers that die do not take the wake-up with them.
  tn::ipc::event go;
  fresh_workers const four(4);
  auto const mixed = tn::try_map(four.policy, numbers(4), tn::closure(go, [](tn::ipc::event its_event, int x) {
                                   if (x == 3) {
                                     std::this_thread::sleep_for(100ms);
                                     its_event.set();
                                     return x;
                                   }
                                   if (x == 1) {
                                     std::jthread const end([] {
                                       std::this_thread::sleep_for(50ms);
                                       std::raise(SIGKILL);
                                     });
                                     its_event.wait();
                                     for (;;) ::pause();
                                   }
                                   its_event.wait();
                                   return x;
                                 }));
  CHECK(mixed[0].has_value());
  CHECK_FALSE(mixed[1].has_value());
  CHECK(mixed[2].has_value());
}

TEST_CASE("ipc::condition: a bounded buffer between processes") {
  tn::ipc::mutex m;
  tn::ipc::condition changed;
  tn::shared_array<long> buffer(2);  // number of items, sum of what was taken
  fresh_workers const two(2);
  auto const r =
      tn::try_map(two.policy, numbers(2),
                  tn::closure(m, changed, buffer.span(),
                              [](tn::ipc::mutex its_lock, tn::ipc::condition its_change, shared_long b, int who) {
                                for (int i = 0; i != 500; ++i) {
                                  std::unique_lock lock(its_lock);
                                  if (who == 0) {
                                    its_change.wait(lock, [&] { return b[0] < 3; });
                                    ++b[0];
                                  } else {
                                    its_change.wait(lock, [&] { return b[0] > 0; });
                                    --b[0];
                                    ++b[1];
                                  }
                                  its_change.notify_one();
                                }
                              }));
  CHECK(r[0].has_value());
  CHECK(r[1].has_value());
  CHECK(buffer[0] == 0);
  CHECK(buffer[1] == 500);
  std::unique_lock lock(m);
  CHECK_FALSE(changed.wait_for(lock, 10ms, [] { return false; }));
}

TEST_CASE("ipc::barrier: parties meet again and again") {
  tn::ipc::barrier b(3);
  tn::shared_array<long> steps(3);
  fresh_workers const three(3);
  auto const r = tn::try_map(three.policy, numbers(3),
                             tn::closure(b, steps.span(), [](tn::ipc::barrier its_barrier, shared_long s, int me) {
                               bool even = true;
                               for (long i = 0; i != 200; ++i) {
                                 s[static_cast<std::size_t>(me)] = i;
                                 its_barrier.arrive_and_wait();
                                 for (auto const& other : s) even = even && other == i;
                                 its_barrier.arrive_and_wait();
                               }
                               return even;
                             }));
  for (auto const& o : r) CHECK(o.value());
}

TEST_CASE("ipc::barrier: a dead party breaks it") {
  for (int round = 0; round != 5; ++round) {
    tn::ipc::barrier b(3);
    fresh_workers const three(3);
    auto const r = tn::try_map(three.policy, numbers(3), tn::closure(b, [](tn::ipc::barrier its_barrier, int me) {
                                 its_barrier.arrive_and_wait();
                                 if (me == 1) std::raise(SIGKILL);
                                 its_barrier.arrive_and_wait();
                               }));
    CHECK_THROWS_AS(r[1].value(), tn::worker_died);
    int broken = 0;
    for (int const i : {0, 2}) {
      try {
        (void)r[static_cast<std::size_t>(i)].value();
      } catch (tn::remote_error const& e) {
        broken += e.type.find("barrier_broken") != std::string::npos ? 1 : 0;
      } catch (tn::barrier_broken const&) {
        ++broken;
      }
    }
    CHECK(broken == 2);
    CHECK(b.broken());
    b.reset();
    CHECK_FALSE(b.broken());
  }
}

TEST_CASE("ipc::queue: every value comes out once, from many to many") {
  tn::ipc::queue<std::string> q(8);
  fresh_workers const four(4);
  auto const got =
      tn::try_map(four.policy, numbers(4), tn::closure(q, [](tn::ipc::queue<std::string> its_queue, int me) {
                    std::vector<std::string> mine;
                    if (me < 2) {
                      for (int i = 0; i != 500; ++i) its_queue.put(std::to_string(1000 * me + i));
                      its_queue.put("end");
                    } else {
                      for (std::string s = its_queue.get(); s != "end"; s = its_queue.get())
                        mine.push_back(std::move(s));
                    }
                    return mine;
                  }));
  std::map<std::string, int> seen;
  for (int const i : {2, 3}) {
    int last[2] = {-1, -1};
    for (auto const& s : got[static_cast<std::size_t>(i)].value()) {
      ++seen[s];
      int const n = std::stoi(s);
      CHECK(n > last[n / 1000]);  // of one producer in order
      last[n / 1000] = n;
    }
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("ipc::queue: bounds, limits of time, the end") {
  tn::ipc::queue<int> q(2);
  CHECK(q.try_put(1));
  CHECK(q.try_put(2));
  CHECK_FALSE(q.try_put(3));
  CHECK_FALSE(q.put(3, 10ms));
  CHECK(q.size() == 2);
  CHECK(q.get() == 1);
  CHECK(q.get(10ms) == 2);
  CHECK_FALSE(q.try_get().has_value());
  CHECK_FALSE(q.get(10ms).has_value());
  q.put(7);
  q.close();
  CHECK_THROWS_AS(q.put(8), tn::queue_closed);
  std::vector<int> rest;
  for (int const x : q) rest.push_back(x);
  CHECK(rest == std::vector<int>{7});
  CHECK_THROWS_AS(q.get(), tn::queue_closed);
  CHECK_THROWS_AS(tn::ipc::queue<int>(0), tn::bad_argument);
}

TEST_CASE("ipc::queue: users that are killed at random leave it whole") {
  tn::ipc::queue<int> q(16);
  tn::process_pool pool{{.workers = 3, .retries = 1000}};
  auto& arena = *tn::detail::known_segment();
  std::atomic<bool> done{false};
  std::jthread killer([&] {
    std::uint64_t before = 0;
    for (unsigned i = 0; !done;) {
      std::this_thread::sleep_for(3ms);
      auto const answered = pool.stats().tasks;  // no kill without progress between: a slow machine ends too
      if (answered == before) continue;
      before = answered;
      auto const victims = tn::test::children_of(tn::detail::start_process_host().zygote(), false);
      if (!victims.empty()) ::kill(victims[i++ % victims.size()], SIGKILL);
    }
  });
  std::jthread drain([&] {
    for (int const x : q) static_cast<void>(x);
  });
  auto const r =
      tn::try_map(tn::processes.on(pool), numbers(60), tn::closure(q, [](tn::ipc::queue<int> its_queue, int x) {
                    for (int i = 0; i != 200; ++i) {
                      its_queue.put(x);
                      (void)its_queue.try_get();
                    }
                    return x;
                  }));
  done = true;
  killer.join();
  for (auto const& o : r) CHECK(o.has_value());
  q.close();
  drain.join();
  CHECK(q.size() == 0);
  CHECK(arena.consistent());
}

TEST_CASE("ipc::pipe: there and back, and one way") {
  tn::ipc::pipe<int> ends;
  std::jthread const client([&] {
    auto mine = ends.first();
    for (int i = 0; i != 100; ++i) {
      mine.send(i);
      CHECK(mine.receive() == 2 * i);
    }
    mine.close();
  });
  auto const served = tn::try_map(tn::processes.workers(1), numbers(1),
                                  tn::closure(ends.second(), [](tn::ipc::pipe_end<int> other, int) {
                                    int n = 0;
                                    try {
                                      for (;; ++n) other.send(2 * other.receive());
                                    } catch (tn::queue_closed const&) {
                                    }
                                    return n;
                                  }));
  CHECK(served[0].value() == 100);
  tn::ipc::pipe<std::string> way;
  way.send("x");
  CHECK(way.receive() == "x");
  CHECK_FALSE(way.second().receive(5ms).has_value());
}

TEST_CASE("ipc: handles give their memory back") {
  auto& arena = *tn::detail::known_segment();
  (void)tn::map(tn::processes, numbers(3), [](int x) { return x; });
  auto const before = arena.in_use();
  for (int i = 0; i != 20; ++i) {
    tn::ipc::mutex const m;
    tn::ipc::mutex const same = m;
    tn::ipc::queue<std::string> q(10);
    q.put(std::string(1000, 'x'));
    tn::ipc::barrier const b(2);
    tn::ipc::pipe<int> const p;
  }
  CHECK(arena.in_use() == before);
}
