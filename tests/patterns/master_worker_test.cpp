#include "tartan/patterns/master_worker.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/everywhere.hpp"
#include "support/fake_remote.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

/// Everywhere, and where workers do not see this memory.
template <class Body>
void anywhere(Body body) {
  tn::test::everywhere(body);
#if !TARTAN_TSAN
  body(tn::test::remote);
#endif
}

// Each type of a work, a sink or an order compiles master_worker anew, for each policy. Where a test is not about these
// types it shares them.
template <class T>
using work_on = std::function<T(T const&, tn::task_adder<T>&)>;
template <class T>
using sink_of = std::function<bool(T)>;

/// A tree by its paths: "" has children "0", "1", ...
std::string add_children(std::string const& path, tn::task_adder<std::string>& more) {
  if (path.size() < 4)
    for (char c = '0'; c != '3'; ++c) more(path + c);
  return path;
}
work_on<std::string> const grow = add_children;

std::vector<std::string> paths_in_order(std::string const& root) {
  std::vector<std::string> all{root};
  if (root.size() < 4)
    for (char c = '0'; c != '3'; ++c)
      for (auto& p : paths_in_order(root + c)) all.push_back(p);
  return all;
}

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised.load(); }
};

constexpr auto same = [](int x) { return x; };

}  // namespace

TEST_CASE("master_worker gives results in input order", "[master_worker]") {
  anywhere([](auto const& p) {
    for (int const n : {0, 1, 2, 100}) {
      std::vector<int> tasks(static_cast<std::size_t>(n));
      std::iota(tasks.begin(), tasks.end(), 0);
      auto const results = tn::master_worker(p, tasks, [](int x) { return std::to_string(x); });
      REQUIRE(results.size() == tasks.size());
      for (int i = 0; i != n; ++i) CHECK(results[static_cast<std::size_t>(i)] == std::to_string(i));
    }
  });
}

TEST_CASE("what a task adds follows it, depth first", "[master_worker]") {
  auto expected = paths_in_order("");
  for (auto& p : paths_in_order("x")) expected.push_back(p);
  anywhere([&](auto const& p) {
    CHECK(tn::master_worker(p, std::vector<std::string>{"", "x"}, grow) == expected);
    CHECK(tn::master_worker(p.in_flight(3), std::vector<std::string>{"", "x"}, grow) == expected);
  });
}

TEST_CASE("tasks and results may be movable only, input may come from anywhere", "[master_worker]") {
  tn::test::everywhere([](auto const& p) {
    std::vector<std::unique_ptr<int>> tasks;
    for (int i = 0; i != 20; ++i) tasks.push_back(std::make_unique<int>(i));
    auto const results = tn::master_worker(p, std::move(tasks), [](std::unique_ptr<int> x, auto&& more) {
      if (*x == 7) more(std::make_unique<int>(70));
      return x;
    });
    REQUIRE(results.size() == 21);
    CHECK(*results[8] == 70);
    CHECK(*results[20] == 19);
    auto even = std::views::iota(0, 100) | std::views::filter([](int x) { return x % 2 == 0; });
    CHECK(tn::master_worker(p, even, [](int x) { return x > 50; }).size() == 50);
    std::vector<int> const kept{1, 2, 3};
    std::atomic<int> sum{0};
    tn::master_worker(p, kept, [&](int const& x) { sum += x; });
    CHECK(sum == 6);
  });
}

TEST_CASE("under seq the order of the calls is that of a recursion", "[master_worker]") {
  std::vector<std::string> seen;
  work_on<std::string> const visit = [&](std::string const& path, auto& more) {
    seen.push_back(path);
    return add_children(path, more);
  };
  tn::master_worker(tn::seq, std::vector<std::string>{""}, visit);
  CHECK(seen == paths_in_order(""));
}

TEST_CASE("on_result gets results on the caller, as they come", "[master_worker]") {
  auto const caller = std::this_thread::get_id();
  anywhere([&](auto const& p) {
    std::multiset<std::string> seen;
    bool here = true;
    sink_of<std::string> const sink = [&](std::string path) {
      here = here && std::this_thread::get_id() == caller;
      seen.insert(std::move(path));
      return true;
    };
    CHECK(tn::master_worker(p, std::vector<std::string>{""}, grow, sink));
    auto const all = paths_in_order("");
    CHECK(here);
    CHECK(seen == std::multiset<std::string>(all.begin(), all.end()));
    int calls = 0;
    tn::master_worker(p, std::vector<int>{1, 2, 3}, [](int) {}, [&] { ++calls; });
    CHECK(calls == 3);
  });
}

TEST_CASE("on_result ends the search early", "[master_worker]") {
  anywhere([](auto const& p) {
    int last = -1, calls = 0;
    sink_of<int> const sink = [&](int x) {
      last = x;
      return ++calls < 50;
    };
    CHECK(!tn::master_worker(p, std::views::iota(0), same, sink));  // endless
    CHECK(calls == 50);
    CHECK(last >= 0);
  });
}

TEST_CASE("an ordering lets the best task go first", "[master_worker]") {
  std::vector<int> calls;
  work_on<int> const visit = [&](int x, auto& more) {
    calls.push_back(x);
    if (x == 10) more(1), more(30);
    return x;
  };
  using order = std::function<bool(int, int)>;
  sink_of<int> const ignore = [](int) { return true; };
  CHECK(tn::master_worker(tn::seq, std::vector<int>{20, 10, 15}, visit, ignore, order(std::less<>{})));
  CHECK(calls == std::vector<int>{10, 1, 15, 20, 30});
  calls.clear();
  tn::master_worker(tn::seq, std::vector<int>{20, 10, 15}, visit, ignore, order([](int, int) { return false; }));
  CHECK(calls == std::vector<int>{20, 10, 15, 1, 30});  // equals in the order in which they were found
  anywhere([&](auto const& p) {
    long sum = 0;
    work_on<int> const add = [](int x, auto& more) {
      if (x > 1) more(x - 1);
      return x;
    };
    sink_of<int> const sink = [&](int x) { return sum += x, true; };
    CHECK(tn::master_worker(p, std::vector<int>{20, 10}, add, sink, order(std::greater<>{})));
    CHECK(sum == 210 + 55);
  });
}

TEST_CASE("the error is that of the first task in the order of a recursion", "[master_worker]") {
  work_on<std::string> const failing = [](std::string const& path, auto& more) {
    add_children(path, more);
    if (path == "021" || path == "1" || path == "2222" || path == "0212") throw std::domain_error(path);
    return path;
  };
  sink_of<std::string> const ignore = [](std::string const&) { return true; };
  for (int round = 0; round != 5; ++round)
    anywhere([&](auto const& p) {
      CHECK_THROWS_WITH(tn::master_worker(p, std::vector<std::string>{""}, failing), "021");
      CHECK_THROWS_WITH(tn::master_worker(p, std::vector<std::string>{""}, failing, ignore), "021");
      CHECK_THROWS_WITH(tn::master_worker(
                            p, std::vector<std::string>{""}, failing, [](std::string const&) {}, std::greater<>{}),
                        "021");
      CHECK(tn::master_worker(p, std::vector<int>{1}, work_on<int>([](int x, auto&) { return x; })).front() == 1);
    });
  tn::test::everywhere([](auto const& p) {
    sink_of<int> const throwing = [](int x) {
      if (x == 3) throw std::domain_error("on_result");
      return true;
    };
    CHECK_THROWS_WITH(tn::master_worker(p, std::views::iota(0), same, throwing), "on_result");
  });
}

TEST_CASE("try_master_worker loses nothing", "[master_worker]") {
  anywhere([](auto const& p) {
    work_on<int> const work = [](int x, auto& more) {
      if (x > 2) more(x - 2), more(x - 1);
      if (x == 6) throw std::domain_error("six");
      return x;
    };
    auto const outcomes = tn::try_master_worker(p, std::vector<int>{8, 3}, work);
    std::size_t errors = 0;
    for (std::size_t i = 0; i != outcomes.size(); ++i) {
      CHECK(outcomes[i].index() == i);
      errors += outcomes[i] ? 0U : 1U;
    }
    CHECK(outcomes[0].value() == 8);
    CHECK(outcomes[1].what() == "six");
    CHECK(errors == 2);
    CHECK(outcomes.back().value() == 2);
  });
}

TEST_CASE("a stop skips what has not begun", "[master_worker]") {
  tn::test::everywhere([](auto const& p) {
    flag stop;
    std::atomic<int> calls{0};
    auto const endless = [&](int x, auto&& more) {
      if (++calls == 100) stop.raised = true;
      more(x + 1), more(x + 2);
      return x;
    };
    CHECK_THROWS_AS(tn::master_worker(p.stop(stop), std::vector<int>{0}, endless), tn::cancelled);
    CHECK_THROWS_AS(tn::master_worker(p.stop(stop), std::vector<int>{0}, endless), tn::cancelled);
    CHECK(tn::master_worker(p.stop(stop), std::vector<int>{}, endless).empty());  // nothing was skipped
  });
}

TEST_CASE("master_worker inside its own tasks, on a pool of one too", "[master_worker]") {
  tn::thread_pool lone{1};
  auto const nested = [](auto const& p) {
    auto const inner = [&](int x) {
      auto const all = tn::master_worker(p, std::views::iota(0, x), [](int y) { return y; });
      return std::accumulate(all.begin(), all.end(), 0);
    };
    return tn::master_worker(p, std::views::iota(0, 20), inner);
  };
  std::vector<int> expected;
  for (int i = 0; i != 20; ++i) expected.push_back(i * (i - 1) / 2);
  tn::test::everywhere([&](auto const& p) { CHECK(nested(p) == expected); });
  CHECK(nested(tn::par.on(lone)) == expected);
}

TEST_CASE("a chain of thirty thousand tasks needs no deep stack", "[master_worker]") {
  work_on<int> const chain = [](int x, auto& more) {
    if (x != 0) more(x - 1);
    return x;
  };
  auto const results = tn::master_worker(tn::par, std::vector<int>{30'000}, chain);
  CHECK(results.size() == 30'001);
  CHECK(std::ranges::is_sorted(results, std::greater<>{}));
}

TEST_CASE("a task that was added begins while the one that added it still runs", "[master_worker]") {
  for (int const workers : {2, 3, 4}) {
    auto const p = tn::par.workers(workers);
    // A chain: each waits until the task that it has added has begun, as far as there are workers.
    std::atomic<int> begun = 0;
    work_on<int> const work = [&](int depth, auto& more) {
      ++begun;
      if (depth < workers) {
        more(depth + 1);
        if (!tn::test::comes_true([&] { return begun > depth; })) throw std::runtime_error("the child has not begun");
      }
      return depth;
    };
    auto const depths = tn::master_worker(p, std::vector{1}, work);
    CHECK(depths.size() == static_cast<std::size_t>(workers));
    CHECK(std::is_sorted(depths.begin(), depths.end()));
  }
}

TEST_CASE("children that were added early and late keep their order", "[master_worker]") {
  for (int round = 0; round != 50; ++round) {
    std::atomic<int> ended = 0;
    work_on<std::string> const parent = [&](std::string const& path, auto& more) {
      if (path.size() < 3) {
        for (char c = '0'; c != '5'; ++c) {
          more(path + c);
          if (c % 2 == 0) std::this_thread::yield();
        }
      }
      ++ended;
      return path;
    };
    auto const found = tn::master_worker(tn::par.workers(3), std::vector<std::string>{"a", "b"}, parent);
    CHECK(found.size() == 2 * (1 + 5 + 25));
    CHECK(std::is_sorted(found.begin(), found.end()));
    CHECK(ended == 62);
  }
}

TEST_CASE("of a task that fails after its children have begun nothing is left", "[master_worker]") {
  auto const p = tn::par.workers(2);
  std::atomic<bool> child_ended = false;
  work_on<int> const fails_late = [&](int depth, auto& more) {
    if (depth == 0) {
      more(1);
      static_cast<void>(tn::test::comes_true([&] { return child_ended.load(); }));
      throw std::domain_error("late");
    }
    if (depth == 1) more(2), more(3);
    child_ended = true;
    return depth;
  };
  CHECK_THROWS_AS(tn::master_worker(p, std::vector{0}, fails_late), std::domain_error);
  auto const outcomes = tn::try_master_worker(p, std::vector{0, 7}, fails_late);
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].what() == "late");
  CHECK(outcomes[1].value() == 7);
}
