// imap and imap_unordered whose input, function, elements and loop fail at every point in turn.
#include "tartan/async/imap.hpp"

#include <atomic>
#include <cstddef>
#include <random>
#include <ranges>
#include <stdexcept>

#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/pools.hpp"

namespace tn = tartan;
using tn::test::fault;
using tn::test::fragile;

namespace {

constexpr int items = 24, window = 8;
enum step { source, function, body };
using passages = tn::test::passages<3, items>;

/// Loops over the results; how many bodies came to their end, and what ended the loop.
struct how_far {
  int bodies = 0;
  bool in_order = true;
  fault end{-1, -1};
};

template <class P>
how_far loop(P const& p, passages& all, bool ordered, int stop_after = items) {
  how_far result;
  auto const input =
      std::views::iota(0, items) | std::views::transform([&](int i) { return fragile(all.at(source, i)); });
  auto const f = [&](fragile const& x) { return fragile(all.at(function, x.value())); };
  auto const go_through = [&](auto&& results) {
    for (fragile const& x : results) {
      all.at(body, x.value());
      result.in_order = result.in_order && x.value() == result.bodies;
      if (++result.bodies == stop_after) break;
    }
  };
  try {
    if (ordered)
      go_through(tn::imap(p.in_flight(window), input, f));
    else
      go_through(tn::imap_unordered(p.in_flight(window), input, f));
  } catch (fault const& e) {
    result.end = e;
  }
  return result;
}

int count(passages const& all, step s) {
  int calls = 0;
  for (int i = 0; i != items; ++i) calls += all.seen(s, i);
  return calls;
}

}  // namespace

TEST_CASE("f fails at each element: what lies before it comes first", "[imap]") {
  tn::test::on_pools([](auto const& p) {
    for (int i = 0; i != items; ++i) {
      passages all{fault{function, i}}, any{fault{function, i}};
      how_far const ordered = loop(p, all, true);
      CHECK(ordered.end == fault{function, i});
      CHECK(ordered.bodies == i);
      CHECK(ordered.in_order);
      CHECK(count(all, function) <= i + window);
      how_far const unordered = loop(p, any, false);
      CHECK(unordered.end == fault{function, i});
      CHECK(any.seen(body, i) == 0);
      CHECK(fragile::alive == 0);
    }
    passages none;
    CHECK(loop(p, none, true).bodies == items);  // the pool works as ever
  });
}

TEST_CASE("of two elements that fail the first one's error comes", "[imap]") {
  std::minstd_rand random(9);
  tn::test::on_pools([&](auto const& p) {
    for (int round = 0; round != 50; ++round) {
      int const a = static_cast<int>(random() % items), b = static_cast<int>(random() % items);
      passages all(fault{function, a}, fault{function, b});
      how_far const result = loop(p, all, true);
      CHECK(result.end == fault{function, std::min(a, b)});
      CHECK(result.bodies == std::min(a, b));
      CHECK(fragile::alive == 0);
    }
  });
}

TEST_CASE("the input fails at each element", "[imap]") {
  tn::test::on_pools([](auto const& p) {
    for (int i = 0; i != items; ++i)
      for (bool const ordered : {true, false}) {
        passages all{fault{source, i}};
        how_far const result = loop(p, all, ordered);
        CHECK(result.end == fault{source, i});
        CHECK((!ordered || result.in_order));
        CHECK(result.bodies <= i);
        CHECK(all.seen(function, i) == 0);
        CHECK(fragile::alive == 0);
      }
  });
}

TEST_CASE("the loop is left at each element, by break and by an exception", "[imap]") {
  tn::test::on_pools([](auto const& p) {
    for (int i = 0; i != items; ++i)
      for (bool const ordered : {true, false}) {
        passages all;
        how_far const left = loop(p, all, ordered, i + 1);
        CHECK(left.end == fault{-1, -1});
        CHECK(left.bodies == i + 1);
        CHECK(count(all, source) <= i + 1 + window);
        CHECK(fragile::alive == 0);
        passages thrown{fault{body, i}};
        CHECK(loop(p, thrown, ordered).end == fault{body, i});
        CHECK(fragile::alive == 0);
      }
  });
}

TEST_CASE("each move of an element or a result throws", "[imap]") {
  tn::test::on_pools([](auto const& p) {
    for (bool const ordered : {true, false}) {
      int points = 0;
      for (bool over = false; !over; points += 2) {
        passages all;
        fragile::moves.arm(points);
        how_far const result = loop(p, all, ordered);
        over = result.end != fault{-1, -1} ? false : result.bodies == items;
        CHECK(fragile::moves.sprung() != over);
        fragile::moves.disarm();
        CHECK(fragile::alive == 0);
      }
      CHECK(points > 2 * items);
    }
  });
}

TEST_CASE("a stop comes at each element", "[imap]") {
  struct flag {
    std::atomic<bool> raised{false};
    [[nodiscard]] bool stop_requested() const { return raised.load(); }
  };
  tn::test::on_pools([](auto const& p) {
    for (int i = 0; i != items; ++i) {
      flag stop;
      int seen = 0;
      bool skipped = false;
      try {
        for (int x : tn::imap(p.stop(stop).in_flight(window), std::views::iota(0, items), [&](int y) {
               if (y == i) stop.raised = true;
               return y;
             }))
          seen += x == seen ? 1 : 1000;
      } catch (tn::cancelled const&) {
        skipped = true;
      }
      CHECK((skipped ? seen < items : seen == items));
    }
  });
}
