// fib without a cutoff, where nearly all time is the cost of forks; and the same recursion by other names.
#include <tartan/divide_and_conquer.hpp>
#include <tartan/fork_join.hpp>
#include <tartan/task_group.hpp>

#include <cstdint>
#include <string>
#include <utility>

#include "harness.hpp"
#include "peers.hpp"

#if BENCH_TBB
#include <tbb/parallel_invoke.h>
#endif

namespace {

[[gnu::noinline]] long serial_fib(int n) { return n < 2 ? n : serial_fib(n - 1) + serial_fib(n - 2); }

long forked_fib(int n) {
  if (n < 2) return n;
  auto [a, b] = tartan::fork_join(tartan::par, [n] { return forked_fib(n - 1); }, [n] { return forked_fib(n - 2); });
  return a + b;
}

#if BENCH_TBB
long tbb_fib(int n) {
  if (n < 2) return n;
  long a = 0, b = 0;
  tbb::parallel_invoke([&] { a = tbb_fib(n - 1); }, [&] { b = tbb_fib(n - 2); });
  return a + b;
}
#endif

#if BENCH_OPENMP
long omp_fib(int n) {
  if (n < 2) return n;
  long a = 0, b = 0;
#pragma omp task shared(a) firstprivate(n)
  a = omp_fib(n - 1);
  b = omp_fib(n - 2);
#pragma omp taskwait
  return a + b;
}
#endif

template <class Policy>
long divided_fib(Policy const& policy, int n) {
  return tartan::divide_and_conquer(
      policy, n, [](int k) { return k < 12; }, [](int k) { return serial_fib(k); },
      [](int k) { return std::pair{k - 1, k - 2}; }, [](long a, long b) { return a + b; });
}

/// Runs f under a pool of that size: what f forks with par stays there.
template <class F>
auto inside(unsigned workers, F f) {
  return [workers, f] { return tartan::fork_join(tartan::par.workers(workers), f, [] {}).first; };
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  int const n = o.quick ? 24 : 32, small = n - 8;
  long const expected = serial_fib(n), expected_small = serial_fib(small);
  out.push_back(bench::make_baseline("fork_join", expected, [n] { return serial_fib(n); }));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make("fork_join", "tartan par, fib", w, expected, inside(w, [n] { return forked_fib(n); })));
#if BENCH_TBB
    out.push_back(bench::make("fork_join", "oneTBB, fib", w, expected, [w, n] {
      long result = 0;
      tbb::task_arena(static_cast<int>(w)).execute([&] { result = tbb_fib(n); });
      return result;
    }));
#endif
  }
  out.push_back(bench::make_baseline("fork_join, small", expected_small, [small] { return serial_fib(small); }));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make("fork_join, small", "tartan par, fib", w, expected_small,
                              inside(w, [small] { return forked_fib(small); })));
#if BENCH_OPENMP
    out.push_back(bench::make("fork_join, small", "OpenMP tasks, fib", w, expected_small, [w, small] {
      long result = 0;
#pragma omp parallel num_threads(w)
#pragma omp single
      result = omp_fib(small);
      return result;
    }));
#endif
  }
  out.push_back(bench::make_baseline("divide_and_conquer", expected, [n] { return serial_fib(n); }));
  out.push_back(
      bench::make("divide_and_conquer", "tartan seq", 1, expected, [n] { return divided_fib(tartan::seq, n); }));
  for (unsigned const w : o.workers)
    out.push_back(bench::make("divide_and_conquer", "tartan par", w, expected,
                              [p = tartan::par.workers(w), n] { return divided_fib(p, n); }));

  long const tasks = 1'000;
  out.push_back(bench::make_baseline("task_group", tasks * serial_fib(12), [] {
    long sum = 0;
    for (long i = 0; i != tasks; ++i) sum += serial_fib(12);
    return sum;
  }));
  out.push_back(bench::make("task_group", "tartan par", tartan::available_workers(), tasks * serial_fib(12), [] {
    std::vector<long> results(tasks);
    tartan::task_group group{tartan::par};
    for (long& r : results) group.run([&r] { r = serial_fib(12); });
    group.wait();
    long sum = 0;
    for (long const r : results) sum += r;
    return sum;
  }));
}

bench::registration const here("fork_join", add);

}  // namespace
