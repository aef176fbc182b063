// The shipped join word and parking spot under the C++20 model: a forker that waits for a stolen job wakes, sees the
// result, and nobody touches the job after its end.

#include <optional>  // optional

#include "atomics.hpp"           // model::atomics, data
#include "check.hpp"             // run_checks, mutation_table
#include "tartan/core/idle.hpp"  // parking_spot
#include "tartan/core/job.hpp"   // join_word

namespace {

using model::parallel;
using model::require;
using real = model::atomics;

struct alignas(8) fake_worker {
  explicit fake_worker(int number) : index(number) {}
  tartan::detail::parking_spot<real> spot;
  model::data<int> index;
};
using join_word = tartan::detail::join_word<fake_worker, real>;

/// A job in the frame of its forker: it dies as soon as the forker has seen its end.
struct frame {
  join_word join;
  model::data<int> result{0};
};

struct fixture {
  fake_worker forker{0};

  void run(frame& f) {
    f.join.begin_by(new fake_worker(1));  // its thread made it, and it lives as long as the pool
    f.result.set(7);
    if (fake_worker* const asleep = f.join.finish()) asleep->spot.signal();
  }
  /// As the forker waits: awake first, then asleep. `rounds` wake-ups for nothing are tolerated.
  void await(frame& f) {
    while (!f.join.finished()) {
      fake_worker* const who = f.join.runner();
      if (who == nullptr) {
        real::pause();
        continue;
      }
      require(who->index.get() == 1, "the forker follows the runner before it is made");
      if (f.join.announce_sleep(who, &forker)) {
        forker.spot.park();
        f.join.retract_sleep(who, &forker);
      }
    }
  }
};

std::vector<model::check> checks() {
  return {
      {"a forker that sleeps, a runner",
       [] {
         fixture x;
         std::optional<frame> f(std::in_place);
         model::atomic<frame*> stolen{nullptr};
         parallel({[&] {
                     stolen.store(&*f, std::memory_order_release);
                     x.await(*f);
                     require(f->result.get() == 7, "the forker sees a stale result");
                     f.reset();
                   },
                   [&] {
                     if (frame* const got = stolen.load(std::memory_order_acquire))
                       x.run(*got);
                     else
                       model::assume(false);
                   }});
       }},
      {"the same with a wake-up for nothing",
       [] {
         fixture x;
         std::optional<frame> f(std::in_place);
         model::atomic<frame*> stolen{nullptr};
         parallel({[&] {
                     stolen.store(&*f, std::memory_order_release);
                     x.await(*f);
                     require(f->result.get() == 7, "the forker sees a stale result");
                     f.reset();
                   },
                   [&] {
                     if (frame* const got = stolen.load(std::memory_order_acquire))
                       x.run(*got);
                     else
                       model::assume(false);
                   },
                   [&] { x.forker.spot.signal(); }});
       }},
      {"two jobs of one forker after each other: a late signal of the first hurts nobody",
       [] {
         fixture x;
         model::atomic<frame*> stolen{nullptr};
         parallel({[&] {
                     for (int k = 0; k != 2; ++k) {
                       frame f;
                       stolen.store(&f, std::memory_order_release);
                       x.await(f);
                       require(f.result.get() == 7, "the forker sees a stale result");
                     }
                   },
                   [&] {
                     for (int k = 0; k != 2; ++k) {
                       frame* const got = stolen.exchange(nullptr, std::memory_order_acquire);
                       if (got == nullptr) model::assume(false);
                       x.run(*got);
                     }
                   }});
       }},
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("join", checks());
  failures += model::mutation_table(
      "job.hpp", checks(),
      {{"finish", "rmw", 1, "acq_rel -> release", false, "whoever runs the job met its forker when it took the job"},
       {"announce_sleep", "cas", 1, "acq_rel -> acquire", false,
        "whoever runs the job met its forker when it took the job"},
       {"announce_sleep", "cas", 1, "acq_rel -> release", false, "results come through finished()"},
       {"announce_sleep", "cas", 1, "acq_rel -> relaxed", false, "both"}});
  return failures == 0 ? 0 : 1;
}
