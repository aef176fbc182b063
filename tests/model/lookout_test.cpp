// The shipped post of the lookout under the C++20 model: who blocks, or submits a task, while the lookout lies down is
// seen by it, or calls it.

#include "tartan/core/lookout.hpp"  // lookout_post
#include "atomics.hpp"              // model::atomics
#include "check.hpp"                // run_checks, mutation_table

#include "tartan/core/headcount.hpp"  // headcount

namespace {

using model::parallel;
using model::require;

/// The sequences of admission::begin_blocking(), pool::enqueue() and standstill::watch() around the shipped words.
struct fixture {
  tartan::detail::headcount<model::atomics> people{1};
  tartan::detail::lookout_post<model::atomics> post;
  model::atomic<bool> queued{false};

  void block() {
    people.worker_blocks(true);
    model::atomics::full_fence_behind_rmw();
    if (queued.load(std::memory_order_relaxed)) call();
  }
  void submit() {
    queued.store(true, std::memory_order_relaxed);
    model::atomics::full_fence();
    if (people.look().blocked() != 0) call();
  }
  void call() {
    if (!post.is_empty()) return;
    model::reach("the lookout is called");
    post.call();
  }
  /// When all was quiet: returns when it is needed.
  void lie_down() {
    post.leave([this] { return people.look().blocked() != 0 && queued.load(std::memory_order_relaxed); });
    model::reach("the lookout looks again");
  }
};

std::vector<model::check> checks() {
  auto const with = [](char const* name, bool queued, std::function<void(fixture&)> const& program) {
    return model::check{name, [=] {
                          fixture f;
                          f.queued.store(queued, std::memory_order_relaxed);
                          f.post.man();
                          program(f);
                          model::reach("everybody goes on");
                        }};
  };
  return {
      with("one blocks while the lookout lies down", true,
           [](fixture& f) { parallel({[&] { f.lie_down(); }, [&] { f.block(); }}); }),
      with("a task is submitted while the lookout lies down", false,
           [](fixture& f) {
             f.people.worker_blocks(true);
             parallel({[&] { f.lie_down(); }, [&] { f.submit(); }});
           }),
      with("one blocks and a task is submitted while the lookout lies down", false,
           [](fixture& f) { parallel({[&] { f.lie_down(); }, [&] { f.block(); }, [&] { f.submit(); }}); }),
      with("two block while the lookout lies down", true,
           [](fixture& f) { parallel({[&] { f.lie_down(); }, [&] { f.block(); }, [&] { f.block(); }}); }),
      with("one blocks and goes on before another blocks", true,
           [](fixture& f) {
             parallel({[&] { f.lie_down(); },
                       [&] {
                         f.block();
                         f.people.worker_goes_on(true);
                         f.block();
                       }});
           }),
      with("it lies down twice", true,
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
