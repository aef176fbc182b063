// Random programs: every pattern inside every other, on pools of many sizes, from several threads at once.
//
// Each tree is drawn from a seed, computes a number that the same tree computes in order on one thread, and throws at
// random leaves. TARTAN_STRESS scales the counts: a number, or `large` for 200 (see tests/soak);
// TARTAN_STRESS_SEED, a number, draws other trees.
//
// ctest: LABELS "threads;stress" TIMEOUT 600

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O0")  // each pattern is inlined into each other: minutes to compile otherwise
#endif

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/stress.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/divide_and_conquer.hpp"
#include "tartan/for_each.hpp"
#include "tartan/fork_join.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/submit.hpp"
#include "tartan/task_group.hpp"
#include "tartan/thread_pool.hpp"

namespace tn = tartan;
using tn::test::sanitized;

namespace {

/// The factor by which the environment asks for more rounds.
int scale() {
  static int const factor = static_cast<int>(tn::test::stress(200));
  return factor;
}

using tn::test::rounds;

/// splitmix64: a tree hands a stream of its own to each child, so that the tree does not depend on who runs what.
struct stream {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  [[nodiscard]] stream child(std::uint64_t i) const { return stream{stream{state + i}.next()}; }
};

stream tree(std::uint64_t seed) {
  static std::uint64_t const first = [] {
    char const* const wish = std::getenv("TARTAN_STRESS_SEED");
    return wish == nullptr ? 0 : std::strtoull(wish, nullptr, 10);
  }();
  return stream{seed + (first << 32)};
}

struct thorn : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How many leaves run at once.
struct crowd {
  std::atomic<int> now{0}, peak{0};
  void enter() {
    int const here = ++now;
    int seen = peak;
    while (seen < here && !peak.compare_exchange_weak(seen, here)) {
    }
  }
  void leave() { --now; }
};

struct forest {
  bool thorns = false;  // one leaf in twenty throws
  bool groups = true;   // a wait for a group that sleeps lets a further thread in
  crowd leaves{};
};

void dawdle(stream& s) {
  switch (s.below(16)) {
    case 0:
      std::this_thread::yield();
      break;
    case 1:
      if (s.below(16) == 0) std::this_thread::sleep_for(std::chrono::microseconds(s.below(60)));
      break;
    case 2:
    case 3:
      for (std::uint64_t i = s.below(300); i != 0; --i) tn::detail::cpu_pause();
      break;
    default:
      break;
  }
}

/// Runs in order on this thread.
auto const serial = tn::par.workers(1);

template <class P>
std::uint64_t grow(P const& p, forest& f, stream s, int depth);

template <class P>
TARTAN_NOINLINE std::uint64_t leaf(P const&, forest& f, stream s) {
  f.leaves.enter();
  dawdle(s);
  bool const throws = s.below(20) == 0 && f.thorns;  // drawn in any case: thorns change no number
  f.leaves.leave();
  if (throws) throw thorn(std::to_string(s.state));
  return s.next();
}

template <class P>
TARTAN_NOINLINE std::uint64_t by_fork(P const& p, forest& f, stream s, int depth) {
  auto const [a, b, c] = tn::fork_join(
      p, [&] { return grow(p, f, s.child(1), depth - 1); }, [&] { return grow(p, f, s.child(2), depth - 1); },
      [&] { return grow(p, f, s.child(3), depth - 2); });
  return a * 3 + b * 5 + c * 7;
}

template <class P>
TARTAN_NOINLINE std::uint64_t by_loop(P const& p, forest& f, stream s, int depth) {
  std::vector<std::uint64_t> xs(2 + s.below(6));
  std::iota(xs.begin(), xs.end(), std::uint64_t{0});
  auto const body = [&](std::uint64_t& x) { x = grow(p, f, s.child(x), depth - 2) * (x + 1); };
  s.below(2) == 0 ? tn::for_each(p, xs, body) : tn::for_each(p.grain(1), xs, body);
  return std::accumulate(xs.begin(), xs.end(), std::uint64_t{0});
}

template <class P>
TARTAN_NOINLINE std::uint64_t by_reduction(P const& p, forest& f, stream s, int depth) {
  std::vector<std::uint64_t> xs(1 + s.below(6));
  std::iota(xs.begin(), xs.end(), std::uint64_t{0});
  return tn::map_reduce(
      p, xs, [&](std::uint64_t x) { return grow(p, f, s.child(x), depth - 2); }, std::uint64_t{0},
      [](std::uint64_t a, std::uint64_t b) { return a + b; });
}

template <class P>
TARTAN_NOINLINE std::uint64_t by_group(P const& p, forest& f, stream s, int depth) {
  std::vector<std::uint64_t> got(1 + s.below(5));
  tn::task_group g{p};
  for (std::size_t i = 0; i != got.size(); ++i) g.run([&, i] { got[i] = grow(p, f, s.child(i), depth - 2) * (i + 1); });
  stream mine = s.child(99);  // the tasks read s meanwhile
  if (mine.below(2) == 0) dawdle(mine);
  g.wait();
  return std::accumulate(got.begin(), got.end(), std::uint64_t{0});
}

template <class P>
TARTAN_NOINLINE std::uint64_t by_halves(P const& p, forest& f, stream s, int depth) {
  struct part {
    std::uint64_t begin, end;
  };
  return tn::divide_and_conquer(
      p, part{0, 2 + s.below(5)}, [](part const& x) { return x.end - x.begin <= 1; },
      [&](part x) { return grow(p, f, s.child(x.begin), depth - 2); },
      [](part x) {
        std::uint64_t const middle = x.begin + (x.end - x.begin) / 2;
        return std::pair{part{x.begin, middle}, part{middle, x.end}};
      },
      [](std::uint64_t a, std::uint64_t b) { return a * 31 + b; });
}

/// A member writes what each rank would; all of them after the barrier have seen all.
template <class P>
TARTAN_NOINLINE std::uint64_t by_team(P const& p, forest& f, stream s, int depth) {
  std::uint64_t const both = grow(p, f, s.child(1), depth - 2);
  {
    std::vector<std::atomic<std::uint64_t>> seen(64);
    std::atomic<bool> torn{false};
    p.backend().team(p.props(), [&](std::size_t rank, std::size_t size, auto& barrier) {
      for (std::uint64_t phase = 1; phase != 3; ++phase) {
        seen[rank % 64].fetch_add(1);
        barrier.arrive_and_wait();
        std::uint64_t all = 0;
        for (auto& x : seen) all += x.load();
        if (all != phase * size) torn = true;
        barrier.arrive_and_wait();
      }
      // Members fork while others wait for them at the join of the team.
      auto const [a, b] = tn::fork_join(p, [&] { return s.child(rank).state; }, [&] { return s.child(rank).state; });
      if (a != b) torn = true;
    });
    if (torn) throw std::logic_error("the barrier of a team let somebody pass too early");
  }
  return both;
}

/// A lock that is held across nested work: a worker that waits must run nothing that wants it too.
template <class P>
TARTAN_NOINLINE std::uint64_t by_lock(P const& p, forest& f, stream s, int depth) {
  struct guarded {
    std::mutex mutex;
    std::uint64_t sum = 0;
  };
  std::vector<guarded> rows(2);
  std::vector<std::uint64_t> xs(4);
  std::iota(xs.begin(), xs.end(), std::uint64_t{0});
  tn::for_each(p.grain(1), xs, [&](std::uint64_t& x) {
    guarded& row = rows[x % rows.size()];
    std::lock_guard const hold(row.mutex);
    row.sum += grow(p, f, s.child(x), depth - 2);
  });
  return rows[0].sum * 3 + rows[1].sum;
}

template <class P>
TARTAN_NOINLINE std::uint64_t grow(P const& p, forest& f, stream s, int depth) {
  if (depth <= 0 || s.below(12) == 0) return leaf(p, f, s);
  switch (s.below(8)) {
    case 0:
      return by_loop(p, f, s, depth);
    case 1:
      return by_reduction(p, f, s, depth);
    case 2:
      return f.groups ? by_group(p, f, s, depth) : by_fork(p, f, s, depth);
    case 3:
      return by_halves(p, f, s, depth);
    case 4:
      return by_lock(p, f, s, depth);
    case 5:
      return by_team(p, f, s, depth);
    default:
      return by_fork(p, f, s, depth);
  }
}

/// Runs f on a thread whose stack holds 50'000 forks with the frames of any build.
template <class F>
void on_a_deep_stack(F f) {
  pthread_attr_t attributes;
  REQUIRE(::pthread_attr_init(&attributes) == 0);
  REQUIRE(::pthread_attr_setstacksize(&attributes, std::size_t{256} << 20) == 0);
  pthread_t thread{};
  auto const entry = [](void* self) -> void* { return (*static_cast<F*>(self))(), nullptr; };
  REQUIRE(::pthread_create(&thread, &attributes, entry, &f) == 0);
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
}

constexpr int usual_depth = 6;

/// From inside a call, so that groups too belong to the pool of the call.
template <class P>
std::uint64_t plant(P const& p, forest& f, std::uint64_t seed) {
  return tn::fork_join(p, [&] { return grow(p, f, tree(seed), usual_depth); }, [] { return 0; }).first;
}

std::uint64_t serially(std::uint64_t seed, bool groups) {
  forest f;
  f.groups = groups;
  return plant(serial, f, seed);
}

/// Runs tree `seed` without and with thorns, and says whether all was as in order.
template <class P>
bool agrees(P const& p, std::uint64_t seed, forest& f) {
  f.thorns = false;
  std::uint64_t const expected = serially(seed, f.groups);
  if (plant(p, f, seed) != expected) return false;
  f.thorns = true;
  bool threw = false, threw_serially = false;
  std::uint64_t got = expected;
  try {
    got = plant(p, f, seed);
  } catch (thorn const&) {
    threw = true;
  }
  forest quiet;
  quiet.thorns = true;
  quiet.groups = f.groups;
  try {
    static_cast<void>(plant(serial, quiet, seed));
  } catch (thorn const&) {
    threw_serially = true;
  }
  return threw == threw_serially && got == expected && f.leaves.now == 0;
}

}  // namespace

TEST_CASE("random trees of every pattern give what one thread gives, and throw where it throws", "[stress]") {
  rounds count("random trees");
  std::uint64_t seed = 1;
  for (int workers : {1, 2, 3, 8, 16, 64}) {
    CAPTURE(workers);
    for (int i = 0; i != 6 * scale(); ++i, ++seed) {
      CAPTURE(seed);
      forest f;
      f.groups = i % 2 == 0;
      REQUIRE(agrees(tn::par.workers(workers), seed, f));
      if (!f.groups) REQUIRE(f.leaves.peak <= workers);
      count.one();
    }
  }
}

TEST_CASE("random trees run as tasks of a pool of their own", "[stress]") {
  rounds count("trees submitted to a pool");
  tn::thread_pool pool{3};
  auto const p = tn::par.on(pool);
  for (int round = 0; round != 3 * scale(); ++round) {
    std::vector<tn::future<bool>> futures;
    for (int i = 0; i != 6; ++i)
      futures.push_back(tn::submit(p, [&p, seed = static_cast<std::uint64_t>(1000 + round * 6 + i)] {
        forest f;
        return agrees(p, seed, f);
      }));
    for (auto& future : futures) {
      REQUIRE(future.get());
      count.one();
    }
  }
}

TEST_CASE("several outside threads share pools, each with trees of its own", "[stress]") {
  rounds count("trees of threads that share pools");
  std::atomic<int> wrong{0};
  tn::thread_pool pool{2};
  auto const outside = [&](int who) {
    for (int i = 0; i != 3 * scale(); ++i) {
      auto const seed = static_cast<std::uint64_t>(5000 + who * 100'000 + i);
      forest a, b, c;
      if (!agrees(tn::par, seed, a) || !agrees(tn::par.on(pool), seed + 1, b) ||
          !agrees(tn::par.workers(3), seed + 2, c))
        ++wrong;
      count.one();
    }
  };
  std::vector<std::thread> threads;
  for (int who = 0; who != 4; ++who) threads.emplace_back(outside, who);
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("trees on one pool call another one, and themselves alone", "[stress]") {
  rounds count("trees across pools");
  tn::thread_pool a{2}, b{3};
  for (int i = 0; i != 4 * scale(); ++i) {
    auto const seed = static_cast<std::uint64_t>(900'000 + i);
    std::vector<int> good(4);
    tn::for_each(tn::par.on(a).grain(1), good, [&](int& ok) {
      forest f, g, h;
      ok = agrees(tn::par.on(b), seed, f) && agrees(tn::par.workers(1), seed + 1, g) &&
           agrees(tn::par.on(a), seed + 2, h);
    });
    REQUIRE(good == std::vector<int>(4, 1));
    count.one();
  }
}

TEST_CASE("a tree that is all deep left edge outgrows every ring", "[stress]") {
  struct deep {
    static long down(decltype(tn::par) const& p, int depth) {
      if (depth == 0) return 0;
      auto const [a, b] = tn::fork_join(p, [&] { return down(p, depth - 1); }, [] { return 1L; });
      return a + b;
    }
  };
  constexpr int depth = sanitized ? 5'000 : 50'000;  // ThreadSanitizer keeps 65'536 frames of a thread at most
  rounds count("deep trees");
  for (int i = 0; i != 2 * scale(); ++i) {
    long sum = 0;
    on_a_deep_stack([&] { sum = deep::down(tn::par.workers(1 + i % 4), depth); });
    REQUIRE(sum == depth);
    count.one();
  }
}

TEST_CASE("small stacks carry random trees, since a wait runs only work below itself", "[stress]") {
  rounds count("trees on small stacks");
  for (int const workers : {1, 2, 4, 16, 64}) {
    tn::thread_pool pool{{.workers = workers, .stack_size = sanitized ? std::size_t{2} << 20 : std::size_t{64} << 10}};
    auto const p = tn::par.on(pool);
    for (int i = 0; i != 2 * scale(); ++i) {
      auto const seed = static_cast<std::uint64_t>(70'000 + 1000 * workers + i);
      std::uint64_t const expected = serially(seed, true);
      auto const got = tn::submit(p, [&] {
                         forest f;
                         return grow(p, f, tree(seed), usual_depth);
                       }).get();
      REQUIRE(got == expected);
      count.one();
    }
  }
}

TEST_CASE("a task that comes while threads lie down, sleep or get up is run", "[stress]") {
  rounds count("tasks submitted to pools that spin, lie down or sleep");
  stream s{4};
  for (int workers : {1, 2, 16, 64}) {
    tn::thread_pool pool{{.workers = workers, .idle = workers == 2 ? tn::idle::power : tn::idle::balanced}};
    auto const p = tn::par.on(pool);
    for (int i = 0; i != 1250 * scale(); ++i) {
      std::atomic<bool> ran{false};
      tn::detach(p, [&ran] { ran = true; });
      while (!ran) std::this_thread::yield();
      // Threads spin for some 60 us, then lie down.
      std::uint64_t const next = tn::detail::ticks() + s.below(120) * tn::detail::ticks_per_us();
      while (tn::detail::ticks() < next) tn::detail::cpu_pause();
      count.one();
    }
  }
  SUCCEED("a lost wake-up would have hung");
}

TEST_CASE("pools that die right after their last tree, again and again", "[stress]") {
  rounds count("pools");
  for (int i = 0; i != 30 * scale(); ++i) {
    std::atomic<int> ran{0};
    {
      tn::thread_pool pool{1 + i % 4};
      auto const p = tn::par.on(pool);
      for (int k = 0; k != 5; ++k) tn::detach(p, [&ran, p] { tn::fork_join(p, [&] { ++ran; }, [&] { ++ran; }); });
      tn::fork_join(p, [&] { ++ran; }, [&] { ++ran; });
    }
    REQUIRE(ran == 12);
    count.one();
  }
}
