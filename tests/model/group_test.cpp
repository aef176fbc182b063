// The shipped task group under the C++20 model: every task runs once and is seen by the wait; a task never stays in the
// queue without a ticket; a waiter never sleeps past the end.

#include "stand_in/world.hpp"  // the runtime over the model; must be first

#include <cstdlib>  // getenv

#include "check.hpp"  // run_checks, mutation_table

namespace {

using model::require;
using tartan::detail::group;
using tartan::detail::group_task;
using tartan::detail::pool;
using tartan::detail::task_order;
using tartan::detail::worker;

struct task : group_task {
  task() : group_task(&obey_order) {}
  static void obey_order(queued_task* self, worker*, task_order) {
    auto& t = *static_cast<task*>(self);
    require(t.input.get() == 7, "a task does not see what was written before it was added");
    t.output.set(8);
    ++t.runs;
    model::reach(model::this_thread() == 0 ? "the caller runs a task" : "a pool thread runs a task");
    t.done.store(1, std::memory_order_release);
    model::atomics::wake(t.done);
  }
  void ran_once() { require(output.get() == 8 && runs == 1, "a task did not run once, or its writes are not seen"); }
  model::data<int> input{0}, output{0};
  model::atomic<std::uint32_t> done{0};
  int runs = 0;
};

group& new_group(pool& p) { return *new group(&p, {}, {}); }

void add(group& g, task& t) {
  t.input.set(7);
  g.add(&t);
}

/// The waiter takes part.
void add_and_await(int tasks) {
  pool& p = *new pool(1);
  group& g = new_group(p);
  auto* const list = new task[static_cast<std::size_t>(tasks)];
  for (int k = 0; k != tasks; ++k) add(g, list[k]);
  g.await_all();
  for (int k = 0; k != tasks; ++k) list[k].ran_once();
  model::reach("all have run");
}

/// Nobody waits in the group: the tickets alone must bring every task to an end [G1].
void add_and_look(int tasks) {
  pool& p = *new pool(1);
  group& g = new_group(p);
  auto* const list = new task[static_cast<std::size_t>(tasks)];
  for (int k = 0; k != tasks; ++k) add(g, list[k]);
  for (int k = 0; k != tasks; ++k) {
    while (list[k].done.load(std::memory_order_acquire) == 0) model::atomics::wait(list[k].done, 0);
    list[k].ran_once();
  }
  model::reach("all have run");
}

// A closed pool lends nobody, and here it has no thread that would draw a ticket: who waits runs the tasks, and sleeps
// for what others run. No pool thread, so no bound.

pool& closed_pool() {
  pool& p = *new pool(1);
  p.close();
  return p;
}

/// Each waiter sees the end of every task, whoever has run it. The last one, or who gives up the ticket then, destroys
/// the group.
void await_alone(int tasks) {
  pool& p = closed_pool();
  group& g = new_group(p);
  auto* const list = new task[static_cast<std::size_t>(tasks)];
  for (int k = 0; k != tasks; ++k) add(g, list[k]);
  g.add_reference();
  auto const waiter = [&g, list, tasks] {
    g.await_all();
    for (int k = 0; k != tasks; ++k) list[k].ran_once();
    g.release();
  };
  model::parallel({waiter, [&] {
                     waiter();
                     p.drop_queued();
                   }});
  model::reach("all have run");
}

/// Nobody but the one who waits will run the task, which may come while he lies down.
void add_while_one_lies_down() {
  group& g = new_group(closed_pool());
  task& t = *new task;
  model::parallel({[&] { add(g, t); },
                   [&] {
                     while (t.done.load(std::memory_order_acquire) == 0) {
                       g.await_all();
                       model::atomics::pause();
                     }
                     t.ran_once();
                   }});
  model::reach("all have run");
}

model::check with(char const* name, int looks, std::function<void()> const& body, std::vector<std::string> reaches) {
  model::options how;
  how.daemons = true;
  return {name,
          [=] {
            tartan::detail::most_looks = looks;
            body();
          },
          how, tartan::detail::looks_bound, std::move(reaches)};
}

std::vector<model::check> checks() {
  return {
      with("one task; the caller looks from outside", 4, [] { add_and_look(1); },
           {"a pool thread runs a task", "all have run"}),
      with("two tasks; the caller looks from outside", 4, [] { add_and_look(2); },
           {"a pool thread runs a task", "all have run"}),
  };
}

std::vector<model::check> waits() {
  return {
      {"two wait in a closed pool for one task", [] { await_alone(1); }, {}, "", {"all have run"}},
      {"a task comes while one who waits lies down", add_while_one_lies_down, {}, "", {"all have run"}},
  };
}

/// Takes minutes.
std::vector<model::check> large_checks() {
  return {
      with("one task; the caller waits in the group", 4, [] { add_and_await(1); },
           {"the caller runs a task", "a pool thread runs a task", "all have run"}),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("group on a pool of one", checks());
  failures += model::run_checks("waits for a group", waits());
  auto all = waits();
  all.push_back(checks().back());
  failures += model::mutation_table(
      "group.hpp", all,
      {{"resume", "rmw", 1, "acquire -> relaxed", false,
        "needed by a second pool thread, which has drawn the ticket and given it back meanwhile"}});
  if (std::getenv("TARTAN_STRESS") != nullptr) failures += model::run_checks("group, for long", large_checks());
  return failures == 0 ? 0 : 1;
}
