// A task that calls OpenMP gets a team of its own, on every worker: the documented remedy keeps it at one thread each.
#include <omp.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "tartan/for_each.hpp"
#include "tartan/thread_pool.hpp"

namespace {

long threads_of_this_process() {
  long n = 0;
  for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

}  // namespace

int main() {
  constexpr int workers = 4;
  auto const one_thread = [](unsigned) { omp_set_num_threads(1); };
  tartan::thread_pool pool{{.workers = workers, .on_thread_start = one_thread}};
  one_thread(0);  // the calling thread works too

  std::vector<int> members(64);
  std::atomic<long> most_threads{0};
  tartan::for_each(tartan::par.on(pool).grain(1), members, [&](int& m) {
#pragma omp parallel
    {
#pragma omp single
      m = omp_get_num_threads();
    }
    long const now = threads_of_this_process();
    long seen = most_threads;
    while (seen < now && !most_threads.compare_exchange_weak(seen, now)) {
    }
  });
  int wrong = 0;
  for (int const m : members) wrong += m != 1;
  std::printf("%d teams of more than one thread; %ld threads at most\n", wrong, most_threads.load());
  return wrong == 0 && most_threads <= workers ? 0 : 1;
}
