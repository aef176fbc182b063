// How programs end, and how they go on in a forked child.

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <latch>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/in_child.hpp"
#include "tartan/for_each.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"
#include "tartan/this_worker.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using tn::test::in_child;

/// Asked by LeakSanitizer at exit: what the parent's threads held has no owner in a child that does not have them.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return tn::test::forked_child ? 1 : 0; }

namespace {

template <class P>
bool works(P const& p) {
  std::vector<int> v(10'000, 1);
  tn::for_each(p, v, [](int& x) { ++x; });
  auto [a, b] = tn::fork_join(p, [] { return 1; }, [] { return 2; });
  std::atomic<int> ran{0};
  tn::task_group g{p};
  for (int i = 0; i != 10; ++i) g.run([&] { ++ran; });
  g.wait();
  int const submitted = tn::submit(p, [] { return 4; }).get();
  return std::accumulate(v.begin(), v.end(), 0) == 20'000 && a + b == 3 && ran == 10 && submitted == 4;
}

/// Keeps a pool busy from other threads while something else happens.
class traffic {
 public:
  template <class P>
  explicit traffic(P const& p) {
    for (int i = 0; i != 2; ++i)
      threads_.emplace_back([this, p] {
        while (!over_) works(p);
      });
  }
  traffic(traffic const&) = delete;
  traffic& operator=(traffic const&) = delete;
  ~traffic() {
    over_ = true;
    for (auto& t : threads_) t.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

/// A static object whose destructor works in parallel, in the children that ask for it.
struct last_words {
  static inline std::atomic<bool> wanted{false};
  ~last_words() {
    if (wanted && !works(tn::par)) ::_exit(77);
    if (wanted) ::_exit(42);
  }
};
last_words const at_exit;

}  // namespace

#if !TARTAN_TSAN  // which refuses threads in a child of a process with threads

TEST_CASE("a forked child starts its pools anew", "[lifecycle]") {
  REQUIRE(works(tn::par));
  tn::thread_pool mine{3};
  REQUIRE(works(tn::par.on(mine)));
  REQUIRE(works(tn::par.workers(5)));
  for (int round = 0; round != 20; ++round) {
    CHECK(in_child([&] {
            if (!works(tn::par) || !works(tn::par.on(mine)) || !works(tn::par.workers(5))) ::_exit(1);
            if (in_child([&] { ::_exit(works(tn::par) && works(tn::par.on(mine)) ? 0 : 1); }) != 0) ::_exit(2);
          }) == 0);
  }
  CHECK(works(tn::par));
  CHECK(works(tn::par.on(mine)));
}

TEST_CASE("a child forked while the pools are busy works", "[lifecycle]") {
  tn::thread_pool mine{3};
  std::atomic<int> good{0};
  {
    traffic const on_default(tn::par), on_mine(tn::par.on(mine));
    for (int round = 0; round != 20; ++round)
      good += in_child([&] { ::_exit(works(tn::par) && works(tn::par.on(mine)) ? 7 : 1); }) == 7;
  }
  CHECK(good == 20);
}

TEST_CASE("pools may be destroyed in a child, whoever made them", "[lifecycle]") {
  auto mine = std::make_unique<tn::thread_pool>(2);
  REQUIRE(works(tn::par.on(*mine)));
  CHECK(in_child([&] { mine.reset(); }) == 0);
  CHECK(in_child([&] {
          works(tn::par.on(*mine));
          mine.reset();
        }) == 0);
  mine->close();
  CHECK(in_child([&] {
          try {
            tn::submit(tn::par.on(*mine), [] {});
            ::_exit(1);
          } catch (tn::pool_closed const&) {
          }
        }) == 0);
}

TEST_CASE("a child that was forked inside a call leaves it, though a thread of its parent held the pool's lock",
          "[lifecycle]") {
  tn::thread_pool mine{2};
  auto const p = tn::par.on(mine);
  std::atomic<bool> over{false};
  std::vector<std::thread> others;
  for (int i = 0; i != 2; ++i)
    others.emplace_back([&] {
      while (!over) tn::fork_join(p, [] {}, [] {});
    });
  ::pid_t const parent = ::getpid();
  auto const self = std::this_thread::get_id();
  int ended = 0, forked = 0;
  for (int tries = 0; forked != 30 && tries != 10'000; ++tries) {
    ::pid_t child = -1;
    tn::fork_join(
        p, [] {}, [&] {  // runs last, when it runs here: nothing is left that a thread of the parent must do
          if (std::this_thread::get_id() != self) return;
          std::fflush(nullptr);
          child = ::fork();
          if (child == 0) ::alarm(60);
        });
    if (::getpid() != parent) ::_exit(3);
    if (child == -1) continue;
    ++forked;
    int status = 0;
    ::waitpid(child, &status, 0);
    ended += WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 1 : 0;
  }
  over = true;
  for (auto& t : others) t.join();
  CHECK(forked != 0);
  CHECK(ended == forked);
}

TEST_CASE("a group of the parent's pool starts no thread of that pool in a child, where a wait runs its tasks",
          "[lifecycle]") {
  auto const threads = [] {
    std::filesystem::directory_iterator const tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  tn::thread_pool mine{2};
  tn::task_group g{tn::par.on(mine)};
  CHECK(in_child([&] {
          auto const before = threads();
          int ran = 0;
          for (int i = 0; i != 10; ++i) g.run([&] { ++ran; });
          g.wait();
          ::_exit(ran == 10 && threads() == before ? 5 : 1);
        }) == 5);
}

TEST_CASE("a task may fork", "[lifecycle]") {
  auto f = tn::submit(tn::par, [] { return in_child([] { ::_exit(5); }); });
  CHECK(f.get() == 5);
}

TEST_CASE("a child that was forked in a task, or beside its wait, works", "[lifecycle]") {
  auto const in_task = [] {
    return in_child([] {
      auto f = tn::submit(tn::par, [] { return works(tn::par); });
      while (!f.ready()) std::this_thread::yield();  // nobody waits for it
      ::_exit(works(tn::par) && f.get() ? 5 : 1);
    });
  };
  CHECK(tn::submit(tn::par, in_task).get() == 5);
  auto [a, b] = tn::fork_join(tn::par, in_task, in_task);
  CHECK(a + b == 10);
}

TEST_CASE("a child that was forked in a task of a pool of one's own works, by that pool's name too", "[lifecycle]") {
  tn::thread_pool mine{2};
  auto const p = tn::par.on(mine);
  auto const in_task = [&] {
    return in_child([&] {
      auto [first, second] = tn::fork_join(p, [&] { return works(p); }, [&] { return works(p); });
      ::_exit(first && second && works(tn::par) ? 5 : 1);
    });
  };
  CHECK(tn::submit(p, in_task).get() == 5);
  auto [a, b] = tn::fork_join(p, in_task, in_task);
  CHECK(a + b == 10);
}

TEST_CASE("a child that was forked in a task destroys the pool, and finds it gone", "[lifecycle]") {
  auto mine = std::make_unique<tn::thread_pool>(2);
  auto const p = tn::par.on(*mine);
  CHECK(tn::submit(p, [&] {
          return in_child([&] {
            mine.reset();
            int gone = 0;
            auto const expect_gone = [&](auto const& call) {
              try {
                call();
              } catch (tn::pool_gone const&) {
                ++gone;
              }
            };
            expect_gone([&] { tn::fork_join(p, [] {}, [] {}); });
            expect_gone([&] { tn::fork_join(p, [&] { ++gone; }, [&] { ++gone; }, [&] { ++gone; }); });
            expect_gone([&] { static_cast<void>(tn::submit(p, [] {})); });
            ::_exit(gone);
          });
        }).get() == 3);
}

TEST_CASE("a child that was forked in a task waits there, though a thread of its parent held the pool's lock",
          "[lifecycle]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  std::atomic<bool> over{false};
  std::thread caller([&] {
    while (!over) tn::fork_join(p, [] {}, [] {});  // each takes that lock
  });
  auto good = tn::submit(p, [&] {
    int ended = 0;
    for (int round = 0; round != 100; ++round) {
      for (int i = 0; i != 3; ++i) tn::detach(p, [] {});
      ended += in_child([] { ::_exit(tn::blocking([] { return 7; })); }) == 7;
    }
    return ended;
  });
  CHECK(good.get() == 100);
  over = true;
  caller.join();
}

TEST_CASE("a pool of one's own makes no default pool", "[lifecycle]") {
  CHECK(in_child([] {  // where there is none yet
          tn::thread_pool mine{2};
          if (!works(tn::par.on(mine))) ::_exit(1);
          tn::set_default_workers(static_cast<std::ptrdiff_t>(tn::detail::usual_workers()) + 1);
        }) == 0);
}

TEST_CASE("a program may end in a task of a pool that lives until its end", "[lifecycle]") {
  CHECK(in_child([] {
          static tn::thread_pool pool{2};
          std::vector<int> v(1000);
          v[700] = 1;  // in one task only: two threads may not be in exit()
          tn::for_each(tn::par.on(pool), v, [](int last) {
            if (last == 1) std::exit(5);
          });
        }) == 5);
  CHECK(in_child([] {
          static tn::thread_pool pool{2};
          tn::detach(tn::par.on(pool), [] { std::exit(6); });
          for (;;) ::pause();
        }) == 6);
  CHECK(in_child([] {
          auto last = std::make_shared<tn::thread_pool>(2);
          std::atomic<bool> over{false};
          tn::detach(tn::par.on(*last), [&over, last]() mutable {
            while (last.use_count() != 1) std::this_thread::yield();
            last.reset();
            over = true;
          });
          last.reset();
          while (!over) std::this_thread::yield();
          ::_exit(7);
        }) == 7);
}

TEST_CASE("programs end while the default pool lives", "[lifecycle]") {
  REQUIRE(works(tn::par));
  SECTION("by exit, with work in static destruction") {
    CHECK(in_child([] {
            last_words::wanted = true;
            works(tn::par);
            std::exit(0);
          }) == 42);
  }
  SECTION("by exit from a task, with work in static destruction") {
    CHECK(in_child([] {
            last_words::wanted = true;
            tn::submit(tn::par, [] { std::exit(0); }).get();
          }) == 42);
  }
  SECTION("by exit from a half of a fork") {
    CHECK(in_child([] { tn::fork_join(tn::par, [] {}, [] { std::exit(9); }); }) == 9);
  }
  SECTION("by exit while detached threads work in parallel") {
    for (int round = 0; round != 10; ++round)
      CHECK(in_child([] {
              static std::atomic<int> begun;
              begun = 0;
              for (int i = 0; i != 3; ++i)
                std::thread([] {
                  for (++begun;;) works(tn::par);
                }).detach();
              while (begun != 3) std::this_thread::yield();
              last_words::wanted = true;
              std::exit(0);
            }) == 42);
  }
  SECTION("by exit with tasks that never begin") {
    CHECK(in_child([] {
            for (int i = 0; i != 100; ++i)
              tn::submit(tn::par, [] { std::this_thread::sleep_for(std::chrono::hours(1)); });
            std::exit(3);
          }) == 3);
  }
}

#endif

TEST_CASE("threads that used the pool end, and new ones find room", "[lifecycle]") {
  for (int round = 0; round != 200; ++round) {
    std::thread t([] { works(tn::par); });
    t.join();
  }
  SUCCEED();
}

TEST_CASE("a thread-local destructor may work in parallel", "[lifecycle]") {
  static std::atomic<int> good;
  good = 0;
  struct at_thread_end {
    ~at_thread_end() { good += works(tn::par); }
  };
  for (int round = 0; round != 20; ++round)
    std::thread([] {
      thread_local at_thread_end const last;
      static_cast<void>(last);
      works(tn::par);
    }).join();
  CHECK(good == 20);
}

namespace {

std::latch late_call_runs{1}, other_call_has_run{1};
std::ptrdiff_t late_slot = -1;

std::ptrdiff_t slot_of_this_thread() {
  std::ptrdiff_t slot = -1;
  std::vector<int> const one(1);
  tn::for_each(tn::par, one, [&slot](int) { slot = static_cast<std::ptrdiff_t>(tn::this_worker().index); });
  return slot;
}

void call_late(void*) {
  std::vector<int> const one(1);
  tn::for_each(tn::par, one, [](int) {
    late_slot = static_cast<std::ptrdiff_t>(tn::this_worker().index);
    late_call_runs.count_down();
    other_call_has_run.wait();
  });
}

}  // namespace

TEST_CASE("a destructor that calls after its thread has given its slot back has a slot of its own", "[lifecycle]") {
  (void)slot_of_this_thread();  // so that tartan's key is the older one: destructors run in the order of keys
  ::pthread_key_t key{};
  REQUIRE(::pthread_key_create(&key, &call_late) == 0);
  std::thread ends([key] {
    (void)slot_of_this_thread();
    ::pthread_setspecific(key, &late_slot);
  });
  late_call_runs.wait();
  std::ptrdiff_t slot = -1;
  std::thread([&slot] { slot = slot_of_this_thread(); }).join();
  other_call_has_run.count_down();
  ends.join();
  CHECK(slot != late_slot);
  ::pthread_key_delete(key);
}

TEST_CASE("default workers are set before first use, or not at all", "[lifecycle]") {
  CHECK_THROWS_AS(tn::set_default_workers(0), tn::bad_argument);
  CHECK_THROWS_AS(tn::set_default_workers(5000), tn::bad_argument);
  auto const size = static_cast<std::ptrdiff_t>(tn::detail::default_pool().size());
  CHECK_NOTHROW(tn::set_default_workers(size));
  CHECK_THROWS_WITH(tn::set_default_workers(size + 1), tn::test::contains_text("after the first use"));
}
