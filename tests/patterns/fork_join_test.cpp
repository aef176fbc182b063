#include "tartan/patterns/fork_join.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/policies.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

struct alignas(128) wide {
  double value;
};

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised; }
};

struct counter {
  std::atomic<std::size_t> total{0};
  void advance(std::size_t n) { total += n; }
};

struct counted {  // every object that is made must also go
  inline static std::atomic<int> alive{0};
  counted() { ++alive; }
  counted(counted&&) noexcept { ++alive; }
  counted(counted const&) = delete;
  counted& operator=(counted const&) = delete;
  ~counted() { --alive; }
};

template <class P>
long fibonacci(P const& p, int n) {
  if (n < 2) return n;
  auto [a, b] = tn::fork_join(p, [&] { return fibonacci(p, n - 1); }, [&] { return fibonacci(p, n - 2); });
  return a + b;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("fork_join returns the results in the order of the functions", "", test::shipping_policies) {
  auto const p = TestType::make();
  auto [two, text] = tn::fork_join(p, [] { return 2; }, [] { return std::string("two"); });
  CHECK(two == 2);
  CHECK(text == "two");
  auto const five = tn::fork_join(
      p, [] { return 'a'; }, [] { return 2; }, [] { return 3L; }, [] { return 4.0; },
      [] { return std::string("five"); });
  CHECK(five == std::tuple('a', 2, 3L, 4.0, std::string("five")));
}

TEMPLATE_LIST_TEST_CASE("fork_join makes void a monostate, and nothing of nothing", "", test::shipping_policies) {
  auto const p = TestType::make();
  auto const nothing = [] {};
  auto [first, second] = tn::fork_join(p, nothing, [] { return 2; });
  CHECK(first == std::monostate{});
  CHECK(second == 2);
  auto [a, b, c] = tn::fork_join(p, [] { return 1; }, nothing, nothing);
  CHECK(a == 1);
  CHECK(b == c);
  STATIC_REQUIRE(std::is_void_v<decltype(tn::fork_join(p, nothing, nothing))>);
  STATIC_REQUIRE(std::is_void_v<decltype(tn::fork_join(p, nothing, nothing, nothing))>);
  tn::fork_join(p, nothing, nothing, nothing);
}

TEMPLATE_LIST_TEST_CASE("fork_join carries references, and what only moves or needs alignment", "",
                        test::shared_policies) {
  auto const p = TestType::make();
  int x = 1, y = 2, z = 3;
  auto [rx, ry] = tn::fork_join(p, [&]() -> int& { return x; }, [&]() -> int const& { return y; });
  STATIC_REQUIRE(std::is_same_v<decltype(rx), int&>);
  CHECK(&rx == &x);
  CHECK(&ry == &y);
  auto three = tn::fork_join(
      p, [&]() -> int& { return x; }, [&] { return std::make_unique<int>(7); }, [&]() -> int& { return z; });
  CHECK(&std::get<0>(three) == &x);
  CHECK(*std::get<1>(three) == 7);
  CHECK(&std::get<2>(three) == &z);
  auto [w, u] = tn::fork_join(p, [] { return wide{1.5}; }, [] { return std::make_unique<int>(5); });
  CHECK(reinterpret_cast<std::uintptr_t>(&w) % 128 == 0);
  CHECK(w.value == 1.5);
  CHECK(*u == 5);
  auto mover = [held = std::make_unique<int>(9)]() mutable { return std::move(held); };
  auto [m, n] = tn::fork_join(p, std::move(mover), [] { return 0; });
  CHECK(*m == 9);
  CHECK(n == 0);
}

TEMPLATE_LIST_TEST_CASE("fork_join gives const values without their const", "", test::shipping_policies) {
  auto const p = TestType::make();
  auto const text = []() -> std::string const { return "a text that lies outside of its string"; };
  auto const one = [] { return 1; };
  auto const two = tn::fork_join(p, text, text);
  STATIC_REQUIRE(std::is_same_v<decltype(two), std::pair<std::string, std::string> const>);
  CHECK(two == std::pair(text(), text()));
  auto const three = tn::fork_join(p, one, text, text);
  STATIC_REQUIRE(std::is_same_v<decltype(three), std::tuple<int, std::string, std::string> const>);
  CHECK(three == std::tuple(1, text(), text()));
  auto const temporaries = tn::fork_join(p, decltype(text)(), decltype(text)());
  CHECK(temporaries == two);
}

TEMPLATE_LIST_TEST_CASE("fork_join gives const values that only move without their const", "", test::shared_policies) {
  auto const p = TestType::make();
  auto const seven = []() -> std::unique_ptr<int> const { return std::make_unique<int>(7); };
  auto const slow = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // lets another worker take what lies beside it
    return seven();
  };
  flag stop;
  for (auto const& each : {p, p.stop(stop)}) {
    auto two = tn::fork_join(each, slow, seven);
    STATIC_REQUIRE(std::is_same_v<decltype(two), std::pair<std::unique_ptr<int>, std::unique_ptr<int>>>);
    CHECK(*two.first + *two.second == 14);
    auto four = tn::fork_join(each, seven, slow, slow, seven);
    CHECK(*std::get<0>(four) + *std::get<1>(four) + *std::get<2>(four) + *std::get<3>(four) == 28);
    auto copied = tn::fork_join(
        each, [held = 8] { return held; }, []() -> std::unique_ptr<int> const { return std::make_unique<int>(9); });
    CHECK(copied.first + *copied.second == 17);
  }
}

TEMPLATE_LIST_TEST_CASE("fork_join rethrows the leftmost function's exception and stays usable", "",
                        test::all_policies) {
  auto const p = TestType::make();
  auto const good = [] { return 1; };
  auto const bad = [](char const* what) { return [what]() -> int { throw std::out_of_range(what); }; };
  auto const slow_bad = []() -> int {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    throw std::out_of_range("late");
  };
  for (int round = 0; round != 20; ++round) {
    CHECK_THROWS_WITH(tn::fork_join(p, slow_bad, bad("right")), "late");
    CHECK_THROWS_WITH(tn::fork_join(p, good, slow_bad, bad("third"), good), "late");
    CHECK_THROWS_WITH(tn::fork_join(p, good, good, good, bad("fourth")), "fourth");
    CHECK_THROWS_AS(tn::fork_join(p, good, bad("right")), std::out_of_range);
  }
  auto [a, b] = tn::fork_join(p, good, good);
  CHECK(a + b == 2);
}

TEMPLATE_LIST_TEST_CASE("fork_join returns after every function that it began, and drops their results", "",
                        test::shared_policies) {
  auto const p = TestType::make();
  for (int round = 0; round != 50; ++round) {
    std::atomic<int> running{0};
    auto const task = [&] {
      ++running;
      counted c;
      std::this_thread::yield();
      --running;
      return c;
    };
    auto const thrower = [&]() -> counted { throw std::runtime_error("no"); };
    CHECK_THROWS(tn::fork_join(p, task, thrower, task, task));
    CHECK(running == 0);
    CHECK_THROWS(tn::fork_join(p, thrower, task));
    CHECK(running == 0);
    CHECK(counted::alive == 0);
  }
}

TEMPLATE_LIST_TEST_CASE("fork_join runs inside itself", "", test::shared_policies) {
  CHECK(fibonacci(TestType::make(), 18) == 2584);
}

TEMPLATE_LIST_TEST_CASE("fork_join looks at a stop and tells the progress", "", test::all_policies) {
  auto const p = TestType::make();
  flag stop;
  counter done;
  auto const watched = p.stop(stop).progress(done);
  auto [one, two] = tn::fork_join(watched, [] { return 1; }, [] { return 2L; });
  CHECK(one + two == 3);
  CHECK(done.total == 2);
  auto const [a, b, c] = tn::fork_join(watched, [] { return 1; }, [] {}, [] { return 3; });
  CHECK(a + c == 4);
  CHECK(b == std::monostate{});
  stop.raised = true;
  CHECK_THROWS_AS(tn::fork_join(watched, [] { return 1; }, [] { return 2; }), tn::cancelled);
  CHECK_THROWS_AS(tn::fork_join(watched, [] {}, [] {}, [] {}), tn::cancelled);
  CHECK(done.total == 5);
}

TEST_CASE("fork_join runs two functions at the same time on two workers") {
  std::atomic<int> here{0};
  auto const meet = [&] {  // ends only when both have come; bounded, so that a failure is one
    ++here;
    return test::comes_true([&] { return here == 2; });
  };
  auto [a, b] = tn::fork_join(tn::par.workers(2), meet, meet);
  CHECK(a);
  CHECK(b);
}

namespace {

std::atomic<int> leaves_run{0}, first_bad{0};  // not captured, so that the functions below are of one word

/// A tree of forks of small temporaries, of `const` members too; leaves from first_bad on throw their number.
counted small_tree(int const depth, int const leaf) {
  if (depth == 0) {
    ++leaves_run;
    if (leaf >= first_bad) throw leaf;
    return counted();
  }
  auto [left, right] = tn::fork_join(
      tn::par, [depth, leaf] { return small_tree(depth - 1, 2 * leaf); },
      [depth, leaf]() mutable { return small_tree(depth - 1, 2 * leaf + 1); });
  return std::move(left);
}

}  // namespace

TEST_CASE("fork_join of small temporaries loses no result and no exception") {
  constexpr int depth = 10, leaves = 1 << depth;
  for (unsigned const workers : {1U, 2U, 8U, 16U}) {
    tn::thread_pool pool(workers);
    for (int const bad : {leaves, leaves - 1, leaves / 2, 1, 0}) {
      first_bad = bad;
      leaves_run = 0;
      int lowest = leaves;
      try {
        tn::fork_join(tn::par.on(pool), [] { static_cast<void>(small_tree(depth, 0)); }, [] {});
      } catch (int leaf) {
        lowest = leaf;
      }
      CHECK(lowest == bad);
      CHECK(counted::alive == 0);
      if (bad == leaves) CHECK(leaves_run == leaves);
    }
  }
}

namespace {
int plain_one() { return 1; }
int plain_two() { return 2; }
struct explicit_copy {
  explicit_copy() = default;
  explicit explicit_copy(explicit_copy const&) = default;
  int operator()() const { return 1; }
};
struct no_move {
  no_move() = default;
  no_move(no_move const&) = default;
  no_move(no_move&&) = delete;
  int operator()() const { return 1; }
};
}  // namespace

TEMPLATE_LIST_TEST_CASE("fork_join takes functions by name, and what does not copy or move as others do", "",
                        test::shared_policies) {
  flag stop;
  auto const calls = [](auto const& p) {
    CHECK(tn::fork_join(p, plain_one, &plain_two) == std::pair(1, 2));
    CHECK(tn::fork_join(p, plain_one, plain_two, plain_one) == std::tuple(1, 2, 1));
    CHECK(tn::fork_join(p, explicit_copy{}, no_move{}) == std::pair(1, 1));
    CHECK(tn::fork_join(p, explicit_copy{}, no_move{}, plain_two) == std::tuple(1, 1, 2));
  };
  calls(TestType::make());
  calls(TestType::make().stop(stop));
}

TEST_CASE("fork_join copies small temporaries, and only those") {
  struct empty {
    int operator()() const { return 1; }
  };
  auto const constant = [k = 2] { return k; };
  auto state = [k = 0]() mutable { return ++k; };
  CHECK(tn::fork_join(tn::par, empty{}, [k = 4]() mutable { return ++k; }) == std::pair(1, 5));
  CHECK(tn::fork_join(tn::par, constant, std::move(constant)) == std::pair(2, 2));
  CHECK(tn::fork_join(tn::par, empty{}, state).second == 1);
  CHECK(state() == 2);  // the caller's own object ran
  struct by_const {
    int operator()() { return 1; }
    int operator()() const { return 2; }
  };
  by_const const unchanging{};
  CHECK(tn::fork_join(tn::par, std::move(unchanging), by_const{}) == std::pair(2, 1));
}
