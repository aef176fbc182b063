// Pipelines whose parallel stages run in worker processes: order, bounds, errors, deaths.

#include "tartan/patterns/pipeline.hpp"

#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/numbers.hpp"
#include "support/process_main.hpp"
#include "tartan/processes.hpp"

namespace {

namespace tn = tartan;

using tartan::test::numbers;

constexpr auto text = [](int x) { return std::to_string(x); };
constexpr auto length = [](std::string const& s) { return s.size(); };

}  // namespace

TEST_CASE("pipeline on processes: parallel stages elsewhere, all others here, in order") {
  auto const here = ::getpid();
  auto const p = tn::processes.workers(2);
  std::vector<int> const v = numbers(2000);
  std::size_t total = 0;
  int next = 0;
  bool elsewhere = true, at_home = true, in_order = true;
  tn::pipeline(p, v, tn::parallel([](int x) { return std::pair{x, ::getpid()}; }),
               tn::serial([&](std::pair<int, int> const& r) {
                 elsewhere &= r.second != here;
                 at_home &= ::getpid() == here;
                 in_order &= r.first == next++;
                 return r.first;
               }),
               tn::parallel(text), tn::parallel(length), tn::serial_any([&](std::size_t n) { total += n; }));
  CHECK(next == 2000);
  CHECK(elsewhere);
  CHECK(at_home);
  CHECK(in_order);
  CHECK(total == 10 + 2 * 90 + 3 * 900 + 4 * 1000);
}

TEST_CASE("pipeline on processes: every kind of source, first and last stage") {
  auto const p = tn::processes.workers(2);
  int left = 100;
  auto const source = [&]() -> std::optional<int> { return left-- > 0 ? std::optional(left) : std::nullopt; };
  CHECK(tn::pipeline(p, source, tn::parallel(text),
                     tn::reduce_into(std::size_t{0},
                                     [](std::size_t sum, std::string const& s) { return sum + s.size(); })) == 190);
  CHECK(tn::pipeline(p, numbers(3), tn::parallel(text)) == std::vector<std::string>{"0", "1", "2"});
  CHECK(tn::pipeline(p, numbers(3), tn::serial([](int x) { return x + 1; }), tn::parallel(text)) ==
        std::vector<std::string>{"1", "2", "3"});
  CHECK(tn::pipeline(p, std::vector<int>{}, tn::parallel(text)).empty());
  tn::shared_array<int> seen(50);
  tn::pipeline(p, numbers(50), tn::parallel(tn::closure(seen.span(), [](tn::shared_span<int> s, int x) {
                 s[static_cast<std::size_t>(x)] = x;
               })));
  for (int i = 0; i != 50; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i);
  auto const only_here = tn::pipeline(p, numbers(2), tn::serial([](int x) { return std::make_unique<int>(x); }));
  CHECK(*only_here[1] == 1);
}

TEST_CASE("pipeline on processes: at most in_flight tokens are between source and sink") {
  auto const shorten = [](std::string const& s) { return static_cast<int>(s.size()); };
  for (auto const& p : {tn::processes.workers(2).in_flight(2), tn::processes.workers(2).in_flight(7)}) {
    auto const most = static_cast<int>(p.props().in_flight);
    int taken = 0, given = 0, highest = 0;
    auto const source = [&]() -> std::optional<int> {
      if (taken == 200) return std::nullopt;
      highest = std::max(highest, ++taken - given);
      return taken;
    };
    tn::pipeline(p, source, tn::parallel(text), tn::serial(shorten), tn::parallel(text),
                 tn::serial([&](std::string const&) { ++given; }));
    CHECK(given == 200);
    CHECK(highest <= most + 1);  // and the one that the source has just given
  }
}

TEST_CASE("pipeline on processes: the error of the lowest token; those before it go through, none behind it") {
  auto const p = tn::processes.workers(2);
  auto const fails_at = [](int bad) {
    return tn::closure(bad, [](int its_bad, int x) {
      if (x >= its_bad) throw std::out_of_range(std::to_string(x));
      return x;
    });
  };
  std::vector<int> through;
  auto const keep = [&](int x) { through.push_back(x); };
  CHECK_THROWS_WITH(tn::pipeline(p, numbers(500), tn::parallel(fails_at(70)), tn::serial(keep)), "70");
  CHECK(through == numbers(70));
  through.clear();
  auto const refuse = [](int x) { return x == 40 ? throw std::domain_error("forty") : x; };
  CHECK_THROWS_WITH(tn::pipeline(p, numbers(500), tn::parallel(fails_at(70)), tn::serial(refuse),
                                 tn::parallel(fails_at(60)), tn::serial(keep)),
                    "forty");
  CHECK(through == numbers(40));
  through.clear();
  int given = 0;
  auto const source = [&]() -> std::optional<int> { return given == 30 ? throw std::length_error("source") : given++; };
  CHECK_THROWS_WITH(tn::pipeline(p, source, tn::parallel(fails_at(90)), tn::serial(keep)), "source");
  CHECK(through == numbers(30));
}

TEST_CASE("pipeline on processes: a death is the error of its token; a stop is obeyed") {
  auto const dies = [](int x) {
    if (x == 25) std::raise(SIGKILL);
    return x;
  };
  int through = 0;
  CHECK_THROWS_AS(
      tn::pipeline(tn::processes.workers(2), numbers(100), tn::parallel(dies), tn::serial([&](int) { ++through; })),
      tn::worker_died);
  CHECK(through == 25);
  struct raised {
    bool stop = true;
    [[nodiscard]] bool stop_requested() const { return stop; }
  } const now;
  CHECK_THROWS_AS(tn::pipeline(tn::processes.workers(2).stop(now), numbers(100), tn::parallel(text)), tn::cancelled);
}
