#pragma once
// Loops and reductions of the peers, with one signature each, so that a workload names its body once.

#include <cstddef>  // size_t

#if BENCH_TBB
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_arena.h>
#endif

namespace bench {

#if BENCH_TBB
/// body(i) for i in [0, n).
template <class Body>
void tbb_for(unsigned workers, std::size_t n, Body const& body) {
  tbb::task_arena arena(static_cast<int>(workers));
  arena.execute([&] {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, n), [&](tbb::blocked_range<std::size_t> const& r) {
      for (std::size_t i = r.begin(); i != r.end(); ++i) body(i);
    });
  });
}

/// The sum of piece(begin, end) over pieces of [0, n).
template <class T, class Piece>
T tbb_sum(unsigned workers, std::size_t n, Piece const& piece) {
  tbb::task_arena arena(static_cast<int>(workers));
  T total{};
  arena.execute([&] {
    total = tbb::parallel_reduce(
        tbb::blocked_range<std::size_t>(0, n), T{},
        [&](tbb::blocked_range<std::size_t> const& r, T sum) { return sum + piece(r.begin(), r.end()); },
        [](T a, T b) { return a + b; });
  });
  return total;
}
#endif

#if BENCH_OPENMP
template <class Body>
void omp_for(unsigned workers, std::size_t n, Body const& body) {
#pragma omp parallel for num_threads(workers) schedule(static)
  for (std::size_t i = 0; i < n; ++i) body(i);
}

template <class T, class Piece>
T omp_sum(unsigned workers, std::size_t n, Piece const& term) {
  T total{};
#pragma omp parallel for simd num_threads(workers) schedule(static) reduction(+ : total)
  for (std::size_t i = 0; i < n; ++i) total += term(i);
  return total;
}
#endif

}  // namespace bench
