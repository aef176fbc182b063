#include "tartan/backends/manager.hpp"

#include <csignal>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "tartan/algorithms/for_each.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;

using tartan::test::numbers;

using counts = tn::managed_dict<std::string, int>;

// Hashed by nothing, so its dictionary is sorted.
struct version {
  int major = 0, minor = 0;
  friend auto operator<=>(version const&, version const&) = default;
};

}  // namespace

TEST_CASE("manager: 4 processes that count 1000 times each give 4000, by fetch_add and by update") {
  tn::manager mg;
  auto const hits = mg.dict<std::string, int>();
  auto const total = mg.value<long>(0);
  auto const p = tn::processes.workers(4).grain(1);
  tn::for_each(p, numbers(4), tn::closure(hits, total, [](counts const& c, tn::managed_value<long> const& t, int) {
                 for (int i = 0; i != 500; ++i) {
                   c.fetch_add("hits", 1);
                   c.update("hits", [](int& n) { ++n; });
                   t.fetch_add(1);
                   t.update([](long n) { return n + 1; });
                 }
               }));
  CHECK(hits.get("hits") == 4000);
  CHECK(total.get() == 4000);
}

TEST_CASE("manager: a dictionary") {
  tn::manager mg;
  auto const d = mg.dict<std::string, std::vector<int>>({{"a", {1}}});
  d.set("b", {2, 3});
  CHECK(d.get("a") == std::vector<int>{1});
  CHECK_FALSE(d.get("c").has_value());
  CHECK_FALSE(d.insert("a", {9}));
  CHECK(d.insert("c", {4}));
  CHECK(d.update("b", tn::closure(5, [](int last, std::vector<int>& v) { v.push_back(last); })) ==
        std::vector<int>{2, 3, 5});
  CHECK(d.contains("b"));
  CHECK(d.erase("b"));
  CHECK_FALSE(d.erase("b"));
  CHECK(d.size() == 2);
  CHECK(d.keys().size() == 2);
  CHECK(d.copy() == std::unordered_map<std::string, std::vector<int>>{{"a", {1}}, {"c", {4}}});
  d.clear();
  CHECK(d.size() == 0);

  auto const sorted = mg.dict<version, int>({{{1, 2}, 3}});
  static_assert(std::is_same_v<decltype(sorted)::map_type, std::map<version, int>>);
  CHECK(sorted.fetch_add({1, 2}, 4) == 3);
  CHECK(sorted.fetch_add({0, 9}, 1) == 0);
  CHECK(sorted.copy() == std::map<version, int>{{{0, 9}, 1}, {{1, 2}, 7}});
}

TEST_CASE("manager: a list, and a value") {
  tn::manager mg;
  auto const l = mg.list<std::string>({"a"});
  l.push_back("b");
  l.append({"c", "d"});
  CHECK(l.size() == 4);
  CHECK(l.get(2) == "c");
  l.set(2, "x");
  CHECK(l.update(2, [](std::string const& s) { return s + "y"; }) == "xy");
  CHECK_THROWS_AS(l.get(4), std::out_of_range);
  CHECK_THROWS_WITH(l.set(4, "z"), "tartan: a managed list of 4 elements has none at index 4");
  CHECK(l.pop_front() == "a");
  CHECK(l.pop_back() == "d");
  CHECK(l.copy() == std::deque<std::string>{"b", "xy"});
  l.clear();
  CHECK_FALSE(l.pop_front().has_value());
  CHECK_FALSE(l.pop_back().has_value());
  CHECK(mg.list<bool>({true, false}).get(0));
  auto const n = mg.list<int>({1, 2});
  CHECK(n.fetch_add(1, 5) == 2);
  CHECK(n.get(1) == 7);

  auto const v = mg.value<std::string>("one");
  CHECK(v.exchange("two") == "one");
  v.set("three");
  CHECK(v.get() == "three");
}

TEST_CASE("manager: what does not fit a place goes through the arena, and is given back") {
  tn::manager mg;
  auto const d = mg.dict<int, std::vector<double>>();
  std::vector<double> const large(100'000, 1.5);
  auto& arena = tn::detail::start_process_host().arena();
  d.set(0, large);
  auto const before = arena.in_use();
  for (int i = 0; i != 20; ++i) {
    d.set(0, large);
    CHECK(d.get(0) == large);
  }
  CHECK(arena.in_use() == before);
}

TEST_CASE("manager: what an update throws comes to the caller, and has changed nothing") {
  tn::manager mg;
  auto const v = mg.value<std::vector<int>>({1, 2});
  CHECK_THROWS_WITH(v.update([](std::vector<int>& x) {
    x.clear();
    throw std::domain_error(std::string(1000, 'x'));
  }),
                    std::string(1000, 'x'));
  CHECK(v.get() == std::vector<int>{1, 2});
  auto const in_worker = tn::try_map(tn::processes.workers(1), numbers(1),
                                     tn::closure(v, [](tn::managed_value<std::vector<int>> const& there, int) {
                                       there.update([](std::vector<int>&) { throw std::length_error("long"); });
                                       return 0;
                                     }));
  CHECK_THROWS_AS(in_worker[0].value(), std::length_error);
}

TEST_CASE("manager: survives the death of workers at any moment, and nobody hangs") {
  tn::manager mg;
  auto const done = mg.dict<int, int>();
  auto const rounds = static_cast<int>(40 * tn::test::stress());
  auto const r = tn::try_map(tn::processes.workers(3), numbers(rounds),
                             tn::closure(done, [](tn::managed_dict<int, int> const& d, int x) {
                               if (x % 4 == 3) {
                                 // Another thread kills the process while this one is in the middle of calls.
                                 std::thread([x] {
                                   for (int spin = 0; spin != x % 11 * 20'000; ++spin) tn::detail::cpu_pause();
                                   ::kill(::getpid(), SIGKILL);
                                 }).detach();
                                 for (;;) d.fetch_add(-1, 1);
                               }
                               d.fetch_add(x, 1);
                               return d.get(x).value_or(0);
                             }));
  for (int x = 0; x != rounds; ++x) {
    auto const& one = r[static_cast<std::size_t>(x)];
    if (x % 4 == 3)
      CHECK_THROWS_AS(one.value(), tn::worker_died);
    else
      CHECK(one.value() == 1);
  }
  // Every place works again: more calls at once than there are places.
  std::vector<std::jthread> callers;
  for (int t = 0; t != 40; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i != 10; ++i) done.fetch_add(-2, 1);
    });
  callers.clear();
  CHECK(done.get(-2) == 400);
}

TEST_CASE("manager: the death of the server is an error, not a hang") {
  tn::manager mg;
  auto const v = mg.value<int>(0);
  CHECK_THROWS_AS(v.update([](int) -> int {
    std::raise(SIGKILL);
    return 0;
  }),
                  tn::manager_gone);
  CHECK_THROWS_AS(v.get(), tn::manager_gone);
  CHECK_THROWS_AS(mg.value<int>(0), tn::manager_gone);
  auto const in_worker =
      tn::try_map(tn::processes.workers(1), numbers(1),
                  tn::closure(v, [](tn::managed_value<int> const& there, int) { return there.get(); }));
  CHECK_THROWS_AS(in_worker[0].value(), tn::manager_gone);
}

TEST_CASE("manager: its process ends with the last handle, and leaves nothing behind") {
  auto& arena = tn::detail::start_process_host().arena();
  {
    tn::manager const warm;
  }
  auto const used = arena.in_use();
  auto const open = tn::test::open_descriptors();
  int pid = 0;
  {
    auto const left = [&] {
      tn::manager mg;
      pid = mg.pid();
      CHECK(pid != ::getpid());
      return mg.value<int>(7);
    }();
    CHECK(tn::test::lives(pid));
    CHECK(left.get() == 7);
  }
  CHECK(tn::test::comes_true([&] { return !tn::test::lives(pid); }));
  CHECK(arena.in_use() == used);
  CHECK(tn::test::open_descriptors() == open);
}
