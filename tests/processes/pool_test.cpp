#include "tartan/processes.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "tartan/algorithms/aggregate.hpp"
#include "tartan/algorithms/for_each.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/patterns/map_reduce.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

struct person {
  std::string name;
  int age;
  std::vector<std::string> cities;
  bool operator==(person const&) const = default;
};

person older(person const& p) {
  person q = p;
  ++q.age;
  q.cities.push_back(p.name);
  return q;
}

class no_default {
 public:
  explicit no_default(int v) : value(v) {}
  template <class Archive>
  void serialize(Archive& a) {
    a(value);
  }
  int value;
};

using tartan::test::numbers;

int a_global = 1;

}  // namespace

template <>
struct tartan::codec<no_default> {
  static std::size_t size(no_default const&) { return sizeof(int); }
  static void write(frame_writer& out, no_default const& x) { out.raw(x.value); }
  static no_default read(frame_reader& in) { return no_default(in.raw<int>()); }
};

TEST_CASE("processes: map gives what a serial loop gives, for all sizes") {
  for (int const n : {0, 1, 2, 3, 255, 256, 257, 10'007}) {
    auto const v = numbers(n);
    auto const squares = tn::map(tn::processes.workers(2), v, [](int x) { return x * x; });
    REQUIRE(squares.size() == v.size());
    for (std::size_t i = 0; i != v.size(); ++i) REQUIRE(squares[i] == v[i] * v[i]);
    auto const tried = tn::try_map(tn::processes.workers(2), v, [](int x) { return x + 1; });
    REQUIRE(tried.size() == v.size());
    for (std::size_t i = 0; i != v.size(); ++i) {
      REQUIRE(tried[i].value() == v[i] + 1);
      REQUIRE(tried[i].index() == i);
    }
  }
}

TEST_CASE("processes: objects, containers and functions travel") {
  std::vector<person> const people{{"Ada", 36, {"London"}}, {"Kurt", 71, {}}};
  auto const next = tn::map(tn::processes, people, &older);
  CHECK(next == std::vector<person>{{"Ada", 37, {"London", "Ada"}}, {"Kurt", 72, {"Kurt"}}});
  CHECK(tn::map(tn::processes, people, &person::name) == std::vector<std::string>{"Ada", "Kurt"});
  auto const counts = tn::map(tn::processes, people, [](person const& p) {
    std::map<std::string, std::size_t> m;
    m[p.name] = p.cities.size();
    return m;
  });
  CHECK(counts[0].at("Ada") == 1);
  double const k = 2.5;
  auto const scaled =
      tn::map(tn::processes, std::vector<double>{1, 2}, tn::closure(k, [](double f, double x) { return f * x; }));
  CHECK(scaled == std::vector<double>{2.5, 5});
  auto const sums =
      tn::starmap(tn::processes, std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}, [](int a, int b) { return a + b; });
  CHECK(sums == std::vector<int>{3, 7});
}

TEST_CASE("processes: results without a default constructor, booleans, nothing at all") {
  auto const made = tn::try_map(tn::processes, numbers(10), [](int x) { return no_default(x); });
  CHECK(made[9]->value == 9);
  auto const even = tn::map(tn::processes, numbers(1000), [](int x) { return x % 2 == 0; });
  CHECK(even[998]);
  CHECK_FALSE(even[999]);
  auto const none = tn::try_map(tn::processes, numbers(3), [](int) {});
  CHECK(none[2].has_value());
}

TEST_CASE("processes: ranges that are no vectors") {
  CHECK(tn::map(tn::processes, std::views::iota(0, 5), [](int x) { return 2 * x; }) == std::vector<int>{0, 2, 4, 6, 8});
  CHECK(tn::map(tn::processes, std::vector<bool>{true, false}, [](bool b) { return !b; }) ==
        std::vector<bool>{false, true});
  std::vector<std::string> const words{"a", "bb", "ccc"};
  auto const lengths = tn::map(tn::processes, words | std::views::transform([](auto const& w) { return w + "!"; }),
                               [](std::string const& w) { return w.size(); });
  CHECK(lengths == std::vector<std::size_t>{2, 3, 4});
  std::map<int, std::string> const table{{1, "x"}, {2, "yy"}};
  auto const sizes =
      tn::map(tn::processes, table, [](std::pair<int const, std::string> const& e) { return e.second.size(); });
  CHECK(sizes == std::vector<std::size_t>{1, 2});
}

TEST_CASE("processes: arguments and results far larger than the rings") {
  std::vector<std::vector<double>> const big{std::vector<double>(3'000'000, 1.5), std::vector<double>(10, 2.0)};
  auto const back = tn::try_map(tn::processes, big, [](std::vector<double> x) {
    for (double& d : x) d *= 2;
    return x;
  });
  CHECK(back[0]->size() == 3'000'000);
  CHECK((*back[0])[2'999'999] == 3.0);
  CHECK(back[1]->front() == 4.0);
  std::string const text(5'000'000, 'x');
  auto const lengths =
      tn::map(tn::processes, numbers(20),
              tn::closure(text, [](std::string const& s, int i) { return s.size() + static_cast<std::size_t>(i); }));
  CHECK(lengths[19] == 5'000'019);
  auto& arena = tn::detail::start_process_host().arena();
  CHECK(arena.consistent());
}

TEST_CASE("processes: reductions have the bits of a serial fold in blocks, whatever the number of workers") {
  std::vector<double> v;
  for (int i = 0; i != 50'000; ++i) v.push_back(1.0 / (i + 1) * (i % 3 == 0 ? 1e9 : 1.0));
  double const one = tn::map_reduce(tn::processes.workers(1), v, [](double x) { return x * x; });
  CHECK(tn::map_reduce(tn::processes.workers(2), v, [](double x) { return x * x; }) == one);
  CHECK(tn::map_reduce(tn::processes.workers(3), v, [](double x) { return x * x; }) == one);
  std::vector<std::string> words;
  for (int i = 0; i != 9000; ++i) words.push_back(std::to_string(i));
  auto const joined =
      tn::reduce(tn::processes, words, std::string("<"), [](std::string a, std::string const& b) { return a + b; });
  std::string serial = "<";
  for (auto const& w : words) serial += w;
  CHECK(joined == serial);
}

TEST_CASE("processes: the exception that a serial loop throws first comes out, and the pool works on") {
  auto const f = [](int x) -> int {
    if (x >= 500) throw std::out_of_range(std::to_string(x));
    return x;
  };
  for (int round = 0; round != 20; ++round) {
    try {
      (void)tn::map(tn::processes, numbers(5000), f);
      FAIL("no exception");
    } catch (std::out_of_range const& e) {
      CHECK(std::string(e.what()) == "500");
    }
  }
  CHECK(tn::map(tn::processes, numbers(3), [](int x) { return x; }) == numbers(3));
}

TEST_CASE("processes: two slow tasks run at the same time, a hundred in two halves") {
  tn::process_pool pool{{.workers = 2}};
  auto const p = tn::processes.on(pool);
  // Each waits for the other: alone, neither would end.
  auto& arena = tn::detail::start_process_host().arena();
  auto* const met = ::new (arena.allocate(sizeof(std::atomic<int>))) std::atomic<int>(0);
  auto const address = reinterpret_cast<std::uintptr_t>(met);
  auto const both = tn::try_map(p.timeout(20s), numbers(2), tn::closure(address, [](std::uintptr_t a, int) {
                                  auto& count = *reinterpret_cast<std::atomic<int>*>(a);
                                  ++count;
                                  while (count < 2) std::this_thread::sleep_for(1ms);
                                  return count.load();
                                }));
  CHECK(both[0].has_value());
  CHECK(both[1].has_value());
  // Units that wait behind a slow one are taken back when the other worker idles. All of them, from a worker that has
  // no processor for so long.
  CHECK(tn::test::comes_true([&] {
    auto const mixed = tn::try_map(p, numbers(4000), [](int x) {
      if (x > 3900 && x % 20 == 0) std::this_thread::sleep_for(10ms);
      return ::getpid();
    });
    std::set<int> pids;
    for (auto const& o : mixed) pids.insert(o.value());
    return pids.size() == 2;
  }));
  arena.deallocate(met);
}

TEST_CASE("processes: a worker sees a global as it was at the start, and nobody sees what it writes") {
  a_global = 2;
  auto const seen = tn::map(tn::processes, numbers(3), [](int) { return a_global; });
  CHECK(seen == std::vector<int>{1, 1, 1});
  tn::process_pool pool{{.workers = 1, .initializer = [] { a_global = 7; }}};
  CHECK(tn::map(tn::processes.on(pool), numbers(2), [](int) { return a_global++; }) == std::vector<int>{7, 8});
  CHECK(a_global == 2);
}

TEST_CASE("processes: several pools, used by several threads at once") {
  tn::process_pool one{{.workers = 1}};
  tn::process_pool two{{.workers = 2}};
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> users;
    for (int t = 0; t != 6; ++t) {
      users.emplace_back([&, t] {
        for (int round = 0; round != 30; ++round) {
          auto& pool = (t + round) % 2 == 0 ? one : two;
          auto const r =
              tn::map(tn::processes.on(pool), numbers(200 + t), tn::closure(t, [](int k, int x) { return x + k; }));
          if (r.size() == static_cast<std::size_t>(200 + t) && r[199] == 199 + t) ++right;
        }
      });
    }
  }
  CHECK(right == 180);
}

TEST_CASE("processes: a closed pool refuses, a destroyed one is known to be gone") {
  auto pool = std::make_unique<tn::process_pool>(tn::process_pool_options{.workers = 1});
  auto const p = tn::processes.on(*pool);
  CHECK(tn::map(p, numbers(1), [](int x) { return x; }).size() == 1);
  pool->close();
  CHECK_THROWS_AS(tn::map(p, numbers(1), [](int x) { return x; }), tn::pool_closed);
  pool->join();
  pool.reset();
  CHECK_THROWS_AS(tn::map(p, numbers(1), [](int x) { return x; }), tn::pool_gone);
}

TEST_CASE("processes: terminate ends what runs with pool_closed") {
  tn::process_pool pool{{.workers = 2}};
  tn::shared_value<std::atomic<int>> begun(0);
  std::jthread const end([&] {
    while (*begun != 2) std::this_thread::sleep_for(1ms);
    pool.terminate();
  });
  auto const r = tn::try_map(tn::processes.on(pool), numbers(10),
                             tn::closure(begun.span(), [](tn::shared_span<std::atomic<int>> const& count, int) {
                               ++count[0];
                               for (;;) ::pause();
                             }));
  for (auto const& o : r) CHECK_THROWS_AS(o.value(), tn::pool_closed);
}

TEST_CASE("processes: workers are replaced after their share of tasks, under load") {
  tn::process_pool pool{{.workers = 2, .max_tasks_per_worker = 10}};
  auto const pids = tn::map(tn::processes.on(pool).grain(1), numbers(500), [](int) { return ::getpid(); });
  std::map<int, int> tasks;
  for (int const pid : pids) ++tasks[pid];
  CHECK(tasks.size() >= 50);
  for (auto const& [pid, n] : tasks) CHECK(n <= 10);
  CHECK(pool.stats().deaths == 0);
}

TEST_CASE("processes: a stop skips what has not begun") {
  struct token {
    std::atomic<bool> asked{false};
    bool stop_requested() const { return asked; }
  } stop;
  std::jthread const later([&] {
    std::this_thread::sleep_for(30ms);
    stop.asked = true;
  });
  CHECK_THROWS_AS(tn::map(tn::processes.stop(stop).timeout(20s), numbers(100'000),
                          [](int x) {
                            std::this_thread::sleep_for(1ms);
                            return x;
                          }),
                  tn::cancelled);
  CHECK(tn::map(tn::processes, numbers(3), [](int x) { return x; }).size() == 3);
}

TEST_CASE("processes: for_each, aggregate and progress") {
  struct counter {
    std::atomic<std::size_t> n{0};
    void advance(std::size_t k) { n += k; }
  } seen;
  tn::for_each(tn::processes.progress(seen), numbers(1000), [](int) {});
  CHECK(seen.n == 1000);
  auto const total = tn::aggregate(
      tn::processes, numbers(1000), [] { return std::vector<long>{0, 0}; },
      [](std::vector<long>& s, int x) {
        s[0] += x;
        ++s[1];
      },
      [](std::vector<long>& a, std::vector<long>&& b) {
        a[0] += b[0];
        a[1] += b[1];
      });
  CHECK(total == std::vector<long>{499'500, 1000});
}

TEST_CASE("processes: a forked copy of the host is told that it has no workers") {
  pid_t const child = ::fork();
  if (child == 0) {
    int status = 1;
    try {
      (void)tn::map(tn::processes, numbers(3), [](int x) { return x; });
    } catch (tn::process_start_error const&) {
      status = 0;
    }
    ::_exit(status);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  // And so is a task in a worker.
  auto const inside = tn::try_map(tn::processes, numbers(1), [](int) {
    return tn::map(tn::processes, numbers(3), [](int x) { return x; }).size();
  });
  CHECK_THROWS_AS(inside[0].value(), tn::process_start_error);
}
