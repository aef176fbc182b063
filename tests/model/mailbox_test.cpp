// The shipped mailbox under the C++20 model: a job that is handed over is run exactly once, by the owner of the box or
// by the giver that takes it back, with what was written before.

#include "tartan/core/mailbox.hpp"  // mailbox
#include "atomics.hpp"              // model::atomics
#include "check.hpp"                // run_checks, mutation_table
#include "taken_item.hpp"           // taken_item

namespace {

using model::parallel;
using model::require;

using item = model::taken_item;

struct fixture {
  tartan::detail::mailbox<item, model::atomics> box;
  item items[2];

  /// A giver; what it cannot hand over it runs itself.
  void give(int k, bool may_revoke) {
    item& i = items[k];
    i.payload.set(7);
    if (!box.offer(&i) || (may_revoke && box.revoke(&i))) i.take();
  }
  /// The owner waits for a while, `times` times.
  void wait_for_work(int times) {
    for (int k = 0; k != times; ++k) {
      box.open();
      (void)box.has_changed();
      if (item* const got = box.close()) got->take();
    }
  }
  void each_run_once(int n) {
    for (int k = 0; k != n; ++k) require(items[k].takers == 1, "a job was run twice or never");
  }
};

constexpr auto with = model::on_fresh<fixture>;

std::vector<model::check> checks() {
  return {
      with("a giver, an owner that opens twice",
           [](fixture& f) {
             parallel({[&] { f.give(0, false); }, [&] { f.wait_for_work(2); }});
             f.each_run_once(1);
           }),
      with("a giver that takes back, an owner that opens twice",
           [](fixture& f) {
             parallel({[&] { f.give(0, true); }, [&] { f.wait_for_work(2); }});
             f.each_run_once(1);
           }),
      with("two givers, of which one takes back; an owner that opens twice",
           [](fixture& f) {
             parallel({[&] { f.give(0, false); }, [&] { f.give(1, true); }, [&] { f.wait_for_work(2); }});
             f.each_run_once(2);
           }),
      with("a giver twice, taking back; an owner that opens three times",
           [](fixture& f) {
             parallel({[&] { f.give(0, true), f.give(1, true); }, [&] { f.wait_for_work(3); }});
             f.each_run_once(2);
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("mailbox", checks());
  failures += model::mutation_table(
      "mailbox.hpp", checks(),
      {{"open", "store", 1, "release -> relaxed", false, "givers follow nothing that the owner wrote"},
       {"close", "rmw", 1, "acq_rel -> acquire", false, "givers follow nothing that the owner wrote"},
       {"offer", "cas", 1, "acq_rel -> release", false, "givers follow nothing that the owner wrote"},
       {"revoke", "cas", 1, "acq_rel -> acquire", false, "the giver takes back what it wrote itself"},
       {"revoke", "cas", 1, "acq_rel -> release", false, "the giver takes back what it wrote itself"},
       {"revoke", "cas", 1, "acq_rel -> relaxed", false, "the giver takes back what it wrote itself"}});
  return failures == 0 ? 0 : 1;
}
