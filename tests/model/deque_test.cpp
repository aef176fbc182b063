// The shipped deque under the C++20 model: every entry goes to exactly one taker, with what was written before the
// push; and a leapfrogger steals only what was pushed inside the job that it waits for.

#include "tartan/core/deque.hpp"  // deque
#include "atomics.hpp"            // model::atomics
#include "check.hpp"              // run_checks, mutation_table
#include "taken_item.hpp"         // taken_item
#include "tartan/core/job.hpp"    // join_word

namespace {

using model::parallel;
using model::require;

using item = model::taken_item;

struct fixture {
  explicit fixture(bool asymmetric, std::size_t capacity) : tasks(asymmetric, capacity) {}
  tartan::detail::deque<item, model::atomics> tasks;
  item items[4];

  void push(int k) {
    items[k].payload.set(7);
    tasks.push(&items[k]);
  }
  void take_back(int k) {
    if (tasks.take_back()) items[k].take();
  }
  /// By its place, which is its number where pushes and joins nest.
  void reclaim(int k) {
    if (tasks.reclaim(k, tasks.asymmetric()) || tasks.reclaim_last(k)) items[k].take();
  }
  void steal() {
    if (item* const got = tasks.steal()) got->take();
  }
  void take_oldest() {
    if (item* const got = tasks.take_oldest()) got->take();
  }
  /// After all threads: what is left is taken by the owner; then each of the first n has gone exactly once.
  void all_taken_once(int n) {
    while (item* const left = tasks.take_oldest()) left->take();
    for (int k = 0; k != n; ++k) require(items[k].takers == 1, "an entry was taken twice or never");
  }
};

std::vector<model::check> checks(bool asymmetric) {
  model::options how;
  how.asymmetric = asymmetric;
  auto const with = [&](char const* name, std::size_t capacity, std::function<void(fixture&)> const& program) {
    return model::check{std::string(name) + (asymmetric ? " (asymmetric)" : " (full fences)"),
                        [=] {
                          fixture f(asymmetric, capacity);
                          program(f);
                        },
                        how};
  };
  return {
      with("push, take back; a thief", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.take_back(0); }, [&] { f.steal(); }});
             f.all_taken_once(1);
           }),
      with("push, take back; two thieves", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.take_back(0); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.all_taken_once(1);
           }),
      with("two pushes, both taken back; a thief steals twice", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_back(1), f.take_back(0); }, [&] { f.steal(), f.steal(); }});
             f.all_taken_once(2);
           }),
      with("two pushes, both reclaimed by their places; two thieves", 2,
           [](fixture& f) {
             parallel(
                 {[&] { f.push(0), f.push(1), f.reclaim(1), f.reclaim(0); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.all_taken_once(2);
           }),
      with("both reclaimed by their places, then a push; a thief steals three times", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.reclaim(1), f.reclaim(0), f.push(2); },
                       [&] { f.steal(), f.steal(), f.steal(); }});
             f.all_taken_once(3);
           }),
      with("two pushes, one taken back; two thieves", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_back(1); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.all_taken_once(2);
           }),
      with("growth from one to two while a thief steals twice", 1,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1); }, [&] { f.steal(), f.steal(); }});
             f.all_taken_once(2);
           }),
      with("growth, then all taken back; a thief", 1,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_back(1), f.take_back(0); }, [&] { f.steal(); }});
             f.all_taken_once(2);
           }),
      with("a slot is reused after a theft; two thieves", 1,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.take_back(0), f.push(1); }, [&] { f.steal(); }, [&] { f.steal(); }});
             require(f.items[0].takers == 1, "an entry was taken twice or never");
             while (item* const left = f.tasks.take_oldest()) left->take();
             require(f.items[1].takers == 1, "an entry was taken twice or never");
           }),
      with("an index is used again for another entry; two thieves", 2,
           [](fixture& f) {
             parallel(
                 {[&] { f.push(0), f.push(1), f.take_back(1), f.push(2); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.all_taken_once(3);
           }),
      with("the owner takes its oldest while a thief steals", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_oldest(), f.take_back(1); }, [&] { f.steal(); }});
             f.all_taken_once(2);
           }),
  };
}

/// [L2] of core/join.hpp. The runner runs job j: inside it two entries are pushed, after it one more.
struct leapfrog {
  explicit leapfrog(bool asymmetric) : tasks(asymmetric, 4) {}
  tartan::detail::deque<int, model::atomics> tasks;
  tartan::detail::join_word<leapfrog, model::atomics> join;
  int inside[2]{}, after = 0;

  void run_job(int entries) {
    for (int k = 0; k != entries; ++k) tasks.push(&inside[k]);
    for (int k = entries; k-- > 0;) (void)tasks.take_back();
    (void)join.finish();
    tasks.push(&after);
    (void)tasks.take_back();
  }
  void steal_below() {
    int* const got = tasks.steal([this] { return !join.finished(); });
    require(got != &after, "a leapfrogger took work from after the job that it waits for");
  }
};

std::vector<model::check> leapfrog_checks(bool asymmetric) {
  model::options how;
  how.asymmetric = asymmetric;
  auto const with = [&](char const* name, std::function<void(leapfrog&)> const& program) {
    return model::check{std::string(name) + (asymmetric ? " (asymmetric)" : " (full fences)"),
                        [=] {
                          leapfrog f(asymmetric);
                          f.join.begin_by(&f);
                          program(f);
                        },
                        how};
  };
  return {
      with("leapfrog: one entry inside, one after",
           [](leapfrog& f) { parallel({[&] { f.run_job(1); }, [&] { f.steal_below(); }}); }),
      with("leapfrog: two entries inside, one after; another thief",
           [](leapfrog& f) { parallel({[&] { f.run_job(2); }, [&] { f.steal_below(); }, [&] { f.tasks.steal(); }}); }),
  };
}

}  // namespace

int main() {
  std::vector<model::check> all;
  for (bool const asymmetric : {true, false}) {
    for (auto& c : checks(asymmetric)) all.push_back(c);
    for (auto& c : leapfrog_checks(asymmetric)) all.push_back(c);
  }
  int failures = model::run_checks("deque", all);
  failures += model::mutation_table(
      "deque.hpp", all,
      {{"steal", "load", 1, "acquire -> relaxed", false, "the heavy fence behind it acquires"},
       {"take_oldest", "load", 1, "acquire -> relaxed", false, "all that is read after it is the owner's own"},
       {"advance_top", "cas", 1, "seq_cst -> acq_rel", false, "the fences of [E1] suffice"},
       {"advance_top", "cas", 1, "seq_cst -> release", false, "the fences of [E1] suffice"},
       {"advance_top", "cas", 1, "seq_cst -> relaxed", true, "needed: a slot must not be reused before it was read"},
       {"advance_top", "cas", 1, "seq_cst -> acquire", true, "needed: a slot must not be reused before it was read"},
       {"make_room", "load", 1, "acquire -> relaxed", true, "needed: a slot must not be reused before it was read"},
       {"reclaim_last", "store", 1, "release -> relaxed", false, "top has passed every entry below"}});
  return failures == 0 ? 0 : 1;
}
