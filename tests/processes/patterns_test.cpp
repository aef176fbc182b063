// The patterns that need no shared memory, and the contract of collect, on worker processes and on threads inside them.

#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/process_main.hpp"
#include "tartan/backends/nested.hpp"
#include "tartan/processes.hpp"
#include "tartan/tartan.hpp"

namespace {

namespace tn = tartan;

struct raised {
  bool stop = true;
  [[nodiscard]] bool stop_requested() const { return stop; }
};

constexpr auto index_of = [](tn::block const& b) { return b.index; };

template <class P>
void check_contract(P const& p) {
  auto const& b = p.backend();
  CHECK(b.width(p.props()) >= 1);
  auto const square = [](std::size_t i) { return i * i; };
  auto const fails = [](std::size_t i) -> std::size_t {
    if (i >= 7) throw std::out_of_range(std::to_string(i));
    return i;
  };
  for (int round = 0; round != 3; ++round) {
    auto const squares = b.template collect<std::size_t>(p.props(), tn::block_plan(100, 1), index_of, square);
    REQUIRE(squares.size() == 100);
    for (std::size_t i = 0; i != 100; ++i) CHECK(squares[i] == i * i);
    CHECK_THROWS_WITH(b.template collect<std::size_t>(p.props(), tn::block_plan(100, 1), index_of, fails), "7");
  }
  raised const now;
  auto const stopped = p.stop(now);
  CHECK_THROWS_AS(b.template collect<std::size_t>(stopped.props(), tn::block_plan(100, 1), index_of, square),
                  tn::cancelled);
  CHECK(b.template collect<std::size_t>(stopped.props(), tn::block_plan(0, 1), index_of, square).empty());
}

template <class P>
void check_patterns(P const& p) {
  auto [two, text, none] = tn::fork_join(p, [] { return 2; }, [] { return std::string("text"); }, [] {});
  CHECK(two == 2);
  CHECK(text == "text");
  static_cast<void>(none);
  CHECK_THROWS_WITH(tn::fork_join(p, [] { return 1; }, []() -> int { throw std::domain_error("right"); }), "right");

  auto const small = [](std::pair<int, int> const& i) { return i.second - i.first < 2; };
  auto const name = [](std::pair<int, int> const& i) { return std::to_string(i.first) + ','; };
  auto const halves = [](std::pair<int, int> const& i) {
    int const middle = i.first + (i.second - i.first) / 2;
    return std::pair{std::pair{i.first, middle}, std::pair{middle, i.second}};
  };
  std::string expected;
  for (int i = 0; i != 200; ++i) expected += std::to_string(i) + ',';
  CHECK(tn::divide_and_conquer(p, std::pair{0, 200}, small, name, halves, std::plus<>()) == expected);

  std::vector<double> const v(1000, 0.5);
  auto const sums = tn::scatter_gather(p, v, tn::parts(7), [](std::span<double const> part, std::size_t) {
    double sum = 0;
    for (double x : part) sum += x;
    return sum;
  });
  CHECK(sums == std::vector<double>{71.5, 71.5, 71.5, 71.5, 71.5, 71.5, 71});

  std::vector<int> const a(500, 3), b(500, 4);
  auto const products = tn::map(p, tn::zip(a, b), [](auto const& xy) {
    auto [x, y] = xy;
    return x * y;
  });
  CHECK(products == std::vector<int>(500, 12));
}

}  // namespace

TEST_CASE("the contract of collect holds on worker processes") { check_contract(tn::processes.workers(2)); }

TEST_CASE("the contract of collect holds on threads inside of worker processes") {
  check_contract(tn::nest(tn::processes.workers(2), tn::par.workers(2)));
}

TEST_CASE("patterns run on worker processes") { check_patterns(tn::processes.workers(2)); }

TEST_CASE("patterns run on threads inside of worker processes") {
  check_patterns(tn::nest(tn::processes.workers(2), tn::par.workers(2)));
}

TEST_CASE("packs inside of worker processes") {
  auto const p = tn::processes.workers(2).simd();
  std::vector<float> v;
  for (int i = 0; i != 10'007; ++i) v.push_back(static_cast<float>(i % 97) + .5f);
  auto const square = [](auto x) { return x * x; };
  CHECK(tn::map(p, v, square) == tn::map(tn::seq, v, square));
  CHECK(tn::reduce(p, v) == tn::reduce(tn::seq, v));
  CHECK(tn::map_reduce(p, v, square) == tn::map_reduce(tn::seq, v, square));
}
