#include "tartan/core/hooks.hpp"

#include <array>
#include <atomic>
#include <thread>

#include "support/catch.hpp"
#include "tartan/submit.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
namespace detail = tartan::detail;

namespace {

/// Counts every event for as long as the process lives: a listener must outlive whoever may still call it.
struct counter {
  std::array<std::atomic<int>, 8> seen{};
  detail::hook_listener const listener{&count, this};
  static void count(void* self, detail::hook_event event, unsigned) noexcept {
    ++static_cast<counter*>(self)->seen[static_cast<std::size_t>(event)];
  }
  [[nodiscard]] int of(detail::hook_event event) const { return seen[static_cast<std::size_t>(event)]; }
};

}  // namespace

TEST_CASE("a listener hears of threads, tasks and sleep; nobody else does", "[hooks]") {
  static counter events;
  REQUIRE(detail::listen(&events.listener) == nullptr);
  {
    tn::thread_pool pool{1};
    for (int i = 0; i != 5; ++i) tn::submit(tn::par.on(pool), [] {}).get();
    while (events.of(detail::hook_event::park) == 0) std::this_thread::yield();
  }
  REQUIRE(detail::listen(nullptr) == &events.listener);
  CHECK(events.of(detail::hook_event::thread_start) >= 1);
  CHECK(events.of(detail::hook_event::thread_start) == events.of(detail::hook_event::thread_stop));
  CHECK(events.of(detail::hook_event::task_begin) >= 5);
  CHECK(events.of(detail::hook_event::task_begin) == events.of(detail::hook_event::task_end));
  CHECK(events.of(detail::hook_event::unpark) == events.of(detail::hook_event::park));
  int const begun = events.of(detail::hook_event::task_begin);
  tn::thread_pool pool{1};
  tn::submit(tn::par.on(pool), [] {}).get();
  CHECK(events.of(detail::hook_event::task_begin) == begun);
}
