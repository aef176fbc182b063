// The shipped residence under the C++20 model: a caller that is counted while it is outside, and becomes a caller like
// others when another one calls, when a task is submitted, or when its thread ends.

#include "tartan/core/residence.hpp"  // residence
#include "atomics.hpp"                // model::atomics, mutex
#include "check.hpp"                  // run_checks, mutation_table
#include "tartan/core/headcount.hpp"  // headcount

namespace {

using model::parallel;
using model::require;
using real = model::atomics;
using home = tartan::detail::residence<real>;

/// The sequences of core/outside_callers.hpp around the shipped words.
struct fixture {
  tartan::detail::headcount<real> people{4};
  home residence;
  model::mutex slots;
  home::stay first{}, second{};

  bool ask(home::stay& own) {
    slots.lock();
    bool const counted = home::ask(own);
    slots.unlock();
    return counted;
  }
  void end() {
    slots.lock();
    bool const count_out = residence.end();
    slots.unlock();
    if (count_out) (void)people.caller_goes();
  }
  void count_in(home::stay& own) {
    if (own.held && ask(own)) return;
    people.caller_comes();
    if (residence.is_held()) end();
  }
  void enter(home::stay& own) {
    if (!residence.comes(own)) count_in(own);
    require(callers() >= 1, "a caller that is inside is not counted");
  }
  void leave(home::stay& own) {
    require(callers() >= 1, "a caller that is inside is not counted any more");
    if (residence.goes(own)) return;
    if (!own.held || ask(own)) (void)people.caller_goes();
  }
  void keep(home::stay& own) {
    slots.lock();
    residence.begin(own, [this] { return people.is_only_caller(); });
    slots.unlock();
  }
  void give_back(home::stay& own) {
    slots.lock();
    bool const count_out = residence.leave_for_good(own);
    slots.unlock();
    if (count_out) (void)people.caller_goes();
  }
  void call(home::stay& own) {
    enter(own);
    leave(own);
  }
  void first_call(home::stay& own) {
    count_in(own);
    keep(own);
    leave(own);
  }
  [[nodiscard]] unsigned callers() const { return people.look().callers(); }
};

model::check at_rest(char const* name, unsigned callers, std::function<void(fixture&)> const& program) {
  return model::on_fresh<fixture>(name, [=](fixture& f) {
    program(f);
    require(f.callers() == callers, "the number of callers is wrong when all are outside");
    f.end();
    require(f.callers() == 0, "the number of callers is wrong when the residence has ended");
    f.call(f.first);
    f.call(f.second);
    require(f.callers() == 0, "the number of callers is wrong after later calls");
  });
}

std::vector<model::check> checks() {
  return {
      at_rest("a resident calls", 1, [](fixture& f) { f.first_call(f.first), f.call(f.first), f.call(f.first); }),
      at_rest("it gives its slot back", 0, [](fixture& f) { f.first_call(f.first), f.give_back(f.first); }),
      at_rest("it calls twice while a task is submitted", 0,
              [](fixture& f) {
                f.first_call(f.first);
                parallel({[&] { f.call(f.first), f.call(f.first); }, [&] { f.end(); }});
              }),
      at_rest("it calls while another one calls", 0,
              [](fixture& f) {
                f.first_call(f.first);
                parallel({[&] { f.call(f.first); }, [&] { f.call(f.second); }});
              }),
      at_rest("it calls while another one calls and a task is submitted", 0,
              [](fixture& f) {
                f.first_call(f.first);
                parallel({[&] { f.call(f.first); }, [&] { f.call(f.second); }, [&] { f.end(); }});
              }),
      at_rest("it gives its slot back while a task is submitted, another thread uses the slot", 0,
              [](fixture& f) {
                f.first_call(f.first);
                parallel({[&] { f.give_back(f.first), f.call(f.first); }, [&] { f.end(); }});
              }),
      model::on_fresh<fixture>("nobody outside is counted beside another caller",
                               [](fixture& f) {
                                 parallel({[&] { f.first_call(f.first); }, [&] { f.enter(f.second); }});
                                 require(f.callers() == 1, "a resident is counted beside another caller");
                               }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("residence", checks());
  failures += model::mutation_table("residence.hpp", checks(), {});
  // caller_comes() and is_only_caller() are the other side of [R2].
  char const* const elsewhere = "[H1] of headcount.hpp: headcount_test has the pair";
  failures += model::mutation_table("headcount.hpp", checks(),
                                    {{"caller_goes", "rmw", 1, "seq_cst -> acq_rel", false, elsewhere},
                                     {"caller_goes", "rmw", 1, "seq_cst -> release", false, elsewhere},
                                     {"caller_goes", "rmw", 1, "seq_cst -> relaxed", false, elsewhere},
                                     {"caller_goes", "rmw", 1, "seq_cst -> acquire", false, elsewhere}});
  return failures == 0 ? 0 : 1;
}
