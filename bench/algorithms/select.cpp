// What is found, kept, counted or best among many values.
#include <tartan/filter.hpp>
#include <tartan/find.hpp>
#include <tartan/histogram.hpp>
#include <tartan/minmax.hpp>
#include <tartan/top_k.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "algorithms/measure.hpp"
#include "harness.hpp"
#include "peers.hpp"

#if BENCH_TBB
#include <tbb/enumerable_thread_specific.h>
#include <tbb/task_arena.h>

#include <execution>
#endif

namespace {

std::vector<double> v;

constexpr auto small = [](double x) { return x < 0.25; };

#if BENCH_TBB
template <class F>
auto in_arena(unsigned workers, F const& f) {
  return tbb::task_arena(static_cast<int>(workers)).execute(f);
}
#endif

void add_copy_if(bench::options const& o, std::vector<bench::contender>& out) {
  std::vector<double> kept;
  std::copy_if(v.begin(), v.end(), std::back_inserter(kept), small);
  auto const expected = kept;
  out.push_back(bench::make_baseline("copy_if", expected, [] {
    std::vector<double> to;
    std::copy_if(v.begin(), v.end(), std::back_inserter(to), small);
    return to;
  }));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make("copy_if", "tartan par", w, expected,
                              [p = tartan::par.workers(w)] { return tartan::copy_if(p, v, small); }));
#if BENCH_TBB
    out.push_back(bench::make("copy_if", "std::execution::par", w, expected, [w] {
      std::vector<double> to(v.size());
      to.resize(in_arena(w, [&] {
        return static_cast<std::size_t>(std::copy_if(std::execution::par, v.begin(), v.end(), to.begin(), small) -
                                        to.begin());
      }));
      return to;
    }));
#endif
  }
}

void add_partition(bench::options const& o, std::vector<bench::contender>& out) {
  auto parted = v;
  std::stable_partition(parted.begin(), parted.end(), small);
  auto const input = bench::share(v), expected = bench::share(parted);
  out.push_back(bench::in_place("partition, stable", "serial loop", 1, input, expected,
                                [](std::vector<double>& x) { std::stable_partition(x.begin(), x.end(), small); }));
  out.back().baseline = true;
  for (unsigned const w : o.workers) {
    out.push_back(bench::in_place(
        "partition, stable", "tartan par", w, input, expected,
        [p = tartan::par.workers(w)](std::vector<double>& x) { static_cast<void>(tartan::partition(p, x, small)); }));
#if BENCH_TBB
    out.push_back(
        bench::in_place("partition, stable", "std::execution::par", w, input, expected, [w](std::vector<double>& x) {
          in_arena(w, [&] { std::stable_partition(std::execution::par, x.begin(), x.end(), small); });
        }));
#endif
  }
}

void add_find(bench::options const& o, std::vector<bench::contender>& out) {
  std::size_t const place = v.size() - v.size() / 8;
  v[place] = 2;
  auto const over_one = [](double x) { return x > 1; };
  auto const bytes = static_cast<double>(place * sizeof(double));
  out.push_back(bench::make_baseline(
      "find_if, late", place,
      [=] { return static_cast<std::size_t>(std::find_if(v.begin(), v.end(), over_one) - v.begin()); }, bytes));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make(
        "find_if, late", "tartan par", w, place,
        [=, p = tartan::par.workers(w)] {
          return static_cast<std::size_t>(tartan::find_if(p, v, over_one) - v.begin());
        },
        bytes));
#if BENCH_TBB
    out.push_back(bench::make(
        "find_if, late", "std::execution::par", w, place,
        [=] {
          return in_arena(w, [&] {
            return static_cast<std::size_t>(std::find_if(std::execution::par, v.begin(), v.end(), over_one) -
                                            v.begin());
          });
        },
        bytes));
#endif
  }
}

void add_least(bench::options const& o, std::vector<bench::contender>& out) {
  auto const least = static_cast<std::size_t>(std::min_element(v.begin(), v.end()) - v.begin());
  auto const bytes = static_cast<double>(v.size() * sizeof(double));
  out.push_back(bench::make_baseline(
      "min_element", least, [] { return static_cast<std::size_t>(std::min_element(v.begin(), v.end()) - v.begin()); },
      bytes));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make(
        "min_element", "tartan par", w, least,
        [p = tartan::par.workers(w)] { return static_cast<std::size_t>(tartan::min_element(p, v) - v.begin()); },
        bytes));
#if BENCH_TBB
    out.push_back(bench::make(
        "min_element", "std::execution::par", w, least,
        [w] {
          return in_arena(w, [] {
            return static_cast<std::size_t>(std::min_element(std::execution::par, v.begin(), v.end()) - v.begin());
          });
        },
        bytes));
#endif
  }
}

void add_top(bench::options const& o, std::vector<bench::contender>& out) {
  std::vector<double> expected(100);
  std::partial_sort_copy(v.begin(), v.end(), expected.begin(), expected.end(), std::greater<>{});
  out.push_back(bench::make_baseline("top_k, 100", expected, [] {
    std::vector<double> top(100);
    std::partial_sort_copy(v.begin(), v.end(), top.begin(), top.end(), std::greater<>{});
    return top;
  }));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("top_k, 100", "tartan par", w, expected,
                              [p = tartan::par.workers(w)] { return tartan::top_k(p, v, 100); }));
}

std::size_t bin_of(double x) { return static_cast<std::size_t>(x * 256.0); }

void add_histogram(bench::options const& o, std::vector<bench::contender>& out) {
  using bins = std::vector<std::size_t>;
  bins expected(256);
  for (double const x : v)
    if (x < 1) ++expected[bin_of(x)];
  auto const bytes = static_cast<double>(v.size() * sizeof(double));
  out.push_back(bench::make_baseline(
      "histogram, 256 bins", expected,
      [] {
        bins h(256);
        for (double const x : v)
          if (x < 1) ++h[bin_of(x)];
        return h;
      },
      bytes));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make(
        "histogram, 256 bins", "tartan par", w, expected,
        [p = tartan::par.workers(w)] { return tartan::histogram(p, v, 256, 0.0, 1.0); }, bytes));
#if BENCH_TBB
    out.push_back(bench::make(
        "histogram, 256 bins", "oneTBB, a table a thread", w, expected,
        [w] {
          tbb::enumerable_thread_specific<bins> tables(std::size_t{256});
          tbb::task_arena(static_cast<int>(w)).execute([&] {
            tbb::parallel_for(tbb::blocked_range<std::size_t>(0, v.size()), [&](auto const& r) {
              bins& h = tables.local();
              for (std::size_t i = r.begin(); i != r.end(); ++i)
                if (v[i] < 1) ++h[bin_of(v[i])];
            });
          });
          bins all(256);
          for (bins const& h : tables)
            for (std::size_t i = 0; i != 256; ++i) all[i] += h[i];
          return all;
        },
        bytes));
#endif
#if BENCH_OPENMP
    out.push_back(bench::make(
        "histogram, 256 bins", "OpenMP reduction", w, expected,
        [w] {
          std::size_t h[256] = {};
          std::size_t const n = v.size();
#pragma omp parallel for num_threads(w) schedule(static) reduction(+ : h)
          for (std::size_t i = 0; i < n; ++i)
            if (v[i] < 1) ++h[bin_of(v[i])];
          return bins(h, h + 256);
        },
        bytes));
#endif
  }
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::mt19937_64 random(1);
  v.resize(o.scaled(std::size_t{1} << 24));
  for (double& x : v) x = static_cast<double>(random() >> 11) * 0x1p-53;
  add_find(o, out);
  add_copy_if(o, out);
  add_partition(o, out);
  add_least(o, out);
  add_top(o, out);
  add_histogram(o, out);
  bench::with_memory(out);
}

bench::registration const here("select", add);

}  // namespace
