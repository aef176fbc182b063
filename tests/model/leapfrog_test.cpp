// What a worker that waits may take from others, under the C++20 model: jobs below what it waits for and nothing else,
// be it at a join, in a wait for a task or for a group; three workers, without threads of a pool beside them.

#include "stand_in/world.hpp"  // the runtime over the model; must be first

#include "check.hpp"  // run_checks, must_fail, mutation_table

namespace {

using model::parallel;
using model::require;
using tartan::detail::await_task;
using tartan::detail::foreign_work;
using tartan::detail::job;
using tartan::detail::leapfrog;
using tartan::detail::pool;
using tartan::detail::serving;
using tartan::detail::shared_task;
using tartan::detail::task_order;
using tartan::detail::worker;

/// A job that does what the test says, and may not be run by `not_by`.
struct step : job {
  explicit step(std::function<void(worker&)> what) : job(&run_it), body(std::move(what)) {}
  static void run_it(job* base, worker& w) {
    auto& self = *static_cast<step*>(base);
    require(&w != self.not_by, self.complaint);
    if (self.body) self.body(w);
  }
  std::function<void(worker&)> body;
  worker* not_by = nullptr;
  char const* complaint = "";
};

/// A pool that has slots and no thread.
struct workers {
  explicit workers(int n) {
    for (int i = 0; i != n; ++i) w[i] = &p.enter(nullptr);
    tartan::detail::errand_step = std::uint64_t{1} << 16;
  }
  /// It never gets a thread either.
  void close() {
    p.close();
    p.join();
  }
  pool& p = *new pool(1);
  worker* w[3];
};

void work_as(worker& w) { tartan::detail::this_thread_cell().current = &w; }

/// The worker pushes a job, and takes it back unless somebody has it.
void fork_for_others(worker& w, step& forked) {
  w.tasks.push(&forked);
  if (w.tasks.take_back()) forked.run(&forked, w);
}

/// One look of a worker that waits for what `runner` runs; runs what it finds.
template <class StillRuns>
void take_below(worker& w, worker& runner, StillRuns still_runs) {
  leapfrog frog(w);
  if (job* const found = frog.steal_below(&runner, still_runs)) {
    model::reach("a job is taken from the runner");
    found->run(found, w);
  }
}

/// Waits for a job that another worker takes, and says so to others.
void await_as_joiner(worker& w, job& awaited) {
  leapfrog frog(w);
  while (!awaited.join.finished()) {
    if (worker* const runner = awaited.join.runner()) frog.follow(runner, [&] { return !awaited.join.finished(); });
    model::atomics::pause();
  }
}

// ---- joins --------------------------------------------------------------------------------------------------------

/// [L2]: the runner of j forks inside it, ends it, and forks in other work.
void runner_goes_on(bool asks) {
  workers x(2);
  worker &waiter = *x.w[0], &runner = *x.w[1];
  step inside(nullptr), beside(nullptr);
  beside.not_by = &waiter;
  beside.complaint = "a waiting worker took work from beside the job that it waits for";
  step j([&](worker& w) { fork_for_others(w, inside); });
  step other([&](worker& w) { fork_for_others(w, beside); });
  j.join.begin_by(&runner);
  parallel({[&] { take_below(waiter, runner, [&] { return !asks || !j.join.finished(); }); },
            [&] { pool::run_begun(runner, j), pool::run_begun(runner, other); }});
}

/// [L3]: the runner of j waits for a job k inside it, whose runner forks inside k, ends it, and forks in other work.
/// That worker comes late: the waiter knows it only by what the runner announces.
void runner_of_the_runner_goes_on(bool errands_change) {
  workers x(2);
  worker &waiter = *x.w[0], &runner = *x.w[1];
  step inside(nullptr), beside(nullptr), j(nullptr);
  beside.not_by = &waiter;
  beside.complaint = "a waiting worker took work from beside the job that it waits for";
  step k([&](worker& w) { fork_for_others(w, inside); });
  step other([&](worker& w) { fork_for_others(w, beside); });
  j.join.begin_by(&runner);
  if (!errands_change) tartan::detail::errand_step = 0;
  parallel({[&] { take_below(waiter, runner, [&] { return !j.join.finished(); }); },
            [&] {
              await_as_joiner(runner, k);
              static_cast<void>(j.join.finish());
            },
            [&] {
              worker& third = x.p.enter(nullptr);
              k.join.begin_by(&third);
              pool::run_begun(third, k), pool::run_begun(third, other);
            }});
}

/// [F4]: after j its runner waits for the same third worker once more, for other work.
void runner_waits_again() {
  workers x(3);
  worker &waiter = *x.w[0], &runner = *x.w[1], &third = *x.w[2];
  step beside(nullptr), j(nullptr), k(nullptr);
  beside.not_by = &waiter;
  beside.complaint = "a waiting worker took work from beside the job that it waits for";
  step other([&](worker& w) { fork_for_others(w, beside); });
  j.join.begin_by(&runner);
  k.join.begin_by(&third);
  leapfrog frog(runner);
  frog.follow(&third, [&] { return !k.join.finished(); });
  pool::run_begun(third, k);
  other.join.begin_by(&third);
  parallel({[&] { take_below(waiter, runner, [&] { return !j.join.finished(); }); },
            [&] {
              static_cast<void>(j.join.finish());
              frog.follow(&third, [&] { return !other.join.finished(); });
            },
            [&] { pool::run_begun(third, other); }});
}

// ---- tasks --------------------------------------------------------------------------------------------------------

struct task : shared_task {
  explicit task(pool& home) : shared_task(&obey_order, &home, 8) {}
  static void obey_order(queued_task* base, worker* w, task_order) {
    auto& self = *static_cast<task*>(base);
    if (self.body) self.body(*w);
    self.finish();
  }
  std::function<void(worker&)> body;
};

/// [F1]: two workers wait for a task that nobody has begun; one of them has forked before.
void task_begun_above_a_fork() {
  workers x(2);
  x.close();
  worker &waiter = *x.w[0], &runner = *x.w[1];
  step below(nullptr);
  below.not_by = &waiter;
  below.complaint = "a waiting worker took work from below the task that it waits for";
  task t(x.p);
  runner.tasks.push(&below);
  parallel({[&] { work_as(waiter), await_task(t); },
            [&] {
              work_as(runner), await_task(t);
              require(runner.tasks.take_back(), "a fork below a wait is gone");
            }});
  model::reach("the task has run");
}

// ---- groups -------------------------------------------------------------------------------------------------------

/// One look of a worker that waits for a group.
void take_below_group(worker& w, void const* group) {
  leapfrog frog(w);
  if (job* const found = frog.steal_from_servers(group)) {
    model::reach("a job is taken from the runner");
    found->run(found, w);
  }
}

/// [G4]: a worker runs a task of the group and forks inside it, then in other work.
void server_goes_on(bool errands_change) {
  workers x(2);
  worker &waiter = *x.w[0], &server = *x.w[1];
  step inside(nullptr), beside(nullptr);
  beside.not_by = &waiter;
  beside.complaint = "a worker that waits for a group took work from beside its tasks";
  step other([&](worker& w) { fork_for_others(w, beside); });
  if (!errands_change) tartan::detail::errand_step = 0;
  parallel({[&] { take_below_group(waiter, &x); },
            [&] {
              {
                foreign_work const below(server);
                serving const scope(&server, &x);
                fork_for_others(server, inside);
              }
              pool::run_begun(server, other);
            }});
}

/// The task of the group waits for a job, whose runner forks inside that, ends it, and forks in other work; the worker
/// of the task goes on to other work too.
void server_waits() {
  workers x(3);
  worker &waiter = *x.w[0], &server = *x.w[1], &third = *x.w[2];
  step inside(nullptr), beside(nullptr);
  beside.not_by = &waiter;
  beside.complaint = "a worker that waits for a group took work from beside its tasks";
  step k([&](worker& w) { fork_for_others(w, inside); });
  step other([&](worker& w) { fork_for_others(w, beside); });
  k.join.begin_by(&third);
  parallel({[&] { take_below_group(waiter, &x); },
            [&] {
              foreign_work const below(server);
              serving const scope(&server, &x);
              await_as_joiner(server, k);
            },
            [&] { pool::run_begun(third, k), pool::run_begun(third, other); }});
}

/// The worker of the task has forked before; another one follows the waiter.
void server_has_forked() {
  workers x(3);
  worker &waiter = *x.w[0], &server = *x.w[1], &third = *x.w[2];
  step below([&](worker& w) { require(&w == &server, "work from below a task of the group was taken"); });
  step j(nullptr);  // of the third, which the waiter runs
  j.join.begin_by(&waiter);
  server.tasks.push(&below);
  parallel({[&] { take_below_group(waiter, &x); },
            [&] {
              foreign_work const above(server);
              serving const scope(&server, &x);
            },
            [&] { take_below(third, waiter, [&] { return !j.join.finished(); }); }});
  require(server.tasks.take_back(), "a fork below a wait is gone");
  model::reach("the fork is there");
}

std::vector<model::check> small_checks() {
  std::string const taken = "a job is taken from the runner";
  return {
      {"join: a fork inside the job, one beside it", [] { runner_goes_on(true); }, {}, "", {taken}},
      {"join: its runner waits for a third worker, then for that one again", runner_waits_again},
      {"group: a fork inside its task, one beside it", [] { server_goes_on(true); }, {}, "", {taken}},
      {"group: its task is run by a worker that has forked before", server_has_forked, {}, "", {"the fork is there"}},
      {"task: begun by a worker that has forked before", task_begun_above_a_fork, {}, "", {"the task has run"}},
  };
}

std::vector<model::check> checks() {
  std::string const taken = "a job is taken from the runner";
  auto all = small_checks();
  all.push_back({"join: its runner waits for a third worker that comes late",
                 [] { runner_of_the_runner_goes_on(true); },
                 {},
                 "",
                 {taken}});
  all.push_back({"group: its task waits for a third worker", server_waits, {}, "", {taken}});
  return all;
}

}  // namespace

int main() {
  int failures = model::run_checks("leapfrogging", checks());
  std::printf("must fail\n");
  failures +=
      model::must_fail({"join: does not ask whether the job still runs", [] { runner_goes_on(false); }}, "beside");
  failures += model::must_fail({"join: errands repeat", [] { runner_of_the_runner_goes_on(false); }}, "beside");
  failures += model::must_fail({"group: errands repeat", [] { server_goes_on(false); }}, "beside");
  failures += model::mutation_table("leapfrog.hpp", checks(), {});
  char const* const of_the_end = "of the end of a pool, see pool_test";
  char const* const of_submissions = "of submissions to a pool whose threads all block: headcount_test has the pair";
  char const* const of_the_lookout = "of the lookout: lookout_test has the pair";
  failures += model::mutation_table("pool_search.hpp", small_checks(), {});
  failures += model::mutation_table("pool.hpp", small_checks(),
                                    {{"end_when_done", "full fence", 1, "removed", false, of_the_end}});
  failures += model::mutation_table("admission.hpp", small_checks(),
                                    {{"close", "store", 1, "release -> relaxed", false, of_the_end},
                                     {"note_blocked", "full fence", 1, "removed", false, of_the_lookout},
                                     {"threads_needed", "load", 1, "seq_cst -> acquire", false, of_submissions},
                                     {"threads_needed", "load", 1, "seq_cst -> relaxed", false, of_submissions}});
  return failures == 0 ? 0 : 1;
}
