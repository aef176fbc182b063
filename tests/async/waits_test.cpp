// Waits for several futures: as_completed, wait, when_all, when_any; map_async.
#include "tartan/as_completed.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;

namespace {

std::vector<tn::future<int>> futures_of(std::vector<tn::promise<int>>& promises) {
  std::vector<tn::future<int>> futures;
  for (auto& p : promises) futures.push_back(p.get_future());
  return futures;
}

}  // namespace

TEST_CASE("as_completed yields in the order of the ends", "[waits]") {
  std::vector<tn::promise<int>> promises(4);
  auto futures = futures_of(promises);
  promises[2].set_value(20);
  promises[0].set_value(0);
  std::vector<int> seen;
  for (auto& done : tn::as_completed(futures)) {
    seen.push_back(done.get());
    if (seen.size() == 2) promises[3].set_exception(std::make_exception_ptr(std::domain_error("three")));
    if (seen.size() == 2) break;
  }
  CHECK(seen.size() == 2);
  CHECK(std::set<int>(seen.begin(), seen.end()) == std::set<int>{0, 20});
  std::span<tn::future<int>> const rest(futures.data() + 3, 1);
  for (auto& done : tn::as_completed(rest)) CHECK_THROWS_AS(done.get(), std::domain_error);
  promises[1].set_value(10);
  CHECK(futures[1].get() == 10);
}

TEST_CASE("as_completed yields each of many tasks once, on every policy and inside tasks", "[waits]") {
  auto const all_of = [](auto const& p) {
    std::vector<tn::future<int>> futures;
    for (int i = 0; i != 200; ++i) futures.push_back(tn::submit(p, [i] { return i; }));
    std::vector<bool> seen(200);
    int count = 0;
    for (auto& done : tn::as_completed(futures)) {
      auto const i = static_cast<std::size_t>(done.get());
      CHECK(!seen[i]);
      seen[i] = true;
      ++count;
    }
    return count;
  };
  tn::test::everywhere([&](auto const& p) {
    CHECK(all_of(p) == 200);
    CHECK(tn::submit(p, [&] { return all_of(p); }).get() == 200);
  });
  tn::thread_pool lone{1};
  CHECK(tn::submit(tn::par.on(lone), [&] { return all_of(tn::par.on(lone)); }).get() == 200);
}

TEST_CASE("as_completed of nothing, of a vanished task, and out of time", "[waits]") {
  std::vector<tn::future<int>> futures;
  for ([[maybe_unused]] auto& done : tn::as_completed(futures)) CHECK(false);
  futures.resize(1);
  CHECK_THROWS_AS(tn::as_completed(futures), tn::invalid_future);
  std::vector<tn::promise<int>> promises(2);
  futures = futures_of(promises);
  promises[1].set_value(1);
  int seen = 0;
  auto const loop = [&] {
    for (auto& done : tn::as_completed(futures, 20ms)) seen += done.get();
  };
  CHECK_THROWS_AS(loop(), tn::timeout_error);
  CHECK(seen == 1);
  promises[0].set_value(5);
  CHECK(futures[0].get() == 5);
}

TEST_CASE("shared futures are waited for like others", "[waits]") {
  std::vector<tn::shared_future<std::string>> futures;
  for (int i = 0; i != 3; ++i) futures.push_back(tn::submit(tn::par, [i] { return std::to_string(i); }).share());
  std::set<std::string> seen;
  for (auto const& done : tn::as_completed(std::as_const(futures))) seen.insert(done.get());
  CHECK(seen == std::set<std::string>{"0", "1", "2"});
}

TEST_CASE("wait returns for the first, for an error, for all, for the time", "[waits]") {
  std::vector<tn::promise<int>> promises(3);
  auto futures = futures_of(promises);
  CHECK(tn::wait(futures, tn::return_when::first, 1ms) == 0);
  promises[1].set_value(1);
  CHECK(tn::wait(futures, tn::return_when::first) == 1);
  CHECK(tn::wait(futures, tn::return_when::first_exception, 5ms) == 1);
  promises[0].set_exception(std::make_exception_ptr(std::domain_error("zero")));
  CHECK(tn::wait(futures, tn::return_when::first_exception) == 2);
  CHECK(tn::wait(futures, tn::return_when::all, 5ms) == 2);
  std::thread other([&] { promises[2].set_value(2); });
  CHECK(tn::wait(futures) == 3);
  other.join();
  CHECK_THROWS_AS(futures[0].get(), std::domain_error);
  CHECK(futures[1].get() + futures[2].get() == 3);
}

TEST_CASE("a wait inside a task of a pool with one worker runs what it waits for", "[waits]") {
  tn::thread_pool lone{1};
  auto const p = tn::par.on(lone);
  CHECK(tn::submit(p, [&] {
          std::vector<tn::future<int>> futures;
          for (int i = 0; i != 10; ++i) futures.push_back(tn::submit(p, [i] { return i; }));
          tn::wait(futures);
          int sum = 0;
          for (auto& f : futures) sum += f.get();
          return sum;
        }).get() == 45);
}

TEST_CASE("when_all gives the results in order", "[waits]") {
  tn::test::everywhere([](auto const& p) {
    std::vector<tn::future<std::unique_ptr<int>>> futures;
    for (int i = 0; i != 50; ++i) futures.push_back(tn::submit(p, [i] { return std::make_unique<int>(i); }));
    auto const all = tn::when_all(std::move(futures)).get();
    REQUIRE(all.size() == 50);
    for (std::size_t i = 0; i != 50; ++i) CHECK(*all[i] == static_cast<int>(i));
    std::atomic<int> calls{0};
    std::vector<tn::future<void>> nothings;
    for (int i = 0; i != 50; ++i) nothings.push_back(tn::submit(p, [&] { ++calls; }));
    tn::when_all(std::move(nothings)).get();
    CHECK(calls == 50);
  });
  CHECK(tn::when_all(std::vector<tn::future<int>>()).get().empty());
}

TEST_CASE("when_all of different types is a tuple", "[waits]") {
  auto [a, b, c] = tn::when_all(tn::submit(tn::par, [] { return 1; }),
                                tn::submit(tn::par, [] { return std::string("b"); }), tn::submit(tn::par, [] {}))
                       .get();
  static_assert(std::is_same_v<decltype(c), std::monostate>);
  CHECK(a == 1);
  CHECK(b == "b");
  auto failed = tn::when_all(tn::submit(tn::par, [] { return 1; }),
                             tn::submit(tn::par, []() -> int { throw std::domain_error("second"); }));
  CHECK_THROWS_AS(failed.get(), std::domain_error);
}

TEST_CASE("when_all has the error of the first future that has one, and waits for the others", "[waits]") {
  std::vector<tn::promise<int>> promises(3);
  auto all = tn::when_all(futures_of(promises));
  promises[2].set_exception(std::make_exception_ptr(std::out_of_range("two")));
  promises[1].set_exception(std::make_exception_ptr(std::domain_error("one")));
  CHECK(!all.ready());
  promises[0].set_value(0);
  CHECK_THROWS_AS(all.get(), std::domain_error);
  std::vector<tn::future<int>> none(1);
  CHECK_THROWS_AS(tn::when_all(std::move(none)), tn::invalid_future);
}

TEST_CASE("when_any gives all futures back", "[waits]") {
  std::vector<tn::promise<int>> promises(3);
  auto any = tn::when_any(futures_of(promises));
  CHECK(!any.ready());
  promises[1].set_value(1);
  auto first = any.get();
  CHECK(first.index == 1);
  CHECK(first.get() == 1);
  promises[0].set_value(0);
  promises[2].set_value(2);
  CHECK(first.futures[0].get() + first.futures[2].get() == 2);
  CHECK_THROWS_AS(tn::when_any(std::vector<tn::future<int>>()), tn::bad_argument);
}

TEST_CASE("when_any and when_all while everything ends at once", "[waits]") {
  for (int round = 0; round != 200; ++round) {
    std::vector<tn::future<int>> a, b;
    for (int i = 0; i != 4; ++i) a.push_back(tn::submit(tn::par, [i] { return i; }));
    for (int i = 0; i != 4; ++i) b.push_back(tn::submit(tn::par, [i] { return i; }));
    auto any = tn::when_any(std::move(a));
    auto all =
        tn::when_all(std::move(b)).then([](std::vector<int> v) { return std::accumulate(v.begin(), v.end(), 0); });
    auto first = any.get();
    CHECK(first.get() == static_cast<int>(first.index));
    CHECK(all.get() == 6);
  }
}

TEST_CASE("map_async gives the results in order while the caller goes on", "[waits]") {
  tn::test::everywhere([](auto const& p) {
    std::vector<int> v(1000);
    std::iota(v.begin(), v.end(), 0);
    auto squares = tn::map_async(p, v, [](int x) { return std::make_unique<int>(x * x); });
    auto moved_in = tn::map_async(p, std::vector<int>{1, 2, 3}, [](int x) { return x == 2; });
    auto lazy = tn::map_async(p, v | std::views::filter([](int x) { return x % 2 == 0; }), [](int x) { return x + 1; });
    auto areas =
        tn::starmap_async(p, std::vector<std::tuple<int, int>>{{2, 3}, {4, 5}}, [](int w, int h) { return w * h; });
    CHECK(moved_in.get() == std::vector<bool>{false, true, false});
    auto const all = squares.get();
    REQUIRE(all.size() == 1000);
    for (std::size_t i = 0; i != 1000; ++i) CHECK(*all[i] == static_cast<int>(i * i));
    CHECK(lazy.get().back() == 999);
    CHECK(areas.get() == std::vector<int>{6, 20});
    auto failing = tn::map_async(p, v, [](int x) {
      if (x >= 400) throw std::out_of_range(std::to_string(x));
      return x;
    });
    CHECK_THROWS_WITH(failing.get(), "400");
  });
}

namespace {

/// Ten tasks a worker each hold one lock across `wait(policy)`, which gives 1.
template <class Wait>
void holds_a_lock_across(Wait wait) {
  auto const workers = GENERATE(1, 2, 8);
  CAPTURE(workers);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  std::mutex mutex;
  std::vector<tn::future<int>> all;
  for (int i = 0; i != 10 * workers; ++i)
    all.push_back(tn::submit(p, [&] {
      std::lock_guard const hold(mutex);
      return wait(p);
    }));
  int sum = 0;
  for (auto& f : all) sum += f.get();
  CHECK(sum == 10 * workers);
}

}  // namespace

// The thread that such a wait lets in draws the next task, which sleeps at the lock.
TEST_CASE("a lock may be held across when_all", "[waits][lock]") {
  holds_a_lock_across([](auto const& p) {
    auto [a, b] = tn::when_all(tn::submit(p, [] { return 3; }), tn::submit(p, [] { return 2; })).get();
    return a - b;
  });
}

TEST_CASE("a lock may be held across when_any", "[waits][lock]") {
  holds_a_lock_across([](auto const& p) {
    std::vector<tn::future<int>> some;
    for (int i = 0; i != 2; ++i) some.push_back(tn::submit(p, [] { return 1; }));
    auto any = tn::when_any(std::move(some)).get();
    return any.futures[any.index].get();
  });
}

TEST_CASE("a lock may be held across the wait for a promise that another task keeps", "[waits][lock]") {
  holds_a_lock_across([](auto const& p) {
    tn::promise<int> made;
    auto f = made.get_future();
    tn::detach(p, [made = std::move(made)]() mutable { made.set_value(1); });
    return f.get();
  });
}

TEST_CASE("a lock may be held across a limited wait, which is long enough for what is short", "[waits][lock]") {
  holds_a_lock_across([](auto const& p) { return tn::submit(p, [] { return 1; }).get(60s); });
}

TEST_CASE("a pool whose tasks sleep for a time does not stand still beside a wait", "[waits]") {
  tn::thread_pool pool{4};
  auto const p = tn::par.on(pool);
  std::atomic<int> now{0}, most{0};
  tn::promise<int> made;
  auto f = made.get_future();
  auto waiting = tn::submit(p, [&] { return f.get(); });
  std::vector<tn::future<void>> all;
  for (int i = 0; i != 40; ++i)
    all.push_back(tn::submit(p, [&] {
      int const here = ++now;
      for (int known = most; known < here && !most.compare_exchange_weak(known, here);) {
      }
      std::this_thread::sleep_for(30ms);
      --now;
    }));
  for (auto& one : all) one.get();
  made.set_value(1);
  CHECK(waiting.get() == 1);
  CHECK(most < 12);  // four, but for looks that caught a thread in a short sleep at a lock
}

TEST_CASE("limits of every size", "[waits]") {
  auto soon = [] {
    return tn::submit(tn::par, [] {
      std::this_thread::sleep_for(1ms);
      return 1;
    });
  };
  CHECK(soon().get((std::chrono::hours::max)()) == 1);
  CHECK(soon().get((std::chrono::seconds::max)()) == 1);
  CHECK(soon().get((std::chrono::nanoseconds::max)()) == 1);
  CHECK(soon().get(std::chrono::duration<double>(1e300)) == 1);
  tn::promise<int> never;
  auto f = never.get_future();
  CHECK_FALSE(f.wait((std::chrono::nanoseconds::min)()));
  CHECK_FALSE(f.wait((std::chrono::hours::min)()));
  CHECK_FALSE(f.wait(-1s));
  CHECK_FALSE(f.wait(0s));
  std::vector<tn::future<int>> one;
  one.push_back(soon());
  int sum = 0;
  for (auto& done : tn::as_completed(one, (std::chrono::hours::max)())) sum += done.get();
  CHECK(sum == 1);
}

TEST_CASE("a promise has one future", "[waits]") {
  tn::promise<int> p;
  auto f = p.get_future();
  CHECK_THROWS_AS(p.get_future(), tn::error);
  p.set_value(1);
  CHECK(f.get() == 1);
}

TEST_CASE("a callback is not called in the middle of a wait, even if the pool is closed meanwhile", "[waits][lock]") {
  std::mutex mutex;
  std::atomic<bool> inside{false}, closed{false}, called{false};
  tn::thread_pool pool{1};
  auto const p = tn::par.on(pool);
  tn::detach(p, [&] {
    auto f = tn::submit(p, [] { return 1; });
    f.on_done([&] {
      std::lock_guard const hold(mutex);
      called = true;
    });
    inside = true;
    while (!closed) std::this_thread::yield();
    std::lock_guard const hold(mutex);
    f.get();
  });
  while (!inside) std::this_thread::yield();
  pool.close();
  closed = true;
  pool.join();
  CHECK(called);
}

TEST_CASE("a task may join another pool, whose tasks need its own", "[waits]") {
  tn::thread_pool outer{1};
  auto const p = tn::par.on(outer);
  std::atomic<int> sum{0};
  auto const needs_outer = [&] { sum += tn::submit(p, [] { return 1; }).get(); };
  auto f = tn::submit(p, [&] {
    tn::thread_pool joined{1}, ended{1}, destroyed{1};
    for (auto* pool : {&joined, &ended, &destroyed}) {
      std::atomic<bool> begun{false};
      tn::detach(tn::par.on(*pool), [&] {
        begun = true;
        needs_outer();
      });
      while (!begun) std::this_thread::yield();
      if (pool == &joined) pool->join();
      if (pool == &ended) pool->terminate();
    }
  });
  f.get();
  CHECK(sum == 3);
}

TEST_CASE("detach hands on copies of its arguments", "[waits]") {
  std::atomic<int> sum{0};
  auto const add = [&](std::unique_ptr<int> a, int b) { sum += *a + b; };
  int const two = 2;
  tn::detach(tn::seq, add, std::make_unique<int>(1), two);
  CHECK(sum == 3);
  {
    tn::thread_pool pool{1};
    tn::detach(tn::par.on(pool), add, std::make_unique<int>(10), two);
  }
  CHECK(sum == 15);
}

TEST_CASE("what is detached with a raised stop does not run", "[waits]") {
  std::stop_source stop;
  stop.request_stop();
  auto const token = stop.get_token();
  std::atomic<int> ran{0};
  tn::detach(tn::seq.stop(token), [&] { ++ran; });
  {
    tn::thread_pool pool{1};
    tn::detach(tn::par.on(pool).stop(token), [&] { ++ran; });
  }
  CHECK(ran == 0);
}
