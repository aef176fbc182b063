#include "tartan/core/queue.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace detail = tartan::detail;

struct numbered : detail::queued_task {
  numbered() : queued_task(nullptr) {}
  int producer = 0, number = 0;
};

std::vector<int> drain(detail::task_queue& q, std::size_t worker) {
  std::vector<int> numbers;
  while (detail::queued_task* const t = q.pop(worker)) numbers.push_back(static_cast<numbered*>(t)->number);
  return numbers;
}

}  // namespace

TEST_CASE("a queue gives in the order in which one thread put", "[queue]") {
  detail::task_queue q(2, 2);
  CHECK(q.seems_empty());
  CHECK(q.pop(0) == nullptr);
  std::vector<numbered> tasks(5);
  bool const inlet = GENERATE(false, true);
  std::size_t const place = GENERATE(0U, 1U, 7U), worker = GENERATE(0U, 1U, 5U);
  for (int i = 0; i != 5; ++i) {
    tasks[static_cast<std::size_t>(i)].number = i;
    CHECK(q.push(&tasks[static_cast<std::size_t>(i)], {place, inlet}));
  }
  CHECK_FALSE(q.seems_empty());
  CHECK(drain(q, worker) == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(q.seems_empty());
}

TEST_CASE("a queue of one worker keeps the order of each thread that puts, whoever holds a lock", "[queue]") {
  constexpr int producers = 2, each = 50'000;
  detail::task_queue q(1, 2);
  std::vector<numbered> tasks(producers * each);
  std::vector<std::thread> threads;
  for (int p = 0; p != producers; ++p)
    threads.emplace_back([&, p] {
      for (int i = 0; i != each; ++i) {
        numbered& t = tasks[static_cast<std::size_t>(p * each + i)];
        t.producer = p, t.number = i;
        static_cast<void>(q.push(&t, {static_cast<std::size_t>(p), true}));
      }
    });
  int next[producers] = {}, out_of_turn = 0;
  for (int drawn = 0; drawn != producers * each;) {
    auto* const got = static_cast<numbered*>(q.pop(0));
    if (got == nullptr) continue;
    if (got->number != next[got->producer]++) ++out_of_turn;
    ++drawn;
  }
  for (auto& t : threads) t.join();
  CHECK(out_of_turn == 0);
}

TEST_CASE("what one worker took from an inlet, others find", "[queue]") {
  detail::task_queue q(3, 1);
  std::vector<numbered> tasks(4);
  for (int i = 0; i != 4; ++i) {
    tasks[static_cast<std::size_t>(i)].number = i;
    REQUIRE(q.push(&tasks[static_cast<std::size_t>(i)], {0, true}));
  }
  CHECK(q.pop(0) == &tasks[0]);  // the other three are now worker 0's
  CHECK_FALSE(q.seems_empty());
  CHECK(drain(q, 2) == std::vector<int>{1, 2, 3});
}

TEST_CASE("a worker whose list is never empty comes to what others put, in their order", "[queue]") {
  detail::task_queue q(2, 2);
  numbered own, of_other, of_inlet[3];
  REQUIRE(q.push(&of_other, {1, false}));
  for (int i = 0; i != 3; ++i) {
    of_inlet[i].number = i;
    REQUIRE(q.push(&of_inlet[i], {1, true}));
  }
  int other = 0;
  std::vector<int> inlet;
  for (int i = 0; i != 2000; ++i) {
    if (!own.producer) REQUIRE(q.push(&own, {0, false}));
    own.producer = 1;  // it is in the queue
    auto* const got = static_cast<numbered*>(q.pop(0));
    if (got == &own)
      own.producer = 0;
    else
      got == &of_other ? ++other : (inlet.push_back(got->number), 0);
  }
  CHECK(other == 1);
  CHECK(inlet == std::vector<int>{0, 1, 2});
}

TEST_CASE("a closed queue takes nothing more, and gives what it has", "[queue]") {
  detail::task_queue q(1, 1);
  numbered one, two;
  REQUIRE(q.push(&one, {0, true}));
  q.close();
  CHECK_FALSE(q.push(&two, {0, true}));
  CHECK_FALSE(q.push(&two, {0, false}));
  CHECK(q.pop(0) == &one);
  CHECK(q.pop(0) == nullptr);
}

TEST_CASE("every task comes out once, and none is overlooked", "[queue]") {
  constexpr int producers = 3, consumers = 3, each = 20'000;
  detail::task_queue q(consumers, 2);
  std::vector<std::vector<numbered>> tasks;
  for (int p = 0; p != producers; ++p) tasks.emplace_back(each);
  std::vector<std::atomic<int>> taken(producers * each);
  std::atomic<int> left{producers * each};
  std::vector<std::thread> threads;
  for (int p = 0; p != producers; ++p)
    threads.emplace_back([&, p] {
      for (int i = 0; i != each; ++i) {
        numbered& t = tasks[static_cast<std::size_t>(p)][static_cast<std::size_t>(i)];
        t.producer = p;
        t.number = i;
        static_cast<void>(q.push(&t, {static_cast<std::size_t>(p), p != 0}));
      }
    });
  for (int c = 0; c != consumers; ++c)
    threads.emplace_back([&, c] {
      while (left.load() != 0) {
        auto* const t = static_cast<numbered*>(q.pop(static_cast<std::size_t>(c)));
        if (t == nullptr) {
          std::this_thread::yield();
          continue;
        }
        ++taken[static_cast<std::size_t>(t->producer * each + t->number)];
        --left;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(std::all_of(taken.begin(), taken.end(), [](auto const& n) { return n == 1; }));
  CHECK(q.seems_empty());
}
