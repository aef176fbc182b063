#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "support/process_main.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/async/submit.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

std::size_t length(std::string const& text) { return text.size(); }

}  // namespace

TEST_CASE("submit: results, exceptions, deaths come with get()") {
  auto const p = tn::processes.workers(2);
  auto a = tn::submit(p, length, std::string("four"));
  auto b = tn::submit(p, [](int x, int y) { return x * y; }, 6, 7);
  auto c = tn::submit(p, [] { throw std::out_of_range("c"); });
  auto d = tn::submit(p, [] { std::raise(SIGSEGV); });
  auto e = tn::submit(p.timeout(50ms), [] { ::pause(); });
  auto g = tn::submit(p, tn::closure(2, [](int k, int x) { return k * x; }), 21);
  CHECK(a.get() == 4);
  CHECK(b.get() == 42);
  CHECK_THROWS_AS(c.get(), std::out_of_range);
  CHECK_THROWS_AS(d.get(), tn::worker_died);
  CHECK_THROWS_AS(e.get(), tn::task_timeout);
  CHECK(g.get() == 42);
}

TEST_CASE("submit: work goes on although nobody waits, and continuations run in the host") {
  std::atomic<int> sum{0};
  std::vector<tn::future<int>> all;
  for (int i = 0; i != 5000; ++i) all.push_back(tn::submit(tn::processes.workers(2), [](int x) { return x; }, i));
  auto last = tn::submit(tn::processes.workers(2), [] { return ::getpid(); }).then([&](int pid) {
    return pid != ::getpid() ? 1 : 0;
  });
  CHECK(last.get() == 1);
  for (auto& f : all) sum += f.get();
  CHECK(sum == 5000 * 4999 / 2);
}

TEST_CASE("submit: from many threads, beside calls that wait") {
  tn::process_pool pool{{.workers = 2}};
  auto const p = tn::processes.on(pool);
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> users;
    for (int t = 0; t != 4; ++t)
      users.emplace_back([&, t] {
        for (int i = 0; i != 50; ++i) {
          auto f = tn::submit(p, [](int x) { return x + 1; }, i);
          auto const r = tn::map(p, std::vector<int>{t, i}, [](int x) { return x; });
          if (f.get() == i + 1 && r[1] == i) ++right;
        }
      });
  }
  CHECK(right == 200);
}

TEST_CASE("submit: a pool that ends finishes what was submitted; a closed one refuses; terminate fails the rest") {
  std::vector<tn::future<int>> all;
  {
    tn::process_pool pool{{.workers = 2}};
    for (int i = 0; i != 200; ++i)
      all.push_back(tn::submit(
          tn::processes.on(pool),
          [](int x) {
            std::this_thread::sleep_for(100us);
            return x;
          },
          i));
  }
  for (int i = 0; i != 200; ++i) CHECK(all[static_cast<std::size_t>(i)].get() == i);
  tn::process_pool pool{{.workers = 1}};
  auto f = tn::submit(tn::processes.on(pool), [] { ::pause(); });
  auto g = tn::submit(tn::processes.on(pool), [] { ::pause(); });
  pool.terminate();
  CHECK_THROWS_AS(f.get(), tn::pool_closed);
  CHECK_THROWS_AS(g.get(), tn::pool_closed);
  CHECK_THROWS_AS(tn::submit(tn::processes.on(pool), [] {}), tn::pool_closed);
}
