// Recursion as deep, and nodes as wide, as search trees have them, on stacks of the usual 8 MB.
#include <atomic>
#include <cstddef>
#include <ranges>
#include <stdexcept>

#include "support/catch.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;

namespace {

#if defined(__OPTIMIZE__) && !TARTAN_ASAN && !TARTAN_TSAN  // frames are several times as large otherwise
constexpr long depth = 50'000;
#else
constexpr long depth = 1'000;
#endif

tn::thread_pool_options usual_stacks(std::ptrdiff_t workers) {
  tn::thread_pool_options options;
  options.workers = workers;
  options.stack_size = std::size_t{8} << 20;
  return options;
}

/// A left-deep tree; `bottom()` is its last leaf.
template <class Bottom>
long descend(long left, Bottom const& bottom) {
  if (left == 0) return bottom();
  auto [below, beside] = tn::fork_join(tn::par, [&] { return descend(left - 1, bottom); }, [] { return 1L; });
  return below + beside;
}

}  // namespace

TEST_CASE("50,000 forks below each other fit a stack of 8 MB", "[deep]") {
  auto const workers = GENERATE(1, 2, 8);
  tn::thread_pool pool{usual_stacks(workers)};
  auto const p = tn::par.on(pool);
  for (int round = 0; round != 5; ++round)
    CHECK(tn::submit(p, [] { return descend(depth, [] { return 0L; }); }).get() == depth);
}

TEST_CASE("what is thrown below 50,000 forks comes up through a stack of 8 MB", "[deep]") {
  auto const workers = GENERATE(1, 2, 8);
  tn::thread_pool pool{usual_stacks(workers)};
  auto f = tn::submit(tn::par.on(pool),
                      [] { return descend(depth, []() -> long { throw std::runtime_error("the bottom"); }); });
  CHECK_THROWS_WITH(f.get(), "the bottom");
}

TEST_CASE("nodes of 100,000 children, some of which have as many", "[deep]") {
  constexpr int many = 100'000;
  tn::thread_pool pool{usual_stacks(2)};
  auto const p = tn::par.on(pool);
  auto const children = std::views::iota(0, many);
  auto const sum = [&] {
    return tn::map_reduce(tn::par, children, [&](int i) {
      return i % 10'000 == 0 ? tn::map_reduce(tn::par, children, [](int) { return 1L; }) : 1L;
    });
  };
  CHECK(tn::submit(p, sum).get() == 11L * many - 10);
  std::atomic<int> ran{0};
  tn::task_group g{p};
  g.run([&] {
    for (int i = 0; i != many; ++i) g.run([&] { ++ran; });
  });
  g.wait();
  CHECK(ran == many);
}
