// What the host sees of its workers (nothing that it did not ask for), and what is left when it goes.

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>
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

std::atomic<int> child_signals{0};

// Runs this very program again with one hidden test; what it prints is returned.
struct run {
  std::string output;
  int status = 0;
};

run run_self(std::string const& test, bool keep_running = false, pid_t* pid = nullptr, int* from = nullptr) {
  int ends[2];
  REQUIRE(::pipe2(ends, 0) == 0);
  pid_t const child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 1);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl("/proc/self/exe", "self", test.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  if (keep_running) {
    *pid = child;
    *from = ends[0];
    return {};
  }
  run r;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    r.output.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(child, &r.status, 0);
  return r;
}

std::size_t count_of(std::string const& text, std::string const& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

std::vector<std::string> shared_files() {
  std::vector<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator("/dev/shm")) names.push_back(entry.path().string());
  return names;
}

struct says_so_at_the_end {
  ~says_so_at_the_end() { std::printf("static destructor in %s\n", this_is_the_host() ? "host" : "worker"); }
  static bool this_is_the_host() { return tn::detail::start_process_host().is_host(); }
};

}  // namespace

TEST_CASE("host: its own handler of SIGCHLD that waits for everything is not disturbed, and does not disturb") {
  struct sigaction before{};
  struct sigaction mine{};
  mine.sa_handler = [](int) {
    int const saved = errno;
    ++child_signals;
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    errno = saved;
  };
  mine.sa_flags = SA_RESTART;
  ::sigaction(SIGCHLD, &mine, &before);
  tn::process_pool pool{{.workers = 2}};
  for (int i = 0; i != 20; ++i) {
    auto const r = tn::try_map(tn::processes.on(pool), numbers(20), [](int x) {
      if (x == 3) std::raise(SIGKILL);
      return x;
    });
    for (int k = 0; k != 20; ++k) REQUIRE(r[static_cast<std::size_t>(k)].has_value() == (k != 3));
  }
  CHECK(child_signals == 0);
  errno = 0;
  CHECK(::wait(nullptr) == -1);
  CHECK(errno == ECHILD);
  // Its own children still come.
  pid_t const own = ::fork();
  if (own == 0) ::_exit(0);
  CHECK(tn::test::comes_true([] { return child_signals > 0; }));
  ::sigaction(SIGCHLD, &before, nullptr);
}

TEST_CASE("helper: prints its workers and waits to be killed", "[.][helper]") {
  tn::process_pool pool{{.workers = 3}};
  auto const pids = pool.pids();
  std::printf("zygote %d workers %d %d %d end\n", tn::detail::start_process_host().zygote(), pids[0], pids[1], pids[2]);
  std::fflush(stdout);
  (void)tn::try_map(tn::processes.on(pool), numbers(10), [](int) {
    for (;;) ::pause();
  });
}

TEST_CASE("host: kill -9 takes the workers with it, and nothing is left") {
  auto const files = shared_files();
  pid_t child = 0;
  int from = -1;
  (void)run_self("helper: prints its workers and waits to be killed", true, &child, &from);
  std::string text;
  char buffer[512];
  while (text.find(" end") == std::string::npos) {
    auto const n = ::read(from, buffer, sizeof buffer);
    REQUIRE(n > 0);
    text.append(buffer, static_cast<std::size_t>(n));
  }
  int pids[4];
  REQUIRE(std::sscanf(text.c_str() + text.find("zygote"), "zygote %d workers %d %d %d", pids, pids + 1, pids + 2,
                      pids + 3) == 4);
  for (int const pid : pids) REQUIRE(tn::test::lives(pid));
  ::kill(child, SIGKILL);  // 0.5 s is promised then; a loaded machine gets more
  CHECK(tn::test::comes_true([&] {
    for (int const pid : pids)
      if (tn::test::lives(pid)) return false;
    return true;
  }));
  ::waitpid(child, nullptr, 0);
  ::close(from);
  // Other programs may come and go there meanwhile.
  CHECK(tn::test::comes_true([&] {
    return std::ranges::all_of(shared_files(), [&](auto const& name) { return std::ranges::count(files, name) != 0; });
  }));
}

TEST_CASE("helper: prints from everywhere", "[.][helper]") {
  static says_so_at_the_end const at_the_end;
  std::atexit([] { std::puts("atexit"); });
  std::printf("host before;");  // stays in the buffer until the end
  std::cout << "host stream;";
  tn::process_pool pool{{.workers = 2}};
  (void)tn::try_map(tn::processes.on(pool), numbers(200), [](int x) {
    std::printf("[line %d of a worker ", x);
    std::cout << "with both ";
    std::printf("ways to print]\n");
    if (x == 50) std::exit(0);
  });
}

TEST_CASE("host: output is whole lines and comes once; nothing of the host's end runs in a worker") {
  auto const r = run_self("helper: prints from everywhere");
  CHECK(r.status == 0);
  CHECK(count_of(r.output, "host before;") == 1);
  CHECK(count_of(r.output, "host stream;") == 1);
  CHECK(count_of(r.output, "atexit") == 1);
  CHECK(count_of(r.output, "static destructor in host") == 1);
  CHECK(count_of(r.output, "static destructor in worker") == 0);
  int whole = 0;
  for (int x = 0; x != 200; ++x)
    whole += count_of(r.output, "[line " + std::to_string(x) + " of a worker with both ways to print]\n") == 1 ? 1 : 0;
  CHECK(whole == 200);
}

TEST_CASE("helper: loses its zygote", "[.][helper]") {
  auto const zygote = tn::detail::start_process_host().zygote();
  tn::shared_value<std::atomic<int>> begun(0);
  std::jthread const killer([&] {
    while (*begun != 2) std::this_thread::sleep_for(1ms);
    ::kill(zygote, SIGKILL);
  });
  auto const r = tn::try_map(tn::processes.workers(2), numbers(10),
                             tn::closure(begun.span(), [](tn::shared_span<std::atomic<int>> const& count, int) {
                               ++count[0];
                               for (;;) ::pause();
                             }));
  int typed = 0;
  for (auto const& o : r) {
    try {
      (void)o.value();
    } catch (tn::process_start_error const&) {
      ++typed;
    }
  }
  bool later = false;
  try {
    (void)tn::map(tn::processes.workers(2), numbers(10), [](int x) { return x; });
  } catch (tn::process_start_error const&) {
    later = true;
  }
  std::printf("typed %d later %d end\n", typed, later ? 1 : 0);
}

TEST_CASE("host: the zygote's death is an error, never a hang") {
  auto const r = run_self("helper: loses its zygote");
  CHECK_THAT(r.output, tn::test::contains_text("typed 10 later 1 end"));
}

TEST_CASE("helper: starts too late", "[.][helper]") {
  // A fresh process without workers: main() has called start_processes(), so the test asks the part that counts.
  std::jthread const other([](std::stop_token end) {
    while (!end.stop_requested()) std::this_thread::sleep_for(1ms);
  });
  try {
    tn::detail::process_host const late{{}};
    std::puts("started");
  } catch (tn::process_start_error const& e) {
    std::printf("refused: %s\n", e.what());
  }
}

TEST_CASE("host: a start with threads is refused with a sentence") {
  auto const r = run_self("helper: starts too late");
  CHECK_THAT(r.output, tn::test::contains_text("refused: tartan: this process has 2 threads already"));
}

TEST_CASE("host: a pool's worker is named, and knows how many threads it may use") {
  tn::process_pool pool{{.workers = 2, .name = "resize"}};
  auto const names = tn::map(tn::processes.on(pool), numbers(8), [](int) {
    char name[16] = {};
    ::prctl(PR_GET_NAME, name);
    return std::string(name);
  });
  for (auto const& name : names) CHECK((name == "resize-0" || name == "resize-1"));
  auto const threads = tn::map(tn::processes.on(pool), numbers(1), [](int) {
    char const* const omp = std::getenv("OMP_NUM_THREADS");
    return std::pair(std::string(omp != nullptr ? omp : ""), tn::available_workers());
  });
  CHECK(std::stoul(threads[0].first) >= 1);
  CHECK(threads[0].second <= std::max(1U, tn::detail::hardware_cores() / 2));
}
