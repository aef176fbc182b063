#include "tartan/async/imap.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/fake_remote.hpp"
#include "support/in_child.hpp"
#include "tartan/async/submit.hpp"
#include "tartan/exec/channel.hpp"
#include "tartan/exec/outcome.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/task_group.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

template <class Body>
void anywhere(Body body) {
  tn::test::everywhere(body);
#if !TARTAN_TSAN
  body(tn::test::remote);
#endif
}

}  // namespace

TEST_CASE("imap yields results in order", "[imap]") {
  anywhere([](auto const& p) {
    for (int const n : {0, 1, 2, 300}) {
      int expected = 0;
      for (auto&& text : tn::imap(p, std::views::iota(0, n), [](int x) { return std::to_string(x * x); })) {
        CHECK(text == std::to_string(expected * expected));
        ++expected;
      }
      CHECK(expected == n);
    }
  });
}

TEST_CASE("imap_unordered yields each result once", "[imap]") {
  anywhere([](auto const& p) {
    std::vector<int> seen;
    std::vector<int> const input{5, 3, 9, 1};
    for (int x : tn::imap_unordered(p, input, [](int y) { return 2 * y; })) seen.push_back(x);
    std::ranges::sort(seen);
    CHECK(seen == std::vector<int>{2, 6, 10, 18});
  });
}

TEST_CASE("imap takes endless and single-pass input, and holds no more than its window", "[imap]") {
  anywhere([](auto const& p) {
    int read = 0, yielded = 0, most = 0;
    auto const endless = std::views::iota(0) | std::views::transform([&](int x) { return ++read, x; });
    for (auto&& x : tn::imap(p.in_flight(5), endless, [](int y) { return y + 1; })) {
      CHECK(x == ++yielded);
      most = std::max(most, read - (yielded - 1));
      if (yielded == 100) break;
    }
    CHECK(most <= 5);
    std::istringstream words("a bb ccc");
    std::size_t length = 0;
    for (auto&& n : tn::imap(p, std::views::istream<std::string>(words), [](std::string const& w) { return w.size(); }))
      length = 10 * length + n;
    CHECK(length == 123);
  });
}

TEST_CASE("imap refers to elements that lie somewhere, and keeps what it was given", "[imap]") {
  tn::test::everywhere([](auto const& p) {
    std::vector<std::unique_ptr<int>> input;
    for (int i = 0; i != 10; ++i) input.push_back(std::make_unique<int>(i));
    int sum = 0;
    for (auto&& x : tn::imap(p, input, [](std::unique_ptr<int> const& y) { return std::make_unique<int>(*y + 1); })) {
      auto const taken = std::move(x);
      sum += *taken;
    }
    CHECK(sum == 55);
    for (auto const* x : tn::imap(p, std::move(input), [](std::unique_ptr<int>& y) { return y.get(); })) sum -= *x;
    CHECK(sum == 10);
    auto results = tn::imap(p, std::vector<int>{1, 2}, [](int x) { return x; });
    auto moved = std::move(results);
    STATIC_REQUIRE(std::ranges::input_range<decltype(moved)>);
    CHECK(std::ranges::distance(moved) == 2);
  });
}

TEST_CASE("breaking out of the loop cancels the rest", "[imap]") {
  tn::test::everywhere([](auto const& p) {
    std::atomic<int> calls{0};
    int last = 0;
    for (auto&& x : tn::imap(p.in_flight(10), std::views::iota(0, 1'000'000), [&](int y) { return ++calls, y; }))
      if ((last = x) == 20) break;
    CHECK(last == 20);
    int const at_the_end = calls;
    CHECK(at_the_end <= 31);
    CHECK(at_the_end == calls);
  });
}

TEST_CASE("an error comes when its turn has come, and ends the loop", "[imap]") {
  anywhere([](auto const& p) {
    int seen = 0;
    auto const loop = [&] {
      for (auto&& x : tn::imap(p, std::views::iota(0, 100), [](int y) {
             if (y == 40 || y == 60) throw std::domain_error(std::to_string(y));
             return y;
           }))
        seen += x == seen ? 1 : 0;
    };
    CHECK_THROWS_WITH(loop(), "40");
    CHECK(seen == 40);
  });
  auto results = tn::imap(tn::seq, std::views::iota(0, 3), [](int y) {
    if (y == 1) throw std::domain_error("one");
    return y;
  });
  auto it = results.begin();
  CHECK_THROWS_AS(++it, std::domain_error);
  CHECK(it == results.end());
}

TEST_CASE("a source that throws ends the loop, and nothing is left behind", "[imap]") {
  tn::test::everywhere([](auto const& p) {
    auto const source = std::views::iota(0, 100) | std::views::transform([](int x) {
                          if (x == 50) throw std::domain_error("source");
                          return x;
                        });
    auto const loop = [&] {
      for (auto&& x : tn::imap(p, source, [](int y) { return y; })) CHECK(x < 50);
    };
    CHECK_THROWS_WITH(loop(), "source");
  });
}

TEST_CASE("imap inside a task of a pool that is destroyed meanwhile", "[imap]") {
  for (int const workers : {1, 2}) {
    auto pool = std::make_unique<tn::thread_pool>(workers);
    auto const p = tn::par.on(*pool);
    tn::detail::pool const* const home = p.backend().async_pool(p.props());
    auto total = tn::submit(p, [&] {
      while (!home->closing()) std::this_thread::yield();
      int sum = 0;
      for (int x : tn::imap(p, std::views::iota(0, 100), [](int y) { return y; })) sum += x;
      return sum;
    });
    pool.reset();
    CHECK(total.get() == 4950);
  }
}

namespace {

/// A pool of two whose threads are busy until go.
struct busy_pool {
  busy_pool() {
    for (int i = 0; i != 2; ++i)
      tn::detach(tn::par.on(*pool), [this] {
        ++begun;
        while (!go) std::this_thread::yield();
      });
    while (begun != 2) std::this_thread::yield();
  }
  ~busy_pool() { go = true; }
  [[nodiscard]] auto policy() const { return tn::par.on(*pool); }
  std::atomic<int> begun{0};
  std::atomic<bool> go{false};
  std::unique_ptr<tn::thread_pool> pool = std::make_unique<tn::thread_pool>(2);
};

}  // namespace

TEST_CASE("a task of a closed pool uses imap wherever a wait runs it", "[imap]") {
  int sum = 0;
  tn::thread_pool other{2};
  busy_pool busy;
  auto const p = busy.policy();
  auto const square = [](int y) { return y * y; };
  auto const loop = [&] {
    for (int x : tn::imap(p, std::views::iota(0, 100), square)) sum += x;
  };
  tn::task_group g{p};
  SECTION("in a thread that is no worker") {
    g.run(loop);
    busy.pool->close();
    CHECK_NOTHROW(g.wait());
  }
  SECTION("in a worker of another pool") {
    g.run(loop);
    busy.pool->close();
    CHECK_NOTHROW(tn::submit(tn::par.on(other), [&] { g.wait(); }).get());
  }
  SECTION("in a call into another pool") {
    g.run([&] { tn::fork_join(tn::par.on(other), loop, [] {}); });
    busy.pool->close();
    CHECK_NOTHROW(g.wait());
  }
  SECTION("one in the other") {
    g.run([&] {
      for (int x : tn::imap(p, std::views::iota(0, 100), [&](int y) {
             int last = 0;
             for (int z : tn::imap(p, std::views::iota(0, y + 1), square)) last = z;
             return last;
           }))
        sum += x;
    });
    busy.pool->close();
    CHECK_NOTHROW(g.wait());
  }
  SECTION("closed in the middle of a loop") {
    g.run([&] {
      for (int x : tn::imap(p.in_flight(8), std::views::iota(0, 100), square)) {
        if (x == 4) busy.pool->close();
        sum += x;
      }
    });
    CHECK_NOTHROW(g.wait());
  }
  SECTION("the rest outside of the task") {
    auto results = tn::imap(p.in_flight(100), std::views::iota(0, 100), square);
    std::optional<decltype(results.begin())> it;
    g.run([&] { it = results.begin(); });
    busy.pool->close();
    CHECK_NOTHROW(g.wait());
    for (; *it != results.end(); ++*it) sum += **it;
  }
  CHECK(sum == 328350);
}

TEST_CASE("tasks of a pool use imap while it is closed and waited for from outside", "[imap]") {
  for (int round = 0; round != 50; ++round) {
    auto pool = std::make_unique<tn::thread_pool>(2);
    auto const p = tn::par.on(*pool);
    std::atomic<int> sum{0};
    tn::task_group g{p};
    for (int i = 0; i != 20; ++i)
      g.run([&] {
        for (int x : tn::imap(p, std::views::iota(0, 50), [](int y) { return y; })) sum += x;
      });
    pool->close();
    CHECK_NOTHROW(g.wait());
    pool.reset();
    REQUIRE(sum == 20 * 1225);
  }
}

TEST_CASE("a pool that is closed while an element is on its way into its queue is the result of that element",
          "[imap]") {
  struct closer {  // closes the pool when it is moved for the second time
    tn::thread_pool* pool;
    int moves = 0;
    explicit closer(tn::thread_pool& p) : pool(&p) {}
    closer(closer&& other) noexcept : pool(other.pool), moves(other.moves + 1) {
      if (moves == 1) pool->close();
    }
  };
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  auto channel = tn::open_channel<int, closer>(p.backend(), p.props(), [](closer&) { return 1; }, 4);
  REQUIRE(channel.try_push(closer(pool)));
  channel.wait();
  CHECK(channel.poll([](std::size_t index, tn::outcome<int> result) {
    CHECK(index == 0);
    CHECK_THROWS_AS(result.value(), tn::pool_closed);
  }) == 1);
  CHECK_THROWS_AS(channel.try_push(closer(pool)), tn::pool_closed);
  CHECK(channel.under_way() == 0);
}

TEST_CASE("a loop that goes on after its pool was destroyed is told so", "[imap]") {
  auto pool = std::make_unique<tn::thread_pool>(2);
  SECTION("a pool that the policy names") {
    auto results = tn::imap(tn::par.on(*pool), std::views::iota(0, 1000), [](int y) { return y; });
    auto it = results.begin();
    pool.reset();
    auto const rest = [&] {
      for (; it != results.end(); ++it) {
      }
    };
    CHECK_THROWS_AS(rest(), tn::pool_gone);
    CHECK(it == results.end());
  }
  SECTION("the pool of the task that began it") {
    auto const make = [] { return tn::imap(tn::par, std::views::iota(0, 1000), [](int y) { return y; }); };
    auto results = tn::submit(tn::par.on(*pool), make).get();
    pool.reset();
    CHECK_THROWS_AS(results.begin(), tn::pool_gone);
  }
}

#if !TARTAN_TSAN  // which refuses threads in a child of a process with threads

TEST_CASE("a forked child that goes on with an imap is told that its pool is gone", "[imap]") {
  std::atomic<bool> go{false};
  bool const under_way = GENERATE(false, true);
  auto const f = [&](int y) {
    while (under_way && y != 0 && !go) std::this_thread::yield();
    return y;
  };
  auto const goes_on = [&](auto const& policy) {
    auto results = tn::imap(policy, std::views::iota(0, 100), f);
    auto it = results.begin();
    int const ended = tn::test::in_child([&] {
      bool told = false;
      try {
        for (; it != results.end(); ++it) {
        }
      } catch (tn::pool_gone const&) {
        told = true;
      }
      {
        auto const ends_too = std::move(results);
      }
      ::_exit(told ? 7 : 8);
    });
    go = true;
    return ended;
  };
  tn::thread_pool pool{2};
  CHECK(goes_on(tn::par.on(pool)) == 7);
  go = false;
  CHECK(goes_on(tn::par) == 7);
  go = false;
  CHECK(goes_on(tn::par.workers(2)) == 7);
}

#endif

TEST_CASE("imap inside a task, on a pool of one too", "[imap]") {
  tn::thread_pool lone{1};
  auto const sum = [](auto const& p) {
    int total = 0;
    for (int x : tn::imap(p, std::views::iota(0, 100), [](int y) { return y; })) total += x;
    return total;
  };
  CHECK(tn::submit(tn::par, [&] { return sum(tn::par); }).get() == 4950);
  CHECK(tn::submit(tn::par.on(lone), [&] { return sum(tn::par.on(lone)); }).get() == 4950);
}
