// Machines that are full: each want is a typed error that says what to do, and nothing is lost.
// ctest: RESOURCE_LOCK memory_kills

#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
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

// Sets a limit for this process while it lives.
struct limited {
  limited(__rlimit_resource what, rlim_t value) : what_(what) {
    ::getrlimit(what, &before_);
    rlimit const now{value, before_.rlim_max};
    ::setrlimit(what, &now);
  }
  limited(limited const&) = delete;
  limited& operator=(limited const&) = delete;
  ~limited() { ::setrlimit(what_, &before_); }
  __rlimit_resource what_;
  rlimit before_{};
};

// Runs f in a forked copy of this program with a zygote of its own; whether f returned true.
template <class F>
bool in_a_fresh_process(F f) {
  pid_t const child = ::fork();
  if (child == 0) ::_exit(f() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A control group of version 2 or 1 that holds 60 MB, if this machine lets us make one.
struct memory_group {
  memory_group() {
    auto const own = tn::detail::control_group();
    usable = (!own.empty() && make(own + "/tartan-test", "/memory.max", "/memory.swap.max")) ||
             make("/sys/fs/cgroup/memory/tartan-test", "/memory.limit_in_bytes", "/memory.swappiness");
  }
  memory_group(memory_group const&) = delete;
  memory_group& operator=(memory_group const&) = delete;
  ~memory_group() {
    if (!folder.empty()) ::rmdir(folder.c_str());
  }

  bool make(std::string const& name, std::string const& limit_file, std::string const& swap_file) {
    if (::mkdir(name.c_str(), 0755) != 0) return false;
    if (::access((name + limit_file).c_str(), W_OK) != 0) {  // a folder like any other: groups are mounted elsewhere
      ::rmdir(name.c_str());
      return false;
    }
    std::ofstream(name + limit_file) << "60000000" << std::flush;
    std::ofstream(name + swap_file) << "0" << std::flush;
    std::ifstream check(name + limit_file);
    long long limit = 0;
    if (check >> limit && limit > 0 && limit < 61'000'000) {
      folder = name;
      return true;
    }
    ::rmdir(name.c_str());
    return false;
  }

  std::string folder;
  bool usable = false;
};

}  // namespace

TEST_CASE("limits: an exhausted arena fails the task that wanted it, all others keep their results") {
  auto& injected = tn::detail::segment::injected_failure();
  tn::process_pool pool{{.workers = 2}};
  auto& arena = tn::detail::start_process_host().arena();
  (void)tn::map(tn::processes.on(pool), numbers(2), [](int x) { return x; });
  // Arguments: the host cannot grow the arena.
  injected = ENOSPC;
  std::vector<std::string> words(20, "small");
  words[7] = std::string(40'000'000, 'x');
  auto const r = tn::try_map(tn::processes.on(pool), words, [](std::string const& s) { return s.size(); });
  injected = 0;
  for (std::size_t i = 0; i != words.size(); ++i) {
    if (i == 7)
      CHECK_THROWS_AS(r[i].value(), tn::out_of_shared_memory);
    else
      CHECK(r[i].value() == 5);
  }
  CHECK_THAT(r[7].what(), tn::test::contains_text("free some"));
  // Results: the worker cannot.
  tn::process_pool poor{{.workers = 1, .initializer = [] { tn::detail::segment::injected_failure() = ENOMEM; }}};
  auto const s = tn::try_map(tn::processes.on(poor), numbers(10),
                             [](int x) { return x == 3 ? std::string(60'000'000, 'x') : std::string("small"); });
  for (int i = 0; i != 10; ++i) {
    if (i == 3)
      CHECK_THROWS_AS(s[3].value(), tn::out_of_shared_memory);
    else
      CHECK(s[static_cast<std::size_t>(i)].value() == "small");
  }
  CHECK(arena.consistent());
}

TEST_CASE("limits: an arena of fixed size says when it is full, and frees what is freed") {
  ::setenv("TARTAN_SHARED_MEMORY", "4194304", 1);
  tn::detail::segment small(0);
  ::unsetenv("TARTAN_SHARED_MEMORY");
  CHECK(small.reserved() == 4'194'304);
  for (int round = 0; round != 3; ++round) {
    std::vector<void*> blocks;
    try {
      for (;;) {
        blocks.push_back(small.allocate(100'000));
        std::memset(blocks.back(), 1, 100'000);
      }
    } catch (tn::out_of_shared_memory const& e) {
      CHECK_THAT(e.what(), tn::test::contains_text("TARTAN_SHARED_MEMORY"));
    }
    CHECK(blocks.size() >= 35);
    for (void* const b : blocks) small.deallocate(b);
    CHECK(small.in_use() == 0);
    CHECK(small.consistent());
  }
  CHECK_THROWS_AS(small.allocate(std::size_t{1} << 40), tn::out_of_shared_memory);
  ::setenv("TARTAN_SHARED_MEMORY", "many", 1);
  CHECK_THROWS_AS(tn::detail::segment(0), tn::bad_argument);
  ::unsetenv("TARTAN_SHARED_MEMORY");
}

TEST_CASE("limits: the death of a process in the middle of the arena's lock harms nobody") {
  for (int round = 0; round != 30; ++round) {
    auto const r = tn::try_map(tn::processes.workers(2), numbers(2), [](int x) {
      auto& arena = *tn::detail::known_segment();
      if (x == 0) {
        (void)arena.lock_for_tests().lock();
        std::raise(SIGKILL);
      }
      void* const p = arena.allocate(1000);
      arena.deallocate(p);
      return arena.consistent();
    });
    REQUIRE_FALSE(r[0].has_value());
    REQUIRE(r[1].value());
  }
}

TEST_CASE("limits: without descriptors a start is refused, running pools go on") {
  tn::process_pool pool{{.workers = 2}};
  auto const f = [](int x) {
    if (x == 20) std::raise(SIGKILL);  // the replacement needs no descriptor of the host
    return x;
  };
  // The same types once before: at the first sight of one the undefined-behaviour sanitizer opens a pipe.
  for (auto const& o : tn::try_map(tn::processes.on(pool), numbers(2), f)) CHECK(o.has_value());
  auto const [r, refused] = [&] {
    limited const few(RLIMIT_NOFILE, 3);
    auto outcomes = tn::try_map(tn::processes.on(pool), numbers(50), f);
    try {
      tn::detail::segment const more(0);
    } catch (tn::out_of_shared_memory const&) {
      return std::pair{std::move(outcomes), true};
    }
    return std::pair{std::move(outcomes), false};
  }();
  for (int i = 0; i != 50; ++i) CHECK(r[static_cast<std::size_t>(i)].has_value() == (i != 20));
  CHECK(refused);
}

TEST_CASE("limits: without descriptors start_processes says so") {
  CHECK(in_a_fresh_process([] {
    limited const few(RLIMIT_NOFILE, 6);
    while (::dup(0) >= 0) {
    }
    try {
      tn::detail::process_host const host{{}};
    } catch (tn::out_of_shared_memory const&) {
      return true;
    } catch (tn::process_start_error const&) {
      return true;
    }
    return false;
  }));
}

TEST_CASE("limits: without processes a pool says so, and what runs is not lost") {
  if (::geteuid() == 0) {
    // The superuser is above this limit: an unprivileged copy with a zygote of its own.
    CHECK(in_a_fresh_process([] {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) return false;
      rlimit const none{0, 0};
      auto& slot = tn::detail::process_state().slot[static_cast<unsigned>(tn::detail::slot_id::zygote)];
      slot.store(nullptr);
      tn::start_processes();
      ::setrlimit(RLIMIT_NPROC, &none);
      auto* const host = tn::detail::known_process_host();
      rlimit const same = none;
      ::prlimit(host->zygote(), RLIMIT_NPROC, &same, nullptr);
      try {
        (void)tn::map(tn::processes.workers(2), numbers(3), [](int x) { return x; });
      } catch (tn::process_start_error const& e) {
        return std::string(e.what()).find("ulimit -u") != std::string::npos;
      }
      return false;
    }));
  } else {
    TARTAN_SKIP("the limit of processes is tried as root only");
  }
}

TEST_CASE("limits: a worker's memory limit is std::bad_alloc in its task") {
#if TARTAN_ASAN || TARTAN_TSAN
  TARTAN_SKIP("sanitizers replace the allocator");
#else
  tn::process_pool pool{{.workers = 1, .memory_limit = 300'000'000}};
  auto const r = tn::try_map(tn::processes.on(pool), numbers(3), [](int x) {
    std::vector<char> room(x == 1 ? std::size_t{1} << 30 : 1000, 'x');
    return room.size();
  });
  CHECK(r[0].value() == 1000);
  CHECK_THROWS_AS(r[1].value(), std::bad_alloc);
  CHECK(r[2].value() == 1000);
#endif
}

TEST_CASE("limits: an initializer that dies is an error of the start, not a loop") {
  tn::process_pool pool{{.workers = 2, .initializer = [] { std::raise(SIGSEGV); }}};
  try {
    (void)tn::map(tn::processes.on(pool), numbers(3), [](int x) { return x; });
    FAIL("no error");
  } catch (tn::process_start_error const& e) {
    CHECK_THAT(e.what(), tn::test::contains_text("initializer"));
  }
}

TEST_CASE("limits: a kill for want of memory is told apart from any other SIGKILL") {
  // The kernel's counter is what the scheduler looks at; to make it count, a worker goes into a control group.
  memory_group const group;
  if (!group.usable) TARTAN_SKIP("no control group with a memory limit can be made here");
  tn::process_pool pool{{.workers = 1}};
  auto const pids = pool.pids();
  std::ofstream(group.folder + "/cgroup.procs") << pids[0] << std::flush;
  auto const r = tn::try_map(tn::processes.on(pool), numbers(1), [](int) {
    std::vector<char> room(400'000'000, 'x');
    char volatile const* const seen = room.data();
    return static_cast<int>(seen[123'456'789]);
  });
  try {
    (void)r[0].value();
    FAIL("the task survived");
  } catch (tn::worker_died const& e) {
    CHECK(e.signal == SIGKILL);
    CHECK(e.out_of_memory);
  }
  auto const killed = tn::try_map(tn::processes.on(pool), numbers(1), [](int) { std::raise(SIGKILL); });
  try {
    (void)killed[0].value();
  } catch (tn::worker_died const& e) {
    CHECK_FALSE(e.out_of_memory);
  }
}
