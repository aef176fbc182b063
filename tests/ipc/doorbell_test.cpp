#include "tartan/ipc/doorbell.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/stress.hpp"

int main(int argc, char** argv) { return tartan::test::run_catch(argc, argv); }

namespace {

using tartan::detail::doorbell;

struct table {
  doorbell<> bell[2];
  std::atomic<unsigned> count[2]{};
};

table* share() {
  return ::new (::mmap(nullptr, sizeof(table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) table;
}

void wait_for(table& t, int side, unsigned value) {
  while (t.count[side].load(std::memory_order_acquire) < value) {
    auto const token = t.bell[side].arm();
    if (t.count[side].load(std::memory_order_acquire) >= value) return;
    t.bell[side].sleep(token);
  }
}

void publish(table& t, int side) {
  t.count[side].fetch_add(1, std::memory_order_release);
  t.bell[side].ring();
}

unsigned rounds() { return 50'000U * tartan::test::stress(); }

}  // namespace

TEST_CASE("doorbell: no wake-up is lost between two processes that never spin") {
  table& t = *share();
  unsigned const n = rounds();
  pid_t const child = ::fork();
  if (child == 0) {
    ::alarm(300);
    for (unsigned i = 1; i <= n; ++i) {
      wait_for(t, 0, i);
      publish(t, 1);
    }
    ::_exit(0);
  }
  for (unsigned i = 1; i <= n; ++i) {
    publish(t, 0);
    wait_for(t, 1, i);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("doorbell: several sleepers of one bell are all woken") {
  table& t = *share();
  unsigned const n = rounds() / 20;
  std::vector<std::jthread> sleepers;
  for (int k = 0; k != 3; ++k) {
    sleepers.emplace_back([&] {
      for (unsigned i = 1; i <= n; ++i) {
        wait_for(t, 0, i);
        publish(t, 1);
      }
    });
  }
  for (unsigned i = 1; i <= n; ++i) {
    publish(t, 0);
    wait_for(t, 1, 3 * i);
  }
  sleepers.clear();
  CHECK(t.count[1] == 3 * n);
}
