// The shipped request, with the shipped mailbox, under the C++20 model: what a runner pushed in an errand reaches the
// asker only while that waits for this errand.

#include "tartan/core/request.hpp"  // request

#include "atomics.hpp"              // model::atomics, data
#include "check.hpp"                // run_checks, mutation_table
#include "tartan/core/mailbox.hpp"  // mailbox

namespace {

using model::parallel;
using model::require;

struct item {
  std::uint64_t errand = 0;  // in which it was pushed
  model::data<int> payload{0};
  int takers = 0;
};

struct fixture {
  tartan::detail::mailbox<item, model::atomics> box;
  tartan::detail::request<model::atomics> asks;
  item items[3];

  /// The runner offers one item in this errand, as handing_over::give_below() does.
  void give(int k, std::uint64_t errand) {
    item& i = items[k];
    i.errand = errand;
    i.payload.set(7);
    auto const asked = asks.look();
    if (asked.errand != errand || !box.offer(&i, asked.wait)) ++i.takers;  // it runs the item itself
  }

  /// The asker waits for the end of the errand, which may be any of two below each other.
  void wait(std::uintptr_t number, std::uint64_t errand, std::uint64_t later = 0) {
    asks.ask(number, errand);
    stand(number, errand, later);
    if (later == 0) return;
    asks.ask(number, later);
    stand(number, errand, later);
  }
  void stand(std::uintptr_t number, std::uint64_t errand, std::uint64_t later) {
    box.open(number);
    (void)box.has_changed(number);
    item* const got = box.close();
    if (got == nullptr) return;
    require(got->errand == errand || got->errand == later, "a waiter was given what is not below its wait");
    require(got->payload.get() == 7, "the owner sees another payload than was handed over");
    ++got->takers;
  }
  void each_run_once(int n) {
    for (int k = 0; k != n; ++k) require(items[k].takers == 1, "a job was run twice or never");
  }
};

constexpr auto with = model::on_fresh<fixture>;
constexpr std::uintptr_t wait_a = 3, wait_b = 5;

std::vector<model::check> checks() {
  return {
      with("a runner that stays in its errand, an asker that goes on to another wait",
           [](fixture& f) {
             parallel({[&] { f.give(0, 10), f.give(1, 10); }, [&] { f.wait(wait_a, 10), f.wait(wait_b, 20); }});
             f.each_run_once(2);
           }),
      with("a runner that goes on to another errand, an asker that stays",
           [](fixture& f) {
             parallel({[&] { f.give(0, 10), f.give(1, 11); }, [&] { f.wait(wait_a, 10), f.wait(wait_b, 10); }});
             f.each_run_once(2);
           }),
      with("an asker that names two errands of one wait, then waits for another runner",
           [](fixture& f) {
             parallel({[&] { f.give(0, 10), f.give(1, 12); }, [&] { f.wait(wait_a, 10, 12), f.wait(wait_b, 20); }});
             f.each_run_once(2);
           }),
      with("two runners, one asker that waits for one after the other",
           [](fixture& f) {
             parallel(
                 {[&] { f.give(0, 10); }, [&] { f.give(1, 20); }, [&] { f.wait(wait_a, 10), f.wait(wait_b, 20); }});
             f.each_run_once(2);
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("request", checks());
  failures += model::mutation_table("request.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
