// Pipelines whose source, stages, tokens and stop fail at every point in turn, on one worker and on many.
#include "tartan/patterns/pipeline.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <random>
#include <ranges>
#include <vector>

#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/pools.hpp"

namespace tn = tartan;
using tn::test::fault;
using tn::test::fragile;

namespace {

constexpr int items = 12, steps = 7;
using passages = tn::test::passages<steps, items>;

/// Step 0 is the source, the others are stages; 1 and 5 and the last one of a fold are serial.
constexpr bool in_order(int step, bool folds) { return step == 1 || step == 5 || (step == 6 && folds); }

/// The sum of the items, through stages of every kind: from a range of random access by a fold, or from a function,
/// which may block, by a vector of results.
template <class P>
int sum_of(P const& p, passages& all, bool folds) {
  auto const stage = [&all](int step) { return [&all, step](fragile x) { return fragile(all.at(step, x.value())); }; };
  auto const through = [&](auto&& source, auto last) {
    return tn::pipeline(p.in_flight(8), source, tn::serial(stage(1)), tn::serial_any(stage(2)), tn::parallel(stage(3)),
                        tn::parallel(stage(4)).width(2), tn::serial(stage(5)), std::move(last));
  };
  if (folds) {
    auto const made = std::views::iota(0, items) | std::views::transform([&](int i) { return fragile(all.at(0, i)); });
    return through(made, tn::reduce_into(0, [&](int sum, fragile x) { return sum + all.at(6, x.value()); }));
  }
  auto source = [&all, i = 0]() mutable -> std::optional<fragile> {
    if (i == items) return std::nullopt;
    return std::optional<fragile>(std::in_place, all.at(0, i++));
  };
  int sum = 0;
  for (fragile const& x : through(source, tn::parallel(stage(6)))) sum += x.value();
  return sum;
}

constexpr int whole_sum = items * (items - 1) / 2;

/// What every call leaves that ended with `first`.
void check_what_was_seen(passages const& all, fault first, bool folds) {
  bool right = true;
  for (int step = 0; step != steps; ++step)
    for (int i = 0; i != items; ++i) {
      int const seen = all.seen(step, i);
      bool const must = i < first.item || (i == first.item && step <= first.step);
      bool const must_not =
          (i == first.item && step > first.step) ||
          (i > first.item && (in_order(step, folds) ? step > first.step : step == 0 && first.step == 0));
      right = right && seen <= 1 && (!must || seen == 1) && (!must_not || seen == 0);
    }
  CHECK(right);
}

template <class P>
fault what_comes(P const& p, passages& all, bool folds) {
  try {
    static_cast<void>(sum_of(p, all, folds));
  } catch (fault const& f) {
    return f;
  }
  return {-1, -1};
}

}  // namespace

TEST_CASE("each step fails at each token", "[pipeline]") {
  tn::test::on_pools([](auto const& p) {
    for (bool const folds : {false, true}) {
      for (int step = 0; step != steps; ++step)
        for (int i = 0; i != items; ++i) {
          passages all{fault{step, i}};
          CHECK(what_comes(p, all, folds) == fault{step, i});
          check_what_was_seen(all, {step, i}, folds);
          CHECK(fragile::alive == 0);
        }
      passages none;
      CHECK(sum_of(p, none, folds) == whole_sum);  // the pool works as ever
    }
  });
}

TEST_CASE("of two steps that fail the lower token's error comes, whichever is thrown first", "[pipeline]") {
  std::minstd_rand random(3);
  auto const any = [&] { return fault{static_cast<int>(random() % steps), static_cast<int>(random() % items)}; };
  tn::test::on_pools([&](auto const& p) {
    for (int round = 0; round != 150; ++round) {
      fault const a = any(), b = any();
      fault const first = a.item < b.item || (a.item == b.item && a.step <= b.step) ? a : b;
      bool const folds = round % 2 == 0;
      passages all(a, b);
      CHECK(what_comes(p, all, folds) == first);
      check_what_was_seen(all, first, folds);
      CHECK(fragile::alive == 0);
    }
  });
}

TEST_CASE("each move of a token throws", "[pipeline]") {
  tn::test::on_pools([](auto const& p) {
    for (bool const folds : {false, true}) {
      int points = 0;
      for (bool over = false; !over; points += 3) {  // every third is enough: the order differs from run to run
        passages all;
        fragile::moves.arm(points);
        try {
          int const sum = sum_of(p, all, folds);
          CHECK(sum == whole_sum);
          over = true;
        } catch (fault const& f) {
          CHECK(f == fault{-1, -1});
        }
        CHECK(fragile::moves.sprung() != over);
        fragile::moves.disarm();
        CHECK(fragile::alive == 0);
      }
      CHECK(points > items * 5);
    }
  });
}

TEST_CASE("a stop comes at each step and token", "[pipeline]") {
  struct flag {
    std::atomic<bool> raised{false};
    [[nodiscard]] bool stop_requested() const { return raised.load(); }
  };
  tn::test::on_pools([](auto const& p) {
    for (int step = 0; step != 4; ++step)
      for (int i = 0; i != items; ++i) {
        flag stop;
        int given = 0, ended = 0;
        auto const raise = [&](int here) {
          return [&stop, here, step, i](fragile x) {
            if (here == step && x.value() == i) stop.raised = true;
            return x;
          };
        };
        auto const source = [&]() -> std::optional<fragile> {
          if (given == items) return std::nullopt;
          if (step == 0 && given == i) stop.raised = true;
          return std::optional<fragile>(std::in_place, given++);
        };
        bool skipped = false;
        try {
          tn::pipeline(p.stop(stop).in_flight(8), source, tn::serial(raise(1)), tn::parallel(raise(2)),
                       tn::serial([&](fragile x) { ended += raise(3)(std::move(x)).value() == ended ? 1 : 1000; }));
        } catch (tn::cancelled const&) {
          skipped = true;
        }
        CHECK(ended == given);  // what was taken from the source has come through
        CHECK((skipped || given == items));
        CHECK(fragile::alive == 0);
      }
  });
}
