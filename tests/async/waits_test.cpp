// Waits for several futures: as_completed, wait, when_all, when_any; map_async.
#include "tartan/as_completed.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
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
