// master_worker whose work, results, tasks, orderings, callbacks and input fail at every point in turn.
#include "tartan/patterns/master_worker.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <random>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/pools.hpp"

namespace tn = tartan;
using tn::test::fault;
using tn::test::fragile;
using tn::test::tripwire;
using tn::test::what_comes;

namespace {

// A heap-shaped tree: task i adds 2i + 1 and 2i + 2.
constexpr int nodes = 31;
using passages = tn::test::passages<4, nodes>;
enum step { before, between, after, on_result };  // of the children that a task adds

/// Places in the order of a recursion.
std::vector<int> places() {
  std::vector<int> in_order, open{0};
  while (!open.empty()) {
    int const i = open.back();
    open.pop_back();
    in_order.push_back(i);
    for (int child : {2 * i + 2, 2 * i + 1})
      if (child < nodes) open.push_back(child);
  }
  std::vector<int> at(nodes);
  for (int place = 0; place != nodes; ++place)
    at[static_cast<std::size_t>(in_order[static_cast<std::size_t>(place)])] = place;
  return at;
}

/// Visits a node of the tree and can fail before, between and after its children were added.
auto visit(passages& all) {
  return [&all](fragile x, auto&& more) {
    int const i = all.at(before, x.value());
    for (int child : {2 * i + 1, 2 * i + 2}) {
      if (child < nodes) more(fragile(child));
      all.at(child % 2 == 1 ? between : after, i);
    }
    return x;
  };
}

template <class P>
int sum_in_order(P const& p, passages& all) {
  int sum = 0;
  for (fragile const& x : tn::master_worker(
           p, std::views::single(0) | std::views::transform([](int i) { return fragile(i); }), visit(all)))
    sum += x.value();
  return sum;
}

/// As the results come, the greatest number first: `less` may fail too.
template <class P>
int sum_as_they_come(P const& p, passages& all, tripwire& comparisons) {
  int sum = 0;
  auto const greater = [&](fragile const& a, fragile const& b) { return comparisons.pass(), a.value() > b.value(); };
  std::vector<fragile> root;
  root.emplace_back(0);
  tn::master_worker(p, root, visit(all), [&](fragile x) { sum += all.at(on_result, x.value()); }, greater);
  return sum;
}

/// f() with the tripwire at every seventh point, until it comes to its end.
template <class F>
int at_each_point(tripwire& wire, int right, F&& f) {
  int points = 0;
  for (bool over = false; !over; points += 7) {
    wire.arm(points);
    try {
      int const got = f();
      CHECK(got == right);
      over = true;
    } catch (fault const& e) {
      CHECK(e == fault{-1, -1});
    }
    CHECK(wire.sprung() != over);
    wire.disarm();
    CHECK(fragile::alive == 0);
  }
  return points;
}

constexpr int whole_sum = nodes * (nodes - 1) / 2;

}  // namespace

TEST_CASE("each task fails before, between and after it adds others", "[master_worker]") {
  tn::test::on_pools([](auto const& p) {
    tripwire comparisons;
    for (int step : {before, between, after})
      for (int i = 0; i != nodes; ++i) {
        passages all{fault{step, i}}, again{fault{step, i}};
        CHECK(what_comes([&] { return sum_in_order(p, all); }) == fault{step, i});
        CHECK(what_comes([&] { return sum_as_they_come(p, again, comparisons); }) == fault{step, i});
        CHECK(fragile::alive == 0);
      }
    passages none, no_more;
    CHECK(sum_in_order(p, none) == whole_sum);  // the pool works as ever
    CHECK(sum_as_they_come(p, no_more, comparisons) == whole_sum);
  });
}

TEST_CASE("of two tasks that fail the error of the first in order comes", "[master_worker]") {
  auto const place = places();
  std::minstd_rand random(5);
  tn::test::on_pools([&](auto const& p) {
    for (int round = 0; round != 100; ++round) {
      auto const any = [&] { return fault{static_cast<int>(random() % 3), static_cast<int>(random() % nodes)}; };
      fault const a = any(), b = any();
      // A task that fails has added none: what is below it counts no more than the task itself.
      int const at_a = place[static_cast<std::size_t>(a.item)], at_b = place[static_cast<std::size_t>(b.item)];
      fault const first = at_a < at_b || (at_a == at_b && a.step <= b.step) ? a : b;
      passages all(a, b);
      CHECK(what_comes([&] { return sum_in_order(p, all); }) == first);
      CHECK(fragile::alive == 0);
    }
  });
}

TEST_CASE("on_result fails at each result, the ordering at each comparison", "[master_worker]") {
  int most = 0;  // where many workers take every task at once there is nothing to compare
  tn::test::on_pools([&](auto const& p) {
    tripwire comparisons;
    for (int i = 0; i != nodes; ++i) {
      passages all{fault{on_result, i}};
      CHECK(what_comes([&] { return sum_as_they_come(p, all, comparisons); }) == fault{on_result, i});
      CHECK(fragile::alive == 0);
    }
    most = std::max(most, at_each_point(comparisons, whole_sum, [&] {
                      passages all;
                      return sum_as_they_come(p, all, comparisons);
                    }));
  });
  CHECK(most > 10);
}

TEST_CASE("each move of a task or a result throws", "[master_worker]") {
  tn::test::on_pools([](auto const& p) {
    int const points = at_each_point(fragile::moves, whole_sum, [&] {
      passages all;
      return sum_in_order(p, all);
    });
    CHECK(points > 2 * nodes);
    tripwire comparisons;
    at_each_point(fragile::moves, whole_sum, [&] {
      passages all;
      return sum_as_they_come(p, all, comparisons);
    });
  });
}

TEST_CASE("the input fails at each element", "[master_worker]") {
  tn::test::on_pools([](auto const& p) {
    for (int bad = 0; bad != 40; ++bad) {
      auto const input = std::views::iota(0, 40) | std::views::transform([bad](int i) {
                           if (i == bad) throw fault{7, i};
                           return i;
                         });
      CHECK(what_comes([&] { return tn::master_worker(p, input, [](int x) { return x; }).size(); }) == fault{7, bad});
    }
  });
}

TEST_CASE("try_master_worker keeps what became of each task, whatever failed", "[master_worker]") {
  tn::test::on_pools([](auto const& p) {
    for (int i = 0; i != nodes; ++i) {
      passages all{fault{between, i}};
      auto const outcomes = tn::try_master_worker(
          p, std::views::single(0) | std::views::transform([](int n) { return fragile(n); }), visit(all));
      // The subtree below i is missing.
      int below = 0;
      for (int width = 1, first = i; first < nodes; first = 2 * first + 1, width *= 2)
        below += std::min(width, nodes - first);
      CHECK(static_cast<int>(outcomes.size()) == nodes - below + 1);
      CHECK(std::ranges::count_if(outcomes, [](auto const& o) { return !o; }) == 1);
    }
    CHECK(fragile::alive == 0);
  });
}
