// The shipped sleep protocol under the C++20 model: work that is published while a worker lies down is never lost,
// neither are tokens, and a pool that closes wakes everybody. The shipped deque is the source of work.

#include "tartan/core/idle.hpp"   // idle_count, parking_spot
#include "atomics.hpp"            // model::atomics, data
#include "check.hpp"              // run_checks, mutation_table
#include "tartan/core/deque.hpp"  // deque

namespace {

using model::parallel;
using model::require;
using real = model::atomics;

struct item {
  model::data<int> payload{0};
  bool done = false;
};

/// The sequences of core/pool_news.hpp and core/pool_search.hpp around the shipped words: one publisher with a deque,
/// and pool threads.
struct fixture {
  explicit fixture(bool its_asymmetric) : asymmetric(its_asymmetric), tasks(its_asymmetric, 4) {}
  bool const asymmetric;
  tartan::detail::deque<item, real> tasks;
  tartan::detail::idle_count<real> idle;
  real::atomic<bool> closed{false};
  item items[2];

  void run(item& i) {
    require(i.payload.get() == 7, "a taker sees another payload than was published");
    require(!i.done, "an item ran twice");
    i.done = true;
  }

  void publish(int k) {
    items[k].payload.set(7);
    tasks.push(&items[k]);
    real::light_fence(asymmetric);
    auto const v = idle.look();
    if (v.word != 0 && v.searching() == 0 && v.sleeping() != 0 && idle.claim()) idle.wake_claimed();
  }
  void join(int k) {
    if (tasks.take_back()) run(items[k]);
  }
  void close() {
    closed.store(true, std::memory_order_relaxed);
    real::full_fence();
    while (idle.claim()) idle.wake_claimed();
  }

  bool try_steal() {
    item* const got = tasks.steal();
    if (got != nullptr) run(*got);
    return got != nullptr;
  }
  /// One round of a pool thread that comes from its work; true when it ran something.
  bool await(unsigned search_limit) {
    bool const searching = idle.begin_search(search_limit);
    bool found = searching && try_steal();
    if (!found) {
      idle.begin_sleep(searching);
      real::heavy_fence(asymmetric);
      if (closed.load(std::memory_order_seq_cst) || !tasks.seems_empty()) {
        if (!idle.cancel_sleep()) idle.await_token();
      } else {
        idle.await_token();
      }
      found = try_steal();
    }
    if (auto const before = idle.end_search(); before.searching() == 1 && before.sleeping() != 0) {
      real::full_fence();
      if (!tasks.seems_empty() && idle.claim()) idle.wake_claimed();
    }
    return found;
  }
  /// Until it has run something.
  void run_one(unsigned search_limit) {
    while (!await(search_limit)) real::pause();
  }
  /// Until the pool closes.
  void work(unsigned search_limit) {
    while (await(search_limit) || !closed.load(std::memory_order_acquire)) real::pause();
  }
};

model::check with(bool asymmetric, char const* name, std::function<void(fixture&)> const& program) {
  model::options how;
  how.asymmetric = asymmetric;
  return {std::string(name) + (asymmetric ? " (asymmetric)" : " (full fences)"),
          [=] {
            fixture f(asymmetric);
            program(f);
          },
          how};
}

std::vector<model::check> checks(bool asymmetric) {
  return {
      with(asymmetric, "a sleeper that may not search; one publication",
           [](fixture& f) { parallel({[&] { f.publish(0); }, [&] { f.run_one(0); }}); }),
      with(asymmetric, "a searcher that lies down; one publication",
           [](fixture& f) { parallel({[&] { f.publish(0); }, [&] { f.run_one(1); }}); }),
      with(asymmetric, "a sleeper; two publications, of which it must run both",
           [](fixture& f) { parallel({[&] { f.publish(0), f.publish(1); }, [&] { f.run_one(0), f.run_one(0); }}); }),
      with(asymmetric, "a sleeper, a publication that is taken back, close",
           [](fixture& f) { parallel({[&] { f.publish(0), f.join(0), f.close(); }, [&] { f.work(0); }}); }),
      with(asymmetric, "a searcher, a publication that is taken back, close",
           [](fixture& f) { parallel({[&] { f.publish(0), f.join(0), f.close(); }, [&] { f.work(1); }}); }),
  };
}

/// Three threads: too many executions to repeat them for every weakening.
std::vector<model::check> large_checks(bool asymmetric) {
  return {
      with(asymmetric, "two sleepers, close",
           [](fixture& f) { parallel({[&] { f.close(); }, [&] { f.work(0); }, [&] { f.work(0); }}); }),
      with(asymmetric, "two pool threads of which one may search, close",
           [](fixture& f) { parallel({[&] { f.close(); }, [&] { f.work(1); }, [&] { f.work(1); }}); }),
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

int main() {
  std::vector<model::check> all = spot_checks(), table = spot_checks();
  for (bool const asymmetric : {true, false})
    for (auto const& list : {checks(asymmetric), large_checks(asymmetric)})
      for (auto& c : list) all.push_back(c);
  for (auto& c : checks(true)) table.push_back(c);
  int failures = model::run_checks("idle", all);
  failures += model::mutation_table(
      "idle.hpp", table,
      {{"end_search", "rmw", 1, "seq_cst -> acq_rel", false, "the fence behind it orders the look"},
       {"end_search", "rmw", 1, "seq_cst -> acquire", false, "the fence behind it orders the look"},
       {"end_search", "rmw", 1, "seq_cst -> release", false, "the fence behind it orders the look"},
       {"end_search", "rmw", 1, "seq_cst -> relaxed", false, "the fence behind it orders the look"},
       {"begin_sleep", "rmw", 1, "seq_cst -> acq_rel", false, "S2 orders it"},
       {"begin_sleep", "rmw", 1, "seq_cst -> release", false, "S2 orders it"},
       {"begin_sleep", "rmw", 1, "seq_cst -> acquire", true, "harmless: a newer top is never wrong"},
       {"begin_sleep", "rmw", 1, "seq_cst -> relaxed", true, "harmless: a newer top is never wrong"},
       {"claim", "cas", 1, "acq_rel -> acquire", false, "a count; what is published comes by the token and by S2"},
       {"claim", "cas", 1, "acq_rel -> release", true, "harmless: a newer top is never wrong"},
       {"claim", "cas", 1, "acq_rel -> relaxed", true, "harmless: a newer top is never wrong"},
       {"wake_claimed", "rmw", 1, "release -> relaxed", true,
        "harmless here: who sees no work lies down again and looks (S2, S3)"},
       {"await_token", "cas", 1, "acquire -> relaxed", true,
        "harmless here: who sees no work lies down again and looks (S2, S3)"}});
  return failures == 0 ? 0 : 1;
}
