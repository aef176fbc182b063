#include "tartan/backends/process.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/process_main.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;
using namespace std::chrono_literals;

int add(int a, int b) { return a + b; }

}  // namespace

TEST_CASE("process: starts, ends, and says how") {
  tn::process child{add, 40, 2};
  CHECK_FALSE(child.alive());
  CHECK_FALSE(child.exit_code().has_value());
  CHECK_THROWS_AS(child.join(), tn::error);
  child.name("adder").start();
  CHECK(child.pid() > 0);
  CHECK(child.pid() != ::getpid());
  child.join();
  CHECK_FALSE(child.alive());
  CHECK(child.exit_code() == 42);
  CHECK(child.error_of_end() == nullptr);
  CHECK_THROWS_AS(child.start(), tn::error);
  CHECK(tn::test::comes_true([&] { return !tn::test::lives(child.pid()); }));
}

TEST_CASE("process: exceptions, signals, exits") {
  tn::process throws{[] { throw std::out_of_range("why"); }};
  throws.start();
  throws.join();
  CHECK(throws.exit_code() == 1);
  CHECK_THROWS_AS(std::rethrow_exception(throws.error_of_end()), std::out_of_range);
  tn::process dies{[] { std::raise(SIGKILL); }};
  dies.start();
  dies.join();
  CHECK(dies.exit_code() == -SIGKILL);
  tn::process leaves{[] { std::exit(7); }};
  leaves.start();
  leaves.join();
  CHECK(leaves.exit_code() == 7);
}

TEST_CASE("process: waiting with a limit, terminate, kill, and what a dropped handle does") {
  tn::process sleeper{[] {
    for (;;) ::pause();
  }};
  sleeper.start();
  CHECK(sleeper.alive());
  CHECK_FALSE(sleeper.join_for(20ms));
  sleeper.terminate();
  sleeper.join();
  CHECK(sleeper.exit_code() == -SIGTERM);
  tn::ipc::pipe<int> ends;
  tn::process deaf{[](tn::ipc::pipe_end<int> there) {
                     std::signal(SIGTERM, SIG_IGN);
                     there.send(1);
                     for (;;) ::pause();
                   },
                   ends.second()};
  deaf.start();
  CHECK(ends.first().receive() == 1);
  deaf.terminate();
  CHECK_FALSE(deaf.join_for(50ms));
  deaf.kill();
  deaf.join();
  CHECK(deaf.exit_code() == -SIGKILL);
  int pid = 0;
  {
    tn::process dropped{[] {
      for (;;) ::pause();
    }};
    dropped.start();
    pid = dropped.pid();
    CHECK(tn::test::lives(pid));
  }
  CHECK(tn::test::comes_true([&] { return !tn::test::lives(pid); }));
}

TEST_CASE("process: a kill that comes before it has begun ends it all the same") {
  for (int i = 0; i != 40; ++i) {
    tn::process child{[] {
      for (;;) ::pause();
    }};
    child.start();
    if (i % 4 == 1) std::this_thread::yield();
    if (i % 4 == 2) std::this_thread::sleep_for(std::chrono::microseconds(10 * i));
    int const number = i % 2 == 0 ? SIGKILL : SIGTERM;
    if (i % 8 == 7) continue;  // dropped
    number == SIGKILL ? child.kill() : child.terminate();
    child.join();
    CHECK(child.exit_code() == -number);
    CHECK_FALSE(tn::test::lives(child.pid()));
  }
}

TEST_CASE("process: talks through a pipe and a queue") {
  tn::ipc::pipe<int> ends;
  tn::process child{[](tn::ipc::pipe_end<int> there) {
                      for (int i = 0; i != 10; ++i) there.send(there.receive() + 1);
                    },
                    ends.second()};
  child.start();
  auto mine = ends.first();
  for (int i = 0; i != 10; ++i) {
    mine.send(i);
    CHECK(mine.receive() == i + 1);
  }
  child.join();
  CHECK(child.exit_code() == 0);
  tn::ipc::queue<std::string> words(4);
  tn::process reader{[](tn::ipc::queue<std::string> q) {
                       std::size_t n = 0;
                       for (std::string const& s : q) n += s.size();
                       return static_cast<int>(n);
                     },
                     words};
  reader.start();
  for (int i = 0; i != 20; ++i) words.put("abc");
  words.close();
  reader.join();
  CHECK(reader.exit_code() == 60);
}
