// The shipped sleep protocol under the C++20 model: work that is published while a worker lies down is never lost, and
// neither are tokens; with the shipped deque as the source of work.

#include <cstdio>   // printf
#include <cstring>  // strcmp

#include "atomics.hpp"            // model::atomics, data
#include "check.hpp"              // run_checks, mutation_table
#include "tartan/core/deque.hpp"  // deque
#include "tartan/core/idle.hpp"   // idle_count, parking_spot

namespace {

using model::parallel;
using model::require;
using real = model::atomics;

struct item {
  model::data<int> payload{0};
};

/// One publisher with a deque, and sleepers that wait for its work.
struct fixture {
  explicit fixture(bool its_asymmetric) : asymmetric(its_asymmetric), tasks(its_asymmetric, 4) {}
  bool const asymmetric;
  tartan::detail::deque<item, real> tasks;
  tartan::detail::idle_count<real> idle;
  item items[2];

  void publish(int k) {
    items[k].payload.set(7);
    tasks.push(&items[k]);
    real::light_fence(asymmetric);
    auto const v = idle.look();
    if (v.word != 0 && v.searching() == 0 && v.sleeping() != 0 && idle.claim()) idle.wake_claimed();
  }

  bool try_steal() {
    item* const got = tasks.steal();
    if (got != nullptr) require(got->payload.get() == 7, "a taker sees another payload than was published");
    return got != nullptr;
  }

  /// One round of a pool thread that comes from its work; true when it ran something.
  bool await(unsigned search_limit) {
    bool const searching = idle.begin_search(search_limit);
    bool found = searching && try_steal();
    if (!found) {
      idle.begin_sleep(searching);
      real::heavy_fence(asymmetric);
      if (!tasks.seems_empty()) {
        if (!idle.cancel_sleep()) idle.await_token();
      } else {
        idle.await_token();
      }
      found = try_steal();
    }
    if (idle.end_search() && !tasks.seems_empty() && idle.claim()) idle.wake_claimed();
    return found;
  }
  void run_one(unsigned search_limit) {
    while (!await(search_limit)) real::pause();
  }
};

std::vector<model::check> checks(bool asymmetric) {
  model::options how;
  how.asymmetric = asymmetric;
  auto const with = [&](char const* name, std::function<void(fixture&)> const& program) {
    return model::check{std::string(name) + (asymmetric ? " (asymmetric)" : " (full fences)"),
                        [=] {
                          fixture f(asymmetric);
                          program(f);
                        },
                        how};
  };
  return {
      with("a sleeper that may not search; one publication",
           [](fixture& f) { parallel({[&] { f.publish(0); }, [&] { f.run_one(0); }}); }),
      with("a searcher that lies down; one publication",
           [](fixture& f) { parallel({[&] { f.publish(0); }, [&] { f.run_one(1); }}); }),
      with("two sleepers, two publications",
           [](fixture& f) {
             parallel({[&] { f.publish(0), f.publish(1); }, [&] { f.run_one(0); }, [&] { f.run_one(0); }});
           }),
  };
}

std::vector<model::check> spot_checks() {
  using spot = tartan::detail::parking_spot<real>;
  return {
      {"parking spot: a signal is never lost, and brings what was written before",
       [] {
         spot s;
         model::data<int> payload{0};
         parallel({[&] { s.park(), require(payload.get() == 1, "stale"); }, [&] { payload.set(1), s.signal(); }});
       }},
      {"parking spot: two signallers, one sleeper that needs both",
       [] {
         spot s;
         model::atomic<int> count{0};
         parallel({[&] {
                     while (count.load(std::memory_order_relaxed) != 2) s.park();
                   },
                   [&] { count.fetch_add(1, std::memory_order_relaxed), s.signal(); },
                   [&] { count.fetch_add(1, std::memory_order_relaxed), s.signal(); }});
       }},
  };
}

}  // namespace

int main(int argc, char** argv) {
  auto all = checks(true);
  for (auto& c : checks(false)) all.push_back(c);
  for (auto& c : spot_checks()) all.push_back(c);
  int failures = model::run_checks("idle", all);
  if (argc > 1 && std::strcmp(argv[1], "table") == 0) failures += model::mutation_table("idle", all, {});
  return failures == 0 ? 0 : 1;
}
