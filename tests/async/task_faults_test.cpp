// Coroutines that fail, or are stopped, at every suspension in turn.
#include "tartan/task.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/faults.hpp"
#include "support/pools.hpp"
#include "tartan/async/submit.hpp"

namespace tn = tartan;
using namespace std::chrono_literals;
using tn::test::fault;
using tn::test::fragile;
using tn::test::what_comes;

namespace {

// Points of the story, each behind a suspension of another kind.
enum point {
  begin,
  scheduled,
  in_future,
  after_future,
  slept,
  admitted,
  in_child,
  child_scheduled,
  after_child,
  left,
  right,
  after_all,
  winner,
  after_any,
  in_time,
  end,
  points
};
using passages = tn::test::passages<1, points>;

/// What the coroutines of one story share: who fails where, and what happens at each point.
template <class P>
struct scene {
  P policy;
  passages& all;
  tn::async_semaphore& only_one;
  std::function<void(int)> at_point = [](int) {};

  int at(point i) {
    at_point(i);
    return all.at(0, i);
  }
};

template <class P>
scene(P, passages&, tn::async_semaphore&) -> scene<P>;
template <class P, class F>
scene(P, passages&, tn::async_semaphore&, F) -> scene<P>;

template <class P>
tn::task<int> child(scene<P>& s, point first, point second) {
  fragile const held(s.at(first));
  co_await tn::schedule(s.policy);
  if (second != first) s.at(second);
  co_return held.value();
}

template <class P>
tn::task<int> for_ever(scene<P>&) {
  fragile const held(0);
  co_await tn::sleep_for(1h);
  co_return held.value();
}

template <class P>
tn::task<int> story(scene<P>& s) {
  fragile const held(s.at(begin));
  co_await tn::schedule(s.policy);
  s.at(scheduled);
  co_await tn::submit(s.policy, [&s] { return fragile(s.at(in_future)); });
  s.at(after_future);
  co_await tn::sleep_for(0ms);
  s.at(slept);
  auto const permit = co_await s.only_one.acquire();
  s.at(admitted);
  co_await child(s, in_child, child_scheduled);
  s.at(after_child);
  co_await tn::when_all(child(s, left, left), child(s, right, right));
  s.at(after_all);
  co_await tn::when_any(for_ever(s), child(s, winner, winner), for_ever(s));
  s.at(after_any);
  co_await tn::with_timeout(child(s, in_time, in_time), 1h);
  co_return s.at(end);
}

}  // namespace

TEST_CASE("a coroutine fails behind each suspension", "[task]") {
  tn::test::on_pools([](auto const& p) {
    tn::async_semaphore only_one{1};
    for (int bad = 0; bad != points; ++bad)
      for (bool const spawned : {false, true}) {
        passages all{fault{0, bad}};
        scene s{p, all, only_one};
        CHECK(what_comes([&] { return spawned ? tn::spawn(p, story(s)).get() : tn::sync_wait(story(s)); }) ==
              fault{0, bad});
        for (int i = 0; i != points; ++i)
          if (!(bad == left && i == right)) CHECK(all.seen(0, i) == (i <= bad ? 1 : 0));  // beside it, not behind it
        CHECK(tn::test::comes_true([] { return fragile::alive == 0; }));  // the future's result may go after its await
        CHECK(only_one.try_acquire().has_value());
      }
    passages none;
    scene s{p, none, only_one};
    CHECK(tn::sync_wait(story(s)) == end);  // the pool works as ever
  });
}

TEST_CASE("of many tasks that fail behind a suspension the first one's error comes", "[task]") {
  tn::test::on_pools([](auto const& p) {
    tn::async_semaphore only_one{1};
    for (int first = 0; first + 1 < points; ++first) {
      passages all(fault{0, first}, fault{0, first + 1});
      scene s{p, all, only_one};
      auto const both = [](auto& of) -> tn::task<int> {
        std::vector<tn::task<int>> tasks;
        for (int i = 0; i != points; ++i) tasks.push_back(child(of, static_cast<point>(i), static_cast<point>(i)));
        std::vector<int> const results = co_await tn::when_all(std::move(tasks));
        co_return results.back();
      };
      CHECK(what_comes([&] { return tn::spawn(p, both(s)).get(); }) == fault{0, first});
      CHECK(fragile::alive == 0);
    }
  });
}

TEST_CASE("a coroutine is stopped behind each point: it ends at its next suspension", "[task]") {
  tn::test::on_pools([](auto const& p) {
    tn::async_semaphore only_one{1};
    for (int when = 0; when != points; ++when) {
      passages all;
      tn::promise<void> stop;
      scene s{p, all, only_one, [&](int i) {
                if (i == when) stop.set_value();
              }};
      auto const until_told = [](tn::future<void> told) -> tn::task<> { co_await std::move(told); };
      auto const first = tn::sync_wait(tn::when_any(story(s), until_told(stop.get_future())));
      CHECK(first.index <= 1);
      CHECK(all.seen(0, when) == 1);
      CHECK(tn::test::comes_true([] { return fragile::alive == 0; }));
      CHECK(only_one.try_acquire().has_value());
    }
  });
}
