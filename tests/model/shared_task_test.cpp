// The shipped state of a future under the C++20 model: a task is begun once, its end reaches everybody who listens or
// sleeps, with its result; it is destroyed once, after everybody's last use; a dependency has one owner.

#include "stand_in/world.hpp"  // the runtime over the model; must be first

#include "check.hpp"  // run_checks, mutation_table

namespace {

using model::parallel;
using model::require;
using tartan::detail::completion;
using tartan::detail::shared_task;
using tartan::detail::task_order;
using tartan::detail::worker;

struct task : shared_task {
  explicit task(std::uint32_t references) : shared_task(&obey_order, nullptr, references) {}
  static void obey_order(queued_task* self, worker*, task_order order) {
    require(order == task_order::destroy, "an unexpected order");
    delete static_cast<task*>(self);
  }
  ~task() {
    lived.set(0);  // races with any use that does not happen before
  }

  void run() {
    if (!try_begin(nullptr)) return;
    result.set(7);
    ++runs;
    finish();
  }
  void look() { require(result.get() == 7, "a stale result"); }

  model::data<int> result{0};
  model::data<int> lived{1};
  int runs = 0;
};

/// What a continuation is: fired once, or refused because the task is done.
struct listener : completion {
  explicit listener(task& of) : completion(&ring, turn::runs), on(of) {}
  static void ring(completion* c) {
    auto& self = *static_cast<listener*>(c);
    self.on.look();
    self.fired.set(self.fired.get() + 1);
    self.rung.store(true, std::memory_order_release);
  }
  void listen() {
    if (on.listen(this)) return;
    require(on.done(), "the list is closed, but the task is not done");
    on.look();
    refused = true;
  }
  void told_once() { require(fired.get() == (refused ? 0 : 1), "a listener was told twice or never"); }

  task& on;
  model::data<int> fired{0};
  model::atomic<bool> rung{false};
  bool refused = false;
};

std::vector<model::check> checks() {
  return {
      {"begun once by two, destroyed once",
       [] {
         task* const t = new task(2);
         parallel({[=] { t->run(), t->release(); }, [=] { t->run(), t->release(); }});
       }},
      {"a sleeper outside and the end",
       [] {
         task* const t = new task(2);
         parallel({[=] { t->run(), t->release(); },
                   [=] {
                     while (!t->done()) t->sleep(std::chrono::nanoseconds{-1});
                     t->look();
                     t->release();
                   }});
       }},
      {"two listeners and the end",
       [] {
         task* const t = new task(4);
         listener a(*t), b(*t);
         parallel(
             {[=] { t->run(), t->release(); }, [&] { a.listen(), t->release(); }, [&] { b.listen(), t->release(); }});
         a.told_once();
         b.told_once();
         t->release();
       }},
      {"a listener whose frame ends when it was told",
       [] {
         task* const t = new task(2);
         parallel({[=] { t->run(), t->release(); },
                   [=] {
                     {
                       listener a(*t);
                       a.listen();
                       while (!a.refused && !a.rung.load(std::memory_order_acquire)) model::atomics::pause();
                     }
                     t->release();
                   }});
       }},
      {"a dependency is taken while another looks at it",
       [] {
         task* const earlier = new task(2);
         task* const later = new task(2);
         later->set_dependency(earlier);
         parallel({[=] {
                     if (shared_task* const mine = later->take_dependency()) mine->release();
                     later->release();
                   },
                   [=] {
                     if (shared_task* const e = later->dependency()) {
                       (void)e->done();
                       e->release();
                     }
                     later->release();
                   },
                   [=] { earlier->run(), earlier->release(); }});
       }},
  };
}

/// Too many executions to repeat them for every weakening.
std::vector<model::check> large_checks() {
  return {
      {"two sleepers outside and the end",
       [] {
         task* const t = new task(3);
         auto const sleeper = [=] {
           while (!t->done()) t->sleep(std::chrono::nanoseconds{-1});
           t->look();
           t->release();
         };
         parallel({[=] { t->run(), t->release(); }, sleeper, sleeper});
       }},
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("shared_task", checks());
  failures += model::run_checks("shared_task, three threads", large_checks());
  failures += model::mutation_table(
      "shared_task.hpp", checks(),
      {{"try_begin", "rmw", 1, "acq_rel -> acquire", false, "who loses looks at nothing"},
       {"try_begin", "rmw", 1, "acq_rel -> release", false, "who begins it met its maker when he got it"},
       {"try_begin", "rmw", 1, "acq_rel -> relaxed", false, "both"},
       {"try_begin", "store", 1, "release -> relaxed", false, "needed by runner(), which these checks do not call"},
       {"finish", "rmw", 1, "acq_rel -> release", false, "a watcher is woken through the word alone"},
       {"listen", "cas", 1, "acq_rel -> release", false, "finish() alone follows the links"},
       {"listen", "cas failure", 1, "acquire -> relaxed", false,
        "cut: see README, the look before it sees that value too"},
       {"sleep", "load", 1, "acquire -> relaxed", false, "the caller asks done() again"},
       {"sleep", "cas", 1, "acq_rel -> acquire", false, "the word alone counts"},
       {"sleep", "cas", 1, "acq_rel -> release", false, "the caller asks done() again"},
       {"sleep", "cas", 1, "acq_rel -> relaxed", false, "both"},
       {"sleep", "cas failure", 1, "acquire -> relaxed", false, "the caller asks done() again"}});
  return failures == 0 ? 0 : 1;
}
