#pragma once
// Forks on a work-stealing deque and nothing else, to show how far a pool is from that: a ring of fixed size, threads
// that search all the time, no exceptions, no growth, no sleep, no waiting under locks. The thief alone fences.

#include <emmintrin.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

namespace bench::bare {

class worker;

struct job {
  void (*run)(job&, worker&);
  std::atomic<bool> done{false};
};

/// The deque of N. M. Le, A. Pop, A. Cohen, F. Zappa Nardelli, "Correct and efficient work-stealing for weak memory
/// models", PPoPP 2013, for x86, with the owner's fence replaced by membarrier on the thief's side.
class alignas(128) worker {
 public:
  explicit worker(std::deque<worker>& all) : all_(all) {}

  void push(job& j) {
    long const b = bottom_.load(std::memory_order_relaxed);
    ring_[static_cast<std::size_t>(b) % size].store(&j, std::memory_order_relaxed);
    bottom_.store(b + 1, std::memory_order_release);  // with steal()
  }

  /// Whether the job that was pushed last is still here.
  bool take_back() {
    long const b = bottom_.load(std::memory_order_relaxed) - 1;
    bottom_.store(b, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // with the membarrier of steal()
    long t = top_.load(std::memory_order_relaxed);
    if (t < b) [[likely]]
      return true;
    bool const got = t == b && top_.compare_exchange_strong(t, t + 1);
    bottom_.store(b + 1, std::memory_order_relaxed);
    return got;
  }

  /// Runs a job of somebody else, if there is one.
  bool help() {
    for (worker& victim : all_)
      if (job* const j = &victim == this ? nullptr : victim.steal()) {
        j->run(*j, *this);
        return true;
      }
    _mm_pause();
    return false;
  }

 private:
  static constexpr std::size_t size = 1024;

  job* steal() {
    long t = top_.load(std::memory_order_acquire);
    if (t >= bottom_.load(std::memory_order_relaxed)) return nullptr;
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    if (t >= bottom_.load(std::memory_order_acquire)) return nullptr;  // with push()
    job* const j = ring_[static_cast<std::size_t>(t) % size].load(std::memory_order_relaxed);
    return top_.compare_exchange_strong(t, t + 1) ? j : nullptr;
  }

  std::deque<worker>& all_;
  std::atomic<long> bottom_{0};
  std::atomic<job*> ring_[size];
  alignas(128) std::atomic<long> top_{0};
};

/// Runs f here and g here or elsewhere.
template <class F, class G>
auto fork_join(worker& w, F const& f, G const& g) {
  struct second : job {
    G const& g;
    decltype(g(w)) result{};
    explicit second(G const& its) : job{&run_it}, g(its) {}
    static void run_it(job& base, worker& by) {
      auto& self = static_cast<second&>(base);
      self.result = self.g(by);
      self.done.store(true, std::memory_order_release);  // with the loop below
    }
  } s(g);
  w.push(s);
  auto first = f(w);
  if (w.take_back()) [[likely]]
    return std::pair{first, g(w)};
  while (!s.done.load(std::memory_order_acquire)) w.help();
  return std::pair{first, s.result};
}

/// f(worker) on this thread, with threads - 1 others that steal from it.
template <class F>
auto with_threads(unsigned threads, F const& f) {
  ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
  std::deque<worker> all;
  for (unsigned i = 0; i != threads; ++i) all.emplace_back(all);
  std::atomic<bool> over{false};
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i != threads; ++i)
    helpers.emplace_back([&all, &over, i] {
      while (!over.load(std::memory_order_relaxed)) all[i].help();
    });
  auto result = f(all[0]);
  over.store(true, std::memory_order_relaxed);
  return result;
}

}  // namespace bench::bare
