// Progress on every algorithm: completions are counted, each once, none too many, on every policy.
#include <cstddef>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/numbers.hpp"
#include "support/ticker.hpp"
#include "tartan/compare.hpp"
#include "tartan/fill.hpp"
#include "tartan/filter.hpp"
#include "tartan/find.hpp"
#include "tartan/histogram.hpp"
#include "tartan/merge.hpp"
#include "tartan/minmax.hpp"
#include "tartan/scan.hpp"
#include "tartan/sort.hpp"
#include "tartan/sum.hpp"
#include "tartan/top_k.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

constexpr std::size_t n = 1000;

}  // namespace

TEST_CASE("algorithms count elements", "[progress]") {
  auto const v = test::numbers(n);
  std::vector<int> w(n), out(n);
  tn::test::everywhere([&](auto const& policy) {
    test::ticker bar;
    auto const p = policy.progress(bar);
    auto const even = [](int x) { return x % 2 == 0; };
    w = v;
    bar.counts("count_if", n, [&] { static_cast<void>(tn::count_if(p, v, even)); });
    bar.counts("none_of", n, [&] { static_cast<void>(tn::none_of(p, v, [](int x) { return x < 0; })); });
    bar.counts("min_element", n, [&] { static_cast<void>(tn::min_element(p, v)); });
    bar.counts("minmax_element", n, [&] { static_cast<void>(tn::minmax_element(p, v)); });
    bar.counts("histogram", n, [&] { static_cast<void>(tn::histogram(p, v, 10, 0, 1000)); });
    bar.counts("inclusive_scan", n, [&] { static_cast<void>(tn::inclusive_scan(p, v, out)); });
    bar.counts("exclusive_scan", n, [&] { static_cast<void>(tn::exclusive_scan(p, v, out)); });
    bar.counts("copy_if", n, [&] { static_cast<void>(tn::copy_if(p, v, even)); });
    bar.counts("partition", n, [&] { tn::partition(p, w, even); });
    bar.counts("top_k", n, [&] { static_cast<void>(tn::top_k(p, v, 10)); });
    bar.counts("merge", 2 * n, [&] { static_cast<void>(tn::merge(p, v, v)); });
    bar.counts("sort", n, [&] { tn::sort(p, w); });
    bar.counts("stable_sort", n, [&] { tn::stable_sort(p, w); });
    bar.counts("fill", n, [&] { tn::fill(p, w, 3); });
    bar.counts("equal", n, [&] { static_cast<void>(tn::equal(p, v, v)); });
    bar.counts("dot", n, [&] { static_cast<void>(tn::dot(p, v, v)); });
    bar.counts("sum", n, [&] { static_cast<void>(tn::sum<long>(p, v)); });
  });
}
