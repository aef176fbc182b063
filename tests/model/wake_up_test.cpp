// The shipped word of a suspended task under the C++20 model: whatever meets, the task goes on once, knows the reason,
// and sees what was written before, and so does whoever resumes it.

#include "tartan/async/wake_up.hpp"  // wake_up
#include "atomics.hpp"               // model::atomics, data
#include "check.hpp"                 // run_checks, mutation_table

namespace {

using model::parallel;
using model::require;

struct fixture {
  using wake_up = tartan::detail::wake_up<model::atomics>;
  wake_up word;
  model::data<int> frame{0};           // what the one who awaits has written
  model::data<int> news[2]{{0}, {0}};  // what those with a reason have
  int resumed = 0;

  void go_on() {
    require(++resumed == 1, "the task went on twice");
    require(frame.get() == 1, "the task goes on without its frame");
    std::uint32_t const why = word.reason();
    require(why >= wake_up::first_reason, "the task goes on without a reason");
    require(news[why - wake_up::first_reason].get() == 5, "the task does not see what it was woken for");
  }
  void await() {
    frame.set(1);
    if (!word.suspend()) go_on();
  }
  void have_reason(std::uint32_t k) {
    news[k].set(5);
    if (word.wake(wake_up::first_reason + k)) go_on();
  }
};

model::check with(char const* name, std::function<void(fixture&)> const& program) {
  return {name, [=] {
            fixture f;
            program(f);
            require(f.resumed == 1, "the task never went on");
          }};
}

std::vector<model::check> checks() {
  return {
      with("one reason", [](fixture& f) { parallel({[&] { f.await(); }, [&] { f.have_reason(0); }}); }),
      with("two reasons",
           [](fixture& f) { parallel({[&] { f.await(); }, [&] { f.have_reason(0); }, [&] { f.have_reason(1); }}); }),
      with("a reason at the very beginning, and one later",
           [](fixture& f) {
             f.have_reason(0);
             parallel({[&] { f.await(); }, [&] { f.have_reason(1); }});
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("wake_up", checks());
  failures += model::mutation_table("wake_up.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
