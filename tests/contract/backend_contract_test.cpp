// Every clause of the backend contract on every backend. A new backend joins in support/policies.hpp.
#include "tartan/exec/backend.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/policies.hpp"
#include "support/shared_cells.hpp"

namespace tn = tartan;
namespace test = tartan::test;
using namespace std::chrono_literals;

namespace {

using list =
    decltype(std::tuple_cat(test::all_policies{}, test::further_shared_policies{}, test::further_remote_policies{}));
using shared_list = decltype(std::tuple_cat(test::shared_policies{}, test::further_shared_policies{}));

template <class Maker>
using backend_of = typename decltype(Maker::make())::backend_type;

constexpr auto index_of = [](tn::block const& b) { return b.index; };

// One type for the works of many tests: a backend's functions are compiled anew for each type, on each backend.
using int_work = std::function<int(std::size_t)>;
using piece_work = std::function<void(std::size_t, std::size_t)>;

struct summing_progress {
  std::atomic<std::size_t> total{0};
  void advance(std::size_t n) { total += n; }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("a backend says what it is", "[contract]", list) {
  STATIC_REQUIRE(tn::backend<backend_of<TestType>>);
  auto const p = TestType::make();
  CHECK(!std::string(p.backend().name).empty());
  CHECK(p.backend().width(p.props()) >= 1);
}

TEMPLATE_LIST_TEST_CASE("C1: collect works on each block once and returns in order", "[contract]", list) {
  auto const p = TestType::make();
  std::size_t const n = GENERATE(0U, 1U, 2U, 3U, 64U, 257U);
  test::shared_cells calls(n + 1);
  auto const work = [&](tn::block const& b) {
    ++calls[b.index];
    return std::tuple(b.index, b.begin, b.end);
  };
  tn::block_plan const plan(3 * n, 3);
  using result = std::tuple<std::size_t, std::size_t, std::size_t>;
  auto const results =
      p.backend().template collect<result>(p.props(), plan, [](tn::block const& b) { return b; }, work);
  REQUIRE(results.size() == n);
  for (std::size_t i = 0; i != n; ++i) {
    CHECK(calls[i] == 1);
    CHECK(results[i] == result(i, 3 * i, 3 * i + 3));
  }
}

TEMPLATE_LIST_TEST_CASE("C1: slices are made on the calling side, and ranges arrive with their values", "[contract]",
                        list) {
  auto const p = TestType::make();
  std::vector<std::string> const words{"a", "bb", "ccc", "dddd", "eeeee"};
  auto const caller = std::this_thread::get_id();
  std::atomic<int> elsewhere{0};
  auto const slice = [&](tn::block const& b) {
    if (!test::shares_memory<TestType> && std::this_thread::get_id() != caller) ++elsewhere;
    return std::ranges::subrange(words.begin() + static_cast<std::ptrdiff_t>(b.begin),
                                 words.begin() + static_cast<std::ptrdiff_t>(b.end));
  };
  auto const joined = [](auto& part) {
    std::string all;
    for (std::string const& w : part) all += w;
    return all;
  };
  auto const results = p.backend().template collect<std::string>(p.props(), tn::block_plan(5, 2), slice, joined);
  CHECK(results == std::vector<std::string>{"abb", "cccdddd", "eeeee"});
  CHECK(elsewhere == 0);
}

TEMPLATE_LIST_TEST_CASE("C1: calls run at the same time where there are workers", "[contract]", list) {
  auto const p = TestType::make();
  if (p.backend().width(p.props()) < 2) return;
  test::shared_cells here(1);
  auto const meet = [&](std::size_t) {
    ++here[0];
    return test::comes_true([&] { return here[0] >= 2; });
  };
  CHECK(p.backend().template collect<bool>(p.props(), tn::block_plan(2, 1), index_of, meet) ==
        std::vector<bool>{true, true});
}

TEMPLATE_LIST_TEST_CASE("C2, C3: collect ends what it began, then rethrows the lowest block's exception", "[contract]",
                        list) {
  auto const p = TestType::make();
  for (std::size_t const first : {0U, 1U, 7U, 63U}) {
    test::shared_cells calls(64), running(1);
    int_work const work = [&](std::size_t i) {
      ++running[0];
      ++calls[i];
      if (i % 3 == 0) std::this_thread::sleep_for(100us);
      --running[0];
      if (i >= first) throw std::out_of_range(std::to_string(i));
      return 1;
    };
    CHECK_THROWS_WITH(p.backend().template collect<int>(p.props(), tn::block_plan(64, 1), index_of, work),
                      std::to_string(first));
    CHECK(running[0] == 0);
    int const after = calls.total();
    for (std::size_t i = 0; i <= first; ++i) CHECK(calls[i] == 1);
    std::this_thread::sleep_for(1ms);
    CHECK(calls.total() == after);
  }
}

TEMPLATE_LIST_TEST_CASE("C3: an exception of a slice counts as its block's", "[contract]", list) {
  auto const p = TestType::make();
  test::shared_cells calls(10);
  auto const slice = [](tn::block const& b) {
    if (b.index == 5) throw std::length_error("slice");
    return b.index;
  };
  auto const work = [&](std::size_t i) {
    ++calls[i];
    if (i > 5) throw std::out_of_range("work");
    return i;
  };
  CHECK_THROWS_AS(p.backend().template collect<std::size_t>(p.props(), tn::block_plan(10, 1), slice, work),
                  std::length_error);
  for (std::size_t i = 0; i != 5; ++i) CHECK(calls[i] == 1);
}

TEMPLATE_LIST_TEST_CASE("C3: exceptions keep their type and text", "[contract]", list) {
  auto const p = TestType::make();
  auto const throwing = [&]<class E>(E const& e) {
    int_work const work = [&](std::size_t) -> int { throw e; };
    return p.backend().template collect<int>(p.props(), tn::block_plan(1, 1), index_of, work);
  };
  CHECK_THROWS_AS(throwing(std::invalid_argument("x")), std::invalid_argument);
  CHECK_THROWS_WITH(throwing(std::domain_error("a domain")), "a domain");
  CHECK_THROWS_AS(throwing(tn::bad_argument("b")), tn::bad_argument);
}

TEMPLATE_LIST_TEST_CASE("C4: a stop skips what has not begun, and only then is cancelled thrown", "[contract]", list) {
  test::shared_flag stop;
  auto const p = TestType::make().stop(stop);
  constexpr std::size_t n = 500;
  {
    test::shared_cells calls(n);
    stop.raise();
    int_work const work = [&](std::size_t i) { return ++calls[i]; };
    CHECK_THROWS_AS(p.backend().template collect<int>(p.props(), tn::block_plan(n, 1), index_of, work), tn::cancelled);
    CHECK(calls.total() == 0);
    CHECK(p.backend().template collect<int>(p.props(), tn::block_plan(0, 1), index_of, work).empty());
    stop.lower();
  }
  {
    test::shared_cells calls(n);
    int_work const work = [&](std::size_t i) {
      if (i == 3) stop.raise();
      return ++calls[i];
    };
    bool threw = false;
    try {
      static_cast<void>(p.backend().template collect<int>(p.props(), tn::block_plan(n, 1), index_of, work));
    } catch (tn::cancelled const&) {
      threw = true;
    }
    CHECK(calls[3] == 1);
    CHECK(threw == (calls.total() != static_cast<int>(n)));
    stop.lower();
  }
  {
    int_work const last = [&](std::size_t i) {  // nothing is left to skip
      if (i == n - 1) stop.raise();
      return 1;
    };
    if (p.backend().width(p.props()) == 1) {
      CHECK(p.backend().template collect<int>(p.props(), tn::block_plan(n, 1), index_of, last).size() == n);
      stop.lower();
    }
  }
  {
    int_work const work = [&](std::size_t i) {
      if (i == 0) {
        stop.raise();
        throw std::runtime_error("rather this");
      }
      return 1;
    };
    CHECK_THROWS_WITH(p.backend().template collect<int>(p.props(), tn::block_plan(n, 1), index_of, work),
                      "rather this");
  }
}

TEMPLATE_LIST_TEST_CASE("C5, C6: a backend stays usable, and counts what it has done", "[contract]", list) {
  auto const p = TestType::make();
  int_work const bad = [](std::size_t) -> int { throw std::runtime_error("no"); };
  int_work const good = [](std::size_t i) { return static_cast<int>(i); };
  for (int round = 0; round != 10; ++round) {
    CHECK_THROWS(p.backend().template collect<int>(p.props(), tn::block_plan(20, 1), index_of, bad));
    summing_progress progress;
    auto const watched = p.progress(progress);
    auto const results = p.backend().template collect<int>(watched.props(), tn::block_plan(20, 3), index_of, good);
    CHECK(results == std::vector<int>{0, 1, 2, 3, 4, 5, 6});
    CHECK(progress.total == 20);
  }
}

TEMPLATE_LIST_TEST_CASE("collect runs inside itself", "[contract]", list) {
  auto const p = TestType::make();
  int_work const outer = [&](std::size_t i) {
    int_work const inner = [i](std::size_t k) { return static_cast<int>(i * k); };
    auto const all = p.backend().template collect<int>(p.props(), tn::block_plan(5, 1), index_of, inner);
    int sum = 0;
    for (int x : all) sum += x;
    return sum;
  };
  CHECK(p.backend().template collect<int>(p.props(), tn::block_plan(4, 1), index_of, outer) ==
        std::vector<int>{0, 10, 20, 30});
}

TEMPLATE_LIST_TEST_CASE("C1: for_range covers the range once, cut at the alignment", "[contract]", shared_list) {
  auto const p = TestType::make();
  std::size_t const n = GENERATE(0U, 1U, 2U, 3U, 255U, 256U, 257U, 10'007U);
  std::size_t const alignment = GENERATE(1U, 7U, 64U);
  for (std::size_t const grain : {0U, 1U, 100U}) {
    tn::properties props = p.props();
    props.grain = grain;
    std::vector<std::atomic<int>> seen(n);
    std::atomic<int> wrong{0};
    p.backend().for_range(props, n, alignment, [&](std::size_t begin, std::size_t end) {
      if (begin >= end || end > n || begin % alignment != 0 || (end % alignment != 0 && end != n)) ++wrong;
      if (grain != 0 && end - begin > (grain + alignment - 1) / alignment * alignment) ++wrong;
      for (std::size_t i = begin; i < end; ++i) ++seen[i];
    });
    CHECK(wrong == 0);
    for (auto const& s : seen)
      if (s != 1) wrong = 1;
    CHECK(wrong == 0);
  }
}

TEMPLATE_LIST_TEST_CASE("C2, C3, C5: for_range rethrows what a serial loop throws first", "[contract]", shared_list) {
  auto const p = TestType::make();
  for (int round = 0; round != 10; ++round) {
    std::atomic<int> running{0};
    std::vector<std::atomic<int>> seen(1000);
    piece_work const body = [&](std::size_t begin, std::size_t end) {
      ++running;
      for (std::size_t i = begin; i != end; ++i) {
        ++seen[i];
        if (i >= 321 && i % 3 == 0) {
          --running;
          throw std::out_of_range(std::to_string(i));
        }
      }
      --running;
    };
    CHECK_THROWS_WITH(p.backend().for_range(p.props(), 1000, 1, body), "321");
    CHECK(running == 0);
    for (std::size_t i = 0; i <= 321; ++i) CHECK(seen[i] == 1);
  }
}

TEMPLATE_LIST_TEST_CASE("C4: for_range looks at a stop between its pieces and counts elements", "[contract]",
                        shared_list) {
  test::shared_flag stop;
  summing_progress progress;
  auto const p = TestType::make().stop(stop).progress(progress);
  std::atomic<std::size_t> ran{0};
  piece_work const body = [&](std::size_t begin, std::size_t end) {
    ran += end - begin;
    if (ran > 100) stop.raise();
  };
  tn::properties props = p.props();
  props.grain = 10;
  CHECK_THROWS_AS(p.backend().for_range(props, 100'000, 1, body), tn::cancelled);
  CHECK(ran < 100'000);
  CHECK(progress.total == ran);
  stop.lower();
  p.backend().for_range(p.props(), 50, 1, piece_work([](std::size_t, std::size_t) {}));
  CHECK(progress.total == ran + 50);
}

TEMPLATE_LIST_TEST_CASE("F1, F2: fork_join returns after both, f's exception first", "[contract]", shared_list) {
  auto const p = TestType::make();
  auto const& b = p.backend();
  STATIC_REQUIRE(
      std::is_same_v<decltype(b.fork_join(p.props(), [] {}, [] { return 1L; })), std::pair<std::monostate, long>>);
  for (int round = 0; round != 50; ++round) {
    std::atomic<int> running{0}, ran{0};
    std::function<void()> const task = [&] {
      ++running;
      std::this_thread::yield();
      ++ran;
      --running;
    };
    auto const bad = [](char const* text) -> std::function<void()> {
      return [text] { throw std::runtime_error(text); };
    };
    static_cast<void>(b.fork_join(p.props(), task, task));
    CHECK(ran == 2);
    CHECK_THROWS_WITH(b.fork_join(p.props(), bad("f"), task), "f");
    CHECK(running == 0);
    CHECK_THROWS_WITH(b.fork_join(p.props(), task, bad("g")), "g");
    CHECK(running == 0);
    CHECK(ran >= 3);
    CHECK_THROWS_WITH(b.fork_join(p.props(), bad("f"), bad("g")), "f");
  }
}

TEMPLATE_LIST_TEST_CASE("spawn runs a task some time, though nobody waits", "[contract]", shared_list) {
  auto const p = TestType::make();
  auto const ran = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i != 100; ++i) p.backend().spawn(p.props(), [ran] { ++*ran; });
  CHECK(test::comes_true([&] { return *ran == 100; }));
  CHECK(test::comes_true([&] { return ran.use_count() == 1; }));
}

TEMPLATE_LIST_TEST_CASE("team runs each rank once, all at the same time", "[contract]", shared_list) {
  auto const p = TestType::make();
  STATIC_REQUIRE(tn::team_backend<backend_of<TestType>>);
  for (int round = 0; round != 20; ++round) {
    std::vector<std::atomic<int>> ranks(64);
    std::atomic<std::size_t> size{0}, arrived{0};
    std::atomic<int> wrong{0};
    p.backend().team(p.props(), [&](std::size_t rank, std::size_t n, auto& barrier) {
      ++ranks[rank];
      size = n;
      for (std::size_t turn = 1; turn != 4; ++turn) {
        ++arrived;
        barrier.arrive_and_wait();  // hangs unless all ranks run
        if (arrived != turn * n) ++wrong;
        barrier.arrive_and_wait();
      }
    });
    CHECK(wrong == 0);
    CHECK(size >= 1);
    CHECK(size <= p.backend().width(p.props()));
    for (std::size_t r = 0; r != ranks.size(); ++r) CHECK(ranks[r] == (r < size ? 1 : 0));
  }
  CHECK_THROWS_WITH(p.backend().team(p.props(), [](std::size_t rank, std::size_t,
                                                   auto&) { throw std::runtime_error(std::to_string(rank)); }),
                    "0");
}
