// The shipped pool as a whole under the C++20 model: start, publish, steal, hand over, join, sleep, submit, close.

#include "stand_in/world.hpp"  // the runtime over the model; must be first

#include <cstdlib>  // getenv

#include "check.hpp"  // run_checks, mutation_table

namespace {

using model::require;
using tartan::detail::pool;
using tartan::detail::worker;

/// The calling thread works for the pool.
template <class F>
void call(pool& p, F f) {
  worker& w = p.enter(nullptr);
  tartan::detail::this_thread_cell().current = &w;
  f(w);
  tartan::detail::this_thread_cell().current = nullptr;
  p.leave(w, false);
}

/// Forks g, runs f here, and looks at what g wrote.
template <class F>
void fork(worker& w, F f) {
  model::data<int> written{0};
  int runs = 0;
  auto g = [&] {
    written.set(7);
    ++runs;
    model::reach(model::this_thread() == 0 ? "the forker runs the fork" : "a pool thread runs the fork");
  };
  tartan::detail::fork_two<&pool::published_in_person>(w, w.tasks.asymmetric(), f, g);
  require(written.get() == 7 && runs == 1, "a fork did not run once, or its writes are not seen");
  model::reach("the fork is joined");
  if (w.parks.load(std::memory_order_relaxed) != 0) model::reach("the forker has slept");
}

struct task : tartan::detail::queued_task {
  task() : queued_task(&obey_it) {}
  static void obey_it(queued_task* self, worker*, tartan::detail::task_order) {
    auto& t = *static_cast<task*>(self);
    require(t.input.get() == 7, "a task does not see what was written before it was submitted");
    t.output.set(8);
    ++t.runs;
    model::reach("a pool thread runs the task");
    t.done.store(1, std::memory_order_release);
    model::atomics::wake(t.done);
  }
  model::data<int> input{0}, output{0};
  model::atomic<std::uint32_t> done{0};
  int runs = 0;
};

/// `looks` bounds the rounds of pool threads, see stand_in/tartan/core/ticks.hpp; 0 leaves them free. When the pool is
/// leaked, its threads may sleep at the end.
model::check with(char const* name, int looks, bool leaked, std::function<void()> const& body,
                  std::vector<std::string> reaches) {
  model::options how;
  how.daemons = leaked;
  return {name,
          [=] {
            tartan::detail::most_looks = looks;
            body();
          },
          how, looks == 0 ? "" : tartan::detail::looks_bound, std::move(reaches)};
}

void start_and_close() {
  {
    pool p(2);
    call(p, [](worker&) {});
  }
  model::reach("the pool is gone");
}
/// A slot is added while the pool's thread looks at all of them.
void second_call_and_close() {
  {
    pool p(2);
    call(p, [&](worker&) { call(p, [](worker&) {}); });
  }
  model::reach("the pool is gone");
}
void one_fork() {
  pool& p = *new pool(2);
  call(p, [](worker& w) { fork(w, [] {}); });
}
/// The second one is handed over in person if the pool's thread ran the first.
void two_forks() {
  pool& p = *new pool(2);
  call(p, [](worker& w) {
    fork(w, [] {});
    if (w.helped) model::reach("the pool's thread has helped");
    fork(w, [] {});
  });
}
void fork_within_fork() {
  pool& p = *new pool(2);
  call(p, [](worker& w) { fork(w, [&] { fork(w, [] {}); }); });
}
void submit_and_close(tartan::idle mode, bool from_elsewhere = false) {
  tartan::detail::pool_setup setup;
  setup.size = 1;
  setup.idle = mode;
  task t;
  {
    pool p(setup);
    t.input.set(7);
    auto const submit = [&] {
      require(p.submit(&t, tartan::detail::this_queue_place()), "an open pool refuses a task");
    };
    from_elsewhere ? model::join(model::spawn(submit)) : submit();
  }
  require(t.output.get() == 8 && t.runs == 1, "a submitted task did not run once before the pool was gone");
  model::reach("the task has run");
}
/// Nobody closes and nobody waits in the pool: the task must run all the same.
void submit_and_look() {
  pool& p = *new pool(1);
  task& t = *new task;
  t.input.set(7);
  require(p.submit(&t, tartan::detail::this_queue_place()), "an open pool refuses a task");
  while (t.done.load(std::memory_order_acquire) == 0) model::atomics::wait(t.done, 0);
  require(t.output.get() == 8 && t.runs == 1, "a submitted task did not run once");
  model::reach("the task has run");
}
/// One task while the pool's only thread stands back for a caller.
void submit_and_call() {
  task t;
  {
    pool p(1);
    t.input.set(7);
    require(p.submit(&t, tartan::detail::this_queue_place()), "an open pool refuses a task");
    call(p, [](worker&) {});
  }
  require(t.output.get() == 8 && t.runs == 1, "a submitted task did not run once before the pool was gone");
  model::reach("the task has run");
}

std::vector<std::string> const fork_points{"the forker runs the fork", "a pool thread runs the fork",
                                           "the fork is joined", "the forker has slept"};
std::vector<std::string> const two_points{"the forker runs the fork", "a pool thread runs the fork",
                                          "the fork is joined", "the pool's thread has helped"};
std::vector<std::string> const task_points{"a pool thread runs the task", "the task has run"};

std::vector<model::check> checks() {
  return {
      with("pool of two: start and close", 0, false, start_and_close, {"the pool is gone"}),
      with("pool of two: a call within a call, close", 0, false, second_call_and_close, {"the pool is gone"}),
      with(
          "pool of one: submit a task, close", 8, false, [] { submit_and_close(tartan::idle::balanced); }, task_points),
      with(
          "pool of one that never sleeps: submit a task, close", 8, false,
          [] { submit_and_close(tartan::idle::latency); }, task_points),
      with(
          "pool of one that never sleeps: another thread submits a task, close", 8, false,
          [] { submit_and_close(tartan::idle::latency, true); }, task_points),
      with("pool of one: submit a task, wait for it outside", 8, true, submit_and_look, task_points),
      with("pool of one: submit a task, call, close", 8, false, submit_and_call, task_points),
      with("pool of two: one fork", 4, true, one_fork, fork_points),
      with("pool of two: a fork within a fork", 4, true, fork_within_fork, fork_points),
  };
}

/// Those that are repeated for every weakening.
std::vector<model::check> small_checks() {
  auto const all = checks();
  return {all[0], all[3], all[4], all[5], all[7]};
}

std::vector<model::check> large_checks() {
  auto list = std::vector{with("pool of one: submit a task, call, close", 12, false, submit_and_call, task_points),
                          with("pool of two: two forks", 4, true, two_forks, two_points),
                          with("pool of two: one fork", 8, true, one_fork, fork_points)};
  for (model::check& c : list) c.how.max_executions = 50'000'000;
  return list;
}

}  // namespace

int main() {
  int failures = model::run_checks("pool", checks());
  failures += model::mutation_table(
      "pool_news.hpp", small_checks(),
      {{"anybody_idle", "light fence", 1, "removed", false, "[I1]: who misses the sleeper runs the fork himself"},
       {"tell_of_aside", "full fence", 1, "removed", false,
        "[I1]: what those who sleep do not see the forker runs himself when he joins it"}});
  failures +=
      model::mutation_table("pool_search.hpp", small_checks(),
                            {{"next_errand", "store", 1, "release -> relaxed", false,
                              "needed by a third worker, which follows a runner [F3]: caught by leapfrog_test"}});
  failures += model::mutation_table("pool.hpp", small_checks(), {});
  char const* const of_late_fences = "for a third thread, whose fence behind its push comes later: argued there";
  failures += model::mutation_table(
      "admission.hpp", small_checks(),
      {{"expect_tasks", "full fence", 1, "removed", false,
        "needed where every thread blocks and callers fill the pool: headcount_test has the pair"},
       {"close", "store", 1, "release -> relaxed", false, of_late_fences},
       {"closed", "load", 1, "acquire -> relaxed", false, of_late_fences}});
  failures += model::mutation_table("handover.hpp", small_checks(),
                                    {{"linger", "load", 1, "acquire -> relaxed", false,
                                      "the other worker's slot was made by this thread or before it"},
                                     {"linger", "store", 1, "release -> relaxed", false,
                                      "needed by a third worker, which has not seen the table with this slot"},
                                     {"give", "load", 1, "acquire -> relaxed", false, "likewise"}});
  failures += model::mutation_table("slot_table.hpp", {checks()[1]}, {});
  if (std::getenv("TARTAN_STRESS") != nullptr) failures += model::run_checks("pool, for hours", large_checks());
  return failures == 0 ? 0 : 1;
}
