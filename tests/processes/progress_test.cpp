// Progress on every data pattern that runs on worker processes: completions are counted here, each once, none too many.

#include <cstddef>
#include <span>
#include <stdexcept>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "support/ticker.hpp"
#include "tartan/by_key.hpp"
#include "tartan/for_each.hpp"
#include "tartan/map.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/processes.hpp"
#include "tartan/scatter_gather.hpp"
#include "tartan/try_map.hpp"

namespace {

namespace tn = tartan;
namespace test = tartan::test;

constexpr int n = 200;

int twice(int x) { return 2 * x; }

}  // namespace

TEST_CASE("progress on processes: data patterns count elements") {
  test::ticker bar;
  auto const p = tn::processes.workers(2).progress(bar);
  auto const v = test::numbers(n);
  bar.counts("map", n, [&] { static_cast<void>(tn::map(p, v, twice)); });
  bar.counts("try_map", n, [&] { static_cast<void>(tn::try_map(p, v, twice)); });
  bar.counts("for_each", n, [&] { tn::for_each(p, v, [](int const&) {}); });
  bar.counts("map_reduce", n, [&] { static_cast<void>(tn::map_reduce(p, v, twice)); });
  bar.counts("count_by", n, [&] { static_cast<void>(tn::count_by(p, v, [](int x) { return x % 7; })); });
  bar.counts("scatter_gather", 8, [&] {
    auto const size = [](std::span<int const> part, std::size_t) { return part.size(); };
    static_cast<void>(tn::scatter_gather(p, v, tn::parts(8), size));
  });
  bar.counts_no_more<std::domain_error>("map that fails", n, [&] {
    static_cast<void>(tn::map(p, v, [](int x) { return x == 100 ? throw std::domain_error("100") : x; }));
  });
}
