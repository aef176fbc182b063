// Patterns over the channel tier on worker processes; what holds on every backend is tested with the patterns.

#include <csignal>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/process_main.hpp"
#include "tartan/async/imap.hpp"
#include "tartan/async/map_async.hpp"
#include "tartan/patterns/master_worker.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;

}  // namespace

TEST_CASE("master_worker on processes: tasks add tasks, a death costs one") {
  auto const p = tn::processes.workers(2);
  auto const halve = [](int x, auto&& more) {
    if (x > 1) more(x / 2), more(x - x / 2);
    return x;
  };
  CHECK(tn::master_worker(p, std::vector<int>{3, 2}, halve) == std::vector<int>{3, 1, 2, 1, 1, 2, 1, 1});
  long sum = 0;
  CHECK(tn::master_worker(p, std::vector<int>{16}, halve, [&](int x) { sum += x; }, std::greater<>{}));
  CHECK(sum == 16 * 5);
  auto const outcomes = tn::try_master_worker(p, std::vector<int>{1, 2, 3}, [](int x) {
    if (x == 2) std::raise(SIGKILL);
    return x;
  });
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].value() == 1);
  CHECK_THROWS_AS(outcomes[1].value(), tn::worker_died);
  CHECK(outcomes[2].value() == 3);
}

TEST_CASE("imap on processes: lazily, in order, with errors in their turn") {
  auto const p = tn::processes.workers(2);
  int expected = 0;
  for (auto&& text : tn::imap(p, std::views::iota(0), [](int x) { return std::to_string(x); })) {
    CHECK(text == std::to_string(expected));
    if (++expected == 200) break;
  }
  int seen = 0;
  auto const loop = [&] {
    for (auto&& x : tn::imap(p, std::vector<int>{0, 1, 2, 3}, [](int y) {
           if (y == 2) throw std::domain_error("two");
           return y;
         }))
      seen += x == seen ? 1 : 100;
  };
  CHECK_THROWS_AS(loop(), std::domain_error);
  CHECK(seen == 2);
}

TEST_CASE("map_async on processes") {
  auto lengths = tn::map_async(tn::processes.workers(2), std::vector<std::string>{"a", "bb", ""},
                               [](std::string const& s) { return s.size(); });
  CHECK(lengths.get() == std::vector<std::size_t>{1, 2, 0});
}
