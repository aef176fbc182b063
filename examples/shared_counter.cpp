// Several processes add to one counter in shared memory: first by a separate load and store, which loses additions
// (each is atomic, so nothing is undefined, only wrong), then under a lock, then by one atomic addition.
//
// Shows: shared_value, ipc::mutex, closure.
// Build: g++ -std=c++20 -O2 shared_counter.cpp $(pkg-config --cflags --libs tartan) -o shared_counter
// Run:   ./shared_counter [ADDITIONS]          (default 1000000 in each of 4 processes)
#include <tartan/processes.hpp>
#include <tartan/tartan.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <ranges>

namespace {

using counter = std::atomic<long>;
constexpr int writers = 4;

}  // namespace

int main(int argc, char** argv) {
  tartan::start_processes();
  long const additions = argc > 1 ? std::atol(argv[1]) : 1'000'000;
  long const all = writers * additions;
  auto const everybody = std::views::iota(0, writers);
  auto const policy = tartan::processes.workers(writers).grain(1);

  tartan::shared_value<counter> lossy(0);
  tartan::for_each(policy, everybody,
                   tartan::closure(lossy.span(), additions, [](tartan::shared_span<counter> const& c, long n, int) {
                     for (long i = 0; i != n; ++i) c[0].store(c[0].load() + 1);
                   }));
  std::printf("load, then store:   %ld of %ld\n", lossy->load(), all);

  tartan::ipc::mutex mutex;
  tartan::shared_value<long> guarded(0L);
  tartan::for_each(policy, everybody,
                   tartan::closure(mutex, guarded.span(), additions,
                                   [](tartan::ipc::mutex lock, tartan::shared_span<long> const& c, long n, int) {
                                     for (long i = 0; i != n; ++i) {
                                       std::scoped_lock const hold(lock);
                                       c[0] = c[0] + 1;
                                     }
                                   }));
  std::printf("under a lock:       %ld of %ld\n", *guarded, all);

  tartan::shared_value<counter> exact(0);
  tartan::for_each(policy, everybody,
                   tartan::closure(exact.span(), additions, [](tartan::shared_span<counter> const& c, long n, int) {
                     for (long i = 0; i != n; ++i) c[0].fetch_add(1);
                   }));
  std::printf("one addition:       %ld of %ld\n", exact->load(), all);

  return lossy->load() <= all && *guarded == all && exact->load() == all ? 0 : 1;
}
