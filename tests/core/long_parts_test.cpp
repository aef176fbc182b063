// Few long parts, one fork or loop after the other: each is handed over, and pieces are no longer than the grain.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "tartan/core/deque.hpp"
#include "tartan/for_each.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

void busy(std::chrono::microseconds for_so_long) {
  auto const end = std::chrono::steady_clock::now() + for_so_long;
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// Whether two workers had parts in most of 50 times in a row.
bool one_row_is_shared(std::function<void(std::function<void()> const&)> const& once) {
  int shared = 0;
  for (int i = 0; i != 50; ++i) {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    once([&] {
      busy(std::chrono::microseconds(12));  // nobody steals so early
      std::lock_guard const hold(mutex);
      threads.insert(std::this_thread::get_id());
    });
    if (threads.size() == 2) ++shared;
  }
  return shared > 35;
}

/// A busy machine may need some rows.
bool is_shared(std::function<void(std::function<void()> const&)> const& once) {
  return tn::test::comes_true([&] { return one_row_is_shared(once); }, std::chrono::seconds(60));
}

}  // namespace

TEST_CASE("long forks that follow each other are shared each time", "[fork]") {
  if (std::thread::hardware_concurrency() < 2) return;
  auto const p = tn::par.workers(2);
  SECTION("from outside") {
    CHECK(is_shared([&](auto const& part) { tn::fork_join(p, part, part); }));
  }
  SECTION("inside a task, whose forks are quick ones otherwise") {
    CHECK(tn::test::comes_true(
        [&] {
          bool shared = false;
          auto const row = [&] {
            shared = one_row_is_shared(
                [&](auto const& part) { tn::fork_join(p, [&part] { part(); }, [&part] { part(); }); });
          };
          tn::fork_join(p, row, [] {});
          return shared;
        },
        std::chrono::seconds(60)));
  }
  SECTION("of more functions") {
    CHECK(is_shared([&](auto const& part) { tn::fork_join(p, part, part, part, part); }));
  }
}

TEST_CASE("loops of few long elements that follow each other are shared each time", "[range]") {
  if (std::thread::hardware_concurrency() < 2) return;
  std::vector<int> const four(4), two(2);
  auto const p = tn::par.workers(2);
  CHECK(is_shared([&](auto const& part) { tn::for_each(p, two, [&](int) { part(); }); }));
  CHECK(is_shared([&](auto const& part) { tn::for_each(p, four, [&](int) { part(); }); }));
  CHECK(is_shared([&](auto const& part) { tn::for_each(p.grain(2), four, [&](int) { part(); }); }));
}

TEST_CASE("pairs run each element once and throw what a serial loop throws, long or short", "[range]") {
  std::atomic<int> runs{0};
  std::vector<int> const two{0, 1};
  for (int round = 0; round != 600; ++round) {
    bool const is_long = round / 100 % 2 == 1;
    int const throws_at = round % 3;
    auto const loop = [&] {
      tn::for_each(tn::par.workers(2), two, [&](int i) {
        if (is_long) busy(std::chrono::microseconds(20));
        ++runs;
        if (i == throws_at) throw std::runtime_error(std::to_string(i));
      });
    };
    runs = 0;
    if (throws_at == 2)
      REQUIRE_NOTHROW(loop());
    else
      REQUIRE_THROWS_WITH(loop(), std::to_string(throws_at));
    REQUIRE(runs >= (throws_at == 0 ? 1 : 2));
    REQUIRE(runs <= 2);
  }
}

TEST_CASE("no piece is longer than the grain, whatever elements cost", "[range]") {
  for (std::size_t const grain : {1U, 2U, 5U, 64U})
    for (std::size_t const alignment : {1U, 3U})
      for (std::size_t const n : {1U, 2U, 3U, 4U, 9U, 63U, 64U, 65U, 300U}) {
        auto const policy = tn::par.workers(2).grain(static_cast<std::ptrdiff_t>(grain));
        std::size_t const most = (grain + alignment - 1) / alignment * alignment;
        std::vector<std::atomic<int>> runs(n);
        std::atomic<int> wrong{0};
        for (int round = 1; round != 20; ++round) {
          policy.backend().for_range(policy.props(), n, alignment, [&](std::size_t begin, std::size_t end) {
            if (begin >= end || end > n || end - begin > most || begin % alignment != 0) ++wrong;
            for (std::size_t i = begin; i != end; ++i) {
              if (i % 16 == 3 && round % 2 == 0) busy(std::chrono::microseconds(10));
              ++runs[i];
            }
          });
          for (auto const& r : runs) REQUIRE(r == round);
        }
        CHECK(wrong == 0);
      }
}

TEST_CASE("a deque whose places are not quick gives them all the same", "[deque]") {
  tn::detail::deque<int> d(true, 4);
  int entry = 0;
  CHECK(d.is_quick(d.next()));
  d.not_quick();
  CHECK_FALSE(d.is_quick(d.next()));
  d.push(&entry);
  CHECK(d.take_back());
  d.quick_again();
  CHECK(d.is_quick(d.next()));
  tn::detail::deque<int> fenced(false, 4);
  fenced.quick_again();
  CHECK_FALSE(fenced.is_quick(fenced.next()));
}

TEST_CASE("an almost full deque that thieves take from as fast as it is filled is quick all the same", "[deque]") {
  int item = 0;
  tn::detail::deque<int> d(true);
  for (int i = 0; i != 250; ++i) d.push(&item);
  int slow = 0;
  for (int i = 0; i != 10'000; ++i) {
    if (!d.is_quick(d.next())) ++slow;
    d.push(&item);
    REQUIRE(d.steal() == &item);
  }
  CHECK(slow < 1000);
}
