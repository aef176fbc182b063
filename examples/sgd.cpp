// Fits a logistic regression by stochastic gradient descent, data-parallel: each batch is split over the workers, their
// gradients come together, and the next batches are made meanwhile. The weights are the same bits for any number of
// workers, so that a training run can be repeated elsewhere.
//
// Shows: imap to prefetch, map_reduce with a result of one's own type, reproducible sums.
// Build: g++ -std=c++20 -O3 sgd.cpp $(pkg-config --cflags --libs tartan) -o sgd
// Run:   ./sgd [BATCHES]          (default 200 batches of 2048 examples)
#include <tartan/tartan.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <ranges>
#include <vector>

namespace {

constexpr std::size_t features = 16, batch_size = 2048;
using weights = std::array<double, features>;

struct example {
  weights x;
  double label;  // 1 or 0
};

/// What the examples are drawn from: labels follow these weights, with some noise.
double true_weight(std::size_t f) { return f % 2 == 0 ? 1.0 + static_cast<double>(f) / 8 : -0.5; }

double dot(weights const& a, weights const& b) {
  double sum = 0;
  for (std::size_t f = 0; f != features; ++f) sum += a[f] * b[f];
  return sum;
}

/// Batch number k, decided by k alone. Stands for what reads and decodes files.
std::vector<example> load(int k) {
  std::mt19937_64 random(static_cast<std::uint64_t>(k));
  std::normal_distribution<double> normal;
  weights truth;
  for (std::size_t f = 0; f != features; ++f) truth[f] = true_weight(f);
  std::vector<example> batch(batch_size);
  for (example& e : batch) {
    for (double& x : e.x) x = normal(random);
    e.label = dot(e.x, truth) + 0.5 * normal(random) > 0 ? 1 : 0;
  }
  return batch;
}

double predicted(weights const& w, weights const& x) { return 1 / (1 + std::exp(-dot(w, x))); }

template <class Policy>
weights train(Policy const& policy, int batches) {
  weights w{};
  for (std::vector<example> const& batch : tartan::imap(policy.in_flight(4), std::views::iota(0, batches), load)) {
    weights const gradient = tartan::map_reduce(
        policy, batch,
        [&w](example const& e) {
          double const error = predicted(w, e.x) - e.label;
          weights g;
          for (std::size_t f = 0; f != features; ++f) g[f] = error * e.x[f];
          return g;
        },
        weights{},
        [](weights a, weights const& b) {
          for (std::size_t f = 0; f != features; ++f) a[f] += b[f];
          return a;
        });
    for (std::size_t f = 0; f != features; ++f) w[f] -= 2.0 * gradient[f] / static_cast<double>(batch_size);
  }
  return w;
}

}  // namespace

int main(int argc, char** argv) {
  int const batches = argc > 1 ? static_cast<int>(std::strtol(argv[1], nullptr, 10)) : 200;
  if (batches < 1) return std::fputs("sgd: give a number of batches of at least 1\n", stderr), EXIT_FAILURE;
  auto const begin = std::chrono::steady_clock::now();
  weights const w = train(tartan::par, batches);
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;

  auto const unseen = load(-1);
  auto const right = tartan::count_if(tartan::par, unseen,
                                      [&](example const& e) { return (predicted(w, e.x) > 0.5) == (e.label > 0.5); });
  double const accuracy = static_cast<double>(right) / static_cast<double>(unseen.size());
  std::printf("%d batches of %zu in %.0f ms (%u workers): %.1f %% of unseen examples are right\n", batches, batch_size,
              took.count() * 1e3, tartan::available_workers(), 100 * accuracy);

  bool good = accuracy > 0.9 || batches < 100;
  if (!good) std::fputs("sgd: the fit is bad\n", stderr);
  if (w != train(tartan::seq, batches) || w != train(tartan::par.workers(3), batches))
    good = std::fputs("sgd: the weights depend on the number of workers\n", stderr) < 0;
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
