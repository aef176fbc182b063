// Every kind of call at once, from several threads of the host, while workers are killed at random instants: nothing is
// lost or comes twice, nothing grows. Thirty seconds; ten minutes with TARTAN_STRESS=large (tests/soak).
// ctest: TIMEOUT 900 COST 30

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/process_main.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/async/imap.hpp"
#include "tartan/async/submit.hpp"
#include "tartan/patterns/master_worker.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

// Some answers go through the ring, some through the arena.
std::string answer(int x) { return x % 97 == 0 ? std::string(50'000, 'y') : std::to_string(x); }

struct soak {
  tn::process_pool pool{{.workers = 3, .retries = 1'000'000, .max_tasks_per_worker = 20'000}};
  std::atomic<bool> ends{false};
  std::atomic<long> wrong{0}, results{0}, kills{0};

  void expect(bool right) {
    ++results;
    if (!right) ++wrong;
  }

  void maps() {
    std::vector<int> v(2000);
    for (int i = 0; i != 2000; ++i) v[static_cast<std::size_t>(i)] = i;
    while (!ends) {
      auto const r = tn::try_map(tn::processes.on(pool), v, &answer);
      if (r.size() != v.size()) ++wrong;
      for (int const x : v) expect(r[static_cast<std::size_t>(x)].value() == answer(x));
    }
  }

  void submissions() {
    while (!ends) {
      std::vector<tn::future<std::string>> all;
      for (int i = 0; i != 300; ++i) all.push_back(tn::submit(tn::processes.on(pool), &answer, i));
      for (int i = 0; i != 300; ++i) expect(all[static_cast<std::size_t>(i)].get() == answer(i));
    }
  }

  void streams() {
    while (!ends) {
      int next = 0;
      for (auto&& text : tn::imap(tn::processes.on(pool).in_flight(20), std::views::iota(0, 500), &answer))
        expect(text == answer(next++));
      expect(next == 500);
      long sum = 0, calls = 0;
      auto const halve = [](int x, auto&& more) {
        if (x > 1) more(x / 2), more(x - x / 2);
        return x;
      };
      tn::master_worker(tn::processes.on(pool), std::vector<int>{128}, halve, [&](int x) { sum += x, ++calls; });
      expect(sum == 128 * 8 && calls == 255);
    }
  }

  void killer() {
    std::mt19937 random(7);
    while (!ends) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
      auto const victims = pool.pids();
      if (!victims.empty() && ::kill(victims[random() % victims.size()], SIGKILL) == 0) ++kills;
    }
  }

  void run(std::chrono::seconds time) {
    ends = false;
    std::vector<std::jthread> all;
    for (auto const part : {&soak::maps, &soak::submissions, &soak::streams, &soak::killer})
      all.emplace_back([this, part] { std::invoke(part, this); });
    std::this_thread::sleep_for(time);
    ends = true;
  }
};

struct holdings {
  std::size_t descriptors, arena, committed, host, zygote, children, zombies;
};

holdings measure(tn::process_pool& pool) {
  auto& host = tn::detail::start_process_host();
  // A worker that was killed or retired at the end is replaced by the next call.
  CHECK(tn::test::comes_true([&] {
    (void)tn::try_map(tn::processes.on(pool), std::vector<int>(20), &answer);
    return tn::test::children_of(host.zygote(), false).size() == pool.size();
  }));
  return {tn::test::open_descriptors(),
          host.arena().in_use(),
          host.arena().committed(),
          tn::test::resident_bytes(::getpid()),
          tn::test::resident_bytes(host.zygote()),
          tn::test::children_of(host.zygote(), false).size(),
          tn::test::children_of(host.zygote(), true).size()};
}

}  // namespace

TEST_CASE("soak: workers killed at random instants lose nothing, double nothing, and let nothing grow") {
  soak s;
  s.run(2s);  // until what is kept for later is there
  auto const before = measure(s.pool);
  s.run(tn::test::stress() == 1 ? 28s : 10s * tn::test::stress());
  auto const after = measure(s.pool);
  CHECK(s.wrong == 0);
  CHECK(s.results > 0);
  CHECK(s.kills > 0);
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.arena == before.arena);
  CHECK(after.children == before.children);
  CHECK(after.zombies == 0);
  constexpr std::size_t slack = std::size_t{16} << 20;  // heaps settle; what leaks a little each time goes beyond it
  CHECK(after.committed <= before.committed + slack);
  CHECK(after.zygote <= before.zygote + slack);
#if !TARTAN_ASAN  // AddressSanitizer keeps what was freed for a while
  CHECK(after.host <= before.host + slack);
#endif
  CHECK(tn::detail::start_process_host().arena().consistent());
  if (tn::test::stress() != 1)
    std::fprintf(stderr, "tartan-rounds: %ld results while %ld workers were killed\n", s.results.load(),
                 s.kills.load());
}
