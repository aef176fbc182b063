// The shipped watch over a pipeline's source under the C++20 model: a worker that sleeps leaves no token behind with
// one that waits for the source.

#include "atomics.hpp"                         // model::atomics, data
#include "check.hpp"                           // run_checks, mutation_table
#include "tartan/patterns/pipeline/watch.hpp"  // source_watch

namespace {

using model::parallel;
using model::require;

struct fixture {
  explicit fixture(bool asymmetric) : watch(asymmetric) { watch.come(), watch.come(); }

  tartan::detail::source_watch<model::atomics> watch;
  model::atomics::atomic<int> made{0};
  model::data<int> token{0};
  bool waits = false, sleeps = false, took_over = false;

  /// A turn at the source: one token comes, and then the source keeps whoever asks for a second one waiting for ever.
  void ask() {
    bool const several = watch.begin();
    token.set(7);
    made.store(1, std::memory_order_release);
    if (several && watch.more())
      waits = true;
    else
      watch.end();
  }

  /// A turn in which a single token comes and goes on.
  void ask_once() {
    if (watch.begin()) watch.end();
  }

  bool takes_over() {
    if (made.load(std::memory_order_acquire) == 0) return false;
    require(token.get() == 7, "a token was taken over before it was made");
    return took_over = true;
  }

  /// An idle worker that has found the source slow, or never busy.
  void look(bool slow) {
    if (slow && watch.eager()) watch.stop_asking();
    if (takes_over() || !watch.stop_watching()) return;
    if (!takes_over()) sleeps = true;
  }

  void nothing_is_left_behind() const {
    require(!(waits && sleeps && !took_over), "a token waits for the next one, and nobody watches");
  }
};

void add(std::vector<model::check>& all, bool asymmetric) {
  std::string const kind = asymmetric ? "" : ", full fences";
  auto const with = [&](char const* name, std::function<void(fixture&)> const& program) {
    all.push_back({name + kind, [=] {
                     fixture f(asymmetric);
                     program(f);
                     f.nothing_is_left_behind();
                   }});
  };
  with("a turn, a worker that goes to sleep", [](fixture& f) { parallel({[&] { f.ask(); }, [&] { f.look(false); }}); });
  with("a turn, a worker that finds the source slow",
       [](fixture& f) { parallel({[&] { f.ask(); }, [&] { f.look(true); }}); });
  with("two turns, a worker that finds the source slow",
       [](fixture& f) { parallel({[&] { f.ask_once(), f.ask(); }, [&] { f.look(true); }}); });
  with("two turns, a worker that looks twice", [](fixture& f) {
    parallel({[&] { f.ask_once(), f.ask(); },
              [&] {
                f.look(false);
                if (f.sleeps) f.sleeps = false, f.watch.come();
                f.look(true);
              }});
  });
}

std::vector<model::check> checks() {
  std::vector<model::check> all;
  add(all, true);
  add(all, false);
  return all;
}

}  // namespace

int main() {
  int failures = model::run_checks("source_watch", checks());
  failures += model::mutation_table("watch.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
