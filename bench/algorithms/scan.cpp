// Running sums of doubles that do not fit any cache, where they are and to another array.
#include <tartan/scan.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "algorithms/measure.hpp"
#include "harness.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12, of its own code for an inscan reduction
#endif

#if BENCH_TBB
#include <tbb/blocked_range.h>
#include <tbb/parallel_scan.h>
#include <tbb/task_arena.h>

#include <execution>
#endif

namespace {

std::vector<double> values, sums, expected_sums;

/// Sums of small whole numbers are exact in any order, so every contender has the same answer.
bench::contender scanning(std::string pattern, std::string backend, unsigned workers, std::function<void()> scan) {
  bench::contender c;
  c.pattern = std::move(pattern);
  c.backend = std::move(backend);
  c.workers = workers;
  c.items = static_cast<double>(values.size());
  c.bytes = 2 * c.items * sizeof(double);
  c.right = [scan] {
    sums.assign(values.size(), -1);
    scan();
    return sums == expected_sums;
  };
  c.run = scan;
  return c;
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  values.resize(o.scaled(100'000'000));
  for (std::size_t i = 0; i != values.size(); ++i) values[i] = static_cast<double>(i * 7919 % 16);
  expected_sums.resize(values.size());
  std::inclusive_scan(values.begin(), values.end(), expected_sums.begin());

  out.push_back(scanning("inclusive_scan", "serial loop", 1,
                         [] { std::inclusive_scan(values.begin(), values.end(), sums.begin()); }));
  out.back().baseline = true;
  out.push_back(scanning("inclusive_scan", "tartan seq", 1, [] { tartan::inclusive_scan(tartan::seq, values, sums); }));
  for (unsigned const w : o.workers) {
    out.push_back(scanning("inclusive_scan", "tartan par", w,
                           [p = tartan::par.workers(w)] { tartan::inclusive_scan(p, values, sums); }));
#if BENCH_TBB
    out.push_back(scanning("inclusive_scan", "std::execution::par", w, [w] {
      tbb::task_arena(static_cast<int>(w)).execute([] {
        std::inclusive_scan(std::execution::par, values.begin(), values.end(), sums.begin());
      });
    }));
    out.push_back(scanning("inclusive_scan", "oneTBB parallel_scan", w, [w] {
      tbb::task_arena(static_cast<int>(w)).execute([] {
        tbb::parallel_scan(
            tbb::blocked_range<std::size_t>(0, values.size()), 0.0,
            [](tbb::blocked_range<std::size_t> const& r, double sum, bool is_final) {
              for (std::size_t i = r.begin(); i != r.end(); ++i) {
                sum += values[i];
                if (is_final) sums[i] = sum;
              }
              return sum;
            },
            std::plus<>{});
      });
    }));
#endif
#if BENCH_OPENMP && !defined(__clang__)  // clang 19 keeps a copy of all elements on the stack of the caller
    out.push_back(scanning("inclusive_scan", "OpenMP scan", w, [w] {
      double sum = 0;
      double const* const from = values.data();
      double* const to = sums.data();
      std::size_t const n = values.size();
#pragma omp parallel for reduction(inscan, + : sum) num_threads(w)
      for (std::size_t i = 0; i < n; ++i) {
        sum += from[i];
#pragma omp scan inclusive(sum)
        to[i] = sum;
      }
    }));
#endif
  }
  bench::with_memory(out);
}

bench::registration const here("scan", add);

}  // namespace
