// The channel tier on worker processes; what holds on every backend is in tests/contract.

#include "tartan/backends/process_channel.hpp"

#include <chrono>
#include <csignal>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/process_main.hpp"
#include "tartan/exec/channel.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

template <class R, class Argument, class P, class Work>
auto open(P const& p, Work work, std::size_t window) {
  return tn::open_channel<R, Argument>(p.backend(), p.props(), std::move(work), window);
}

template <class R, class Channel>
std::map<std::size_t, tn::outcome<R>> drain(Channel& channel) {
  std::map<std::size_t, tn::outcome<R>> results;
  while (channel.under_way() != 0) {
    channel.wait();
    CHECK(channel.poll([&](std::size_t i, tn::outcome<R> o) { results.emplace(i, std::move(o)); }) >= 1);
  }
  return results;
}

}  // namespace

TEST_CASE("process channel: results, exceptions and deaths, each with its number") {
  auto channel = open<std::string, int>(
      tn::processes.workers(2),
      [](int x) {
        if (x == 5) throw std::out_of_range("five");
        if (x == 7) std::raise(SIGKILL);
        return std::to_string(x * x);
      },
      4);
  STATIC_REQUIRE(tn::task_channel<decltype(channel), std::string, int>);
  std::map<std::size_t, tn::outcome<std::string>> all;
  int next = 0;
  while (next != 300 || channel.under_way() != 0) {
    while (next != 300 && channel.try_push(int{next})) ++next;
    CHECK(channel.under_way() <= 4);
    channel.wait();
    channel.poll([&](std::size_t i, tn::outcome<std::string> o) { CHECK(all.emplace(i, std::move(o)).second); });
  }
  REQUIRE(all.size() == 300);
  for (auto const& [i, o] : all) {
    CHECK(o.index() == i);
    if (i == 5)
      CHECK_THROWS_AS(o.value(), std::out_of_range);
    else if (i == 7)
      CHECK_THROWS_AS(o.value(), tn::worker_died);
    else
      CHECK(o.value() == std::to_string(i * i));
  }
}

TEST_CASE("process channel: closed, cancelled, destroyed") {
  {
    auto channel = open<int, int>(tn::processes.workers(1), [](int x) { return x; }, 3);
    for (int i = 0; i != 3; ++i) CHECK(channel.try_push(int{i}));
    CHECK_FALSE(channel.try_push(3));
    channel.close();
    CHECK(drain<int>(channel).size() == 3);
    CHECK_FALSE(channel.try_push(4));
  }
  {
    tn::shared_value<std::atomic<bool>> go(false);
    auto const wait = tn::closure(go.span(), [](tn::shared_span<std::atomic<bool>> const& may_end, int x) {
      while (!may_end[0]) std::this_thread::yield();
      return x;
    });
    auto channel = open<int, int>(tn::processes.workers(1), wait, 100);
    for (int i = 0; i != 100; ++i) CHECK(channel.try_push(int{i}));
    channel.cancel();
    int cancelled = 0;
    auto const count = [&](std::size_t i, tn::outcome<int> const& o) {
      try {
        int const value = o.value();
        CHECK(value == static_cast<int>(i));
      } catch (tn::cancelled const&) {
        ++cancelled;
      }
    };
    channel.poll(count);  // asks the worker for what it has not begun, while it is held
    *go = true;
    for (; channel.under_way() != 0; channel.poll(count)) channel.wait();
    CHECK(cancelled >= 99);
  }
  for (int i = 0; i != 20; ++i) {
    auto channel = open<void, int>(tn::processes.workers(2), [](int) {}, 10);
    for (int k = 0; k != 10; ++k) CHECK(channel.try_push(int{k}));
  }
  CHECK_THROWS_AS((open<int, int>(tn::processes, [](int x) { return x; }, 0)), tn::bad_argument);
}

TEST_CASE("process channel: several open at once, beside other calls") {
  auto a = open<int, int>(tn::processes.workers(2), [](int x) { return x + 1; }, 50);
  auto b = open<int, int>(tn::processes.workers(2), [](int x) { return x + 2; }, 50);
  for (int i = 0; i != 50; ++i) {
    CHECK(a.try_push(int{i}));
    CHECK(b.try_push(int{i}));
  }
  for (auto const& [i, o] : drain<int>(b)) CHECK(o.value() == static_cast<int>(i) + 2);
  for (auto const& [i, o] : drain<int>(a)) CHECK(o.value() == static_cast<int>(i) + 1);
}
