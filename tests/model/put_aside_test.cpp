// The place beside a deque under the C++20 model: what is put aside is run exactly once, by a thief or by its forker,
// with what was written before.

#include "tartan/core/put_aside.hpp"  // put_aside
#include "atomics.hpp"                // model::atomics
#include "check.hpp"                  // run_checks, mutation_table
#include "taken_item.hpp"             // taken_item

namespace {

using model::parallel;
using model::require;

using item = model::taken_item;

struct fixture {
  tartan::detail::put_aside<item, model::atomics> aside;
  item items[2];

  /// The owner puts `first` to `last` aside and joins them in the reverse order.
  void fork(int first, int last) {
    for (int k = first; k <= last; ++k) {
      items[k].payload.set(7);
      aside.seems_empty() ? aside.put(&items[k]) : items[k].take();
    }
    for (int k = last; k >= first; --k)
      if (aside.take_back(&items[k])) items[k].take();
  }
  /// The owner does so twice with one job, unless it was stolen. Returns how often it was put aside.
  int fork_twice(int k) {
    items[k].payload.set(7);
    aside.put(&items[k]);
    if (!aside.take_back(&items[k])) return 1;
    items[k].take();
    fork(k, k);
    return 2;
  }
  void steal() {
    if (item* const got = aside.take([] { return true; })) got->take();
  }
  void each_run_once(int n) {
    for (int k = 0; k != n; ++k) require(items[k].takers == 1, "a job was run twice or never");
  }
};

constexpr auto with = model::on_fresh<fixture>;

std::vector<model::check> checks() {
  return {
      with("one job, two thieves",
           [](fixture& f) {
             parallel({[&] { f.fork(0, 0); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.each_run_once(1);
           }),
      with("one job after the other, a thief that comes twice",
           [](fixture& f) {
             parallel({[&] { f.fork(0, 0), f.fork(1, 1); }, [&] { f.steal(), f.steal(); }});
             f.each_run_once(2);
           }),
      with("the same job twice, a thief that comes once",
           [](fixture& f) {
             int times = 0;
             parallel({[&] { times = f.fork_twice(0); }, [&] { f.steal(); }});
             require(f.items[0].takers == times, "a job was run twice or never");
           }),
      with("two jobs for one place, a thief that comes twice",
           [](fixture& f) {
             parallel({[&] { f.fork(0, 1); }, [&] { f.steal(), f.steal(); }});
             f.each_run_once(2);
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("put_aside", checks());
  failures += model::mutation_table(
      "put_aside.hpp", checks(),
      {{"take", "load", 1, "acquire -> relaxed", false, "what is behind the pointer comes by the CAS"}});
  return failures == 0 ? 0 : 1;
}
