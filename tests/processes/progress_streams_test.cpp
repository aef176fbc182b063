// Progress on every stream, fork and grid that runs on worker processes: completions are counted here, each once, none
// too many.

#include <cstddef>
#include <stdexcept>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "support/ticker.hpp"
#include "tartan/as_completed.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/imap.hpp"
#include "tartan/master_worker.hpp"
#include "tartan/pipeline.hpp"
#include "tartan/processes.hpp"
#include "tartan/stencil.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"

namespace {

namespace tn = tartan;
namespace test = tartan::test;

constexpr int n = 200;

int twice(int x) { return 2 * x; }

}  // namespace

TEST_CASE("progress on processes: forks, streams and grids count what has ended") {
  test::ticker bar;
  auto const p = tn::processes.workers(2).progress(bar);
  auto const v = test::numbers(n);
  bar.counts("fork_join", 2, [&] { tn::fork_join(p, [] { return 1; }, [] { return 2; }); });
  bar.counts("task_group", 10, [&] {
    tn::task_group group{p};
    for (int i = 0; i != 10; ++i) group.run([] {});
    group.wait();
  });
  bar.counts("pipeline", n, [&] { static_cast<void>(tn::pipeline(p, v, tn::parallel(twice))); });
  bar.counts("master_worker", 31, [&] {
    static_cast<void>(tn::master_worker(p, std::vector{4}, [](int depth, auto&& more) {
      if (depth != 0) more(depth - 1), more(depth - 1);
      return depth;
    }));
  });
  bar.counts("imap", n, [&] {
    for (int x : tn::imap(p, v, twice)) static_cast<void>(x);
  });
  bar.counts("submit", 1, [&] { static_cast<void>(tn::submit(p, twice, 3).get()); });
  bar.counts("map_async", n, [&] { static_cast<void>(tn::map_async(p, v, twice).get()); });
  tn::shared_grid<float, 2> g(40, 30);
  bar.counts("stencil", 5, [&] {
    tn::stencil(p, g, tn::steps(5), tn::radius(1), tn::boundary::clamp, [](auto at) { return at(0, 0); });
  });
  bar.counts_no_more<std::domain_error>("a pipeline that fails", n, [&] {
    static_cast<void>(tn::pipeline(p, v, tn::parallel(twice),
                                   tn::serial([](int x) { return x == 100 ? throw std::domain_error("100") : x; })));
  });
}
