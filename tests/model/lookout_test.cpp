// The shipped post of the lookout under the C++20 model: whoever blocks while the lookout lies down is seen by it, or
// calls it.

#include "tartan/core/lookout.hpp"  // lookout_post
#include "atomics.hpp"              // model::atomics
#include "check.hpp"                // run_checks, mutation_table

#include "tartan/core/headcount.hpp"  // headcount

namespace {

using model::parallel;
using model::require;

struct fixture {
  tartan::detail::headcount<model::atomics> people{1};
  tartan::detail::lookout_post<model::atomics> post;
  model::atomic<bool> tasks_may_come{false};

  /// admission::begin_blocking() and lookout::call().
  void block() {
    people.worker_blocks(true);
    if (post.is_empty()) {
      model::reach("the lookout is called");
      post.call();
    }
  }
  /// The same, where the lookout is wanted only if tasks may come, and there is none yet.
  bool blocks_and_wants_it() {
    people.worker_blocks(true);
    return tasks_may_come.load(std::memory_order_seq_cst);
  }
  /// admission::expect_tasks() and call_lookout().
  bool submits_and_wants_it() {
    tasks_may_come.store(true, std::memory_order_relaxed);
    model::atomics::full_fence();
    return people.look().blocked() != 0;
  }
  /// standstill::watch(), when all was quiet: returns when somebody blocks.
  void lie_down() {
    post.leave([this] { return people.look().blocked() != 0; });
    model::reach("the lookout looks again");
  }
};

std::vector<model::check> checks() {
  auto const with = [](char const* name, std::function<void(fixture&)> const& program) {
    return model::check{name, [=] {
                          fixture f;
                          f.post.man();
                          program(f);
                          model::reach("everybody goes on");
                        }};
  };
  return {
      with("one blocks while the lookout lies down",
           [](fixture& f) { parallel({[&] { f.lie_down(); }, [&] { f.block(); }}); }),
      with("two block while the lookout lies down",
           [](fixture& f) { parallel({[&] { f.lie_down(); }, [&] { f.block(); }, [&] { f.block(); }}); }),
      with("one blocks and goes on before another blocks",
           [](fixture& f) {
             parallel({[&] { f.lie_down(); },
                       [&] {
                         f.block();
                         f.people.worker_goes_on(true);
                         f.block();
                       }});
           }),
      with("one blocks while the first task is submitted",
           [](fixture& f) {
             bool by_blocker = false, by_submitter = false;
             parallel(
                 {[&] { by_blocker = f.blocks_and_wants_it(); }, [&] { by_submitter = f.submits_and_wants_it(); }});
             require(by_blocker || by_submitter, "nobody calls the lookout");
           }),
      with("it lies down twice",
           [](fixture& f) {
             parallel({[&] {
                         f.lie_down();
                         f.people.worker_goes_on(true);
                         f.lie_down();
                       },
                       [&] { f.block(); }, [&] { f.block(); }});
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("lookout", checks());
  failures += model::mutation_table("lookout.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
