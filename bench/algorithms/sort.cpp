// Sorting numbers, texts and records, in the orders in which they come: random, nearly sorted, few distinct, reversed,
// Zipf. The peers are std::sort, std::execution, oneTBB, the parallel mode of libstdc++ (OpenMP) and Boost.Sort, where
// they are installed. Beside the times: by how much each one's memory grows meanwhile.
#include <tartan/sort.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/measure.hpp"
#include "harness.hpp"

#if BENCH_TBB
#include <tbb/parallel_sort.h>
#include <tbb/task_arena.h>

#include <execution>
#endif
#if BENCH_OPENMP && __has_include(<parallel/algorithm>) && defined(__GLIBCXX__)
#include <omp.h>

#include <parallel/algorithm>
#define BENCH_GNU_PARALLEL 1
#endif
#if __has_include(<boost/sort/sort.hpp>)
#include <boost/sort/sort.hpp>
#define BENCH_BOOST_SORT 1
#endif

namespace {

struct record {  // sorted by its price; the number tells equal prices apart
  double price;
  std::uint64_t number, rest[6];
  bool operator==(record const&) const = default;
};

constexpr auto less_of = [](auto const& a, auto const& b) {
  if constexpr (requires { a.price; })
    return a.price < b.price;
  else
    return a < b;
};

template <class T>
void tartan_sort(auto const& policy, std::vector<T>& v) {
  if constexpr (std::is_same_v<T, record>)
    tartan::stable_sort(policy, v, {}, &record::price);
  else
    tartan::sort(policy, v);
}

/// f(name, workers, function) for everybody who sorts, the baseline first.
template <bool Stable, class T, class F>
void for_sorters(bench::options const& o, F const& f) {
  using vector = std::vector<T>;
  f("serial loop", 1U, [](vector& v) {
    if constexpr (Stable)
      std::stable_sort(v.begin(), v.end(), less_of);
    else
      std::sort(v.begin(), v.end());
  });
  f("tartan seq", 1U, [](vector& v) { tartan_sort(tartan::seq, v); });
  for (unsigned const w : o.workers) {
    f("tartan par", w, [p = tartan::par.workers(w)](vector& v) { tartan_sort(p, v); });
#if BENCH_TBB
    f("std::execution::par", w, [w](vector& v) {
      tbb::task_arena(static_cast<int>(w)).execute([&] {
        if constexpr (Stable)
          std::stable_sort(std::execution::par, v.begin(), v.end(), less_of);
        else
          std::sort(std::execution::par, v.begin(), v.end());
      });
    });
    if constexpr (!Stable)
      f("oneTBB parallel_sort", w, [w](vector& v) {
        tbb::task_arena(static_cast<int>(w)).execute([&] { tbb::parallel_sort(v.begin(), v.end()); });
      });
#endif
#if BENCH_GNU_PARALLEL
    f("libstdc++ parallel, OpenMP", w, [w](vector& v) {
      omp_set_num_threads(static_cast<int>(w));
      if constexpr (Stable)
        __gnu_parallel::stable_sort(v.begin(), v.end(), less_of);
      else
        __gnu_parallel::sort(v.begin(), v.end());
    });
#endif
#if BENCH_BOOST_SORT
    f("Boost.Sort", w, [w](vector& v) {
      if constexpr (Stable)
        boost::sort::parallel_stable_sort(v.begin(), v.end(), less_of, w);
      else
        boost::sort::block_indirect_sort(v.begin(), v.end(), less_of, w);
    });
#endif
  }
}

template <bool Stable, class T>
void add_sorters(bench::options const& o, std::string const& what, std::vector<T> values,
                 std::vector<bench::contender>& out) {
  auto sorted = values;
  std::stable_sort(sorted.begin(), sorted.end(), less_of);
  auto const input = bench::share(std::move(values)), expected = bench::share(std::move(sorted));
  for_sorters<Stable, T>(o, [&](char const* name, unsigned w, auto f) {
    out.push_back(bench::in_place(what, name, w, input, expected, f));
    out.back().baseline = w == 1 && out.back().backend == "serial loop";
  });
}

std::mt19937_64 random_bits(1);

std::vector<std::uint64_t> random_numbers(std::size_t n) {
  std::vector<std::uint64_t> v(n);
  for (auto& x : v) x = random_bits();
  return v;
}

std::vector<std::uint64_t> zipf_numbers(std::size_t n) {  // the k-th most frequent value has a share of about 1 / k
  std::vector<std::uint64_t> v = random_numbers(n);
  for (auto& x : v) {
    double const u = static_cast<double>(x >> 11) * 0x1p-53;
    x = static_cast<std::uint64_t>(std::exp(u * std::log(1e6))) * 0x9e3779b97f4a7c15ULL;
  }
  return v;
}

std::vector<std::string> words(std::size_t n) {
  std::vector<std::string> v(n);
  for (auto& word : v) {
    word.resize(4 + random_bits() % 20);
    for (char& c : word) c = static_cast<char>('a' + random_bits() % 26);
  }
  return v;
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::size_t const n = o.scaled(10'000'000), fewer = o.scaled(std::size_t{1} << 21);
  auto const numbers = random_numbers(n);
  add_sorters<false>(o, "u64", numbers, out);
  add_sorters<true>(o, "u64 stable", numbers, out);
  std::vector<double> reals(n);
  for (std::size_t i = 0; i != n; ++i) reals[i] = static_cast<double>(static_cast<std::int64_t>(numbers[i])) * 1e-9;
  add_sorters<false>(o, "double", std::move(reals), out);
  add_sorters<false>(o, "string", words(o.scaled(1'000'000)), out);

  std::vector<record> records(o.scaled(1'000'000));
  for (std::size_t i = 0; i != records.size(); ++i)
    records[i] = {static_cast<double>(numbers[i] % 100'000) * 0.01, i, {}};
  add_sorters<true>(o, "record of 64 B, stable", std::move(records), out);

  auto shaped = random_numbers(fewer);
  std::sort(shaped.begin(), shaped.end());
  for (std::size_t i = 0; i != fewer / 100; ++i)
    std::swap(shaped[random_bits() % fewer], shaped[random_bits() % fewer]);
  add_sorters<false>(o, "u64 nearly sorted", shaped, out);
  std::sort(shaped.begin(), shaped.end(), std::greater<>{});
  add_sorters<false>(o, "u64 reversed", shaped, out);
  for (auto& x : shaped) x = random_bits() % 16;
  add_sorters<false>(o, "u64 few distinct", shaped, out);
  add_sorters<false>(o, "u64 Zipf", zipf_numbers(fewer), out);
  bench::with_memory(out);
}

bench::registration const here("sort", add);

}  // namespace
