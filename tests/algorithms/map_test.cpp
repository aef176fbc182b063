#include "tartan/map.hpp"
#include "tartan/for_each.hpp"
#include "tartan/try_map.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <forward_list>
#include <list>
#include <memory>
#include <numeric>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/everywhere.hpp"

namespace tn = tartan;
using tn::test::everywhere;

namespace {

constexpr std::size_t lengths[] = {0, 1, 2, 3, 63, 64, 65, 255, 257, 4095, 4097, 10'007};

/// What a serial loop would throw first.
struct broken {
  int index;
};

}  // namespace

TEST_CASE("for_each changes every element once", "[for_each]") {
  everywhere([](auto const& p) {
    for (std::size_t const n : lengths)
      for (int const grain : {1, 7, 100'000}) {
        std::vector<int> v(n, 1);
        tn::for_each(p, v, [](int& x) { x += 1; });
        tn::for_each(p.grain(grain), v, [](int& x) { x *= 5; });
        REQUIRE(std::count(v.begin(), v.end(), 10) == static_cast<std::ptrdiff_t>(n));
      }
  });
}

TEST_CASE("for_each takes any input range", "[for_each]") {
  everywhere([](auto const& p) {
    std::list<int> linked(10'000);
    std::iota(linked.begin(), linked.end(), 0);
    tn::for_each(p, linked, [](int& x) { x = -x; });
    CHECK(std::accumulate(linked.begin(), linked.end(), 0L) == -49'995'000L);

    std::forward_list<int> const constant(100, 3);
    std::atomic<int> sum{0};
    tn::for_each(p, constant, [&](int const& x) { sum += x; });
    CHECK(sum == 300);

    std::istringstream stream("1 2 3 4 5");
    sum = 0;
    tn::for_each(p, std::views::istream<int>(stream), [&](int x) { sum += x; });
    CHECK(sum == 15);

    sum = 0;
    tn::for_each(p, std::vector<int>{1, 2, 3}, [&](int x) { sum += x; });
    tn::for_each(p, std::array{4, 5}, [&](int x) { sum += x; });
    CHECK(sum == 15);
  });
}

TEST_CASE("for_each walks index ranges near 2^32", "[for_each]") {
  std::uint64_t const base = (std::uint64_t{1} << 32) - 5;
  everywhere([&](auto const& p) {
    std::atomic<std::uint64_t> sum{0};
    tn::for_each(p, std::views::iota(base, base + 10), [&](std::uint64_t i) { sum += i - base; });
    CHECK(sum == 45);
  });
}

TEST_CASE("map keeps the order of its input", "[map]") {
  everywhere([](auto const& p) {
    for (std::size_t const n : lengths) {
      auto const squares = tn::map(p, std::views::iota(std::size_t{0}, n), [](std::size_t i) { return i * i; });
      REQUIRE(squares.size() == n);
      for (std::size_t i = 0; i != n; ++i) REQUIRE(squares[i] == i * i);
    }
  });
}

TEST_CASE("map returns what has no default, only moves, is over-aligned or is bool", "[map]") {
  struct exact {
    explicit exact(int v) : value(v) {}
    int value;
  };
  struct alignas(256) wide {
    int value = 0;
  };
  everywhere([](auto const& p) {
    auto const index = std::views::iota(0, 5'000);
    auto const objects = tn::map(p, index, [](int i) { return exact(i); });
    auto const pointers = tn::map(p, index, [](int i) { return std::make_unique<int>(i); });
    auto const aligned = tn::map(p, index, [](int i) { return wide{i}; });
    auto const flags = tn::map(p, index, [](int i) { return i % 3 == 0; });
    for (int i = 0; i != 5'000; ++i) {
      auto const at = static_cast<std::size_t>(i);
      REQUIRE((objects[at].value == i && *pointers[at] == i && aligned[at].value == i && flags[at] == (i % 3 == 0)));
    }
    CHECK(reinterpret_cast<std::uintptr_t>(aligned.data()) % 256 == 0);
  });
}

TEST_CASE("map decays references", "[map]") {
  everywhere([](auto const& p) {
    std::vector<std::string> const words{"a", "bc"};
    std::vector<std::string> const same =
        tn::map(p, words, [](std::string const& w) -> std::string const& { return w; });
    CHECK(same == words);
    CHECK(tn::map(p, words, &std::string::size) == std::vector<std::size_t>{1, 2});
  });
}

TEST_CASE("map_into writes in place, and says when the output is too short", "[map]") {
  everywhere([](auto const& p) {
    std::vector<int> v(1'000, 2), out(1'000);
    CHECK(tn::map_into(p, v, out, [](int x) { return x * x; }) == out.end());
    CHECK(std::count(out.begin(), out.end(), 4) == 1'000);
    tn::map_into(p, v, v, [](int x) { return x + 1; });
    CHECK(std::count(v.begin(), v.end(), 3) == 1'000);
    std::vector<bool> flags(1'000);
    tn::map_into(p, v, flags, [](int x) { return x == 3; });
    CHECK(std::count(flags.begin(), flags.end(), true) == 1'000);
    out.resize(999);
    CHECK_THROWS_AS(tn::map_into(p, v, out, [](int x) { return x; }), tn::bad_argument);
  });
}

TEST_CASE("starmap spreads tuples, pairs and arrays", "[map]") {
  everywhere([](auto const& p) {
    auto const area = [](int w, int h) { return w * h; };
    CHECK(tn::starmap(p, std::vector<std::tuple<int, int>>{{2, 3}, {4, 5}}, area) == std::vector{6, 20});
    CHECK(tn::starmap(p, std::vector<std::pair<int, int>>{{2, 3}}, area) == std::vector{6});
    CHECK(tn::starmap(p, std::vector<std::array<int, 2>>{{7, 3}}, area) == std::vector{21});
  });
}

TEST_CASE("the exception that a serial loop throws first reaches the caller, and nothing below it is skipped",
          "[errors]") {
  everywhere([](auto const& p) {
    for (int const first : {0, 1, 777, 9'999})
      for (int round = 0; round != 20; ++round) {
        std::vector<std::atomic<int>> called(10'000);
        try {
          tn::for_each(p, std::views::iota(0, 10'000), [&](int i) {
            called[static_cast<std::size_t>(i)] += 1;
            if (i >= first && i % 7 == first % 7) throw broken{i};
          });
          FAIL("nothing was thrown");
        } catch (broken const& e) {
          REQUIRE(e.index == first);
        }
        for (int i = 0; i <= first; ++i) REQUIRE(called[static_cast<std::size_t>(i)] == 1);
        for (auto const& c : called) REQUIRE(c <= 1);
      }
    CHECK(tn::map(p, std::views::iota(0, 3), [](int i) { return i; }).size() == 3);  // still usable
  });
}

TEST_CASE("map destroys what it has made when a call throws", "[map][errors]") {
  static std::atomic<int> alive{0};
  struct counted {
    explicit counted(int) { ++alive; }
    counted(counted&&) noexcept { ++alive; }
    counted& operator=(counted&&) = delete;
    ~counted() { --alive; }
  };
  everywhere([](auto const& p) {
    CHECK_THROWS_AS(static_cast<void>(tn::map(p, std::views::iota(0, 2'000),
                                              [](int i) {
                                                if (i == 1'500) throw broken{i};
                                                return counted(i);
                                              })),
                    broken);
    CHECK(alive == 0);
  });
}

TEST_CASE("try_map keeps every outcome", "[try_map]") {
  everywhere([](auto const& p) {
    auto const out = tn::try_map(p, std::views::iota(0, 1'000), [](int i) {
      if (i % 10 == 0) throw std::runtime_error("no " + std::to_string(i));
      return i;
    });
    REQUIRE(out.size() == 1'000);
    for (int i = 0; i != 1'000; ++i) {
      auto const& o = out[static_cast<std::size_t>(i)];
      REQUIRE(o.index() == static_cast<std::size_t>(i));
      if (i % 10 == 0) {
        REQUIRE_FALSE(o);
        REQUIRE(o.what() == "no " + std::to_string(i));
        REQUIRE_THROWS_AS(o.value(), std::runtime_error);
      } else {
        REQUIRE(o.value() == i);
      }
    }
    auto const nothing = tn::try_map(p, std::vector{1, 2}, [](int i) {
      if (i == 2) throw broken{2};
    });
    CHECK((nothing[0].has_value() && !nothing[1].has_value()));
    CHECK(tn::try_starmap(p, std::vector<std::pair<int, int>>{{6, 7}}, [](int a, int b) { return a * b; })[0].value() ==
          42);
  });
}

TEST_CASE("a stop skips what has not begun and is reported", "[stop]") {
  struct switchable {
    std::atomic<bool> on{false};
    [[nodiscard]] bool stop_requested() const noexcept { return on.load(); }
  };
  everywhere([](auto const& p) {
    switchable stop;
    std::atomic<int> calls{0};
    CHECK_THROWS_AS(tn::for_each(p.stop(stop).grain(1), std::views::iota(0, 100'000),
                                 [&](int i) {
                                   ++calls;
                                   if (i >= 50)
                                     stop.on = true;  // whoever comes by: the one at 50 may lose its processor for long
                                 }),
                    tn::cancelled);
    CHECK(calls < 100'000);
    switchable late;
    tn::for_each(p.stop(late), std::views::iota(0, 10), [](int) {});
    late.on = true;
    CHECK_NOTHROW(tn::for_each(p.stop(late), std::vector<int>{}, [](int) {}));  // nothing was skipped
  });
}

TEST_CASE("progress counts every element", "[progress]") {
  struct counter {
    std::atomic<std::size_t> seen{0};
    void advance(std::size_t n) { seen += n; }
  };
  everywhere([](auto const& p) {
    counter c;
    tn::for_each(p.progress(c), std::views::iota(0, 12'345), [](int) {});
    CHECK(c.seen == 12'345);
  });
}

TEST_CASE("patterns nest", "[nesting]") {
  everywhere([](auto const& p) {
    std::atomic<int> calls{0};
    tn::for_each(p, std::views::iota(0, 20), [&](int) {
      tn::for_each(tn::par, std::views::iota(0, 20),
                   [&](int) { tn::for_each(tn::par, std::views::iota(0, 20), [&](int) { ++calls; }); });
    });
    CHECK(calls == 8'000);
  });
}

namespace {

/// How many calls for `elements` elements are in flight at once, where each waits until `wanted` are, or for long.
template <class P>
int most_at_once(P const& p, int elements, int wanted) {
  std::atomic<int> now{0}, most{0};
  tn::for_each(p, std::views::iota(0, elements), [&](int) {
    int const here = ++now;
    int seen = most.load();
    while (seen < here && !most.compare_exchange_weak(seen, here)) {
    }
    tn::test::comes_true([&] { return most >= wanted; }, std::chrono::seconds(5));
    --now;
  });
  return most;
}

}  // namespace

TEST_CASE("workers(n) bounds the calls in flight, also beyond the cores", "[workers]") {
  for (int const n : {1, 2, 8}) {
    CHECK(most_at_once(tn::par.workers(n).grain(1), 24, n) == n);
    CHECK(most_at_once(tn::par.workers(n), 24, n) == n);
  }
}

TEST_CASE("as many long elements as workers run at once, a worker each", "[workers]") {
  for (int const n : {2, 3, 8, 16}) {
    int most = 0, most_with_grain = 0;
    // One that is offered to a worker who has just found other work stays with its giver: seldom.
    for (int round = 0; round != 3 && most != n; ++round) most = most_at_once(tn::par.workers(n), n, n);
    for (int round = 0; round != 3 && most_with_grain != n; ++round)
      most_with_grain = most_at_once(tn::par.workers(n).grain(1), n, n);
    CHECK(most == n);
    CHECK(most_with_grain == n);
  }
}

TEST_CASE("workers(1) holds for what is called inside", "[workers]") {
  std::atomic<bool> elsewhere{false};
  auto const me = std::this_thread::get_id();
  tn::for_each(tn::par.workers(1), std::views::iota(0, 4), [&](int) {
    tn::for_each(tn::par, std::views::iota(0, 100), [&](int) {
      if (std::this_thread::get_id() != me) elsewhere = true;
    });
  });
  CHECK_FALSE(elsewhere);
}

TEST_CASE("bad properties are refused with a sentence", "[errors]") {
  CHECK_THROWS_AS(tn::par.grain(0), tn::bad_argument);
  CHECK_THROWS_AS(tn::par.grain(-3), tn::bad_argument);
  CHECK_THROWS_AS(tn::par.workers(0), tn::bad_argument);
  CHECK_THROWS_AS(tn::par.workers(4097), tn::bad_argument);
}
