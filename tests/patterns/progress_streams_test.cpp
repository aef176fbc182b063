// Progress on every stream: completions are counted, each once, none too many, on every policy.
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/everywhere.hpp"
#include "support/numbers.hpp"
#include "support/ticker.hpp"
#include "tartan/as_completed.hpp"
#include "tartan/imap.hpp"
#include "tartan/master_worker.hpp"
#include "tartan/pipeline.hpp"
#include "tartan/submit.hpp"

namespace tn = tartan;
namespace test = tartan::test;

namespace {

constexpr std::size_t n = 1000;

}  // namespace

TEST_CASE("streams count what has come through", "[progress]") {
  auto const v = test::numbers(n);
  auto const twice = [](int x) { return 2 * x; };
  tn::test::everywhere([&](auto const& policy) {
    test::ticker bar;
    auto const p = policy.progress(bar);
    bar.counts("pipeline", n, [&] { static_cast<void>(tn::pipeline(p, v, tn::serial(twice), tn::parallel(twice))); });
    bar.counts("pipeline of a function", 100, [&] {
      auto source = [i = 0]() mutable { return i == 100 ? std::optional<int>() : std::optional(i++); };
      tn::pipeline(p, source, tn::parallel(twice), tn::reduce_into(0, std::plus<>{}));
    });
    bar.counts("master_worker", 63, [&] {
      static_cast<void>(tn::master_worker(p, std::vector{5}, [](int depth, auto&& more) {
        if (depth != 0) more(depth - 1), more(depth - 1);
        return depth;
      }));
    });
    bar.counts("try_master_worker", n, [&] { static_cast<void>(tn::try_master_worker(p, v, twice)); });
    bar.counts("imap", n, [&] {
      for (int x : tn::imap(p, v, twice)) static_cast<void>(x);
    });
    bar.counts("imap_unordered", n, [&] {
      for (int x : tn::imap_unordered(p, v, twice)) static_cast<void>(x);
    });
    bar.counts("submit", 20, [&] {
      std::vector<tn::future<int>> futures;
      for (int i = 0; i != 20; ++i) futures.push_back(tn::submit(p, twice, i));
      for (auto& f : futures) static_cast<void>(f.get());
    });
    bar.counts("map_async", n, [&] { static_cast<void>(tn::map_async(p, v, twice).get()); });
    bar.counts("starmap_async", n, [&] {
      std::vector<std::tuple<int, int>> const pairs(n);
      static_cast<void>(tn::starmap_async(p, pairs, std::plus<>{}).get());
    });
  });
}

TEST_CASE("a stream that fails counts no more than there is", "[progress]") {
  auto const v = test::numbers(n);
  auto const fails = [](int x) { return x % 400 == 399 ? throw std::domain_error("399") : x; };
  test::everywhere([&](auto const& policy) {
    test::ticker bar;
    auto const p = policy.progress(bar);
    using error = std::domain_error;
    bar.counts_no_more<error>("pipeline", n, [&] { static_cast<void>(tn::pipeline(p, v, tn::parallel(fails))); });
    bar.counts_no_more<error>("master_worker", n, [&] { static_cast<void>(tn::master_worker(p, v, fails)); });
    bar.counts_no_more<error>("imap", n, [&] {
      for (int x : tn::imap(p, v, fails)) static_cast<void>(x);
    });
    bar.counts_no_more<error>("map_async", n, [&] { static_cast<void>(tn::map_async(p, v, fails).get()); });
  });
}
