// Every clause of the channel tier on every backend.
#include "tartan/exec/channel.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/policies.hpp"
#include "support/shared_cells.hpp"

namespace tn = tartan;
namespace test = tartan::test;
using namespace std::chrono_literals;

namespace {

using list =
    decltype(std::tuple_cat(test::all_policies{}, test::further_shared_policies{}, test::further_remote_policies{}));

template <class R, class Argument, class P, class Work>
auto open(P const& p, Work work, std::size_t window) {
  return tn::open_channel<R, Argument>(p.backend(), p.props(), std::move(work), window);
}

/// One type for the works of many tests: a channel is compiled anew for each type, on each backend.
using int_work = std::function<int(int)>;
constexpr auto same = [](int x) { return x; };

/// Everything that is under way, by number.
template <class R, class Channel>
std::map<std::size_t, tn::outcome<R>> drain(Channel& channel) {
  std::map<std::size_t, tn::outcome<R>> results;
  while (channel.under_way() != 0) {
    channel.wait();
    std::size_t const before = channel.under_way();
    std::size_t const n = channel.poll([&](std::size_t i, tn::outcome<R> o) { results.emplace(i, std::move(o)); });
    CHECK(n >= 1);  // H4
    CHECK(channel.under_way() == before - n);
  }
  return results;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("H1, H3: each task gives one result, with its number, on the caller", "[contract]", list) {
  auto const p = TestType::make();
  auto const square = [](int x) { return std::to_string(x * x); };
  auto channel = open<std::string, int>(p, square, 8);
  STATIC_REQUIRE(tn::task_channel<decltype(channel), std::string, int>);
  channel.wait();  // nothing is under way
  CHECK(channel.poll([](std::size_t, tn::outcome<std::string>) {}) == 0);
  auto const caller = std::this_thread::get_id();
  std::map<std::size_t, std::string> results;
  bool here = true;
  int next = 0;
  while (next != 200 || channel.under_way() != 0) {
    while (next != 200 && channel.try_push(int{next})) ++next;
    channel.wait();
    channel.poll([&](std::size_t i, tn::outcome<std::string> o) {
      here = here && std::this_thread::get_id() == caller && o.index() == i;
      CHECK(results.emplace(i, o.value()).second);
    });
  }
  CHECK(here);
  REQUIRE(results.size() == 200);
  for (auto const& [i, text] : results) CHECK(text == std::to_string(i * i));
}

TEMPLATE_LIST_TEST_CASE("H2: the window bounds what is under way", "[contract]", list) {
  auto const p = TestType::make();
  auto channel = open<int, int>(p, int_work(same), 3);
  for (int i = 0; i != 3; ++i) CHECK(channel.try_push(int{i}));
  CHECK(!channel.try_push(3));
  CHECK(channel.under_way() == 3);
  channel.wait();
  CHECK(!channel.try_push(3));  // room comes by poll
  CHECK(drain<int>(channel).size() == 3);
  CHECK(channel.try_push(3));
  auto const last = drain<int>(channel);
  REQUIRE(last.size() == 1);
  CHECK(last.begin()->first == 3);
}

TEMPLATE_LIST_TEST_CASE("H3: an error is the outcome of its task and of no other", "[contract]", list) {
  auto const p = TestType::make();
  int_work const odd_only = [](int x) {
    if (x % 2 == 0) throw std::domain_error(std::to_string(x));
    return x;
  };
  auto channel = open<int, int>(p, odd_only, 100);
  for (int i = 0; i != 50; ++i) REQUIRE(channel.try_push(int{i}));
  auto const results = drain<int>(channel);
  REQUIRE(results.size() == 50);
  for (auto const& [i, o] : results) {
    CHECK(o.has_value() == (i % 2 == 1));
    if (!o) {
      CHECK(o.what() == std::to_string(i));
      CHECK_THROWS_AS(o.value(), std::domain_error);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("H3: try_push and poll return while tasks run", "[contract]", list) {
  auto const p = TestType::make();
  test::shared_flag go;
  int_work const wait_for_go = [&](int x) { return test::comes_true([&] { return go.stop_requested(); }) ? x : -1; };
  auto channel = open<int, int>(p, wait_for_go, 4);
  for (int i = 0; i != 4; ++i) CHECK(channel.try_push(int{i}));
  CHECK(channel.poll([](std::size_t, tn::outcome<int>) {}) == 0);
  go.raise();
  for (auto const& [i, o] : drain<int>(channel)) CHECK(o.value() == static_cast<int>(i));
}

TEMPLATE_LIST_TEST_CASE("H5: close ends the pushes, not the tasks", "[contract]", list) {
  auto const p = TestType::make();
  auto channel = open<int, int>(p, int_work(same), 10);
  CHECK(channel.try_push(1));
  CHECK(channel.try_push(2));
  channel.close();
  CHECK(!channel.try_push(3));
  auto const results = drain<int>(channel);
  REQUIRE(results.size() == 2);
  CHECK(results.at(1).value() == 2);
}

TEMPLATE_LIST_TEST_CASE("H6: cancel and stop end what has not begun with the error cancelled", "[contract]", list) {
  test::shared_flag stop, go;
  bool const by_stop = GENERATE(false, true);
  auto const p = TestType::make().stop(stop);
  test::shared_cells calls(1);
  int_work const holds_its_worker = [&](int x) {
    ++calls[0];
    return test::comes_true([&] { return go.stop_requested(); }) ? x : -1;
  };
  std::size_t const n = 64 + p.backend().width(p.props());  // so that some have not begun
  auto channel = open<int, int>(p, holds_its_worker, n);
  for (std::size_t i = 0; i != n; ++i) REQUIRE(channel.try_push(static_cast<int>(i)));
  by_stop ? stop.raise() : channel.cancel();
  if (!by_stop) CHECK(!channel.try_push(0));
  go.raise();
  auto const results = drain<int>(channel);
  REQUIRE(results.size() == n);
  std::size_t done = 0;
  for (auto const& [i, o] : results) {
    if (o) {
      ++done;
      CHECK(o.value() == static_cast<int>(i));
    } else {
      CHECK_THROWS_AS(o.value(), tn::cancelled);
    }
  }
  CHECK(static_cast<int>(done) == calls.total());
  CHECK(done < n);
}

TEMPLATE_LIST_TEST_CASE("H6: a channel that goes away leaves nothing running", "[contract]", list) {
  auto const p = TestType::make();
  test::shared_cells running(1);
  for (int round = 0; round != 10; ++round) {
    {
      int_work const task = [&](int x) {
        ++running[0];
        std::this_thread::sleep_for(200us);
        --running[0];
        return x;
      };
      auto channel = open<int, int>(p, task, 32);
      for (int i = 0; i != 32; ++i) REQUIRE(channel.try_push(int{i}));
      if (round % 2 == 0) channel.poll([](std::size_t, tn::outcome<int>) {});
    }
    if (test::shares_memory<TestType>) CHECK(running[0] == 0);  // else the workers died with the channel
  }
}

TEMPLATE_LIST_TEST_CASE("H7: several channels are open at once", "[contract]", list) {
  auto const p = TestType::make();
  auto a = open<int, int>(p, int_work([](int x) { return x + 1; }), 5);
  auto b = open<std::string, std::string>(p, [](std::string const& s) { return s + s; }, 5);
  for (int i = 0; i != 5; ++i) {
    CHECK(a.try_push(int{i}));
    CHECK(b.try_push(std::to_string(i)));
  }
  auto const texts = drain<std::string>(b);
  auto const numbers = drain<int>(a);
  CHECK(texts.at(4).value() == "44");
  CHECK(numbers.at(4).value() == 5);
}

TEMPLATE_LIST_TEST_CASE("H7: a task opens a channel itself", "[contract]", test::shared_policies) {
  auto const p = TestType::make();
  int_work const outer = [&](int n) {
    auto inner = open<int, int>(p, int_work(same), 4);
    int sum = 0;
    for (int i = 0; i != n || inner.under_way() != 0;) {
      while (i != n && inner.try_push(int{i})) ++i;
      inner.wait();
      inner.poll([&](std::size_t, tn::outcome<int> o) { sum += o.value(); });
    }
    return sum;
  };
  auto channel = open<int, int>(p, outer, 16);
  for (int i = 0; i != 16; ++i) REQUIRE(channel.try_push(int{i}));
  for (auto const& [i, o] : drain<int>(channel)) CHECK(o.value() == static_cast<int>(i * (i - 1) / 2));
}

TEMPLATE_LIST_TEST_CASE("a channel carries void and what only moves", "[contract]", test::shared_policies) {
  auto const p = TestType::make();
  std::atomic<int> sum{0};
  auto nothing = open<void, std::unique_ptr<int>>(p, [&](std::unique_ptr<int>& x) { sum += *x; }, 4);
  CHECK(nothing.try_push(std::make_unique<int>(3)));
  CHECK(nothing.try_push(std::make_unique<int>(4)));
  CHECK(drain<void>(nothing).size() == 2);
  CHECK(sum == 7);
  auto owners = open<std::unique_ptr<int>, int>(p, [](int x) { return std::make_unique<int>(x); }, 4);
  CHECK(owners.try_push(5));
  owners.wait();
  owners.poll([](std::size_t, tn::outcome<std::unique_ptr<int>> o) { CHECK(*o.value() == 5); });
}

TEST_CASE("a channel without room is refused") {
  CHECK_THROWS_AS((open<int, int>(tn::seq, int_work(same), 0)), tn::bad_argument);
}

TEST_CASE("workers(n) bounds how many tasks of a channel run at once, and that many can", "[contract]") {
  for (int const n : {2, 3, 5}) {
    std::atomic<int> inside = 0, most = 0;
    auto const visit = [&](int) {
      int const now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      // The first ones wait for each other; nobody comes in vain, for n tasks are always there.
      bool const met = test::comes_true([&] { return most >= n; });
      std::this_thread::sleep_for(1ms);
      --inside;
      return met;
    };
    auto channel = open<bool, int>(tn::par.workers(n), visit, 40);
    for (int i = 0; i != 40; ++i) CHECK(channel.try_push(int{i}));
    for (auto& [i, met] : drain<bool>(channel)) CHECK(met.value());
    CHECK(most == n);
  }
}

TEST_CASE("H8: what a running task sends comes before its end, in order, and beside the window", "[contract]") {
  auto const p = tn::par.workers(3);
  auto const work = [](std::unique_ptr<int>& n, tn::channel_sender<std::unique_ptr<int>>& sender) {
    for (int i = 0; i != *n; ++i) sender(std::make_unique<int>(i));
    if (*n == 7) throw std::domain_error("seven");
    return std::make_unique<int>(1000);
  };
  auto channel = open<std::unique_ptr<int>, std::unique_ptr<int>>(p, work, 4);
  std::map<std::size_t, std::vector<int>> seen;
  std::size_t pushed = 0, failed = 0;
  while (pushed != 50 || channel.under_way() != 0) {
    while (pushed != 50 && channel.try_push(std::make_unique<int>(static_cast<int>(pushed % 10)))) ++pushed;
    CHECK(channel.under_way() <= 4);
    channel.wait();
    channel.poll([&](std::size_t i, tn::outcome<std::unique_ptr<int>> o) {
      o.has_value() ? seen[i].push_back(**o) : static_cast<void>(++failed);
    });
  }
  CHECK(failed == 5);
  for (std::size_t i = 0; i != 50; ++i) {
    std::vector<int> expected(i % 10);
    for (std::size_t k = 0; k != expected.size(); ++k) expected[k] = static_cast<int>(k);
    if (i % 10 != 7) expected.push_back(1000);
    CHECK(seen[i] == expected);
  }
  // What nobody takes is freed.
  auto dropped = open<std::unique_ptr<int>, std::unique_ptr<int>>(p, work, 4);
  CHECK(dropped.try_push(std::make_unique<int>(9)));
}
