#include "tartan/async/future.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "tartan/async/submit.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/patterns/fork_join.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;

namespace {

/// Collects what reaches the handler of unhandled errors while it lives.
class unhandled_errors {
 public:
  unhandled_errors() {
    texts().clear();
    before_ = tn::set_unhandled([](std::exception_ptr error) {
      std::lock_guard const hold(mutex());
      try {
        std::rethrow_exception(error);
      } catch (std::exception const& e) {
        texts().push_back(e.what());
      }
    });
  }
  unhandled_errors(unhandled_errors const&) = delete;
  unhandled_errors& operator=(unhandled_errors const&) = delete;
  ~unhandled_errors() { tn::set_unhandled(before_); }
  [[nodiscard]] std::vector<std::string> seen() const {
    std::lock_guard const hold(mutex());
    return texts();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::vector<std::string>& texts() {
    static std::vector<std::string> all;
    return all;
  }
  tn::unhandled_handler before_;
};

template <class Condition>
void spin_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

int add(int a, int b) { return a + b; }

struct point {
  int x = 7;
  [[nodiscard]] int times(int n) const { return x * n; }
};

}  // namespace

TEST_CASE("a submitted call gives its result, whatever it is called like", "[future]") {
  CHECK(tn::submit(tn::par, add, 1, 2).get() == 3);
  CHECK(tn::submit(tn::seq, add, 1, 2).get() == 3);
  CHECK(tn::submit(tn::par, &point::times, point{}, 6).get() == 42);
  CHECK(tn::submit(tn::par, [p = std::make_unique<int>(4)] { return *p; }).get() == 4);
  CHECK(*tn::submit(tn::par, [](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(5)).get() == 5);
  std::string text = "abc";
  std::string& same = tn::submit(tn::par, [&text]() -> std::string& { return text; }).get();
  CHECK(&same == &text);
  CHECK(tn::submit(tn::par, [](std::string s) { return s.size(); }, "four").get() == 4);
  STATIC_REQUIRE(std::is_void_v<decltype(tn::submit(tn::par, [] {}).get())>);
}

TEST_CASE("under seq the call runs at once, on this thread", "[future]") {
  std::thread::id where;
  auto f = tn::submit(tn::seq, [&] { where = std::this_thread::get_id(); });
  CHECK(f.ready());
  CHECK(where == std::this_thread::get_id());
}

TEST_CASE("get works once, and a future says when it refers to no task", "[future]") {
  auto f = tn::submit(tn::par, add, 1, 1);
  CHECK(f.valid());
  CHECK(f.get() == 2);
  CHECK_FALSE(f.valid());
  CHECK_THROWS_AS(f.get(), tn::invalid_future);
  CHECK_THROWS_AS(f.ready(), tn::invalid_future);
  CHECK_THROWS_AS(f.wait(), tn::invalid_future);
  CHECK_THROWS_AS(tn::future<int>{}.cancel(), tn::invalid_future);
  auto g = tn::submit(tn::par, add, 1, 1);
  auto h = std::move(g);
  CHECK_FALSE(g.valid());
  CHECK(h.get() == 2);
}

TEST_CASE("what the task holds is gone when the future is ready, what it returned when the future is gone",
          "[future]") {
  auto held = std::make_shared<int>(1);
  auto made = std::make_shared<int>(2);
  std::weak_ptr<int> const watch_held = held, watch_made = made;
  auto f = tn::submit(tn::par, [held = std::move(held), made]() mutable { return std::move(made); });
  made.reset();
  f.wait();
  CHECK(watch_held.expired());
  CHECK_FALSE(watch_made.expired());
  SECTION("taken") {
    CHECK(*f.get() == 2);
    CHECK(watch_made.expired());  // it left with get()
  }
  SECTION("dropped") {
    f = {};
    spin_until([&] { return watch_made.expired(); });
  }
}

TEST_CASE("an exception comes with get; one that nobody saw goes to the handler", "[future]") {
  unhandled_errors const errors;
  auto f = tn::submit(tn::par, []() -> int { throw std::out_of_range("asked"); });
  CHECK_THROWS_AS(f.get(), std::out_of_range);
  {
    tn::thread_pool pool{2};
    tn::submit(tn::par.on(pool), [] { throw std::runtime_error("dropped"); });
    tn::detach(tn::par.on(pool), [] { throw std::runtime_error("detached"); });
    tn::submit(tn::par.on(pool), []() -> int { throw std::runtime_error("passed on"); }).then([](int) {}).on_done([] {
    });
  }
  auto seen = errors.seen();
  std::sort(seen.begin(), seen.end());
  CHECK(seen == std::vector<std::string>{"detached", "dropped", "passed on"});
}

TEST_CASE("dropping a future neither waits nor cancels", "[future]") {
  tn::thread_pool pool{1};
  std::atomic<bool> go{false}, ran{false};
  tn::submit(tn::par.on(pool), [&] {
    spin_until([&] { return go.load(); });
    ran = true;
  });
  CHECK_FALSE(ran);
  go = true;
  pool.join();
  CHECK(ran);
}

TEST_CASE("submitted work advances although nobody waits", "[future]") {
  SECTION("on a pool of one worker") {
    tn::thread_pool pool{1};
    auto f = tn::submit(tn::par.on(pool), add, 2, 3);
    spin_until([&] { return f.ready(); });
    CHECK(f.get() == 5);
  }
  SECTION("as many at once as the pool has workers") {
    tn::thread_pool pool{4};
    std::latch all(4);
    std::array<tn::future<void>, 4> fs;
    for (auto& f : fs) f = tn::submit(tn::par.on(pool), [&] { all.arrive_and_wait(); });
    spin_until([&] { return std::all_of(fs.begin(), fs.end(), [](auto const& f) { return f.ready(); }); });
    SUCCEED();
  }
}

TEST_CASE("get with a time leaves the task running", "[future]") {
  std::atomic<bool> go{false};
  auto f = tn::submit(tn::par, [&] {
    spin_until([&] { return go.load(); });
    return 9;
  });
  CHECK_FALSE(f.wait(1ms));
  CHECK_THROWS_AS(f.get(1ms), tn::timeout_error);
  CHECK(f.valid());
  go = true;
  CHECK(f.get(10min) == 9);
}

TEST_CASE("get with a time inside a task lets another thread do the task", "[future]") {
  tn::thread_pool pool{1};
  auto const p = tn::par.on(pool);
  auto f = tn::submit(p, [&] { return tn::submit(p, add, 20, 3).get(10min); });
  CHECK(f.get() == 23);
}

TEST_CASE("cancel keeps a task that has not begun from running", "[future]") {
  unhandled_errors const errors;
  tn::thread_pool pool{1};
  std::atomic<bool> go{false}, begun{false}, second{false};
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> const watch = held;
  auto first = tn::submit(tn::par.on(pool), [&] {
    begun = true;
    spin_until([&] { return go.load(); });
  });
  auto f = tn::submit(tn::par.on(pool), [&second, held = std::move(held)] { second = true; });
  spin_until([&] { return begun.load(); });
  CHECK(f.cancel());
  CHECK(watch.expired());
  CHECK(f.ready());
  CHECK_FALSE(f.cancel());
  CHECK_FALSE(first.cancel());
  CHECK_THROWS_AS(f.get(), tn::cancelled);
  auto dropped = tn::submit(tn::par.on(pool), [] {});
  CHECK(dropped.cancel());
  go = true;
  pool.join();
  CHECK_FALSE(second);
  CHECK(errors.seen().empty());
}

#if defined(__cpp_lib_jthread)
TEST_CASE("a task that takes a stop_token hears of cancel while it runs", "[future]") {
  std::atomic<bool> begun{false};
  auto f = tn::submit(
      tn::par,
      [&](std::stop_token stop, int n) {
        begun = true;
        spin_until([&] { return stop.stop_requested(); });
        return n;
      },
      5);
  spin_until([&] { return begun.load(); });
  CHECK_FALSE(f.cancel());
  CHECK(f.get() == 5);
}
#endif

TEST_CASE("the policy's stop token cancels what has not begun", "[future]") {
  struct asks {
    std::atomic<bool> on{false};
    [[nodiscard]] bool stop_requested() const { return on; }
  } stop;
  auto const p = tn::par.stop(stop);
  CHECK(tn::submit(p, add, 1, 2).get() == 3);
  stop.on = true;
  CHECK_THROWS_AS(tn::submit(p, add, 1, 2).get(), tn::cancelled);
  CHECK_THROWS_AS(tn::submit(tn::seq.stop(stop), add, 1, 2).get(), tn::cancelled);
}

TEST_CASE("many may wait for a shared future", "[future]") {
  std::atomic<bool> go{false};
  tn::shared_future<std::string> const f = tn::submit(tn::par, [&] {
    spin_until([&] { return go.load(); });
    return std::string("once");
  });
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i != 4; ++i) threads.emplace_back([f, &right] { right += f.get() == "once"; });
  auto g = f;
  go = true;
  for (auto& t : threads) t.join();
  CHECK(right == 4);
  CHECK(&g.get() == &f.get());
  auto const failed = tn::submit(tn::par, [] { throw std::logic_error("twice"); }).share();
  CHECK_THROWS_AS(failed.get(), std::logic_error);
  CHECK_THROWS_AS(failed.get(), std::logic_error);
}

TEST_CASE("then continues with the result, and lets errors pass", "[future]") {
  auto f =
      tn::submit(tn::par, add, 1, 2).then([](int n) { return n * 10; }).then([](int n) { return std::to_string(n); });
  CHECK(f.get() == "30");
  CHECK(tn::submit(tn::seq, [] {}).then([] { return 1; }).get() == 1);
  bool ran = false;
  auto g = tn::submit(tn::par, []() -> int { throw std::domain_error("first"); }).then([&](int) { ran = true; });
  CHECK_THROWS_AS(g.get(), std::domain_error);
  CHECK_FALSE(ran);
  auto h = tn::submit(tn::par, add, 1, 2);
  auto next = h.then([](int) {});
  CHECK_FALSE(h.valid());
  next.get();
}

TEST_CASE("a chain of a hundred thousand continuations needs no deep stack", "[future]") {
  tn::promise<long> start;
  auto f = start.get_future();
  for (int i = 0; i != 100'000; ++i) f = f.then([](long n) { return n + 1; });
  SECTION("begun outside") {
    tn::submit(tn::par, [&] { start.set_value(0); }).get();
  }
  SECTION("begun inside") {
    auto g = tn::submit(tn::par, [] { return 0L; });
    start.set_value(g.get());
  }
  CHECK(f.get() == 100'000);
}

TEST_CASE("continuations can be cancelled before their turn", "[future]") {
  tn::promise<int> p;
  bool ran = false;
  auto f = p.get_future().then([&](int) { ran = true; });
  CHECK(f.cancel());
  CHECK_THROWS_AS(f.get(), tn::cancelled);
  p.set_value(1);
  CHECK_FALSE(ran);
}

TEST_CASE("on_done calls back in order, at once when there is nothing to wait for", "[future]") {
  tn::promise<void> p;
  auto f = p.get_future();
  std::vector<int> calls;
  for (int i = 0; i != 3; ++i) f.on_done([&calls, i] { calls.push_back(i); });
  CHECK(calls.empty());
  p.set_value();
  f.on_done([&] { calls.push_back(3); });
  CHECK(calls == std::vector<int>{0, 1, 2, 3});
  f.get();
}

TEST_CASE("a promise that goes away without a value says so", "[future]") {
  auto f = tn::promise<int>{}.get_future();
  CHECK_THROWS_AS(f.get(), tn::broken_promise);
  tn::promise<int> p;
  auto g = p.get_future();
  p.set_exception(std::make_exception_ptr(std::runtime_error("set")));
  CHECK_THROWS_AS(g.get(), std::runtime_error);
  tn::promise<int> late;
  auto h = late.get_future();
  CHECK(h.cancel());
  CHECK_FALSE(late.set_value(1));
}

// ---- waiting inside tasks
// ---------------------------------------------------------------------------------------------

TEST_CASE("get inside a task runs what it waits for", "[future]") {
  auto const workers = GENERATE(1, 2, 8);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  std::function<int(int)> const tree = [&](int depth) -> int {
    if (depth == 0) return 1;
    auto a = tn::submit(p, tree, depth - 1), b = tn::submit(p, tree, depth - 1);
    return a.get() + b.get();
  };
  CHECK(tn::submit(p, tree, 10).get() == 1024);
}

TEST_CASE("get inside a task follows continuations to the task that they continue", "[future]") {
  auto const workers = GENERATE(1, 2, 8);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  for (int round = 0; round != 200; ++round) {
    auto f = tn::submit(p, [&] {
      auto chain = tn::submit(p, add, 1, 2).then([](int n) { return n + 1; }).then([](int n) { return n + 1; });
      return chain.get();
    });
    REQUIRE(f.get() == 5);
  }
}

TEST_CASE("a wait for what no worker works on lets another thread in", "[future]") {
  auto const workers = GENERATE(1, 2);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  SECTION("a promise that another task keeps") {
    constexpr int waiting = 5;
    std::array<tn::promise<int>, waiting> promises;
    std::array<tn::future<int>, waiting> sums;
    for (int i = 0; i != waiting; ++i)
      sums[static_cast<std::size_t>(i)] =
          tn::submit(p, [f = promises[static_cast<std::size_t>(i)].get_future(), i]() mutable { return f.get() + i; });
    for (int i = 0; i != waiting; ++i)
      tn::submit(p, [&promises, i] { promises[static_cast<std::size_t>(i)].set_value(100); });
    for (int i = 0; i != waiting; ++i) CHECK(sums[static_cast<std::size_t>(i)].get() == 100 + i);
  }
  SECTION("blocking()") {
    std::latch both(2);
    auto a = tn::submit(p, [&] { tn::blocking([&] { both.arrive_and_wait(); }); });
    auto b = tn::submit(p, [&] {
      return tn::blocking([&] {
        both.arrive_and_wait();
        return 3;
      });
    });
    CHECK(b.get() == 3);
    a.get();
  }
  SECTION("pools that wait for each other") {
    tn::thread_pool other{1};
    auto const q = tn::par.on(other);
    auto f = tn::submit(p, [&] {
      return tn::submit(q, [&] { return tn::submit(p, [&] { return tn::submit(q, add, 3, 4).get(); }).get(); }).get();
    });
    CHECK(f.get() == 7);
  }
}

#if !TARTAN_TSAN && !TARTAN_ASAN  // which take memory of their own for each
TEST_CASE("a million tasks that wait take less than 100 MB with their futures", "[future]") {
  auto const resident = [] {
    std::FILE* const f = std::fopen("/proc/self/statm", "r");
    REQUIRE(f != nullptr);
    long size = 0, pages = 0;
    int const read = std::fscanf(f, "%ld %ld", &size, &pages);
    std::fclose(f);
    REQUIRE(read == 2);
    return pages * ::sysconf(_SC_PAGESIZE);
  };
  constexpr std::size_t many = 1'000'000;
  tn::thread_pool pool{1};
  auto const p = tn::par.on(pool);
  std::latch begun{1}, go{1};
  tn::detach(p, [&] { begun.count_down(), go.wait(); });
  begun.wait();
  auto const before = resident();
  std::vector<tn::future<std::size_t>> all;
  all.reserve(many);
  for (std::size_t i = 0; i != many; ++i) all.push_back(tn::submit(p, [i] { return i; }));
  CHECK(resident() - before < 100'000'000);
  go.count_down();
  std::size_t sum = 0;
  for (auto& f : all) sum += f.get();
  CHECK(sum == many * (many - 1) / 2);
}
#endif

TEST_CASE("errors that nobody asks for are told on stderr, each in a sentence that fits", "[future]") {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  int const before = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  tn::detach(tn::seq, [] { throw std::runtime_error("thorn"); });
  tn::detach(tn::seq, [] { throw 7; });
  tn::detach(tn::seq, [] { throw tn::cancelled(); });
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::rewind(file);
  char text[1000] = {};
  REQUIRE(std::fread(text, 1, sizeof text - 1, file) != 0);
  std::fclose(file);
  CHECK(std::string(text) ==
        "tartan: a task failed, and nobody asked for its result: thorn\n"
        "tartan: a task threw what is no std::exception, and nobody asked for its result\n"
        "tartan: a task was cancelled, and nobody asked for its result\n");
}

TEST_CASE("a promise that nobody took a future of is dropped in silence", "[future]") {
  unhandled_errors const errors;
  {
    tn::promise<int> unused;
  }
  CHECK(errors.seen().empty());
  {
    tn::promise<int> p, moved(std::move(p));
    CHECK_THROWS_WITH(p.set_value(1), tn::test::contains_text("moved from"));
  }
  {
    (void)tn::promise<int>().get_future();
  }
  CHECK(errors.seen().size() == 1);
}

#if !TARTAN_TSAN  // a thousand threads are too many for it
TEST_CASE("the bound on waits that let threads in is an error, and leaves the pool usable", "[future]") {
  constexpr std::size_t tasks = 1100;
  tn::thread_pool pool{{.workers = 1, .stack_size = 256 << 10}};
  auto const p = tn::par.on(pool);
  std::vector<tn::promise<int>> promises(tasks);
  std::vector<tn::future<int>> all;
  for (auto& promise : promises) all.push_back(tn::submit(p, [f = promise.get_future()]() mutable { return f.get(); }));
  // Only a refusal ends a task now. Not that of a certain one: a waiter that wakes for no reason leaves its place for a
  // moment, in which any other task may take it. The waiter waits on all the same.
  spin_until([&] { return std::any_of(all.begin(), all.end(), [](auto const& f) { return f.ready(); }); });
  for (auto& promise : promises) promise.set_value(1);
  int kept = 0, refused = 0;
  for (auto& f : all) {
    try {
      kept += f.get();
    } catch (tn::too_many_blocked const&) {
      ++refused;
    }
  }
  CHECK(kept >= 1024);
  CHECK(refused > 0);
  CHECK(kept + refused == static_cast<int>(tasks));
  CHECK(tn::submit(p, add, 2, 3).get() == 5);
}

TEST_CASE("tasks that wait for one that blocks let in no more threads than the bound", "[future]") {
  std::atomic<int> threads{0};
  std::atomic<bool> begun{false}, leave{false};
  tn::thread_pool pool{{.workers = 1, .on_thread_start = [&](unsigned) { ++threads; }, .stack_size = 256 << 10}};
  auto const p = tn::par.on(pool);
  auto const blocks = tn::submit(p, [&] {
                        begun = true;
                        tn::blocking([&] {
                          while (!leave) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                        });
                        return 1;
                      }).share();
  CHECK(tn::test::comes_true([&] { return begun.load(); }));
  std::vector<tn::future<int>> all;
  for (int i = 0; i != 1700; ++i) all.push_back(tn::submit(p, [blocks] { return blocks.get(); }));
  CHECK(tn::test::comes_true([&] { return threads >= 1537; }, std::chrono::seconds(60)));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // for those that should not come
  CHECK(threads == 1537);
  leave = true;
  int sum = 0;
  for (auto& f : all) sum += f.get();
  CHECK(sum == 1700);
}
#endif

TEST_CASE("a pool that is destroyed lets tasks that wait come to their end", "[future]") {
  tn::promise<int> late;
  std::atomic<int> got{0};
  std::thread keeper;
  {
    tn::thread_pool pool{1};
    std::atomic<bool> waits{false};
    tn::submit(tn::par.on(pool), [&, f = late.get_future()]() mutable {
      waits = true;
      got = f.get();
    });
    spin_until([&] { return waits.load(); });
    keeper = std::thread([&] { late.set_value(6); });
  }
  keeper.join();
  CHECK(got == 6);
}

TEST_CASE("a task that waits for itself is told so", "[future]") {
  tn::thread_pool pool{1};
  tn::future<void> self;
  std::atomic<bool> known{false};
  tn::promise<bool> caught;
  auto answer = caught.get_future();
  self = tn::submit(tn::par.on(pool), [&] {
    spin_until([&] { return known.load(); });
    try {
      self.wait();
      caught.set_value(false);
    } catch (tn::would_deadlock const&) {
      caught.set_value(true);
    }
  });
  known = true;
  CHECK(answer.get());
}

TEST_CASE("a wait never re-enters a lock that the waiter holds", "[future]") {
  auto const workers = GENERATE(1, 2, 8);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  std::mutex mutex;
  long under_lock = 0, callbacks = 0;
  constexpr int rounds = 3000;
  std::vector<tn::future<void>> all;
  for (int i = 0; i != rounds; ++i)
    all.push_back(tn::submit(p, [&, i] {
      auto f = tn::submit(p, [&] {
        auto [a, b] = tn::fork_join(p, [] { return 1; }, [] { return 2; });
        return a + b;
      });
      if (i % 3 == 0)
        f.on_done([&] {  // at once if f has ended, so before the lock
          std::lock_guard const again(mutex);
          ++callbacks;
        });
      std::unique_lock const hold(mutex);  // not recursive: whoever takes it twice on one stack hangs
      if (i % 2 == 0) {
        under_lock += f.get();
      } else {
        auto [x, y] = tn::fork_join(p, [&] { return f.get(); }, [] { return 0; });
        under_lock += x + y;
      }
    }));
  for (auto& f : all) f.get();
  pool.join();
  CHECK(under_lock == 3L * rounds);
  CHECK(callbacks == rounds / 3);
}

// What the waiter runs meanwhile, and what a thread that it lets in runs, may want the lock: neither may stand on the
// waiter's stack, and the waiter must come back.
TEST_CASE("a lock may be held over a wait for a continuation, for the time, and for what no worker works on",
          "[future]") {
  auto const workers = GENERATE(1, 2, 8);
  tn::thread_pool pool{workers};
  auto const p = tn::par.on(pool);
  constexpr int rounds = 1200;
  std::vector<tn::promise<int>> promises(rounds / 4);
  std::atomic<int> wanted{-1};
  std::jthread const outside([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      if (int const i = wanted.exchange(-1); i >= 0)
        promises[static_cast<std::size_t>(i)].set_value(1);
      else
        std::this_thread::yield();
    }
  });
  std::mutex mutex;
  long sum = 0;
  std::vector<tn::future<void>> all;
  for (int i = 0; i != rounds; ++i)
    all.push_back(tn::submit(p, [&, i] {
      auto next = tn::submit(p, [] { return 1; }).then([](int x) { return x + 1; });
      std::lock_guard const hold(mutex);
      if (i % 4 == 1) {
        wanted = i / 4;
        sum += promises[static_cast<std::size_t>(i / 4)].get_future().get();
      } else if (i % 4 == 2) {
        static_cast<void>(next.wait(10us));
        ++sum;
      } else if (i % 4 == 3) {
        sum += tn::blocking([] {
          std::this_thread::yield();
          return 1;
        });
      }
      sum += next.get();
    }));
  for (auto& f : all) f.get();
  CHECK(sum == 2L * rounds + rounds / 4 * 3);
}

TEST_CASE("a task that waits in another pool for its own pool lets another thread in", "[future]") {
  tn::thread_pool a{1}, b{1};
  auto const pa = tn::par.on(a), pb = tn::par.on(b);
  auto const back = [&] { return tn::submit(pa, add, 1, 2).get(); };
  for (int round = 0; round != 20; ++round) {
    auto f = tn::submit(pa, [&] {
      auto [x, y] = tn::fork_join(pb, back, [] { return 4; });
      return x + y;
    });
    CHECK(f.get() == 7);
    auto g = tn::submit(pa, [&] {  // the same, two pools deep, from the thread of another
      return tn::submit(pb, [&] { return tn::fork_join(pa, [&] { return tn::submit(pb, back).get(); }, [] {}); }).get();
    });
    CHECK(std::get<0>(g.get()) == 3);
  }
}

TEST_CASE("a callback that wants a waiter's lock does not keep the waiter from waking", "[future]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  std::mutex mutex;
  std::atomic<bool> held{false}, called{false};
  auto f = tn::submit(p, [&] { spin_until([&] { return held.load(); }); });
  f.on_done([&] {
    std::lock_guard const after(mutex);
    called = true;
  });
  auto const waiter = tn::submit(p, [&] {
    std::lock_guard const hold(mutex);
    held = true;
    f.get();
  });
  waiter.wait();
  pool.join();
  CHECK(called);
}

TEST_CASE("four outside threads submit at once", "[future]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  std::atomic<long> ran{0};
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t)
    threads.emplace_back([&] {
      std::vector<tn::future<void>> fs;
      for (int i = 0; i != 5000; ++i) {
        fs.push_back(tn::submit(p, [&] { ran.fetch_add(1, std::memory_order_relaxed); }));
        if (i % 7 == 0) tn::detach(p, [&] { ran.fetch_add(1, std::memory_order_relaxed); });
      }
      for (auto& f : fs) f.get();
    });
  for (auto& t : threads) t.join();
  pool.join();
  CHECK(ran == 4 * (5000 + 715));
}
