#include "tartan/core/range_body.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "tartan/core/call_scope.hpp"
#include "tartan/core/range.hpp"
#include "tartan/for_each.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
namespace detail = tartan::detail;

namespace {

/// Each of these elements counts itself and lasts as long as it says.
struct element {
  std::atomic<int> runs{0};
  std::chrono::microseconds lasts{0};
};

struct probe {
  std::vector<element> elements;
  std::mutex mutex;
  std::set<std::thread::id> threads;

  explicit probe(std::size_t n) : elements(n) {}
  void last(std::chrono::microseconds each) {
    for (element& e : elements) e.lasts = each;
  }
};

/// All loops of these tests are of one kind, however long their elements take.
void loop(probe& p, std::size_t throws_at = ~std::size_t{0}) {
  element const* const first = p.elements.data();
  tn::for_each(tn::par.workers(2), p.elements, [&p, first, throws_at](element& e) {
    ++e.runs;
    if (static_cast<std::size_t>(&e - first) == throws_at) throw std::runtime_error(std::to_string(throws_at));
    if (e.lasts.count() == 0) return;
    auto const end = std::chrono::steady_clock::now() + e.lasts;
    while (std::chrono::steady_clock::now() < end) {
    }
    std::lock_guard const hold(p.mutex);
    p.threads.insert(std::this_thread::get_id());
  });
}

void teach_that_it_is_short(std::size_t n) {
  probe p(n);
  for (int i = 0; i != 1000; ++i) loop(p);
}

}  // namespace

namespace {

std::uint64_t const at_most = detail::half_us(), brief = at_most / 4;
std::uint64_t const start = std::uint64_t{1} << 40;

/// A kind of its own for each number, known to be short for as many elements as may be.
template <int Number>
detail::range_body short_kind() {
  static auto nothing = [](std::size_t, std::size_t) {};
  detail::range_body const body(nothing);
  body.took(1'000'000, start, start + brief, at_most);
  REQUIRE(body.at_once() == detail::range_body::most_at_once);
  return body;
}

}  // namespace

TEST_CASE("a kind of loop is run at once when it was short", "[range]") {
  auto nothing = [](std::size_t, std::size_t) {};
  detail::range_body const body(nothing);
  CHECK(body.at_once() == 2);
  body.took(100, start, start + 8 * brief, at_most);
  CHECK(body.at_once() == 2);
  body.took(10, start, start + brief, at_most);
  CHECK(body.at_once() >= 30);
  CHECK(body.at_once() <= 40);
  body.took(10, start, start + 2 * brief, at_most);  // no reason to trust it less
  CHECK(body.at_once() >= 30);
}

TEST_CASE("one short delay is forgiven, a second one soon after it is not", "[range]") {
  auto const body = short_kind<1>();
  body.was_long(start, start + 8 * brief);
  CHECK(body.at_once() == detail::range_body::most_at_once);
  body.was_long(start + 9 * brief, start + 17 * brief);
  CHECK(body.at_once() == 2);
  body.took(10, start + 20 * brief, start + 21 * brief, at_most);
  CHECK(body.at_once() == 2);
  body.took(10, start + 200 * brief, start + 201 * brief, at_most);
  CHECK(body.at_once() > 2);
}

TEST_CASE("a second short delay long after the first is forgiven too", "[range]") {
  auto const body = short_kind<2>();
  body.was_long(start, start + 8 * brief);
  body.was_long(start + 100 * brief, start + 108 * brief);
  CHECK(body.at_once() == detail::range_body::most_at_once);
}

TEST_CASE("a long delay is not forgiven for 16 times as long", "[range]") {
  auto const body = short_kind<3>();
  std::uint64_t const ms = 1000 * detail::ticks_per_us();
  body.was_long(start, start + ms);
  CHECK(body.at_once() == 2);
  body.took(10, start + 10 * ms, start + 10 * ms + brief, at_most);
  CHECK(body.at_once() == 2);
  body.took(10, start + 18 * ms, start + 18 * ms + brief, at_most);
  CHECK(body.at_once() > 2);
}

TEST_CASE("what an element of a kind took is remembered, and corrected by what is news", "[range]") {
  auto nothing = [](std::size_t, std::size_t) {};
  detail::range_body const body(nothing);
  CHECK(body.ticks_of(100) == 0);
  body.learn(0, 0);
  CHECK(body.ticks_of(100) == 0);
  body.learn(100, 1000);
  body.learn(0, 0);
  CHECK(body.ticks_of(100) == Approx(1000));
  body.learn(100, 1100);
  CHECK(body.ticks_of(100) == Approx(1000));
  body.learn(10, 10'000);
  CHECK(body.ticks_of(100) == Approx(100'000));
  body.learn(100, 100);
  CHECK(body.ticks_of(100) == Approx(100));
}

TEST_CASE("pieces that are long begin on a cache line as the whole range does", "[range]") {
  CHECK(detail::on_a_line(0, 1) == 1);
  CHECK(detail::on_a_line(100, 611) == 611);
  CHECK(detail::on_a_line(100, 612) == 576);
  CHECK(detail::on_a_line(64, 1 << 20) == 1 << 20);
  CHECK(detail::on_a_line(1, (1 << 20) + 63) == 1 << 20);
}

TEST_CASE("a kind that was worth sharing is tried alone more and more seldom", "[range]") {
  auto nothing = [](std::size_t, std::size_t) {};
  detail::range_body const body(nothing);
  unsigned const first = body.bits_between_trials();
  for (int i = 0; i != 100; ++i) body.note_trial(true);
  CHECK(body.bits_between_trials() == first + 5);
  body.note_trial(false);
  CHECK(body.bits_between_trials() == first);
}

TEST_CASE("a copy of a range body is no body that calls it", "[range]") {
  int calls = 0;
  auto count = [&calls](std::size_t, std::size_t) { ++calls; };
  detail::range_body body(count);
  detail::range_body copy(body);
  body = detail::range_body(count);
  copy(0, 1);
  CHECK(calls == 1);
  CHECK(copy.ticks_of(1) == 0);
  body.learn(1, 10);
  CHECK(copy.ticks_of(1) == 10);
}

TEST_CASE("a pool that sleeps is woken for elements of a kind that was cheap when they are dear", "[range]") {
  for (std::size_t const n : {4U, 40U, 400U}) {
    teach_that_it_is_short(n);
    probe p(n);
    p.last(std::chrono::microseconds(40'000 / n));
    CHECK(tn::test::comes_true([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      loop(p);
      return p.threads.size() == 2;
    }));
  }
}

TEST_CASE("what is held against a kind is its longest loop, whatever came to its end meanwhile", "[range]") {
  auto const body = short_kind<4>();
  std::uint64_t const ms = 1000 * detail::ticks_per_us();
  body.was_long(start, start + ms);
  CHECK(body.at_once() == 2);
  body.was_long(start, start + 100 * ms);  // one that had begun before; until 1700 ms
  body.took(10, start + 200 * ms, start + 200 * ms + brief, at_most);
  CHECK(body.at_once() == 2);
  body.was_long(start + 200 * ms, start + 201 * ms);
  body.took(10, start + 300 * ms, start + 300 * ms + brief, at_most);
  CHECK(body.at_once() == 2);
  body.took(10, start + 1800 * ms, start + 1800 * ms + brief, at_most);
  CHECK(body.at_once() > 2);
}

TEST_CASE("loops that were short run each element once when they are long", "[range]") {
  for (std::size_t const n : {3U, 4U, 15U, 16U, 17U, 100U, 1023U, 1024U, 4096U, 4097U}) {
    teach_that_it_is_short(n);
    probe p(n);
    for (std::size_t i = 0; i < n; i += 7) p.elements[i].lasts = std::chrono::microseconds(i % 50);
    for (int round = 1; round != 20; ++round) {
      loop(p);
      for (element const& e : p.elements) REQUIRE(e.runs == round);
    }
  }
}

TEST_CASE("loops that were short are shared when they are long", "[range]") {
  for (std::size_t const n : {4U, 10U, 100U}) {
    teach_that_it_is_short(n);
    probe p(n);
    p.last(std::chrono::microseconds(500));
    CHECK(tn::test::comes_true([&] {
      loop(p);
      return p.threads.size() == 2;
    }));
  }
}

TEST_CASE("short loops throw what a serial loop throws first, and run what lies before it", "[range]") {
  for (std::size_t const n : {3U, 20U, 100U}) {
    for (std::size_t const at : {std::size_t{0}, n / 2, n - 1}) {
      teach_that_it_is_short(n);
      probe p(n);
      for (int round = 1; round != 10; ++round) {
        CHECK_THROWS_WITH(loop(p, at), std::to_string(at));
        for (std::size_t i = 0; i <= at; ++i) REQUIRE(p.elements[i].runs == round);
      }
    }
  }
}

TEST_CASE("short loops nest", "[range]") {
  std::vector<std::vector<int>> rows(50, std::vector<int>(50));
  for (int round = 1; round != 200; ++round) {
    tn::for_each(tn::par, rows, [](std::vector<int>& row) { tn::for_each(tn::par, row, [](int& x) { ++x; }); });
    for (auto const& row : rows)
      for (int const x : row) REQUIRE(x == round);
  }
}

TEST_CASE("a tree of loops over few children is shared although its lowest loops are short", "[range]") {
  struct tree {
    std::atomic<int> leaves{0};
    std::mutex mutex;
    std::set<std::thread::id> threads;
    void visit(int depth) {
      if (depth == 0) {
        if (++leaves % 64 != 0) return;
        std::lock_guard const hold(mutex);
        threads.insert(std::this_thread::get_id());
        return;
      }
      int children[3] = {depth - 1, depth - 1, depth - 1};
      tn::for_each(tn::par, children, [this](int d) { visit(d); });
    }
  };
  tn::thread_pool pool{2};
  int rounds = 0;
  tree t;
  CHECK(tn::test::comes_true([&] {
    tn::fork_join(tn::par.on(pool), [&] { t.visit(9); }, [] {});
    ++rounds;
    return t.threads.size() == 2;
  }));
  CHECK(t.leaves == rounds * 19683);
}

TEST_CASE("short loops keep to the alignment, and no piece of them is empty", "[range]") {
  auto const policy = tn::par.workers(2);
  for (std::size_t const alignment : {1U, 7U, 64U})
    for (std::size_t const n : {3U, 7U, 8U, 64U, 65U, 200U, 1024U, 3000U}) {
      std::atomic<int> wrong{0};
      for (int round = 0; round != 200; ++round)
        policy.backend().for_range(policy.props(), n, alignment, [&](std::size_t begin, std::size_t end) {
          if (begin >= end || end > n || begin % alignment != 0 || (end % alignment != 0 && end != n)) ++wrong;
        });
      CHECK(wrong == 0);
    }
}

namespace {

/// Runs a range of this kind on the default pool.
void split(detail::range_body body, std::size_t n, std::size_t grain, std::size_t alignment) {
  detail::call_scope const scope(detail::default_pool());
  detail::run_control unwatched({}, {});
  detail::split_range(scope.self(), n, grain, alignment, unwatched, body);
}

}  // namespace

TEST_CASE("pieces of long ranges keep to the alignment, however cheap elements are", "[range]") {
  for (std::size_t const alignment : {9U, 100U, 1000U, 4096U})
    for (std::size_t const n : {10'000U, 300'000U, 1'000'001U}) {
      std::atomic<int> wrong{0};
      std::atomic<std::size_t> ran{0};
      for (int round = 0; round != 20; ++round)
        tn::par.backend().for_range(tn::par.props(), n, alignment, [&](std::size_t begin, std::size_t end) {
          if (begin >= end || end > n || begin % alignment != 0 || (end % alignment != 0 && end != n)) ++wrong;
          ran += end - begin;
        });
      CHECK(wrong == 0);
      CHECK(ran == 20 * n);
    }
}

TEST_CASE("a range of few blocks is cut between them, whatever it is known to cost", "[range]") {
  for (std::size_t const alignment : {64U, 4096U})
    for (std::size_t const blocks : {2U, 3U, 4U, 5U})
      for (std::uint64_t const us : {1U, 3U, 10U, 100U, 1000U}) {
        std::size_t const n = blocks * alignment;
        std::atomic<std::size_t> longest{0}, ran{0};
        auto piece = [&](std::size_t begin, std::size_t end) {
          ran += end - begin;
          if (end - begin > longest) longest = end - begin;
        };
        detail::range_body const body(piece);
        body.learn(n, us * detail::ticks_per_us());
        split(body, n, 1, alignment);
        CHECK(longest == alignment);
        CHECK(ran == n);
      }
}

TEST_CASE("a kind whose elements become dear is known to be dear, also if it is shared each time", "[range]") {
  auto sleep = [](std::size_t begin, std::size_t end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(end - begin));
  };
  detail::range_body const body(sleep);
  body.learn(1'000'000, 1000);
  CHECK(tn::test::comes_true([&] {
    split(body, 4, 0, 1);
    return body.ticks_of(4) > static_cast<double>(1000 * detail::ticks_per_us());
  }));
}
