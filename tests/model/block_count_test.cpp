// The shipped block_count under the C++20 model: a block is freed, or used again, exactly once and after every last use
// of its pieces.

#include "tartan/core/block_count.hpp"  // block_count
#include "atomics.hpp"                  // model::atomics, data
#include "check.hpp"                    // run_checks, mutation_table

namespace {

using model::parallel;
using model::require;

struct fixture {
  tartan::detail::block_count<model::atomics> count;
  model::data<int> piece[3] = {{0}, {0}, {0}};
  int freed = 0;

  void free_it() {
    for (auto& p : piece) p.set(-1);
    ++freed;
  }
  void make(int n) {
    for (int k = 0; k != n; ++k) piece[k].set(7);
  }
  /// Uses pieces [from, to) for the last time, and brings them back in one go.
  void bring_back(int from, int to) {
    for (int k = from; k != to; ++k) piece[k].set(8);
    if (count.back(static_cast<unsigned>(to - from))) free_it();
  }
  void leave(unsigned cut) {
    if (count.leave(cut)) free_it();
  }
};

constexpr auto with = model::on_fresh<fixture>;

std::vector<model::check> checks() {
  return {
      with("two bring pieces back, the maker leaves",
           [](fixture& f) {
             f.make(3);
             parallel({[&] { f.bring_back(0, 2); }, [&] { f.bring_back(2, 3); }, [&] { f.leave(3); }});
             require(f.freed == 1, "the block was freed twice or never");
           }),
      with("one brings pieces back one by one, the maker leaves before",
           [](fixture& f) {
             f.make(2);
             f.leave(2);
             parallel({[&] { f.bring_back(0, 1); }, [&] { f.bring_back(1, 2); }});
             require(f.freed == 1, "the block was freed twice or never");
           }),
      with("the maker uses the block again if it can, else it leaves",
           [](fixture& f) {
             f.make(2);
             int again = 0;
             parallel({[&] { f.bring_back(0, 1); }, [&] { f.bring_back(1, 2); },
                       [&] {
                         if (f.count.restart(2)) {
                           f.make(3);
                           ++again;
                           f.leave(0);  // nothing was cut this time
                         } else {
                           f.leave(2);
                         }
                       }});
             require(f.freed + again >= 1 && f.freed <= 1, "the block was freed twice or never");
           }),
  };
}

}  // namespace

int main() {
  int failures = model::run_checks("block_count", checks());
  failures += model::mutation_table("block_count.hpp", checks(), {});
  return failures == 0 ? 0 : 1;
}
