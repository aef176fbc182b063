// Unbalanced Tree Search (Olivier et al., LCPC 2006): counts the nodes of a tree whose shape only SHA-1 knows, so that
// no division of the work can be planned. T1 is geometric and shallow, T3 binomial and 1572 levels deep. Their sizes
// are published; a count that differs is a wrong answer.
#include <tartan/fork_join.hpp>
#include <tartan/map_reduce.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "harness.hpp"
#include "peers.hpp"
#include "uts/sha1.hpp"

#if BENCH_TBB
#include <tbb/task_group.h>
#endif

namespace {

struct tree {
  char const* name;
  bool geometric;
  double root_branching;
  int most_levels;          // geometric: nodes of this depth have no children
  int branching;            // binomial: a node has this many children ...
  double branching_chance;  // ... with this chance, else none
  std::uint32_t seed;
};

struct tally {
  std::uint64_t nodes = 0, leaves = 0;
  int depth = 0;
  friend tally operator+(tally const& a, tally const& b) noexcept {
    return {a.nodes + b.nodes, a.leaves + b.leaves, std::max(a.depth, b.depth)};
  }
  bool operator==(tally const&) const = default;
};

struct node {
  bench::digest state;
  int depth;
};

node root_of(tree const& t) {
  std::array<std::uint32_t, 5> const seed{0, 0, 0, 0, t.seed};
  return {bench::sha1(seed), 0};
}

[[gnu::noinline]] node child_of(node const& parent, int which) {
  auto const& s = parent.state;
  std::array<std::uint32_t, 6> const message{s[0], s[1], s[2], s[3], s[4], static_cast<std::uint32_t>(which)};
  return {bench::sha1(message), parent.depth + 1};
}

int children_of(tree const& t, node const& n) {
  double const chance = static_cast<double>(n.state[4] & 0x7fffffffU) / 2147483648.0;
  if (t.geometric) {
    double const mean = n.depth < t.most_levels ? t.root_branching : 0;
    int const count = static_cast<int>(std::floor(std::log(1 - chance) / std::log(1 - 1 / (1 + mean))));
    return std::min(count, 100);
  }
  if (n.depth == 0) return static_cast<int>(t.root_branching);
  return chance < t.branching_chance ? t.branching : 0;
}

/// What a node counts for, without its children.
tally alone(node const& n, int children) { return {1, children == 0 ? 1U : 0U, n.depth}; }

tally serial(tree const& t, node const& n) {
  int const children = children_of(t, n);
  tally sum = alone(n, children);
  for (int i = 0; i != children; ++i) sum = sum + serial(t, child_of(n, i));
  return sum;
}

// The children are forked without any cutoff: either halves of them until one is left, or the first beside the others.
tally forked(tree const& t, node const& n);

tally forked_children(tree const& t, node const& n, int begin, int end) {
  if (end - begin == 1) return forked(t, child_of(n, begin));
  int const middle = begin + (end - begin) / 2;
  auto [a, b] = tartan::fork_join(
      tartan::par, [&] { return forked_children(t, n, begin, middle); },
      [&] { return forked_children(t, n, middle, end); });
  return a + b;
}

tally forked(tree const& t, node const& n) {
  int const children = children_of(t, n);
  tally const own = alone(n, children);
  return children == 0 ? own : own + forked_children(t, n, 0, children);
}

tally chained(tree const& t, node const& n);

tally chained_children(tree const& t, node const& n, int begin, int end) {
  if (end - begin == 1) return chained(t, child_of(n, begin));
  auto [a, b] = tartan::fork_join(
      tartan::par, [&] { return chained(t, child_of(n, begin)); },
      [&] { return chained_children(t, n, begin + 1, end); });
  return a + b;
}

tally chained(tree const& t, node const& n) {
  int const children = children_of(t, n);
  tally const own = alone(n, children);
  return children == 0 ? own : own + chained_children(t, n, 0, children);
}

// The same walk with a call in place of each fork: what is not the price of forks in it.
tally called(tree const& t, node const& n);

tally called_children(tree const& t, node const& n, int begin, int end) {
  if (end - begin == 1) return called(t, child_of(n, begin));
  tally const first = called(t, child_of(n, begin));
  return first + called_children(t, n, begin + 1, end);
}

tally called(tree const& t, node const& n) {
  int const children = children_of(t, n);
  tally const own = alone(n, children);
  return children == 0 ? own : own + called_children(t, n, 0, children);
}

// Leaves are counted where they are found, and only children that have children are forked: a leaf is one hash, and so
// is looking at it. The serial walk of that shape is measured, too.
tally forked_inner(tree const& t, node const& n, int begin, int children) {
  tally sum{};
  for (int i = begin; i != children; ++i) {
    node const child = child_of(n, i);
    int const below = children_of(t, child);
    sum = sum + alone(child, below);
    if (below == 0) continue;
    auto [a, b] = tartan::fork_join(
        tartan::par, [&] { return forked_inner(t, child, 0, below); },
        [&] { return forked_inner(t, n, i + 1, children); });
    return sum + a + b;
  }
  return sum;
}

tally serial_inner(tree const& t, node const& n, int children) {
  tally sum{};
  for (int i = 0; i != children; ++i) {
    node const child = child_of(n, i);
    int const below = children_of(t, child);
    sum = sum + alone(child, below);
    if (below != 0) sum = sum + serial_inner(t, child, below);
  }
  return sum;
}

/// A walk of the inner nodes, for which the root is one.
template <class Walk>
tally from_root(tree const& t, node const& root, Walk walk) {
  int const children = children_of(t, root);
  return alone(root, children) + walk(t, root, children);
}

tally reduced(tree const& t, node const& n) {
  int const children = children_of(t, n);
  tally const own = alone(n, children);
  if (children == 0) return own;
  return tartan::map_reduce(
      tartan::par, std::views::iota(0, children), [&](int i) { return reduced(t, child_of(n, i)); }, own);
}

#if BENCH_TBB
tally tbb_walk(tree const& t, node const& n) {
  int const children = children_of(t, n);
  tally sum = alone(n, children);
  if (children == 0) return sum;
  std::vector<tally> below(static_cast<std::size_t>(children));
  tbb::task_group group;
  for (int i = 1; i != children; ++i)
    group.run([&, i] { below[static_cast<std::size_t>(i)] = tbb_walk(t, child_of(n, i)); });
  below[0] = tbb_walk(t, child_of(n, 0));
  group.wait();
  for (tally const& b : below) sum = sum + b;
  return sum;
}

tally tbb_inner(tree const& t, node const& n, int children) {
  tally sum{};
  std::deque<tally> results;  // whose elements stay where they are
  tbb::task_group group;
  for (int i = 0; i != children; ++i) {
    node const child = child_of(n, i);
    int const below = children_of(t, child);
    sum = sum + alone(child, below);
    if (below == 0) continue;
    tally& result = results.emplace_back();
    group.run([&t, &result, child, below] { result = tbb_inner(t, child, below); });
  }
  group.wait();
  for (tally const& r : results) sum = sum + r;
  return sum;
}
#endif

#if BENCH_OPENMP
tally omp_walk(tree const& t, node const& n) {
  int const children = children_of(t, n);
  tally sum = alone(n, children);
  if (children == 0) return sum;
  std::vector<tally> below(static_cast<std::size_t>(children));
  for (int i = 0; i != children; ++i) {
#pragma omp task shared(t, n, below) firstprivate(i)
    below[static_cast<std::size_t>(i)] = omp_walk(t, child_of(n, i));
  }
#pragma omp taskwait
  for (tally const& b : below) sum = sum + b;
  return sum;
}
#endif

/// Seconds a tree where each of w threads walks one of its own: what the machine allows to w threads at that moment.
double one_tree_each(tree const& t, node const& root, unsigned w) {
  auto const begin = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (unsigned i = 1; i != w; ++i)
    others.emplace_back([&] {
      tally const walked = serial(t, root);
      asm volatile("" : : "g"(&walked) : "memory");
    });
  tally const own = serial(t, root);
  asm volatile("" : : "g"(&own) : "memory");
  for (std::thread& other : others) other.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / w;
}

void add_tree(bench::options const& o, std::vector<bench::contender>& out, tree const& t, tally const& expected) {
  std::string const pattern = t.name;
  std::size_t const first = out.size();
  node const root = root_of(t);
  out.push_back(bench::make_baseline(pattern, expected, [=] { return serial(t, root); }));
  out.push_back(bench::make(pattern, "serial calls, one by one", 1, expected, [=] { return called(t, root); }));
  out.push_back(
      bench::make(pattern, "serial loop, inner nodes", 1, expected, [=] { return from_root(t, root, serial_inner); }));
  for (unsigned const w : o.workers) {
    bench::contender apart =
        bench::make(pattern, "serial loops, a tree a thread", w, expected, [=] { return serial(t, root); });
    apart.figure = [=] { return one_tree_each(t, root, w); };
    apart.yardstick = true;
    out.push_back(apart);
    auto const on = tartan::par.workers(w);
    out.push_back(bench::make(pattern, "tartan fork_join, one by one", w, expected,
                              [=] { return tartan::fork_join(on, [&] { return chained(t, root); }, [] {}).first; }));
    out.push_back(bench::make(pattern, "tartan fork_join, halves", w, expected,
                              [=] { return tartan::fork_join(on, [&] { return forked(t, root); }, [] {}).first; }));
    out.push_back(bench::make(pattern, "tartan fork_join, inner nodes", w, expected, [=] {
      auto const walk = [](tree const& all, node const& n, int children) { return forked_inner(all, n, 0, children); };
      return tartan::fork_join(on, [&] { return from_root(t, root, walk); }, [] {}).first;
    }));
    out.push_back(bench::make(pattern, "tartan map_reduce", w, expected,
                              [=] { return tartan::fork_join(on, [&] { return reduced(t, root); }, [] {}).first; }));
#if BENCH_TBB
    out.push_back(bench::make(pattern, "oneTBB task_group", w, expected, [=] {
      tally result;
      tbb::task_arena(static_cast<int>(w)).execute([&] { result = tbb_walk(t, root); });
      return result;
    }));
    out.push_back(bench::make(pattern, "oneTBB task_group, inner nodes", w, expected, [=] {
      tally result;
      tbb::task_arena(static_cast<int>(w)).execute([&] { result = from_root(t, root, tbb_inner); });
      return result;
    }));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make(pattern, "OpenMP tasks", w, expected, [=] {
      tally result;
#pragma omp parallel num_threads(w)
#pragma omp single
      result = omp_walk(t, root);
      return result;
    }));
#endif
  }
  for (std::size_t i = first; i != out.size(); ++i) out[i].items = static_cast<double>(expected.nodes);
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  if (o.quick) {
    for (tree const& t :
         {tree{"T1, 7 levels", true, 4, 7, 0, 0, 19}, tree{"T3, root of 100", false, 100, 0, 8, 0.124875, 42}})
      add_tree(o, out, t, serial(t, root_of(t)));
  } else {
    add_tree(o, out, {"T1", true, 4, 10, 0, 0, 19}, {4'130'071, 3'305'118, 10});
    add_tree(o, out, {"T3", false, 2000, 0, 8, 0.124875, 42}, {4'112'897, 3'599'034, 1572});
  }
}

bench::registration const here("uts", add);

}  // namespace
