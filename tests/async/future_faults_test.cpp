// Futures whose elements, continuations, callbacks and results fail at every point in turn.
#include "tartan/as_completed.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/faults.hpp"
#include "support/numbers.hpp"
#include "support/pools.hpp"

namespace tn = tartan;
using tn::test::fault;
using tn::test::fragile;
using tn::test::what_comes;

namespace {

constexpr int items = 16;
using passages = tn::test::passages<1, items>;

/// Counts what reaches the handler of unhandled errors while it lives.
class unhandled_faults {
 public:
  unhandled_faults() : before_(tn::set_unhandled([](std::exception_ptr) { ++count(); })) { count() = 0; }
  unhandled_faults(unhandled_faults const&) = delete;
  unhandled_faults& operator=(unhandled_faults const&) = delete;
  ~unhandled_faults() { tn::set_unhandled(before_); }
  static std::atomic<int>& count() {
    static std::atomic<int> n{0};
    return n;
  }

 private:
  tn::unhandled_handler before_;
};

/// One submitted call for each item.
template <class P>
std::vector<tn::future<int>> submit_all(P const& p, passages& all) {
  std::vector<tn::future<int>> futures;
  for (int i = 0; i != items; ++i) futures.push_back(tn::submit(p, [&all, i] { return all.at(0, i); }));
  return futures;
}

}  // namespace

TEST_CASE("map_async: each element fails, of two the first one's error comes", "[future]") {
  auto const v = tn::test::numbers(items);
  std::minstd_rand random(4);
  tn::test::on_pools([&](auto const& p) {
    for (int i = 0; i != items; ++i) {
      int const other = static_cast<int>(random() % items);
      passages all(fault{0, i}, fault{0, other});
      auto squares = tn::map_async(p, v, [&](int x) { return fragile(all.at(0, x)); });
      CHECK(what_comes([&] { return squares.get().size(); }) == fault{0, std::min(i, other)});
      passages pairwise(fault{0, i}, fault{0, other});
      std::vector<std::pair<int, int>> pairs;
      for (int x : v) pairs.emplace_back(x, 1);
      auto products = tn::starmap_async(p, pairs, [&](int a, int b) { return pairwise.at(0, a * b); });
      CHECK(what_comes([&] { return products.get().size(); }) == fault{0, std::min(i, other)});
      CHECK(fragile::alive == 0);
    }
  });
}

TEST_CASE("map_async: each move of a result throws", "[future]") {
  auto const v = tn::test::numbers(items);
  tn::test::on_pools([&](auto const& p) {
    for (int points = 0, over = 0; over == 0; points += 2) {
      fragile::moves.arm(points);
      fault const came = what_comes([&] { return tn::map_async(p, v, [](int x) { return fragile(x); }).get().size(); });
      over = came == fault{-2, -2} ? 1 : 0;
      CHECK(fragile::moves.sprung() == (over == 0));
      fragile::moves.disarm();
      CHECK(fragile::alive == 0);
    }
  });
}

TEST_CASE("then: each link of a chain fails, those behind it are passed by", "[future]") {
  tn::test::on_pools([](auto const& p) {
    for (int bad = 0; bad != items; ++bad) {
      passages all{fault{0, bad}};
      auto chain = tn::submit(p, [&] { return fragile(all.at(0, 0)); });
      for (int i = 1; i != items; ++i)
        chain = std::move(chain).then([&all, i](fragile x) { return fragile(all.at(0, i) + 0 * x.value()); });
      CHECK(what_comes([&] { return chain.get().value(); }) == fault{0, bad});
      for (int i = 0; i != items; ++i) CHECK(all.seen(0, i) == (i <= bad ? 1 : 0));
      CHECK(fragile::alive == 0);
    }
  });
}

TEST_CASE("on_done: what each callback throws goes to the handler, the others are called", "[future]") {
  unhandled_faults const handled;
  tn::test::on_pools([](auto const& p) {
    for (bool const ready : {false, true})
      for (int bad = 0; bad != items; ++bad) {
        unhandled_faults::count() = 0;
        std::atomic<bool> go{ready};
        std::atomic<int> calls{0};
        auto f = tn::submit(p, [&] {
          while (!go) std::this_thread::yield();
          return 5;
        });
        if (ready) f.wait();
        for (int i = 0; i != items; ++i)
          f.on_done([&calls, i, bad] {
            if (++calls, i == bad) throw fault{0, i};
          });
        go = true;
        CHECK(f.get() == 5);
        CHECK(tn::test::comes_true([&] { return calls == items && unhandled_faults::count() == 1; }));
      }
  });
}

TEST_CASE("when_all, wait, as_completed and when_any: each task fails", "[future]") {
  tn::test::on_pools([](auto const& p) {
    std::minstd_rand random(6);
    for (int bad = 0; bad != items; ++bad) {
      int const other = static_cast<int>(random() % items);
      passages all(fault{0, bad}, fault{0, other});
      CHECK(what_comes([&] { return tn::when_all(submit_all(p, all)).get().size(); }) ==
            fault{0, std::min(bad, other)});

      passages waited{fault{0, bad}};
      auto futures = submit_all(p, waited);
      CHECK(tn::wait(futures, tn::return_when::first_exception) >= 1);
      CHECK(tn::wait(futures, tn::return_when::all) == static_cast<std::size_t>(items));
      int failed = 0, sum = 0;
      for (auto& done : tn::as_completed(futures)) {
        fault const came = what_comes([&] { return sum += done.get(); });
        failed += came == fault{0, bad} ? 1 : 0;
      }
      CHECK(failed == 1);
      CHECK(sum == items * (items - 1) / 2 - bad);

      passages any{fault{0, bad}};
      auto first = tn::when_any(submit_all(p, any)).get();
      fault const came = what_comes([&] { return first.get(); });
      CHECK(came == (static_cast<int>(first.index) == bad ? fault{0, bad} : fault{-2, -2}));
      for (std::size_t i = 0; i != items; ++i)
        if (i != first.index) static_cast<void>(what_comes([&] { return first.futures[i].get(); }));
    }
  });
}

TEST_CASE("as_completed: the loop is left at each future, by an exception too", "[future]") {
  tn::test::on_pools([](auto const& p) {
    for (int at = 0; at != items; ++at)
      for (bool const by_exception : {false, true}) {
        passages none;
        auto futures = submit_all(p, none);
        int seen = 0;
        fault const came = what_comes([&] {
          for (auto& done : tn::as_completed(futures)) {
            static_cast<void>(done.get());
            if (++seen <= at) continue;
            if (by_exception) throw fault{1, at};
            break;
          }
          return 0;
        });
        CHECK(came == (by_exception ? fault{1, at} : fault{-2, -2}));
        CHECK(seen == at + 1);
        int rest = 0;
        for (auto& f : futures)
          if (f.valid()) static_cast<void>(f.get()), ++rest;
        CHECK(rest == items - seen);
      }
  });
}

TEST_CASE("submit: each move of a function, its arguments and its result throws", "[future]") {
  tn::test::on_pools([](auto const& p) {
    for (int points = 0, over = 0; over == 0; ++points) {
      fragile::moves.arm(points);
      fault const came = what_comes([&] {
        return tn::submit(
                   p, [kept = fragile(1)](fragile x) { return fragile(x.value() + kept.value()); }, fragile(2))
            .get()
            .value();
      });
      over = came == fault{-2, -2} ? 1 : 0;
      CHECK(fragile::moves.sprung() == (over == 0));
      fragile::moves.disarm();
      CHECK(tn::test::comes_true([] { return fragile::alive == 0; }));
    }
    CHECK(tn::submit(p, [] { return 3; }).get() == 3);
  });
}
