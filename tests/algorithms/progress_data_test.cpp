// Progress on every data pattern: completions are counted, each once, none too many, on every policy.
#include <cstddef>
#include <functional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/numbers.hpp"
#include "support/ticker.hpp"
#include "tartan/aggregate.hpp"
#include "tartan/by_key.hpp"
#include "tartan/for_each.hpp"
#include "tartan/map.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/scatter_gather.hpp"
#include "tartan/try_map.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

constexpr std::size_t n = 1000;

}  // namespace

TEST_CASE("data patterns count elements", "[progress]") {
  auto v = test::numbers(n);
  std::vector<int> out(n);
  std::vector<std::tuple<int, int>> const pairs(n);
  tn::test::everywhere([&](auto const& policy) {
    test::ticker bar;
    auto const p = policy.progress(bar);
    auto const twice = [](int x) { return 2 * x; };
    bar.counts("for_each", n, [&] { tn::for_each(p, v, [](int&) {}); });
    bar.counts("for_each of pieces", n, [&] { tn::for_each(p.grain(7), v, [](int&) {}); });
    bar.counts("for_each of a lazy range", n / 2,
               [&] { tn::for_each(p, v | std::views::filter([](int x) { return x % 2 == 0; }), [](int&) {}); });
    bar.counts("map", n, [&] { static_cast<void>(tn::map(p, v, twice)); });
    bar.counts("map_into", n, [&] { tn::map_into(p, v, out, twice); });
    bar.counts("starmap", n, [&] { static_cast<void>(tn::starmap(p, pairs, std::plus<>{})); });
    bar.counts("try_map", n, [&] { static_cast<void>(tn::try_map(p, v, twice)); });
    bar.counts("reduce", n, [&] { static_cast<void>(tn::reduce(p, v)); });
    bar.counts("map_reduce", n, [&] { static_cast<void>(tn::map_reduce(p, v, twice)); });
    bar.counts("aggregate", n, [&] {
      static_cast<void>(
          tn::aggregate(p, v, [] { return 0; }, [](int& a, int x) { a += x; }, [](int& a, int b) { a += b; }));
    });
    bar.counts("map_reduce_by_key", n, [&] {
      static_cast<void>(tn::map_reduce_by_key<int, int>(p, v, [](int x, auto& emit) { emit(x % 7, 1); }));
    });
    bar.counts("count_by", n, [&] { static_cast<void>(tn::count_by(p, v, [](int x) { return x % 7; })); });
    bar.counts("group_by", n, [&] { static_cast<void>(tn::group_by(p, v, [](int x) { return x % 7; })); });
    bar.counts("scatter_gather", 8,
               [&] { tn::scatter_gather(p, v, tn::parts(8), [](std::span<int>, std::size_t) {}); });
  });
}

TEST_CASE("a data pattern that fails counts no more than there is", "[progress]") {
  auto const v = test::numbers(n);
  auto const fails = [](int x) { return x % 400 == 399 ? throw std::domain_error("399") : x; };
  test::everywhere([&](auto const& policy) {
    test::ticker bar;
    auto const p = policy.progress(bar);
    using error = std::domain_error;
    bar.counts_no_more<error>("for_each", n, [&] { tn::for_each(p, v, fails); });
    bar.counts_no_more<error>("map", n, [&] { static_cast<void>(tn::map(p, v, fails)); });
    bar.counts_no_more<error>("map_reduce", n, [&] { static_cast<void>(tn::map_reduce(p, v, fails)); });
    bar.counts("try_map", n, [&] { static_cast<void>(tn::try_map(p, v, fails)); });
  });
}
