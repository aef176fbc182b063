#include "tartan/core/process_state.hpp"

#include <atomic>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "support/catch.hpp"

// What several loaded objects see of each other is tested in tests/odr.

namespace {

namespace td = tartan::detail;

constexpr auto free_slot = static_cast<td::slot_id>(14);
constexpr auto other_slot = static_cast<td::slot_id>(13);

struct counted {
  static inline std::atomic<int> made{0}, deleted{0};
  counted() { ++made; }
  counted(counted const&) = delete;
  counted& operator=(counted const&) = delete;
  ~counted() { ++deleted; }
};

template <class F>
void at_once(unsigned threads, F f) {
  std::atomic<unsigned> waiting{threads};
  std::vector<std::thread> running;
  for (unsigned i = 0; i != threads; ++i)
    running.emplace_back([&, i] {
      for (--waiting; waiting != 0;) std::this_thread::yield();
      f(i);
    });
  for (std::thread& t : running) t.join();
}

}  // namespace

TEST_CASE("all threads see one block") {
  auto const* const here = &td::process_state();
  std::vector<td::process_slots const*> seen(8);
  at_once(8, [&](unsigned i) { seen[i] = &td::process_state(); });
  for (auto const* const there : seen) CHECK(there == here);
}

TEST_CASE("of objects made at once for a slot one stays") {
  std::vector<counted*> seen(8);
  at_once(8, [&](unsigned i) { seen[i] = &td::process_object<counted>(free_slot, [] { return new counted; }); });
  for (counted* const there : seen) CHECK(there == seen[0]);
  CHECK(counted::made - counted::deleted == 1);
  int const before = counted::made;
  CHECK(&td::process_object<counted>(free_slot, [] { return new counted; }) == seen[0]);
  CHECK(counted::made == before);
}

#if TARTAN_EXCEPTIONS
TEST_CASE("a slot is as it was when the making of its object throws") {
  CHECK_THROWS_AS(td::process_object<int>(other_slot, []() -> int* { throw 1; }), int);
  CHECK(td::process_state().slot[static_cast<unsigned>(other_slot)].load() == nullptr);
  CHECK(td::process_object<int>(other_slot, [] { return new int(7); }) == 7);
}
#endif

TEST_CASE("a thread has one cell, and another thread another") {
  CHECK(&td::this_thread_cell() == &td::this_thread_cell());
  CHECK(reinterpret_cast<std::uintptr_t>(&td::this_thread_cell()) % 64 == 0);
  std::vector<td::thread_cell*> seen(8);
  std::atomic<unsigned> running{8};
  at_once(8, [&](unsigned i) {
    seen[i] = &td::this_thread_cell();
    for (--running; running != 0;) std::this_thread::yield();  // so that no cell is freed and given out again
  });
  seen.push_back(&td::this_thread_cell());
  CHECK(std::set<td::thread_cell*>(seen.begin(), seen.end()).size() == seen.size());
}

TEST_CASE("the end of a thread calls what its cell says, once, and again if it was set again") {
  static std::atomic<int> calls{0};
  calls = 0;
  std::thread([] {
    td::this_thread_cell().at_exit = [](td::thread_cell& cell) noexcept {
      if (++calls == 1) cell.at_exit = [](td::thread_cell&) noexcept { calls += 10; };
    };
  }).join();
  CHECK(calls == 11);
}

TEST_CASE("an executable may be pinned") {
  td::pin_this_module();
  td::pin_this_module();
}
