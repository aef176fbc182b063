// fib without a cutoff, where nearly all time is the cost of forks; and the same recursion by other names.
#include <tartan/divide_and_conquer.hpp>
#include <tartan/fork_join.hpp>
#include <tartan/stats.hpp>
#include <tartan/task_group.hpp>
#include <tartan/thread_pool.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "bare_deque.hpp"
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

long forked_fib_by_reference(int n) {
  if (n < 2) return n;
  auto [a, b] = tartan::fork_join(
      tartan::par, [&] { return forked_fib_by_reference(n - 1); }, [&] { return forked_fib_by_reference(n - 2); });
  return a + b;
}

/// By a policy that is handed on, as one that names a pool has to be.
template <class Policy>
long forked_fib_on(Policy const& policy, int n) {
  if (n < 2) return n;
  auto [a, b] = tartan::fork_join(
      policy, [&policy, n] { return forked_fib_on(policy, n - 1); },
      [&policy, n] { return forked_fib_on(policy, n - 2); });
  return a + b;
}

long bare_fib(bench::bare::worker& w, int n) {
  if (n < 2) return n;
  auto [a, b] = bench::bare::fork_join(
      w, [n](auto& by) { return bare_fib(by, n - 1); }, [n](auto& by) { return bare_fib(by, n - 2); });
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

#if BENCH_OPENMP
bench::contender omp(unsigned workers, int n, long expected) {
  return bench::make("fork_join", "OpenMP tasks, fib", workers, expected, [workers, n] {
    long result = 0;
#pragma omp parallel num_threads(workers)
#pragma omp single
    result = omp_fib(n);
    return result;
  });
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

/// How many forks one run has stolen.
bench::contender steals(unsigned workers, int n, long expected) {
  bench::contender c;
  c.pattern = "fork_join";
  c.backend = "tartan par, fib: steals";
  c.workers = workers;
  c.counted = true;
  auto const pool = std::make_shared<tartan::thread_pool>(workers);
  auto const once = [pool, n] {
    return tartan::fork_join(tartan::par.on(*pool), [n] { return forked_fib(n); }, [] {}).first;
  };
  c.right = [once, expected] { return once() == expected; };
  c.figure = [once, pool] {
    auto const before = tartan::stats(*pool).steals();
    once();
    return static_cast<double>(tartan::stats(*pool).steals() - before);
  };
  return c;
}

/// fib(n) forks as often as fib(n + 1) says, less one.
void add_fib(bench::options const& o, int n, std::vector<bench::contender>& out) {
  long const expected = serial_fib(n);
  auto const forks = static_cast<double>(serial_fib(n + 1) - 1);
  auto const add = [&](bench::contender c, bool yardstick = false) {
    c.items = forks;
    c.memory = true;
    c.yardstick = yardstick;
    out.push_back(std::move(c));
  };
  add(bench::make_baseline("fork_join", expected, [n] { return serial_fib(n); }));
  for (unsigned const w : o.workers) {
    add(bench::make("fork_join", "tartan par, fib", w, expected, inside(w, [n] { return forked_fib(n); })));
    add(bench::make("fork_join", "tartan par, fib by reference", w, expected,
                    inside(w, [n] { return forked_fib_by_reference(n); })));
    auto const pool = std::make_shared<tartan::thread_pool>(w);
    add(bench::make("fork_join", "tartan par.on(pool), fib", w, expected,
                    [pool, n] { return forked_fib_on(tartan::par.on(*pool), n); }));
    out.push_back(steals(w, n, expected));
    add(bench::make("fork_join", "a bare deque, fib", w, expected,
                    [w, n] { return bench::bare::with_threads(w, [n](auto& by) { return bare_fib(by, n); }); }),
        true);
#if BENCH_TBB
    add(bench::make("fork_join", "oneTBB, fib", w, expected,
                    [w, n] {
                      long result = 0;
                      tbb::task_arena(static_cast<int>(w)).execute([&] { result = tbb_fib(n); });
                      return result;
                    }),
        true);
#endif
#if BENCH_OPENMP
    add(omp(w, n, expected), true);
    out.back().slow = true;
#endif
  }
}

/// What a task of the group does. No compiler may compute it once for all of them.
long small_task() {
  int n = 12;
  asm volatile("" : "+r"(n));
  return serial_fib(n);
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  int const n = o.quick ? 24 : 32, small = n - 8;
  long const expected = serial_fib(n), expected_small = serial_fib(small);
  add_fib(o, n, out);
  out.push_back(bench::make_baseline("fork_join, small", expected_small, [small] { return serial_fib(small); }));
  for (unsigned const w : o.workers) {
    out.push_back(bench::make("fork_join, small", "tartan par, fib", w, expected_small,
                              inside(w, [small] { return forked_fib(small); })));
#if BENCH_OPENMP
    out.push_back(omp(w, small, expected_small));
    out.back().pattern = "fork_join, small";
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
    for (long i = 0; i != tasks; ++i) sum += small_task();
    return sum;
  }));
  out.push_back(bench::make("task_group", "tartan par", tartan::available_workers(), tasks * serial_fib(12), [] {
    std::vector<long> results(tasks);
    tartan::task_group group{tartan::par};
    for (long& r : results) group.run([&r] { r = small_task(); });
    group.wait();
    long sum = 0;
    for (long const r : results) sum += r;
    return sum;
  }));
}

bench::registration const here("fork_join", add);

}  // namespace
