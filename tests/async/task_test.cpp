// Coroutines: task, schedule, sleep_for, when_all, when_any, with_timeout, async_semaphore, spawn, sync_wait, futures.
#include "tartan/task.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/sanitized.hpp"
#include "tartan/for_each.hpp"
#include "tartan/this_worker.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;
using tn::test::comes_true;

namespace {

constexpr int many = tn::test::sanitized ? 20'000 : 1'000'000;
constexpr int rounds = tn::test::sanitized ? 200 : 1000;

tn::task<int> number(int n) { co_return n; }
tn::task<> nothing() { co_return; }
tn::task<int> fails(int n) {
  throw std::domain_error(std::to_string(n));
  co_return n;
}
tn::task<long> chain(long n) {
  if (n == 0) co_return 0;
  co_return 1 + co_await chain(n - 1);
}
tn::task<long> failing_chain(long n) {
  if (n == 0) co_return co_await fails(0);
  co_return co_await failing_chain(n - 1);
}
tn::task<long> row(long n) {
  long sum = 0;
  for (long i = 0; i != n; ++i) sum += co_await number(1);
  co_return sum;
}
/// Waits for a stop for ever.
tn::task<> until_stopped() { co_await tn::sleep_for(std::chrono::hours(1)); }

/// A coroutine type of somebody else's, begun at once.
struct foreign {
  struct promise_type {
    foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

/// An awaitable of somebody else's: resumes the coroutine on a thread of its own.
struct on_new_thread {
  std::thread& thread;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> h) const {
    std::thread& kept = thread;  // *this may be gone as soon as the thread runs
    kept = std::thread([h] { h.resume(); });
  }
  int await_resume() const { return 5; }
};

}  // namespace

TEST_CASE("a task gives what it returns and throws what it throws", "[task]") {
  CHECK(tn::sync_wait(number(3)) == 3);
  tn::sync_wait(nothing());
  CHECK_THROWS_AS(tn::sync_wait(fails(1)), std::domain_error);
  int x = 1;
  auto const reference = [](int& r) -> tn::task<int&> { co_return r; };
  CHECK(&tn::sync_wait(reference(x)) == &x);
  auto const moves = [](std::unique_ptr<int> p) -> tn::task<std::unique_ptr<int>> { co_return p; };
  CHECK(*tn::sync_wait(moves(std::make_unique<int>(7))) == 7);
  auto const caught = []() -> tn::task<int> {
    try {
      co_return co_await fails(2);
    } catch (std::domain_error const& e) {
      co_return std::stoi(e.what());
    }
  };
  CHECK(tn::sync_wait(caught()) == 2);
}

TEST_CASE("a task that is never awaited frees what it holds", "[task]") {
  auto const held = std::make_shared<int>(1);
  {
    auto const holds = [](std::shared_ptr<int> p) -> tn::task<int> { co_return *p; };
    tn::task<int> dropped = holds(held);
    CHECK(held.use_count() == 2);
    dropped = number(1);
    CHECK(held.use_count() == 1);
    tn::task<int> moved = std::move(dropped);
    CHECK(moved.valid());
    CHECK_THROWS_AS(tn::sync_wait(std::move(dropped)), tn::error);
    tn::future<int> f = tn::spawn(tn::par, holds(held));
    CHECK(f.get() == 1);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("chains and rows of tasks do not grow the stack", "[task]") {
  CHECK(tn::sync_wait(chain(many)) == many);
  CHECK_THROWS_AS(tn::sync_wait(failing_chain(1000)), std::domain_error);
  CHECK(tn::sync_wait(row(many)) == many);
  CHECK(tn::spawn(tn::par, chain(many)).get() == many);
}

TEST_CASE("a scheduled task stays on its pool, whatever it awaits", "[task]") {
  tn::thread_pool pool{{.workers = 2, .name = "mine"}}, other{{.workers = 1, .name = "other"}};
  auto const on = [](char const* name) { return tn::this_worker().name.starts_with(name); };
  auto const child = [&]() -> tn::task<bool> {
    bool const inherits = on("mine");
    co_await tn::schedule(tn::par.on(other));
    co_return inherits&& on("other");
  };
  auto const parent = [&]() -> tn::task<int> {
    int good = 0;
    co_await tn::schedule(tn::par.on(pool));
    good += on("mine");
    good += co_await child();
    good += on("mine");
    co_await tn::sleep_for(1ms);
    good += on("mine");
    co_await tn::submit(tn::par.on(other), [] {});
    good += on("mine");
    auto const [a, b] = co_await tn::when_all(child(), child());
    good += a + b + on("mine");
    co_await tn::schedule(tn::par.on(pool));
    good += on("mine");
    co_return good;
  };
  CHECK(tn::sync_wait(parent()) == 9);
  CHECK(tn::spawn(tn::par.on(pool), child()).get());
  CHECK(tn::sync_wait([]() -> tn::task<bool> {
    auto const before = std::this_thread::get_id();
    co_await tn::schedule(tn::seq);
    co_return before == std::this_thread::get_id();
  }()));
}

TEST_CASE("futures of every kind are awaited", "[task]") {
  auto const all = []() -> tn::task<std::string> {
    int const value = co_await tn::submit(tn::par, [] { return 1; });
    co_await tn::submit(tn::par, [] {});
    auto kept = tn::submit(tn::seq, [] { return 2; });
    int const ready = co_await kept;
    tn::shared_future<int> shared = tn::submit(tn::par, [] { return 3; }).share();
    int const& first = co_await shared;
    int const& second = co_await shared;
    std::string text = std::to_string(value) + std::to_string(ready) + std::to_string(first + second);
    try {
      co_await tn::submit(tn::par, [] { throw std::domain_error("e"); });
    } catch (std::domain_error const& e) {
      text += e.what();
    }
    co_return text;
  };
  CHECK(tn::sync_wait(all()) == "126e");
  CHECK_THROWS_AS(tn::sync_wait([]() -> tn::task<> { co_await tn::future<void>(); }()), tn::invalid_future);
  for (int i = 0; i != rounds; ++i) {
    tn::promise<int> p;
    auto f = tn::spawn(
        [](tn::future<int> awaited) -> tn::task<int> { co_return co_await std::move(awaited); }(p.get_future()));
    CHECK(!f.ready());
    std::thread giver([&] { p.set_value(i); });
    CHECK(f.get() == i);
    giver.join();
  }
}

TEST_CASE("when_all gives the results in order and the error of the first", "[task]") {
  auto const [a, b, c, d] = tn::sync_wait(
      tn::when_all(number(1), nothing(), tn::submit(tn::par, [] { return std::string("c"); }), tn::sleep_for(1ms)));
  CHECK(a == 1);
  CHECK(c == "c");
  static_cast<void>(b), static_cast<void>(d);

  auto const squares = [](bool scheduled) -> tn::task<long> {
    if (scheduled) co_await tn::schedule(tn::par);
    std::vector<tn::task<int>> tasks;
    for (int i = 0; i != 300; ++i) tasks.push_back(number(i));
    long sum = 0;
    for (int x : co_await tn::when_all(std::move(tasks))) sum = 31 * sum % 1'000'007 + x;
    co_return sum;
  };
  long const expected = tn::sync_wait(squares(false));
  for (int i = 0; i != rounds / 10; ++i) CHECK(tn::sync_wait(squares(true)) == expected);
  tn::sync_wait(tn::when_all(std::vector<tn::task<>>{}));

  for (bool const scheduled : {false, true}) {
    std::atomic<bool> after_was_stopped = false, before_ended = false;
    auto const late_failure = [&]() -> tn::task<> {
      co_await tn::sleep_for(20ms);
      before_ended = true;
      throw std::domain_error("first");
    };
    auto const early_failure = [&]() -> tn::task<> {
      co_await tn::sleep_for(1ms);
      throw std::range_error("second");
    };
    auto const after = [&]() -> tn::task<> {
      try {
        co_await until_stopped();
      } catch (tn::cancelled const&) {
        after_was_stopped = true;
        throw;
      }
    };
    auto const all = [&]() -> tn::task<> {
      if (scheduled) co_await tn::schedule(tn::par);
      co_await tn::when_all(late_failure(), early_failure(), after());
    };
    CHECK_THROWS_AS(tn::sync_wait(all()), std::domain_error);
    CHECK(after_was_stopped);
    CHECK(before_ended);
  }
}

TEST_CASE("the tasks of when_all run at once on a pool", "[task]") {
  tn::thread_pool pool{2};
  std::atomic<int> there = 0;
  auto const meets = [&]() -> tn::task<bool> {
    ++there;
    co_return comes_true([&] { return there == 2; });
  };
  auto const both = [&]() -> tn::task<bool> {
    co_await tn::schedule(tn::par.on(pool));
    auto const [a, b] = co_await tn::when_all(meets(), meets());
    co_return a&& b;
  };
  CHECK(tn::sync_wait(both()));
}

TEST_CASE("when_any ends with the first and stops the others", "[task]") {
  std::atomic<int> stopped = 0;
  auto const loses = [&]() -> tn::task<int> {
    try {
      co_await until_stopped();
    } catch (tn::cancelled const&) {
      ++stopped;
      throw;
    }
    co_return 0;
  };
  auto const first = tn::sync_wait(tn::when_any(loses(), tn::sleep_for(1h), number(5), loses()));
  CHECK(first.index == 2);
  CHECK(std::get<2>(first.value) == 5);
  CHECK(stopped == 2);
  std::vector<tn::task<int>> tasks;
  for (int i = 0; i != 5; ++i) tasks.push_back(i == 3 ? number(9) : loses());
  auto const one = tn::sync_wait(tn::when_any(std::move(tasks)));
  CHECK(one.index == 3);
  CHECK(one.value == 9);
  CHECK(stopped == 6);
  CHECK_THROWS_AS(tn::sync_wait(tn::when_any(loses(), fails(1))), std::domain_error);
  CHECK_THROWS_AS(tn::when_any(std::vector<tn::task<int>>{}), tn::bad_argument);
  // A future that loses is cancelled, since nobody else can ask for it.
  tn::promise<int> p;
  CHECK(tn::sync_wait(tn::when_any(p.get_future(), number(1))).index == 1);
  CHECK(!p.set_value(1));
}

TEST_CASE("with_timeout stops a task whose time is up", "[task]") {
  CHECK(tn::sync_wait(tn::with_timeout(number(4), 1h)) == 4);
  CHECK_THROWS_AS(tn::sync_wait(tn::with_timeout(until_stopped(), 2ms)), tn::timeout_error);
  CHECK_THROWS_WITH(tn::sync_wait(tn::with_timeout(until_stopped(), 0ms)), tn::test::contains_text("with_timeout"));
  CHECK_THROWS_AS(tn::sync_wait(tn::with_timeout(fails(1), 1h)), std::domain_error);
  // Its own result counts, however late.
  auto const stubborn = []() -> tn::task<int> {
    try {
      co_await until_stopped();
    } catch (tn::cancelled const&) {
    }
    co_return 6;
  };
  CHECK(tn::sync_wait(tn::with_timeout(stubborn(), 1ms)) == 6);
  // A stop from above is no timeout.
  auto f = tn::spawn(tn::with_timeout(until_stopped(), 1h));
  CHECK(!f.cancel());
  CHECK_THROWS_AS(f.get(), tn::cancelled);
  // The inner time is up first, the outer goes on.
  auto const nested = []() -> tn::task<int> {
    try {
      co_await tn::with_timeout(until_stopped(), 1ms);
    } catch (tn::timeout_error const&) {
      co_return 1;
    }
    co_return 0;
  };
  CHECK(tn::sync_wait(tn::with_timeout(nested(), 1h)) == 1);
  for (int i = 0; i != rounds; ++i) {  // the end and the time meet
    auto const short_sleep = []() -> tn::task<int> { co_return (co_await tn::sleep_for(50us), 1); };
    int got = 1;
    try {
      got = tn::sync_wait(tn::with_timeout(short_sleep(), 50us));
    } catch (tn::timeout_error const&) {
    }
    CHECK(got == 1);
  }
}

TEST_CASE("the timer calls its entries at their times, in order, unless they were removed", "[task]") {
  struct noting : tn::detail::timer_entry {
    noting()
        : timer_entry([](timer_entry* e) noexcept {
            auto& self = *static_cast<noting*>(e);
            self.late = clock::now() >= self.when;
            self.order->push_back(self.number);  // one thread calls all
            ++*self.called;
          }) {}
    int number = 0;
    bool late = false;
    std::vector<int>* order = nullptr;
    std::atomic<int>* called = nullptr;
  };
  std::mt19937 random(1);
  std::vector<int> order;
  std::atomic<int> called = 0;
  std::vector<int> places(300);
  for (int i = 0; i != 300; ++i) places[static_cast<std::size_t>(i)] = i;
  std::shuffle(places.begin(), places.end(), random);
  std::vector<noting> entries(300);
  auto const begin = std::chrono::steady_clock::now() + 200ms;
  for (int i : places) {
    noting& e = entries[static_cast<std::size_t>(i)];
    e.number = i;
    e.order = &order;
    e.called = &called;
    e.when = begin + i * 1us;
    tn::detail::timer::instance().add(e);
  }
  for (std::size_t i = 0; i != 300; i += 3) tn::detail::timer::instance().remove(entries[i]);
  int const removed_early = called == 0 ? 100 : 0;  // a machine may be as slow as that
  CHECK(comes_true([&] { return called >= 300 - 100; }));
  for (noting& e : entries) tn::detail::timer::instance().remove(e);
  CHECK((removed_early == 0 || called == 200));
  CHECK((removed_early == 0 || std::is_sorted(order.begin(), order.end())));
  for (std::size_t i = 0; i != 300; ++i) CHECK((i % 3 == 0 || entries[i].late));
}

TEST_CASE("a sleep lasts as long as it should, and the tasks of one pool sleep together", "[task]") {
  std::atomic<int> early = 0;
  auto const sleeper = [&]() -> tn::task<> {
    auto const until = std::chrono::steady_clock::now() + 5ms;
    co_await tn::sleep_for(5ms);
    early += std::chrono::steady_clock::now() < until;
    co_await tn::sleep_for(-1s);
  };
  std::vector<tn::task<>> tasks;
  for (int i = 0; i != 1000; ++i) tasks.push_back(sleeper());
  tn::sync_wait(tn::when_all(std::move(tasks)));  // one after another: 5 s
  CHECK(early == 0);
}

TEST_CASE("a semaphore bounds those inside and serves in order", "[task]") {
  tn::thread_pool pool{4};
  tn::async_semaphore at_once{3};
  std::atomic<int> inside = 0, most = 0;
  auto const visitor = [&]() -> tn::task<> {
    auto const hold = co_await at_once.acquire();
    int const now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    co_await tn::schedule(tn::par.on(pool));
    --inside;
  };
  auto const all = [&]() -> tn::task<> {
    co_await tn::schedule(tn::par.on(pool));
    std::vector<tn::task<>> tasks;
    for (int i = 0; i != 500; ++i) tasks.push_back(visitor());
    co_await tn::when_all(std::move(tasks));
  };
  tn::sync_wait(all());
  CHECK(most <= 3);
  CHECK(most >= 1);

  tn::async_semaphore lock{1};
  std::vector<int> order;
  std::optional<tn::permit> held = lock.try_acquire();
  REQUIRE(held.has_value());
  CHECK(!lock.try_acquire().has_value());
  auto const enters = [&](int i) -> tn::task<> {
    auto const hold = co_await lock.acquire();
    order.push_back(i);
  };
  std::vector<tn::future<void>> futures;
  for (int i = 0; i != 5; ++i) futures.push_back(tn::spawn(enters(i)));
  CHECK(!futures[2].cancel());
  CHECK_THROWS_AS(futures[2].get(), tn::cancelled);
  held->release();
  for (std::size_t i : {0U, 1U, 3U, 4U}) futures[i].get();
  CHECK(order == std::vector<int>{0, 1, 3, 4});
  CHECK(lock.try_acquire().has_value());
  CHECK_THROWS_AS(tn::async_semaphore(-1), tn::bad_argument);
}

TEST_CASE("a spawned task is cancelled before it begins, while it waits, and not at all", "[task]") {
  tn::thread_pool one{1};
  std::atomic<bool> runs = false, go = false;
  auto blocker = tn::submit(tn::par.on(one), [&] {
    runs = true;
    return comes_true([&] { return go.load(); });
  });
  CHECK(comes_true([&] { return runs.load(); }));
  std::atomic<bool> begun = false;
  auto const begins = [&]() -> tn::task<> { co_return begun.store(true); };
  auto never = tn::spawn(tn::par.on(one), begins());
  CHECK(never.cancel());
  CHECK_THROWS_AS(never.get(), tn::cancelled);
  go = true;
  CHECK(blocker.get());
  CHECK(!begun);

  auto waits = tn::spawn(tn::par, until_stopped());
  static_cast<void>(waits.wait(1ms));
  static_cast<void>(waits.cancel());
  CHECK_THROWS_AS(waits.get(), tn::cancelled);

  std::atomic<bool> done = false;
  auto const goes_on = [](std::atomic<bool>& flag) -> tn::task<> {
    co_await tn::sleep_for(1ms);
    flag = true;
  };
  static_cast<void>(tn::spawn(tn::par, goes_on(done)));  // dropped
  CHECK(comes_true([&] { return done.load(); }));
}

TEST_CASE("a stop reaches what a task runs by a policy", "[task]") {
  std::atomic<bool> begun = false;
  auto const crunches = [&]() -> tn::task<> {
    auto const stop = co_await tn::this_task_stop();
    co_await tn::schedule(tn::par);
    std::vector<int> v(1000);
    tn::for_each(tn::par.stop(stop).grain(1), v, [&](int) {
      begun = true;
      if (!comes_true([&] { return stop.stop_requested(); })) throw std::runtime_error("no stop came");
    });
  };
  auto f = tn::spawn(crunches());
  CHECK(comes_true([&] { return begun.load(); }));
  CHECK(!f.cancel());
  CHECK_THROWS_AS(f.get(), tn::cancelled);
}

TEST_CASE("a future that lives elsewhere outlives the stop of one who awaits it", "[task]") {
  tn::promise<int> p;
  tn::future<int> kept = p.get_future();
  auto const awaits = [&]() -> tn::task<int> { co_return co_await kept; };
  CHECK_THROWS_AS(tn::sync_wait(tn::with_timeout(awaits(), 1ms)), tn::timeout_error);
  CHECK(p.set_value(3));
  CHECK(kept.get() == 3);
}

TEST_CASE("what lies on a pool that closes goes on elsewhere with an exception", "[task]") {
  tn::promise<int> p;
  tn::future<void> f;
  std::atomic<bool> waits = false;
  {
    tn::thread_pool pool{2};
    f = tn::spawn(tn::par.on(pool), [](auto* flag, tn::future<int> awaited) -> tn::task<> {
      flag->store(true);
      co_await std::move(awaited);
    }(&waits, p.get_future()));
    CHECK(comes_true([&] { return waits.load(); }));
    static_cast<void>(f.wait(1ms));
  }
  p.set_value(1);
  CHECK_THROWS_AS(f.get(), tn::pool_closed);
  auto const late = [](tn::thread_pool& pool) -> tn::task<> { co_await tn::schedule(tn::par.on(pool)); };
  tn::thread_pool closed{1};
  closed.close();
  CHECK_THROWS_AS(tn::sync_wait(late(closed)), tn::pool_closed);
  CHECK_THROWS_AS(tn::spawn(tn::par.on(closed), nothing()), tn::pool_closed);
}

TEST_CASE("tasks and coroutines of others await each other", "[task]") {
  std::atomic<int> result = 0;
  [](std::atomic<int>& to) -> foreign {
    int const first = co_await number(1);
    to = first + co_await []() -> tn::task<int> {
      co_await tn::sleep_for(1ms);
      co_return 2;
    }();
  }(result);
  CHECK(comes_true([&] { return result == 3; }));

  std::thread thread;
  auto const awaits = [&]() -> tn::task<long> {
    int const five = co_await on_new_thread{thread};
    co_return five + co_await row(many / 10) + co_await chain(many / 10);
  };
  CHECK(tn::sync_wait(awaits()) == 5 + 2 * (many / 10));
  thread.join();
}

TEST_CASE("sync_wait inside a task of a pool of one lets another thread in", "[task]") {
  tn::thread_pool one{1};
  auto const scheduled = [&]() -> tn::task<int> {
    co_await tn::schedule(tn::par.on(one));
    co_await tn::sleep_for(1ms);
    co_return 8;
  };
  CHECK(tn::submit(tn::par.on(one), [&] { return tn::sync_wait(scheduled()); }).get() == 8);
}

TEST_CASE("stops, ends and times meet at every moment", "[task][stress]") {
  std::mt19937 random(2);
  tn::async_semaphore lock{1};
  for (int i = 0; i != rounds; ++i) {
    tn::promise<int> p;
    auto const worker = [&](int kind, tn::future<int> awaited) -> tn::task<int> {
      co_await tn::schedule(tn::par);
      if (kind == 0) co_return co_await std::move(awaited);
      if (kind == 1) {
        auto const hold = co_await lock.acquire();
        co_await tn::sleep_for(20us);
        co_return 1;
      }
      auto const first = co_await tn::when_any(std::move(awaited), tn::sleep_for(30us), until_stopped());
      co_return static_cast<int>(first.index);
    };
    auto f = tn::spawn(tn::par, worker(i % 3, p.get_future()));
    auto g = tn::spawn(tn::par, worker(1, {}));
    auto const pause = std::chrono::microseconds(random() % 60);
    std::thread stopper([&] {
      std::this_thread::sleep_for(pause);
      static_cast<void>(f.cancel());
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60));
    p.set_value(1);
    stopper.join();
    try {
      int const got = f.get();
      CHECK((got == 0 || got == 1));
    } catch (tn::cancelled const&) {
    }
    CHECK(g.get() == 1);
  }
}

#if !TARTAN_TSAN
TEST_CASE("a forked child has a timer and a pool of its own", "[task]") {
  auto const naps = [](int n) -> tn::task<int> {
    co_await tn::schedule(tn::par);
    co_await tn::sleep_for(1ms);
    co_return n;
  };
  CHECK(tn::sync_wait(naps(1)) == 1);
  pid_t const child = ::fork();
  if (child == 0) ::_exit(tn::sync_wait(naps(7)));
  int how = 0;
  CHECK(::waitpid(child, &how, 0) == child);
  CHECK((WIFEXITED(how) && WEXITSTATUS(how) == 7));
}
#endif

TEST_CASE("a sleep that nobody waits for does not keep the process", "[task]") {
  static_cast<void>(tn::spawn(tn::par, until_stopped()));  // the end of this program shows it
  SUCCEED();
}
