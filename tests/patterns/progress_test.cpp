// Progress on every pattern of forks and grids: completions are counted, each once, none too many, on every policy.
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <utility>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/numbers.hpp"
#include "support/ticker.hpp"
#include "tartan/divide_and_conquer.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/stencil.hpp"
#include "tartan/task_group.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

struct tree {
  int depth;
  [[nodiscard]] std::pair<tree, tree> halves() const { return {{depth - 1}, {depth - 1}}; }
};

}  // namespace

TEST_CASE("recursive patterns count what they call", "[progress]") {
  tn::test::everywhere([&](auto const& policy) {
    test::ticker bar;
    auto const p = policy.progress(bar);
    bar.counts("fork_join", 2, [&] { tn::fork_join(p, [] {}, [] {}); });
    bar.counts("fork_join of three", 3, [&] { tn::fork_join(p, [] {}, [] {}, [] { return 1; }); });
    bar.counts("task_group", 50, [&] {
      tn::task_group group{p};
      for (int i = 0; i != 50; ++i) group.run([] {});
      group.wait();
    });
    bar.counts("divide_and_conquer", 64, [&] {  // base cases
      tn::divide_and_conquer(
          p, tree{6}, [](tree t) { return t.depth == 0; }, [](tree) { return 1; }, [](tree t) { return t.halves(); },
          std::plus<>{});
    });
    tn::grid<float, 2> g(40, 30);
    bar.counts("stencil", 5, [&] {  // steps
      tn::stencil(p, g, tn::steps(5), tn::radius(1), tn::boundary::clamp, [](auto at) { return at(0, 0); });
    });
  });
}

TEST_CASE("a recursion that fails counts no more than there is", "[progress]") {
  auto const fails = [] { throw std::domain_error("always"); };
  test::everywhere([&](auto const& policy) {
    test::ticker bar;
    auto const p = policy.progress(bar);
    using error = std::domain_error;
    bar.counts_no_more<error>("fork_join", 2, [&] { tn::fork_join(p, fails, [] {}); });
    bar.counts_no_more<error>("task_group", 2, [&] {
      tn::task_group group{p};
      group.run([] {}), group.run(fails);
      group.wait();
    });
    bar.counts_no_more<error>("divide_and_conquer", 64, [&] {
      tn::divide_and_conquer(
          p, tree{6}, [](tree t) { return t.depth == 0; }, [&](tree) { return fails(), 1; },
          [](tree t) { return t.halves(); }, std::plus<>{});
    });
  });
}
