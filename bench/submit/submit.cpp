// What a task costs that threads outside of the pool hand in one by one: with a future, detached, and in a group. Each
// task does next to nothing. Also the memory that tasks hold while they wait for their turn.
#include <tartan/submit.hpp>
#include <tartan/task_group.hpp>
#include <tartan/thread_pool.hpp>

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness.hpp"

#if BENCH_TBB
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#endif

namespace {

using namespace std::chrono_literals;

/// The i-th task's answer; their sum is checked.
std::uint64_t answer(std::size_t i) { return i ^ 5; }

std::uint64_t expected_sum(std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i != n; ++i) sum += answer(i);
  return sum;
}

/// produce(begin, end) in that many threads at once, each with its share of n; the sum of what they return.
template <class Produce>
std::uint64_t from_outside(unsigned threads, std::size_t n, Produce const& produce) {
  std::vector<std::uint64_t> sums(threads);
  std::vector<std::thread> others;
  auto const share = [&](std::size_t t) { sums[t] = produce(n * t / threads, n * (t + 1) / threads); };
  for (unsigned t = 1; t < threads; ++t) others.emplace_back(share, t);
  share(0);
  std::uint64_t sum = sums[0];
  for (unsigned t = 1; t < threads; ++t) others[t - 1].join(), sum += sums[t];
  return sum;
}

/// What tasks without a future leave behind: each its answer plus one, in a place of its own.
class places {
 public:
  explicit places(std::size_t n) : all_(n) {}
  void fill(std::size_t i) noexcept { all_[i].store(answer(i) + 1, std::memory_order_release); }

  /// Sleeps while a task has not run, so that the core is free for it.
  std::uint64_t await_sum(std::size_t begin, std::size_t end) const {
    std::uint64_t sum = 0;
    for (std::size_t i = begin; i != end; ++i) {
      std::uint64_t value = 0;
      while ((value = all_[i].load(std::memory_order_acquire)) == 0) std::this_thread::sleep_for(50us);
      sum += value - 1;
    }
    return sum;
  }

 private:
  std::vector<std::atomic<std::uint64_t>> all_;
};

/// Bytes of memory that the process has in use; what is free in the heap goes back to the system first.
double resident() {
  malloc_trim(0);
  long pages = 0, in_use = 0;
  std::FILE* const f = std::fopen("/proc/self/statm", "r");
  if (f == nullptr || std::fscanf(f, "%ld %ld", &pages, &in_use) != 2) in_use = 0;
  if (f != nullptr) std::fclose(f);
  return static_cast<double>(in_use) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// ---- the contenders: each hands in tasks [begin, end) and returns the sum of their answers ------------------------

template <class Submit>
std::uint64_t with_futures(std::size_t begin, std::size_t end, Submit const& submit) {
  std::vector<decltype(submit(begin))> futures;
  futures.reserve(end - begin);
  for (std::size_t i = begin; i != end; ++i) futures.push_back(submit(i));
  std::uint64_t sum = 0;
  for (auto& f : futures) sum += f.get();
  return sum;
}

/// No threads, no queue: what std::packaged_task and std::future alone cost.
std::uint64_t packaged_here(std::size_t begin, std::size_t end) {
  return with_futures(begin, end, [](std::size_t i) {
    std::packaged_task<std::uint64_t()> task([i] { return answer(i); });
    task();
    return task.get_future();
  });
}

auto tartan_submit(tartan::thread_pool const& pool) {
  return [p = tartan::par.on(pool)](std::size_t i) { return tartan::submit(p, [i] { return answer(i); }); };
}

#if BENCH_TBB
/// Tasks of an arena run although nobody waits, but only on threads that the market has: one for each slot.
struct arena {
  explicit arena(unsigned workers)
      : threads(tbb::global_control::max_allowed_parallelism, workers + 1), slots(static_cast<int>(workers), 0) {}
  tbb::global_control threads;
  tbb::task_arena slots;

  auto submit() {
    return [this](std::size_t i) {
      auto task = std::make_shared<std::packaged_task<std::uint64_t()>>([i] { return answer(i); });
      auto result = task->get_future();
      slots.enqueue([task] { (*task)(); });
      return result;
    };
  }
};
#endif

/// A contender of n tasks from so many threads of outside.
bench::contender outside(std::string kind, unsigned threads, std::string who, unsigned workers, std::size_t n,
                         std::function<std::uint64_t()> all) {
  auto c = bench::make(kind + ", " + std::to_string(threads) + " outside", std::move(who), workers, expected_sum(n),
                       std::move(all));
  c.items = static_cast<double>(n);
  return c;
}

void add_futures(bench::options const& o, std::vector<bench::contender>& out, std::size_t n, unsigned threads) {
  std::string const kind = "future";
  auto alone = outside(kind, threads, "std::packaged_task, no pool", 1, n,
                       [=] { return from_outside(threads, n, packaged_here); });
  alone.baseline = true;
  out.push_back(alone);
  for (unsigned const w : o.workers) {
    auto const pool = std::make_shared<tartan::thread_pool>(static_cast<std::ptrdiff_t>(w));
    out.push_back(outside(kind, threads, "tartan submit", w, n, [=] {
      return from_outside(threads, n, [&](std::size_t begin, std::size_t end) {
        return with_futures(begin, end, tartan_submit(*pool));
      });
    }));
#if BENCH_TBB
    out.push_back(outside(kind, threads, "oneTBB enqueue, packaged_task", w, n, [=] {
      arena a(w);
      return from_outside(threads, n,
                          [&](std::size_t begin, std::size_t end) { return with_futures(begin, end, a.submit()); });
    }));
#endif
  }
}

void add_async(std::vector<bench::contender>& out, std::size_t n, unsigned threads) {
  out.push_back(outside("a thread each", threads, "std::async", 1, n, [=] {
    return from_outside(threads, n, [](std::size_t begin, std::size_t end) {
      std::uint64_t sum = 0;
      for (std::size_t i = begin; i < end; i += 16)  // few threads at once
        sum += with_futures(i, std::min(i + 16, end),
                            [](std::size_t k) { return std::async(std::launch::async, [k] { return answer(k); }); });
      return sum;
    });
  }));
}

void add_detached(bench::options const& o, std::vector<bench::contender>& out, std::size_t n, unsigned threads) {
  for (unsigned const w : o.workers) {
    auto const pool = std::make_shared<tartan::thread_pool>(static_cast<std::ptrdiff_t>(w));
    out.push_back(outside("detached", threads, "tartan detach", w, n, [=] {
      places done(n);
      return from_outside(threads, n, [&, p = tartan::par.on(*pool)](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i != end; ++i) tartan::detach(p, [&done, i] { done.fill(i); });
        return done.await_sum(begin, end);
      });
    }));
#if BENCH_TBB
    out.push_back(outside("detached", threads, "oneTBB enqueue", w, n, [=] {
      arena a(w);
      places done(n);
      return from_outside(threads, n, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i != end; ++i) a.slots.enqueue([&done, i] { done.fill(i); });
        return done.await_sum(begin, end);
      });
    }));
#endif
  }
}

void add_groups(bench::options const& o, std::vector<bench::contender>& out, std::size_t n, unsigned threads) {
  for (unsigned const w : o.workers) {
    auto const pool = std::make_shared<tartan::thread_pool>(static_cast<std::ptrdiff_t>(w));
    out.push_back(outside("group", threads, "tartan task_group", w, n, [=] {
      places done(n);
      return from_outside(threads, n, [&](std::size_t begin, std::size_t end) {
        tartan::task_group group(tartan::par.on(*pool));
        for (std::size_t i = begin; i != end; ++i) group.run([&done, i] { done.fill(i); });
        group.wait();
        return done.await_sum(begin, end);
      });
    }));
#if BENCH_TBB
    out.push_back(outside("group", threads, "oneTBB task_group", w, n, [=] {
      tbb::global_control const limit(tbb::global_control::max_allowed_parallelism, w);
      places done(n);
      return from_outside(threads, n, [&](std::size_t begin, std::size_t end) {
        tbb::task_group group;
        for (std::size_t i = begin; i != end; ++i) group.run([&done, i] { done.fill(i); });
        group.wait();
        return done.await_sum(begin, end);
      });
    }));
#endif
#if BENCH_OPENMP
    // Its tasks come from a thread of the team: each outside thread brings a team of its own. LLVM's library (19)
    // crashes there: four std::threads that do nothing but this, two workers each, end in a segmentation fault.
#if defined(__clang__)
    if (threads != 1) continue;
#endif
    out.push_back(outside("group", threads, "OpenMP tasks, taskwait", w, n, [=] {
      places done(n);
      return from_outside(threads, n, [&](std::size_t begin, std::size_t end) {
#pragma omp parallel num_threads(w)
#pragma omp single
        for (std::size_t i = begin; i != end; ++i) {
#pragma omp task firstprivate(i)
          done.fill(i);
        }
        return done.await_sum(begin, end);
      });
    }));
#endif
  }
}

// ---- memory -------------------------------------------------------------------------------------------------------

/// While the workers are held up by block(gate), submit(i) hands in n tasks: returns the bytes that they hold; the
/// vector of the futures is the caller's affair and not counted. A wrong sum gives a negative number.
template <class Future, class Block, class Submit>
double held_by_pending(std::size_t n, Block const& block, Submit const& submit) {
  std::vector<Future> futures(n);
  std::latch gate(1);
  block(gate);
  double const before = resident();
  for (std::size_t i = 0; i != n; ++i) futures[i] = submit(i);
  double const held = resident() - before;
  gate.count_down();
  std::uint64_t sum = 0;
  for (auto& f : futures) sum += f.get();
  return sum == expected_sum(n) ? held : -1;
}

double held_by_tartan(std::size_t n) {
  tartan::thread_pool pool(1);
  return held_by_pending<tartan::future<std::uint64_t>>(
      n,
      [&](std::latch& gate) {
        std::latch blocked(1);
        tartan::detach(tartan::par.on(pool), [&] { blocked.count_down(), gate.wait(); });
        blocked.wait();
      },
      tartan_submit(pool));
}

#if BENCH_TBB
double held_by_tbb(std::size_t n) {
  arena a(1);
  return held_by_pending<std::future<std::uint64_t>>(
      n,
      [&](std::latch& gate) {
        std::latch blocked(1);
        a.slots.enqueue([&] { blocked.count_down(), gate.wait(); });
        blocked.wait();
      },
      a.submit());
}
#endif

bench::contender memory(std::string who, std::size_t n, double (*held)(std::size_t)) {
  bench::contender c;
  c.pattern = "pending, with a future";
  c.backend = std::move(who);
  c.right = [=] { return held(n) >= 0; };
  c.figure = [=] { return held(n); };
  c.in_bytes = true;
  c.items = static_cast<double>(n);
  return c;
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  std::size_t const n = o.scaled(1'000'000);
  for (unsigned const threads : {1U, 4U}) {
    add_futures(o, out, n, threads);
    add_async(out, n / 500, threads);
    add_detached(o, out, n, threads);
    add_groups(o, out, n, threads);
  }
  out.push_back(memory("tartan submit", n, &held_by_tartan));
#if BENCH_TBB
  out.push_back(memory("oneTBB enqueue, packaged_task", n, &held_by_tbb));
#endif
}

bench::registration const here("submit", add);

}  // namespace
