// The shipped headcount under the C++20 model: a thread that stands back is told when it may go on, whoever lets it: a
// caller that leaves, a worker that blocks, a task in the queue, the end of the pool.

#include "tartan/core/headcount.hpp"  // headcount
#include "atomics.hpp"                // model::atomics, data
#include "check.hpp"                  // run_checks, mutation_table
#include "tartan/core/idle.hpp"       // idle_count, parking_spot

namespace {

using model::parallel;
using model::require;
using real = model::atomics;

/// The sequences of core/admission.hpp, core/pool_search.hpp and core/pool.hpp around the shipped words: two slots, a
/// queue of one task, a flag for the end.
struct fixture {
  explicit fixture(unsigned size) : people(size) {}
  struct slot {
    real::atomic<bool> stands_back{false};
    tartan::detail::parking_spot<real> spot;
    model::data<unsigned> rank{0};
  };
  tartan::detail::headcount<real> people;
  tartan::detail::idle_count<real> idle;
  slot slots[2];
  unsigned threads = 2;
  real::atomic<bool> waits{false};  // somebody stands at his mailbox
  real::atomic<bool> queued{false}, closed{false}, tasks_may_come{false};

  [[nodiscard]] bool may_stand_back(unsigned rank) const {
    auto const v = people.look();
    bool const for_queue = queued.load(std::memory_order_acquire);
    return rank >= (for_queue ? people.wanted_for_queue(v) : people.wanted(v)) &&
           !closed.load(std::memory_order_relaxed);
  }
  /// Returns when the thread may be awake.
  void stand_back(unsigned rank) {
    if (!may_stand_back(rank)) return;
    slots[rank].rank.set(rank);
    people.stand_back(slots[rank].stands_back);
    if (!somebody_hears()) let_in_late();
    while (may_stand_back(rank)) slots[rank].spot.park();
    people.step_forward(slots[rank].stands_back);
  }
  void wake_those_below(unsigned rank) {
    for (slot& s : slots)
      if (people.stands_back(s.stands_back) && s.rank.get() < rank) s.spot.signal();
  }
  void let_in(tartan::detail::headcount<real>::view now) {
    if (people.somebody_stands_back()) wake_those_below(people.wanted_for_queue(now));
  }
  void leave() {
    auto const now = people.caller_goes();
    if (!people.somebody_stands_back()) return;
    real::full_fence_behind_rmw();
    if (!somebody_hears()) wake_those_below(people.wanted_for_queue(now));
  }
  [[nodiscard]] bool somebody_hears() const {
    auto const v = idle.look();
    return v.searching() + v.sleeping() != 0 ||
           (waits.load(std::memory_order_relaxed) && !queued.load(std::memory_order_acquire));
  }
  void let_in_late() {
    auto const now = people.look();
    if (people.too_many_stand_back(now, threads)) wake_those_below(people.wanted(now));
  }
  /// The last searcher, who has found work.
  void end_search() {
    if (idle.end_search().searching() != 1 || !people.somebody_stands_back()) return;
    real::full_fence();
    let_in_late();
  }
  void block() { let_in(people.worker_blocks(true)); }
  void wake_for_queue() {
    auto const now = people.look();
    unsigned const those = people.wanted_for_queue(now);
    people.wanted(now) < those ? wake_those_below(those) : let_in_late();
  }
  void submit() {
    queued.store(true, std::memory_order_release);
    real::full_fence();
    if (people.somebody_stands_back()) wake_for_queue();
  }
  /// The threads that there should be: as let_in() and expect_tasks() find them out.
  [[nodiscard]] unsigned needed_when_blocking() {
    auto const now = people.worker_blocks(true);
    return tasks_may_come.load(std::memory_order_seq_cst) ? people.wanted_for_queue(now) : people.wanted(now);
  }
  [[nodiscard]] unsigned needed_when_submitting() {
    tasks_may_come.store(true, std::memory_order_relaxed);
    real::full_fence();
    return people.wanted_for_queue(people.look());
  }
  /// A caller, at a join.
  void fall_asleep() {
    people.caller_sleeps();
    if (!people.somebody_stands_back()) return;
    real::full_fence();
    if (queued.load(std::memory_order_acquire)) wake_for_queue();
  }
  void close() {
    closed.store(true, std::memory_order_relaxed);
    real::full_fence();
    wake_those_below(~0U);
  }
};

std::vector<model::check> checks() {
  auto const with = [](char const* name, unsigned size, unsigned callers,
                       std::function<void(fixture&)> const& program) {
    return model::check{name, [=] {
                          fixture f(size);
                          for (unsigned i = 0; i != callers; ++i) f.people.caller_comes();
                          program(f);
                          model::reach("everybody may go on");
                        }};
  };
  std::vector<model::check> all = {
      with("a caller leaves", 1, 1, [](fixture& f) { parallel({[&] { f.stand_back(0); }, [&] { f.leave(); }}); }),
      with("a thread blocks while the first task is submitted: one of the two starts another", 1, 1,
           [](fixture& f) {
             unsigned by_thread = 0, by_submitter = 0;
             parallel(
                 {[&] { by_thread = f.needed_when_blocking(); }, [&] { by_submitter = f.needed_when_submitting(); }});
             require(by_thread == 2 || by_submitter == 2, "no thread is left for the task");
           }),
      with("two callers leave, two threads stand back", 2, 2,
           [](fixture& f) {
             parallel({[&] { f.stand_back(0); }, [&] { f.stand_back(1); }, [&] { f.leave(), f.leave(); }});
           }),
      with("two callers leave at once, one thread needs both", 2, 2,
           [](fixture& f) { parallel({[&] { f.stand_back(1); }, [&] { f.leave(); }, [&] { f.leave(); }}); }),
      with("a caller leaves while the last searcher finds work", 2, 1,
           [](fixture& f) {
             (void)f.idle.begin_search(1);
             parallel({[&] { f.stand_back(1); }, [&] { f.leave(); }, [&] { f.end_search(); }});
           }),
      with("a caller leaves, one who stands at his mailbox hears, while a task is submitted", 2, 1,
           [](fixture& f) {
             f.waits.store(true, std::memory_order_relaxed);
             parallel({[&] { f.stand_back(1); }, [&] { f.leave(); }, [&] { f.submit(); }});
           }),
      with("a worker blocks", 1, 1, [](fixture& f) { parallel({[&] { f.stand_back(0); }, [&] { f.block(); }}); }),
      with("a worker blocks while the last caller leaves: both see what they do together", 1, 1,
           [](fixture& f) {
             unsigned wanted[2] = {};
             parallel({[&] { wanted[0] = f.people.wanted(f.people.worker_blocks(true)); },
                       [&] { wanted[1] = f.people.wanted(f.people.caller_goes()); }});
             require(wanted[0] == 2 || wanted[1] == 2, "nobody starts the thread that both make room for");
           }),
      with("a task is submitted while a caller works", 1, 1,
           [](fixture& f) {
             parallel({[&] {
                         while (!f.queued.load(std::memory_order_acquire)) {
                           f.stand_back(0);
                           real::pause();
                         }
                       },
                       [&] { f.submit(); }});
           }),
      with("a task is submitted while a caller comes", 1, 0,
           [](fixture& f) {
             // The thread has nothing else to look at: where it does not stand back, the idle protocol would tell it.
             parallel({[&] { f.stand_back(0); }, [&] { f.submit(); }, [&] { f.people.caller_comes(); }});
           }),
      with("a task is submitted while a worker blocks and a caller works", 1, 1,
           [](fixture& f) {
             f.people.worker_blocks(true);
             parallel({[&] {
                         while (!f.queued.load(std::memory_order_acquire)) {
                           f.stand_back(1);
                           real::pause();
                         }
                       },
                       [&] { f.submit(); }});
           }),
      with("a task is submitted while the first thread falls asleep in a wait and a caller works", 1, 1,
           [](fixture& f) {
             parallel({[&] {
                         while (!f.queued.load(std::memory_order_acquire)) {
                           f.stand_back(1);
                           real::pause();
                         }
                       },
                       [&] { f.let_in(f.people.thread_sleeps()), f.submit(); }});
           }),
      with("the first thread falls asleep in a wait while a task is submitted", 1, 1,
           [](fixture& f) {
             f.queued.store(true, std::memory_order_relaxed);
             parallel({[&] { f.stand_back(1); }, [&] { f.let_in(f.people.thread_sleeps()); }});
           }),
      with("a caller falls asleep at a join while the first thread works and a task is submitted", 2, 1,
           [](fixture& f) {
             parallel({[&] {
                         while (!f.queued.load(std::memory_order_acquire)) {
                           f.stand_back(1);
                           real::pause();
                         }
                       },
                       [&] { f.fall_asleep(); }, [&] { f.submit(); }});
           }),
      with("a caller falls asleep at a join while a thread stands back although a task is queued", 2, 1,
           [](fixture& f) {
             f.queued.store(true, std::memory_order_relaxed);
             parallel({[&] { f.stand_back(1); }, [&] { f.fall_asleep(); }});
           }),
      with("the pool closes", 1, 1, [](fixture& f) { parallel({[&] { f.stand_back(0); }, [&] { f.close(); }}); }),
  };
  return all;
}

}  // namespace

int main() {
  int failures = model::run_checks("headcount", checks());
  char const* const elsewhere = "[R2] of residence.hpp: residence_test has the pair";
  failures += model::mutation_table("headcount.hpp", checks(),
                                    {{"caller_comes", "rmw", 1, "seq_cst -> acq_rel", false, elsewhere},
                                     {"caller_comes", "rmw", 1, "seq_cst -> release", false, elsewhere},
                                     {"caller_comes", "rmw", 1, "seq_cst -> relaxed", false, elsewhere},
                                     {"caller_comes", "rmw", 1, "seq_cst -> acquire", false, elsewhere}});
  return failures == 0 ? 0 : 1;
}
