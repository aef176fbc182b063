// The shipped deque under the C++20 model: every entry goes to exactly one taker, with what was written before the push.

#include <cstdio>   // printf
#include <cstring>  // strcmp

#include "atomics.hpp"            // model::atomics, data
#include "check.hpp"              // run_checks, mutation_table
#include "tartan/core/deque.hpp"  // deque

namespace {

using model::parallel;
using model::require;

/// What is pushed: a payload written before, and who took it.
struct item {
  model::data<int> payload{0};
  int takers = 0;  // written by takers in turn; read at the end only

  void take() {
    require(payload.get() == 7, "a taker sees another payload than was pushed");
    ++takers;
  }
};

struct fixture {
  explicit fixture(bool asymmetric, std::size_t capacity) : tasks(asymmetric, capacity) {}
  tartan::detail::deque<item, model::atomics> tasks;
  item items[4];

  void push(int k) {
    items[k].payload.set(7);
    tasks.push(&items[k]);
  }
  void take_back(int k) {
    if (tasks.take_back()) items[k].take();
  }
  void steal() {
    if (item* const got = tasks.steal()) got->take();
  }
  void take_oldest() {
    if (item* const got = tasks.take_oldest()) got->take();
  }
  /// After all threads: what is left is taken by the owner; then each of the first n has gone exactly once.
  void all_taken_once(int n) {
    while (item* const left = tasks.take_oldest()) left->take();
    for (int k = 0; k != n; ++k) require(items[k].takers == 1, "an entry was taken twice or never");
  }
};

std::vector<model::check> checks(bool asymmetric) {
  model::options how;
  how.asymmetric = asymmetric;
  auto const with = [&](char const* name, std::size_t capacity, std::function<void(fixture&)> const& program) {
    return model::check{std::string(name) + (asymmetric ? " (asymmetric)" : " (full fences)"),
                        [=] {
                          fixture f(asymmetric, capacity);
                          program(f);
                        },
                        how};
  };
  return {
      with("push, take back; a thief", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.take_back(0); }, [&] { f.steal(); }});
             f.all_taken_once(1);
           }),
      with("push, take back; two thieves", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.take_back(0); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.all_taken_once(1);
           }),
      with("two pushes, both taken back; a thief steals twice", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_back(1), f.take_back(0); }, [&] { f.steal(), f.steal(); }});
             f.all_taken_once(2);
           }),
      with("two pushes, one taken back; two thieves", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_back(1); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.all_taken_once(2);
           }),
      with("growth from one to two while a thief steals twice", 1,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1); }, [&] { f.steal(), f.steal(); }});
             f.all_taken_once(2);
           }),
      with("growth, then all taken back; a thief", 1,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_back(1), f.take_back(0); }, [&] { f.steal(); }});
             f.all_taken_once(2);
           }),
      with("a slot is reused after a theft; two thieves", 1,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.take_back(0), f.push(1); }, [&] { f.steal(); }, [&] { f.steal(); }});
             require(f.items[0].takers == 1, "an entry was taken twice or never");
             while (item* const left = f.tasks.take_oldest()) left->take();
             require(f.items[1].takers == 1, "an entry was taken twice or never");
           }),
      with("an index is used again for another entry; two thieves", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_back(1), f.push(2); }, [&] { f.steal(); }, [&] { f.steal(); }});
             f.all_taken_once(3);
           }),
      with("the owner takes its oldest while a thief steals", 2,
           [](fixture& f) {
             parallel({[&] { f.push(0), f.push(1), f.take_oldest(), f.take_back(1); }, [&] { f.steal(); }});
             f.all_taken_once(2);
           }),
  };
}

}  // namespace

int main(int argc, char** argv) {
  auto all = checks(true);
  for (auto& c : checks(false)) all.push_back(c);
  int failures = model::run_checks("deque", all);
  if (argc > 1 && std::strcmp(argv[1], "table") == 0) failures += model::mutation_table("deque", all, {});
  return failures == 0 ? 0 : 1;
}
