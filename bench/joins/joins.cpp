// What it costs that a wait at a join runs only work below that join, so that locks may be held across it: the same
// forks on the same pool, but that whoever waits steals from everybody, as other schedulers do.
#include <tartan/core/atomics.hpp>
#include <tartan/core/fork.hpp>
#include <tartan/fork_join.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness.hpp"

namespace {

namespace td = tartan::detail;

/// Tartan's own fork.
struct below {
  static constexpr char const* name = "tartan: work below the join";
  template <class F, class G>
  static auto fork(F const& f, G const& g) {
    return tartan::fork_join(tartan::par, f, g);
  }
};

/// Its parts put together otherwise. What is stolen while it waits may be anything, and may keep it as long as it
/// likes.
struct anything {
  static constexpr char const* name = "the same pool: anything";
  template <class F, class G>
  static auto fork(F const& f, G const& g) {
    td::worker& w = *td::current_worker();
    td::forked_job<G const&, std::invoke_result_t<G const&>> second(g);
    w.tasks.put(w.tasks.reserve(), &second);
    w.home.published(w);
    auto first = f();
    if (w.tasks.take_back() || !await(w, second)) return std::pair{first, g()};
    return std::pair{first, second.result.take()};
  }

 private:
  /// False if the job was meant to be handed over, and nobody took it.
  [[gnu::noinline]] static bool await(td::worker& w, td::job& awaited) {
    for (unsigned tries = 1; !awaited.join.finished(); ++tries) {
      td::worker* const runner = awaited.join.runner();
      if (runner == &w || (runner != nullptr && runner->box.revoke(&awaited))) return false;
      if (td::job* const other = w.home.steal(w))
        td::pool::run_stolen(w, *other);
      else if (tries % 1024 == 0)
        td::yield_processor();  // with more workers than cores, the runner needs this one
      else
        td::cpu_pause();
    }
    return true;
  }
};

template <class Join>
[[gnu::noinline]] long fib(int n) {
  if (n < 2) return n;
  auto const [a, b] = Join::fork([&] { return fib<Join>(n - 1); }, [&] { return fib<Join>(n - 2); });
  return a + b;
}

std::uint64_t mixed(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

/// Some 20 ns a unit.
std::uint64_t work(std::uint64_t seed, unsigned units) {
  for (unsigned i = 0; i != 10 * units; ++i) seed = mixed(seed);
  return seed;
}

/// One of a forest of trees of very different sizes: a node has eight children with a chance that keeps them finite.
template <class Join>
std::uint64_t children(std::uint64_t node, unsigned begin, unsigned end);

template <class Join>
std::uint64_t grown(std::uint64_t node) {
  std::uint64_t const own = work(node, 4);
  return own % 1000 < 123 ? own + children<Join>(own, 0, 8) : own;
}

template <class Join>
std::uint64_t children(std::uint64_t node, unsigned begin, unsigned end) {
  if (end - begin == 1) return grown<Join>(node + begin);
  unsigned const middle = begin + (end - begin) / 2;
  auto const [a, b] = Join::fork([&] { return children<Join>(node, begin, middle); },
                                 [&] { return children<Join>(node, middle, end); });
  return a + b;
}

/// Three loops in each other, whose iterations cost ever more.
template <class Join>
std::uint64_t nested(unsigned level, std::uint64_t at, unsigned begin, unsigned end) {
  if (end - begin == 1) {
    std::uint64_t const here = at * 32 + begin;
    return level == 0 ? work(here, begin * begin / 16 + 1) : nested<Join>(level - 1, here, 0, 16 + 16 * (begin % 2));
  }
  unsigned const middle = begin + (end - begin) / 2;
  auto const [a, b] = Join::fork([&] { return nested<Join>(level, at, begin, middle); },
                                 [&] { return nested<Join>(level, at, middle, end); });
  return a + b;
}

/// Runs the branches one after the other: what is right.
struct in_order {
  static constexpr char const* name = "serial";
  template <class F, class G>
  static auto fork(F const& f, G const& g) {
    auto first = f();
    return std::pair{first, g()};
  }
};

struct load {
  char const* name;
  std::function<std::uint64_t()> serial, with_below, with_anything;
};

template <class Run>
load made(char const* name, Run run) {
  return {name, [run] { return run(in_order{}); }, [run] { return run(below{}); }, [run] { return run(anything{}); }};
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  unsigned const trees = o.quick ? 200 : 3000;
  int const n = o.quick ? 20 : 29;
  load const loads[] = {
      made("joins, fib", [n]<class Join>(Join) { return static_cast<std::uint64_t>(fib<Join>(n)); }),
      made("joins, trees", [trees]<class Join>(Join) { return children<Join>(19, 0, trees); }),
      made("joins, skewed loops", [&o]<class Join>(Join) { return nested<Join>(o.quick ? 1 : 2, 1, 0, 32); }),
  };
  std::vector<unsigned> crowd = o.workers;
  crowd.push_back(4 * tartan::available_workers());  // more than cores: who waits is in the way of who works
  for (load const& l : loads) {
    std::uint64_t const expected = l.serial();
    out.push_back(bench::make_baseline(l.name, expected, l.serial));
    for (unsigned const w : crowd) {
      auto const on = [w](auto const& run) {
        return [w, run] { return tartan::fork_join(tartan::par.workers(w), run, [] {}).first; };
      };
      if (w == 1) continue;  // nobody waits
      out.push_back(bench::make(l.name, below::name, w, expected, on(l.with_below)));
      out.push_back(bench::make(l.name, anything::name, w, expected, on(l.with_anything)));
      out.back().yardstick = true;
    }
  }
}

bench::registration const here("joins", add);

}  // namespace
