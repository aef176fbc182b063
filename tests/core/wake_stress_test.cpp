// Loops and forks of every length, each after a pause in which the threads spin, lie down or sleep: whoever is woken
// for a part of them, or not, nothing is lost. TARTAN_STRESS scales the counts.
//
// ctest: LABELS "threads;stress" TIMEOUT 600
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/stress.hpp"
#include "tartan/core/ticks.hpp"
#include "tartan/for_each.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

using numbers = std::minstd_rand;

void spin_us(std::uint64_t us) {
  std::uint64_t const end = tn::detail::ticks() + us * tn::detail::ticks_per_us();
  while (tn::detail::ticks() < end) tn::detail::cpu_pause();
}

/// Adds one to each element, in a loop that takes from a fraction of a microsecond to some 100 us.
template <class P>
bool one_loop(P const& p, numbers& draw, std::vector<std::uint32_t>& xs) {
  std::size_t const n = std::size_t{1} << draw() % 14;
  std::uint64_t const us = draw() % 8 == 0 ? draw() % (1 + 100 / n) : 0;
  xs.assign(n, 1);
  tn::for_each(p, xs, [us](std::uint32_t& x) {
    if (us != 0) spin_us(us);
    ++x;
  });
  return std::accumulate(xs.begin(), xs.end(), std::size_t{0}) == 2 * n;
}

template <class P>
bool one_tree(P const& p, int depth, std::uint64_t us) {
  if (depth == 0) return spin_us(us), true;
  auto const [a, b] =
      tn::fork_join(p, [&] { return one_tree(p, depth - 1, us); }, [&] { return one_tree(p, depth - 1, us); });
  return a && b;
}

template <class P>
bool after_pauses(P const& p, unsigned seed, unsigned many, tn::test::rounds& count) {
  numbers draw(seed);
  std::vector<std::uint32_t> xs;
  bool good = true;
  for (unsigned i = 0; i != many && good; ++i, count.one()) {
    good = draw() % 4 == 0 ? one_tree(p, static_cast<int>(draw() % 6), draw() % 4) : one_loop(p, draw, xs);
    if (draw() % 2 == 0) spin_us(draw() % 120);  // threads lie down after some 60 us
  }
  return good;
}

}  // namespace

TEST_CASE("loops and forks after pauses of every length, by one caller and by two", "[stress]") {
  tn::test::rounds count("loops and forks after pauses");
  for (int const workers : {2, 3, 16}) {
    CAPTURE(workers);
    unsigned const many = 500 * tn::test::stress();
    tn::thread_pool pool{{.workers = workers, .idle = workers == 3 ? tn::idle::power : tn::idle::balanced}};
    auto const p = tn::par.on(pool);
    CHECK(after_pauses(p, 1, many, count));
    std::atomic<int> good{0};
    auto const caller = [&](unsigned seed) { good += after_pauses(p, seed, many, count) ? 1 : 0; };
    std::thread first(caller, 2U), second(caller, 3U);
    first.join();
    second.join();
    CHECK(good == 2);
  }
}

TEST_CASE("the halves of a fork on a pool of at least two workers both begin, whoever has just gone", "[stress]") {
  using clock = std::chrono::steady_clock;
  tn::test::rounds count("forks whose halves meet");
  for (int const workers : {2, 3, 8}) {
    CAPTURE(workers);
    tn::thread_pool pool{workers};
    numbers draw(static_cast<unsigned>(workers));
    unsigned const many = 500 * tn::test::stress();
    for (unsigned i = 0; i != many; ++i, count.one()) {
      std::atomic<int> here{0};
      auto const meet = [&] {
        auto const end = clock::now() + std::chrono::seconds(20);
        for (++here; here != 2; std::this_thread::yield())
          if (clock::now() > end) return false;
        return true;
      };
      auto const [a, b] = tn::fork_join(tn::par.on(pool), meet, meet);
      REQUIRE((a && b));
      if (draw() % 2 == 0) spin_us(draw() % 120);
    }
  }
}
