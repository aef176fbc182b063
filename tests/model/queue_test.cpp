// The shipped queue of a pool under the C++20 model: every task is drawn once, with what was written before it was
// pushed; tasks that move from an inlet to a worker's list are never overlooked; close() parts the pushes in two.

#include "stand_in/world.hpp"  // the runtime over the model; must be first

#include "check.hpp"  // run_checks, mutation_table

namespace {

using model::parallel;
using model::require;
using tartan::detail::queued_task;
using tartan::detail::task_queue;
using tartan::detail::worker;

struct task : queued_task {
  task() : queued_task([](queued_task*, worker*, tartan::detail::task_order) {}) {}
  void draw() {
    require(payload.get() == 7, "a task is drawn before what was written for it");
    ++drawn;
  }
  model::data<int> payload{0};
  int drawn = 0;
};

struct fixture {
  task_queue queue{2, 1};  // two workers, one inlet
  task tasks[2];

  bool push(int k) {
    tasks[k].payload.set(7);
    return queue.push(&tasks[k], {0, true});
  }
  bool draw(std::size_t worker_index) {
    queued_task* const got = queue.pop(worker_index);
    if (got != nullptr) static_cast<task*>(got)->draw();
    return got != nullptr;
  }
};

constexpr auto with = model::on_fresh<fixture>;

std::vector<model::check> checks() {
  return {
      with("two pushes, two workers",
           [](fixture& f) {
             parallel({[&] { (void)f.push(0), (void)f.push(1); }, [&] { f.draw(0); }, [&] { f.draw(1); }});
             while (f.draw(0) || f.draw(1)) {
             }
             for (task& t : f.tasks) require(t.drawn == 1, "a task was drawn twice or never");
           }),
      with("a task that moves is never overlooked [Q1]",
           [](fixture& f) {
             (void)f.push(0);
             (void)f.push(1);
             parallel({[&] { f.draw(0); }, [&] { require(!f.queue.seems_empty(), "a task is overlooked"); }});
           }),
      with("close against push: drawn if and only if the push said so",
           [](fixture& f) {
             bool pushed = false;
             parallel({[&] { pushed = f.push(0); },
                       [&] {
                         f.queue.close();
                         while (f.draw(0)) {
                         }
                         require(f.queue.seems_empty(), "a push succeeded after close()");
                       }});
             require(f.tasks[0].drawn == (pushed ? 1 : 0), "close() lost a task");
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("queue", checks());
  failures += model::mutation_table("queue.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
