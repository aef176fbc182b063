// Deaths of workers: the task that ran gets a typed error, all other results are kept, the worker is replaced.
// No other test may make the system count kills for want of memory meanwhile.
// ctest: RESOURCE_LOCK memory_kills

#include <sys/mman.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/algorithms/try_map.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

using tartan::test::numbers;

template <class F>
tn::worker_end end_of(tn::process_pool& pool, F f) {
  auto const r = tn::try_map(tn::processes.on(pool), numbers(1), f);
  try {
    (void)r[0].value();
  } catch (tn::worker_died const& e) {
    CHECK(e.task == 0);
    CHECK(e.pid > 0);
    CHECK(e.attempts == 1);
    CHECK_FALSE(e.out_of_memory);
    auto const next = tn::try_map(tn::processes.on(pool), numbers(1), [](int) { return 5; });
    CHECK(next[0].value() == 5);
    return e;
  }
  FAIL("the task survived");
  return {};
}

int recurse(int depth) {
  char volatile room[4096];
  room[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : recurse(depth + 1) + room[0];
}

void always_throws() { throw 1; }
void throws_out_of_noexcept() noexcept { always_throws(); }

}  // namespace

// The first test: no other pool has workers that may still be coming back.
TEST_CASE("crash: three hundred deaths leave no descriptor, no process and no memory behind") {
  auto const zygote = tn::detail::start_process_host().zygote();
  auto const others = tn::test::children_of(zygote, false).size();
  tn::process_pool pool{{.workers = 2}};
  auto& arena = tn::detail::start_process_host().arena();
  (void)tn::try_map(tn::processes.on(pool), numbers(10), [](int x) { return x; });
  auto const descriptors = tn::test::open_descriptors();
  auto const memory = arena.in_use();
  for (int i = 0; i != 300; ++i) {
    auto const r = tn::try_map(tn::processes.on(pool), numbers(4), [](int x) {
      std::string const large(100'000, 'x');  // a result that lies in the arena
      if (x == 2) std::raise(SIGKILL);
      return large;
    });
    REQUIRE(r[3].value().size() == 100'000);
    REQUIRE_FALSE(r[2].has_value());
  }
  CHECK(pool.stats().deaths == 300);
  CHECK(tn::test::open_descriptors() == descriptors);
  CHECK(arena.in_use() == memory);
  CHECK(arena.consistent());
  // The last one that died may not have been needed again.
  CHECK(tn::test::comes_true([&] { return tn::test::children_of(zygote, false).size() <= others + 2; }));
  CHECK(tn::test::comes_true([&] { return tn::test::children_of(zygote, true).empty(); }));
}

TEST_CASE("crash: every way to die is told by signal or exit code") {
  tn::process_pool pool{{.workers = 1}};
  CHECK(end_of(pool, [](int) { std::raise(SIGKILL); }).signal == SIGKILL);
  CHECK(end_of(pool, [](int) { std::raise(SIGSEGV); }).signal == SIGSEGV);
  CHECK(end_of(pool, [](int) {
          std::uintptr_t volatile address = 8;  // volatile: the compiler must not know that nothing is there
          *reinterpret_cast<int volatile*>(address) = 1;
        }).signal == SIGSEGV);
  CHECK(end_of(pool, [](int) { std::abort(); }).signal == SIGABRT);
  CHECK(end_of(pool, [](int) { throws_out_of_noexcept(); }).signal == SIGABRT);
  CHECK(end_of(pool, [](int) { std::raise(SIGFPE); }).signal == SIGFPE);
  CHECK(end_of(pool, [](int x) { return recurse(x); }).signal == SIGSEGV);
  CHECK(end_of(pool, [](int) { std::raise(SIGTERM); }).signal == SIGTERM);
  auto const early = end_of(pool, [](int) { ::_exit(3); });
  CHECK(early.signal == 0);
  CHECK(early.exit_code == 3);
  CHECK(end_of(pool, [](int) { std::exit(0); }).exit_code == 0);
  CHECK(end_of(pool, [](int) { std::exit(7); }).exit_code == 7);
}

TEST_CASE("crash: all other results are kept, each task runs once") {
  for (unsigned const workers : {1U, 2U, 3U}) {
    tn::process_pool pool{{.workers = workers}};
    auto const r = tn::try_map(tn::processes.on(pool), numbers(1000), [](int x) {
      if (x % 100 == 37) std::raise(SIGSEGV);
      return x * 2;
    });
    for (int i = 0; i != 1000; ++i) {
      auto const& o = r[static_cast<std::size_t>(i)];
      if (i % 100 == 37) {
        REQUIRE_FALSE(o.has_value());
        try {
          (void)o.value();
        } catch (tn::worker_died const& e) {
          CHECK(e.task == static_cast<std::size_t>(i));
        }
      } else {
        REQUIRE(o.value() == 2 * i);
      }
    }
    CHECK(pool.stats().tasks == 990);
    CHECK(pool.stats().deaths == 10);
  }
}

TEST_CASE("crash: map throws the error of the lowest task") {
  try {
    (void)tn::map(tn::processes.retries(1), numbers(100), [](int x) {
      if (x >= 20) std::raise(SIGKILL);
      return x;
    });
    FAIL("no error");
  } catch (tn::worker_died const& e) {
    CHECK(e.task == 20);
    CHECK(e.attempts == 2);
  }
}

TEST_CASE("crash: retries run the task again, and only that one") {
  auto& arena = tn::detail::start_process_host().arena();
  auto* const counts = ::new (arena.allocate(sizeof(std::atomic<int>[10]))) std::atomic<int>[10]{};
  auto const address = reinterpret_cast<std::uintptr_t>(counts);
  auto const r = tn::try_map(tn::processes.retries(2), numbers(10), tn::closure(address, [](std::uintptr_t a, int x) {
                               auto& mine = reinterpret_cast<std::atomic<int>*>(a)[x];
                               int const tries = ++mine;
                               if (x == 4 && tries < 3) std::raise(SIGKILL);
                               if (x == 7) std::raise(SIGKILL);
                               return tries;
                             }));
  for (int i = 0; i != 10; ++i) {
    auto const& o = r[static_cast<std::size_t>(i)];
    if (i == 7) {
      try {
        (void)o.value();
        FAIL("task 7 lived");
      } catch (tn::worker_died const& e) {
        CHECK(e.attempts == 3);
      }
    } else {
      CHECK(o.value() == (i == 4 ? 3 : 1));
    }
  }
  arena.deallocate(counts);
}

TEST_CASE("crash: workers killed from outside at random instants lose and double nothing") {
  tn::process_pool pool{{.workers = 2, .retries = 1'000'000}};
  auto& arena = tn::detail::start_process_host().arena();
  auto const before = tn::test::open_descriptors();
  auto const memory = arena.in_use();
  std::atomic<bool> done{false};
  std::atomic<int> killed{0};
  std::jthread killer([&] {
    std::mt19937 random(5);
    auto const zygote = tn::detail::start_process_host().zygote();
    std::uint64_t seen = 0;
    while (!done) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      auto const answered = pool.stats().tasks;  // no kill without progress between: a slow machine gets on too
      if (answered == seen) continue;
      seen = answered;
      auto const victims = tn::test::children_of(zygote, false);
      if (victims.empty()) continue;
      // A worker by its parent and its name: the zygote's children are workers, of this pool or another.
      if (::kill(victims[random() % victims.size()], SIGKILL) == 0) ++killed;
    }
  });
  struct ending {
    std::atomic<bool>& flag;
    ~ending() { flag = true; }  // a failure below must not wait for the killer for ever
  } const at_end{done};
  auto const end = std::chrono::steady_clock::now() + 3s * tn::test::stress();
  std::size_t rounds = 0;
  while (std::chrono::steady_clock::now() < end) {
    auto const r = tn::try_map(tn::processes.on(pool), numbers(3000),
                               [](int x) { return x % 500 == 0 ? std::string(50'000, 'y') : std::to_string(x); });
    for (int i = 0; i != 3000; ++i) {
      auto const& o = r[static_cast<std::size_t>(i)];
      if (!o.has_value()) FAIL(o.what());
      if (i % 500 == 0 ? o->size() != 50'000 : *o != std::to_string(i)) FAIL("wrong result");
    }
    ++rounds;
  }
  done = true;
  killer.join();  // it opens descriptors too
  CHECK(rounds > 0);
  CHECK(killed > 0);
  CHECK(tn::test::open_descriptors() == before);
  (void)tn::try_map(tn::processes.on(pool), numbers(100), [](int x) { return x; });
  CHECK(arena.in_use() == memory);
  CHECK(arena.consistent());
}

TEST_CASE("crash: a worker that is killed while it idles costs nothing") {
  tn::process_pool pool{{.workers = 2}};
  for (int round = 0; round != 10; ++round) {
    for (int const pid : pool.pids()) ::kill(pid, SIGKILL);
    auto const r = tn::try_map(tn::processes.on(pool), numbers(50), [](int x) { return x; });
    for (auto const& o : r) CHECK(o.has_value());
  }
}

TEST_CASE("crash: a worker that overwrites its ring is replaced, and the host stays whole") {
  tn::process_pool pool{{.workers = 1, .timeout = 5s}};  // some garbage looks like silence
  for (int round = 0; round != 20; ++round) {
    auto const r = tn::try_map(tn::processes.on(pool), numbers(3), tn::closure(round, [](int seed, int x) {
                                 if (x != 1) return x;
                                 // The slot of this worker, found as its own code finds it, with random bytes over its
                                 // answers.
                                 std::mt19937 random(static_cast<unsigned>(seed));
                                 auto& arena = *tn::detail::known_segment();
                                 auto* const base = arena.base();
                                 for (std::size_t at = 0; at + 64 < arena.committed(); at += 32) {
                                   auto* const slot = reinterpret_cast<tn::detail::worker_slot*>(base + at);
                                   if (at % alignof(tn::detail::worker_slot) != 0) continue;
                                   if (slot->pid.load() != static_cast<std::uint32_t>(::getpid())) continue;
                                   for (int k = 0; k != 64; ++k)
                                     slot->replies.buffer[k] = static_cast<std::byte>(random());
                                   slot->replies.state.head.store(random() % 4096);
                                   break;
                                 }
                                 ::pause();
                                 return x;
                               }));
    CHECK(r[0].value() == 0);
    CHECK_FALSE(r[1].has_value());
    CHECK(r[2].value() == 2);
  }
}
