// Sorted ranges that come together, elements that change places, and pairs by key.
#include <tartan/join_by_key.hpp>
#include <tartan/merge.hpp>
#include <tartan/nth_element.hpp>
#include <tartan/reverse.hpp>
#include <tartan/set_operations.hpp>
#include <tartan/shuffle.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "algorithms/measure.hpp"
#include "harness.hpp"

#if BENCH_TBB
#include <tbb/task_arena.h>

#include <execution>
#endif

namespace {

using numbers = std::vector<std::uint64_t>;
numbers left, right;
std::vector<std::uint32_t> keys_left, keys_right;

#if BENCH_TBB
template <class F>
auto in_arena(unsigned workers, F const& f) {
  return tbb::task_arena(static_cast<int>(workers)).execute(f);
}
#endif

/// Contenders that return a vector.
template <class Serial, class Tartan, class Standard>
void add_pairs(bench::options const& o, std::vector<bench::contender>& all, std::string const& pattern, Serial serial,
               Tartan parallel, [[maybe_unused]] Standard standard) {
  auto const expected = serial();
  auto const items = static_cast<double>(left.size() + right.size());
  all.push_back(bench::make_baseline(pattern, expected, serial));
  all.back().items = items;
  for (unsigned const w : o.workers) {
    all.push_back(
        bench::make(pattern, "tartan par", w, expected, [=, p = tartan::par.workers(w)] { return parallel(p); }));
    all.back().items = items;
#if BENCH_TBB
    all.push_back(bench::make(pattern, "std::execution::par", w, expected,
                              [=] { return in_arena(w, [&] { return standard(); }); }));
    all.back().items = items;
#endif
  }
}

#if BENCH_TBB
/// Into a vector that is long enough, then cut: how the standard's parallel algorithms are used.
template <class F>
numbers cut_to_size(std::size_t most, F const& f) {
  numbers to(most);
  to.resize(static_cast<std::size_t>(f(to.begin()) - to.begin()));
  return to;
}
#define TARTAN_BENCH_STANDARD(name, most)                                                              \
  [] {                                                                                                 \
    return cut_to_size(most, [](auto to) {                                                             \
      return std::name(std::execution::par, left.begin(), left.end(), right.begin(), right.end(), to); \
    });                                                                                                \
  }
#else
#define TARTAN_BENCH_STANDARD(name, most) 0
#endif

void add_sorted_ranges(bench::options const& o, std::vector<bench::contender>& all) {
  auto const serially = [](auto algorithm, std::size_t most) {
    numbers to;
    to.reserve(most);
    algorithm(std::back_inserter(to));
    return to;
  };
  add_pairs(
      o, all, "merge",
      [=] {
        return serially([](auto to) { std::merge(left.begin(), left.end(), right.begin(), right.end(), to); },
                        left.size() + right.size());
      },
      [](auto const& p) { return tartan::merge(p, left, right); },
      TARTAN_BENCH_STANDARD(merge, left.size() + right.size()));
  add_pairs(
      o, all, "set_union",
      [=] {
        return serially([](auto to) { std::set_union(left.begin(), left.end(), right.begin(), right.end(), to); },
                        left.size() + right.size());
      },
      [](auto const& p) { return tartan::set_union(p, left, right); },
      TARTAN_BENCH_STANDARD(set_union, left.size() + right.size()));
  add_pairs(
      o, all, "set_intersection",
      [=] {
        return serially(
            [](auto to) { std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), to); },
            left.size());
      },
      [](auto const& p) { return tartan::set_intersection(p, left, right); },
      TARTAN_BENCH_STANDARD(set_intersection, left.size()));
}

void add_places(bench::options const& o, std::vector<bench::contender>& all, numbers const& random) {
  auto const input = bench::share(random);
  auto const third = static_cast<std::ptrdiff_t>(random.size() / 3);

  numbers turned = random;
  std::rotate(turned.begin(), turned.begin() + third, turned.end());
  auto const rotated = bench::share(turned);
  all.push_back(bench::in_place("rotate", "serial loop", 1, input, rotated,
                                [=](numbers& v) { std::rotate(v.begin(), v.begin() + third, v.end()); }));
  all.back().baseline = true;
  for (unsigned const w : o.workers) {
    all.push_back(
        bench::in_place("rotate", "tartan par", w, input, rotated,
                        [=, p = tartan::par.workers(w)](numbers& v) { tartan::rotate(p, v, v.begin() + third); }));
#if BENCH_TBB
    all.push_back(bench::in_place("rotate", "std::execution::par", w, input, rotated, [=](numbers& v) {
      in_arena(w, [&] { std::rotate(std::execution::par, v.begin(), v.begin() + third, v.end()); });
    }));
#endif
  }

  // An order of equal chance has no one right answer: each contender is compared with its own on one worker.
  numbers mixed = random;
  tartan::shuffle(tartan::seq, mixed, 1);
  auto const shuffled = bench::share(mixed);
  mixed = random;
  std::shuffle(mixed.begin(), mixed.end(), std::mt19937_64(1));
  all.push_back(bench::in_place("shuffle", "serial loop", 1, input, bench::share(mixed),
                                [](numbers& v) { std::shuffle(v.begin(), v.end(), std::mt19937_64(1)); }));
  all.back().baseline = true;
  for (unsigned const w : o.workers)
    all.push_back(bench::in_place("shuffle", "tartan par", w, input, shuffled,
                                  [p = tartan::par.workers(w)](numbers& v) { tartan::shuffle(p, v, 1); }));

  numbers sorted = random;
  std::sort(sorted.begin(), sorted.end());
  auto const median = sorted[sorted.size() / 2];
  auto const select = [&](std::string backend, unsigned w, auto nth_element) {
    auto c = bench::in_place("nth_element, median", std::move(backend), w, input, input, nth_element);
    c.right = [=] {
      numbers v = *input;
      nth_element(v);
      return v[v.size() / 2] == median;
    };
    all.push_back(std::move(c));
  };
  auto const middle = [](numbers& v) { return v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2); };
  select("serial loop", 1, [=](numbers& v) { std::nth_element(v.begin(), middle(v), v.end()); });
  all.back().baseline = true;
  for (unsigned const w : o.workers) {
    select("tartan par", w, [=, p = tartan::par.workers(w)](numbers& v) { tartan::nth_element(p, v, middle(v)); });
#if BENCH_TBB
    select("std::execution::par", w, [=](numbers& v) {
      in_arena(w, [&] { std::nth_element(std::execution::par, v.begin(), middle(v), v.end()); });
    });
#endif
  }
}

void add_join(bench::options const& o, std::vector<bench::contender>& all) {
  using pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  auto const serial = [] {
    std::unordered_multimap<std::uint32_t, std::uint32_t> table(keys_right.size());
    for (auto const k : keys_right) table.emplace(k, k);
    pairs result;
    for (auto const k : keys_left)
      for (auto [it, end] = table.equal_range(k); it != end; ++it) result.emplace_back(k, it->second);
    return result;
  };
  pairs const expected = serial();
  auto const items = static_cast<double>(keys_left.size() + keys_right.size());
  all.push_back(bench::make_baseline("join_by_key", expected, serial));
  all.back().items = items;
  for (unsigned const w : o.workers) {
    all.push_back(bench::make("join_by_key", "tartan par", w, expected, [p = tartan::par.workers(w)] {
      return tartan::join_by_key(p, keys_left, std::identity{}, keys_right, std::identity{});
    }));
    all.back().items = items;
  }
}

void add(bench::options const& o, std::vector<bench::contender>& all) {
  std::mt19937_64 random(1);
  std::size_t const n = o.scaled(std::size_t{1} << 23);
  numbers mixed(n);
  for (auto& x : mixed) x = random();
  left.resize(n);
  right.resize(n);
  for (auto& x : left) x = random() % (4 * n);
  for (auto& x : right) x = random() % (4 * n);
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  keys_left.resize(n / 4);
  keys_right.resize(n / 16);
  for (auto& k : keys_left) k = static_cast<std::uint32_t>(random() % (n / 8));
  for (auto& k : keys_right) k = static_cast<std::uint32_t>(random() % (n / 8));
  add_sorted_ranges(o, all);
  add_places(o, all, mixed);
  add_join(o, all);
  bench::with_memory(all);
}

bench::registration const here("order", add);

}  // namespace
