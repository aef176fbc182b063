#include "tartan/patterns/pipeline.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/everywhere.hpp"
#include "tartan/algorithms/map.hpp"
#include "tartan/async/submit.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;

namespace {

std::vector<int> first_numbers(int n) {
  std::vector<int> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

/// Gives 0, 1, ..., n - 1.
auto counter(int n) {
  return [i = 0, n]() mutable -> std::optional<int> {
    if (i == n) return std::nullopt;
    return i++;
  };
}

struct flag {
  std::atomic<bool> raised{false};
  [[nodiscard]] bool stop_requested() const { return raised.load(); }
};

/// Counts how many are alive, and throws from its n-th move if told so.
struct counted {
  static inline std::atomic<int> alive{0}, moves_left{-1};
  int value;
  explicit counted(int v) : value(v) { ++alive; }
  counted(counted&& other) : value(other.value) {
    if (moves_left >= 0 && moves_left-- == 0) throw std::runtime_error("move");
    ++alive;
  }
  counted& operator=(counted&&) = delete;
  ~counted() { --alive; }
};

}  // namespace

TEST_CASE("tokens leave in the order in which they came", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    for (int const n : {0, 1, 2, 3, 255, 256, 257, 10'007}) {
      auto const square = tn::parallel([](int x) { return x * x; });
      std::vector<int> seen;
      tn::pipeline(p, std::views::iota(0, n), square, tn::serial([&](int x) { seen.push_back(x); }));
      auto const expected = tn::map(tn::seq, std::views::iota(0, n), [](int x) { return x * x; });
      CHECK(seen == expected);
      CHECK(tn::pipeline(p, counter(n), square) == expected);
      CHECK(tn::pipeline(p.in_flight(7), first_numbers(n), square) == expected);
      CHECK(tn::pipeline(p.in_flight(1), counter(n), square) == expected);
      CHECK(tn::pipeline(p.grain(16), counter(n), square) == expected);
    }
  });
}

TEST_CASE("stages of every kind, one behind the other", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    int before = -1, calls = 0;
    std::atomic<int> inside{0}, most{0};
    bool in_order = true;
    auto const texts = tn::pipeline(p, std::views::iota(0, 3000), tn::serial([&](int x) {
                                      in_order = in_order && x == ++before;
                                      return x;
                                    }),
                                    tn::parallel([](int x) { return x + 1; }),
                                    tn::parallel([](int x) { return std::make_unique<int>(x); }),
                                    tn::serial_any([&](std::unique_ptr<int> x) {
                                      ++calls;
                                      return x;
                                    }),
                                    tn::parallel([&](std::unique_ptr<int> x) {
                                      int const now = ++inside;
                                      if (now > most) most = now;
                                      --inside;
                                      return x;
                                    }).width(2),
                                    tn::parallel([](std::unique_ptr<int> const& x) { return std::to_string(*x); }));
    CHECK(in_order);
    CHECK(calls == 3000);
    CHECK(most <= 2);
    REQUIRE(texts.size() == 3000);
    for (int i = 0; i != 3000; ++i) CHECK(texts[static_cast<std::size_t>(i)] == std::to_string(i + 1));
  });
  CHECK_THROWS_AS(tn::parallel([](int x) { return x; }).width(0), tn::bad_argument);
}

TEST_CASE("reduce_into folds in order", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    std::istringstream words("a bb ccc dddd");
    auto const joined =
        tn::pipeline(p, std::views::istream<std::string>(words), tn::parallel([](std::string w) { return w + "."; }),
                     tn::reduce_into(std::string(), [](std::string s, std::string const& w) { return s + w; }));
    CHECK(joined == "a.bb.ccc.dddd.");
    CHECK(tn::pipeline(p, std::vector<int>{}, tn::reduce_into(5, [](int a, int b) { return a + b; })) == 5);
  });
}

TEST_CASE("elements that lie in a range reach the first stage as they are", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    std::vector<std::unique_ptr<int>> owners;
    for (int i = 0; i != 500; ++i) owners.push_back(std::make_unique<int>(i));
    tn::pipeline(p, owners, tn::parallel([](std::unique_ptr<int>& x) { ++*x; }));
    CHECK(*owners[499] == 500);
    auto const taken = tn::pipeline(p, owners, tn::parallel([](std::unique_ptr<int>& x) { return std::move(x); }));
    CHECK(*taken[0] == 1);
    CHECK(owners[0] == nullptr);
  });
}

TEST_CASE("no more tokens than in_flight are between source and end", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    for (int const n : {1, 2, 5, 64}) {
      std::atomic<int> inside{0}, most{0};
      auto source = [&, i = 0]() mutable -> std::optional<int> {
        if (i == 2000) return std::nullopt;
        int const now = ++inside;
        if (now > most) most = now;
        return i++;
      };
      tn::pipeline(p.in_flight(n), source, tn::parallel([](int x) { return x; }), tn::serial([&](int) { --inside; }));
      CHECK(inside == 0);
      CHECK(most <= n + 1);  // the one that the source has just made
    }
  });
}

TEST_CASE("the error is that of the lowest token; what comes before it goes through, nothing behind it", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    for (int const bad : {0, 1, 100, 999}) {
      int through = 0;
      auto const run = [&](auto where, auto&& source) {
        through = 0;
        tn::pipeline(p, source, tn::parallel([&](int x) {
                       if (where == 1 && (x == bad || x == bad + 3)) throw std::domain_error(std::to_string(x));
                       return std::make_unique<int>(x);
                     }),
                     tn::serial([&](std::unique_ptr<int> x) {
                       if (where == 2 && *x >= bad) throw std::domain_error(std::to_string(*x));
                       return x;
                     }),
                     tn::parallel([](std::unique_ptr<int> x) { return x; }),
                     tn::serial([&](std::unique_ptr<int> const& x) { through += *x == through ? 1 : 1'000'000; }));
      };
      for (int where : {1, 2}) {
        CHECK_THROWS_WITH(run(where, std::views::iota(0, 1000)), std::to_string(bad));
        CHECK(through == bad);
        CHECK_THROWS_WITH(run(where, counter(1000)), std::to_string(bad));
        CHECK(through == bad);
      }
      auto const throwing = [i = 0, bad]() mutable -> std::optional<int> {
        if (i == bad) throw std::domain_error("source");
        return i++;
      };
      CHECK_THROWS_WITH(run(0, std::decay_t<decltype(throwing)>(throwing)), "source");
      CHECK(through == bad);
    }
  });
}

TEST_CASE("an endless source ends with the first error or a stop", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    auto const fails = tn::serial([](int x) {
      if (x == 5000) throw std::domain_error("enough");
    });
    CHECK_THROWS_WITH(tn::pipeline(p, std::views::iota(0), fails), "enough");
    flag stop;
    int seen = 0;
    auto const count = tn::serial([&](int) {
      if (++seen == 300) stop.raised = true;
    });
    CHECK_THROWS_AS(tn::pipeline(p.stop(stop), std::views::iota(0), count), tn::cancelled);
    CHECK(seen >= 300);
  });
}

TEST_CASE("nothing leaks, whatever throws", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    for (int const throwing_move : {-1, 0, 1, 2, 3, 50, 500}) {
      counted::moves_left = throwing_move;
      auto const run = [&] {
        tn::pipeline(p.in_flight(50), std::views::iota(0, 200), tn::parallel([](int x) { return counted(x); }),
                     tn::serial([](counted c) { return std::array<counted, 1>{counted(c.value)}; }),
                     tn::parallel([](std::array<counted, 1> c) {
                       if (c[0].value == 150) throw std::domain_error("150");
                     }));
      };
      CHECK_THROWS(run());
      CHECK(counted::alive == 0);
      counted::moves_left = -1;
    }
  });
}

TEST_CASE("a token waits for no later token", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    std::atomic<int> through{0};
    bool waited = false;
    auto source = [&, i = 0]() mutable -> std::optional<int> {
      if (i == 20) return std::nullopt;
      // All before it must get through while this call goes on.
      waited = waited || !tn::test::comes_true([&] { return through == i; });
      return i++;
    };
    if (p.backend().width(p.props()) == 1) return;  // there the one before is through when the next is asked for
    tn::pipeline(p, source, tn::parallel([](int x) { return x; }), tn::serial([&](int) { ++through; }));
    CHECK(!waited);
    CHECK(through == 20);
  });
}

/// An input range of 0, 1, ..., n - 1 that can be passed once: what is made by `make` when it is wanted.
template <class Make>
struct once {
  struct iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;
    once* range;
    int operator*() const { return range->at; }
    iterator& operator++() { return range->make(++range->at), *this; }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return range->at == range->n; }
  };
  int n;
  Make make;
  int at = 0;
  iterator begin() { return make(0), iterator{this}; }
  static std::default_sentinel_t end() { return {}; }
};
template <class Make>
once(int, Make) -> once<Make>;

TEST_CASE("tokens that come in bursts wait for no later token, and keep their order", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    if (p.backend().width(p.props()) == 1) return;
    for (int const burst : {1, 3, 40, 1000}) {
      std::atomic<int> through{0};
      bool waited = false;
      // So many come at once, then none until they are through: what was taken together must not be kept back.
      auto const wait = [&](int i) {
        if (i % burst == 0) waited = waited || !tn::test::comes_true([&] { return through == i; });
      };
      auto const count = tn::serial([&](int x) { through = x == through ? x + 1 : -1; });
      int const n = burst == 1000 ? 5000 : 10 * burst;
      auto source = [&, i = 0]() mutable -> std::optional<int> {
        wait(i);
        if (i == n) return std::nullopt;
        return i++;
      };
      tn::pipeline(p, source, tn::parallel([](int x) { return x; }), count);
      CHECK(through == n);
      through = 0;
      tn::pipeline(p.in_flight(100), once{n, wait}, tn::parallel([](int x) { return x; }), count);
      CHECK(through == n);
      CHECK(!waited);
    }
  });
}

TEST_CASE("tokens in bursts while all other threads of the pool are busy", "[pipeline]") {
  tn::thread_pool pool{2};
  auto const p = tn::par.on(pool);
  std::atomic<bool> over{false};
  std::atomic<int> begun{0};
  std::vector<tn::future<void>> busy;
  for (int i = 0; i != 2; ++i)
    busy.push_back(tn::submit(p, [&] {
      ++begun;
      static_cast<void>(tn::test::comes_true([&] { return over.load(); }, 60s));
    }));
  bool const ready = tn::test::comes_true([&] { return begun != 0; });
  std::atomic<int> through{0};
  bool waited = false;
  auto source = [&, i = 0]() mutable -> std::optional<int> {
    if (i % 100 == 0) waited = waited || !tn::test::comes_true([&] { return through == i; });
    if (i == 3000) return std::nullopt;
    return i++;
  };
  tn::pipeline(p, source, tn::parallel([](int x) { return x; }), tn::serial([&](int) { ++through; }));
  over = true;
  for (auto& f : busy) f.get();
  CHECK(ready);
  CHECK(!waited);
  CHECK(through == 3000);
}

TEST_CASE("a source that throws after a burst: what it gave goes through, nothing leaks", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    for (int const bad : {1, 64, 100, 2500}) {
      int seen = 0;
      auto const make = [&](int i) {
        if (i == bad) throw std::domain_error("source");
      };
      auto const run = [&] {
        tn::pipeline(p, once{10'000, make}, tn::parallel([](int x) { return counted(x); }),
                     tn::serial([&](counted const& c) { seen += c.value == seen ? 1 : 1'000'000; }));
      };
      CHECK_THROWS_WITH(run(), "source");
      CHECK(seen == bad);
      CHECK(counted::alive == 0);
    }
  });
}

TEST_CASE("an error while others wait at the source ends the pipeline when the source comes back", "[pipeline]") {
  tn::test::everywhere([](auto const& p) {
    if (p.backend().width(p.props()) == 1) return;
    std::atomic<bool> failed{false};
    bool came = true;
    std::atomic<int> alive{0};
    auto source = [&, i = 0]() mutable -> std::optional<std::shared_ptr<int>> {
      if (i == 500) came = tn::test::comes_true([&] { return failed.load(); });  // nobody else can end this
      ++alive;
      return std::shared_ptr<int>(new int(i++), [&](int const* x) { --alive, delete x; });
    };
    auto const fails = tn::parallel([&](std::shared_ptr<int> const& x) {
      if (*x == 499) failed = true, throw std::domain_error("499");
    });
    CHECK_THROWS_WITH(tn::pipeline(p, source, fails), "499");
    CHECK(came);
    CHECK(alive == 0);
  });
}

TEST_CASE("patterns inside of stages, and pipelines inside of pipelines", "[pipeline]") {
  tn::thread_pool lone{1};
  auto const nested = [](auto const& p) {
    auto const inner = [&](int n) {
      return tn::pipeline(p, std::views::iota(0, n), tn::parallel([](int x) { return x; }),
                          tn::reduce_into(0, std::plus<>{}));
    };
    auto const mapped = [&](int n) {
      auto const all = tn::map(p, std::views::iota(0, n), [](int x) { return x; });
      return std::accumulate(all.begin(), all.end(), 0);
    };
    return tn::pipeline(p, std::views::iota(0, 100),
                        tn::serial([&](int x) { return mapped(x) == x * (x - 1) / 2 ? x : -1; }), tn::parallel(inner),
                        tn::reduce_into(0, std::plus<>{}));
  };
  tn::test::everywhere([&](auto const& p) { CHECK(nested(p) == 161'700); });
  CHECK(nested(tn::par.on(lone)) == 161'700);
}

TEST_CASE("progress counts tokens that are through", "[pipeline]") {
  struct sink {
    std::atomic<std::size_t> total{0};
    void advance(std::size_t n) { total += n; }
  } bar;
  tn::test::everywhere([&](auto const& p) {
    bar.total = 0;
    tn::pipeline(p.progress(bar), std::views::iota(0, 1000), tn::parallel([](int x) { return x; }));
    CHECK(bar.total == 1000);
  });
}

TEST_CASE("random pipelines keep order, bounds and the first error", "[pipeline]") {
  std::minstd_rand random(7);
  auto const below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round != 200; ++round) {
    int const n = below(300), bad = below(3) == 0 ? below(300) : n, slow = below(4);
    int seen = 0;
    auto const source = [&, i = 0]() mutable -> std::optional<int> {
      if (i == n) return std::nullopt;
      if (slow == 3 && i % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(i % 100));
      return i++;
    };
    auto const run = [&] {
      auto from = source;
      tn::pipeline(tn::par.workers(below(20) == 0 ? 64 : 1 + below(8)).in_flight(1 + below(40)), from,
                   tn::parallel([&](int x) {
                     if (slow == 2 && x % 11 == 0) std::this_thread::sleep_for(std::chrono::microseconds(x));
                     if (x == bad) throw std::domain_error("bad");
                     return x;
                   }),
                   tn::serial_any([](int x) { return x; }), tn::parallel([&](int x) {
                                                              if (slow == 1 && x % 5 == 0) std::this_thread::yield();
                                                              return x;
                                                            }).width(1 + below(3)),
                   tn::serial([&](int x) { seen += x == seen ? 1 : 1'000'000; }));
    };
    if (bad < n)
      CHECK_THROWS_WITH(run(), "bad");
    else
      CHECK_NOTHROW(run());
    CHECK(seen == std::min(bad, n));
  }
}

TEST_CASE("many short pipelines come to their end", "[pipeline]") {
  for (int round = 0; round != 300; ++round) {
    int sum = 0;
    tn::pipeline(tn::par.workers(3), std::views::iota(0, round), tn::parallel([](int x) { return x; }),
                 tn::serial_any([](int x) { return x; }), tn::serial([&](int x) { sum += x; }));
    CHECK(sum == round * (round - 1) / 2);
  }
}
