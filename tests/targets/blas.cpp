// A BLAS call inside a task multiplies no threads: with the documented remedy there are the workers, and those that
// OpenBLAS started when the program began.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "tartan/for_each.hpp"
#include "tartan/thread_pool.hpp"

// Declared here, so that the test can be read where no header of BLAS is installed.
extern "C" {
void sgemm_(char const* transposed_a, char const* transposed_b, int const* m, int const* n, int const* k,
            float const* alpha, float const* a, int const* rows_a, float const* b, int const* rows_b, float const* beta,
            float* c, int const* rows_c);
void openblas_set_num_threads(int n);
}

namespace {

long threads_of_this_process() {
  long n = 0;
  for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

constexpr int side = 300;
constexpr std::size_t cells = std::size_t{side} * side;

void square(std::vector<float> const& a, std::vector<float>& into) {
  int const n = side;
  float const one = 1, zero = 0;
  sgemm_("N", "N", &n, &n, &n, &one, a.data(), &n, a.data(), &n, &zero, into.data(), &n);
}

}  // namespace

int main() {
  constexpr int workers = 4;
  long const before = threads_of_this_process();  // OpenBLAS has started its own
  openblas_set_num_threads(1);                    // the remedy

  tartan::thread_pool pool{{.workers = workers}};
  std::vector<float> const ones(cells, 1.0F);
  std::vector<int> right(64);
  std::atomic<long> most_threads{0};
  tartan::for_each(tartan::par.on(pool).grain(1), right, [&](int& ok) {
    std::vector<float> c(cells);
    square(ones, c);
    ok = std::all_of(c.begin(), c.end(), [](float x) { return x == static_cast<float>(side); }) ? 1 : 0;
    long const now = threads_of_this_process();
    long seen = most_threads;
    while (seen < now && !most_threads.compare_exchange_weak(seen, now)) {
    }
  });
  long const wrong = std::count(right.begin(), right.end(), 0);
  std::printf("%ld wrong products; %ld threads before, %ld at most\n", wrong, before, most_threads.load());
  return wrong == 0 && most_threads <= before + workers - 1 ? 0 : 1;
}
