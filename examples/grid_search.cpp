// Looks for the best ridge regression: for each polynomial degree and each penalty the error in k-fold
// cross-validation, the candidates handed out one by one, the best one shown as soon as it is known.
//
// Shows: master_worker with results as they come, a progress bar, map_reduce inside a task.
// Build: g++ -std=c++20 -O2 grid_search.cpp $(pkg-config --cflags --libs tartan) -o grid_search
// Run:   ./grid_search [DATA]                  (lines "x y"; default a noisy curve that it makes itself)
#include <tartan/map_reduce.hpp>
#include <tartan/master_worker.hpp>
#include <tartan/progress.hpp>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <limits>
#include <random>
#include <ranges>
#include <utility>
#include <vector>

namespace {

struct sample {
  double x, y;
};
struct candidate {
  int degree;
  double penalty;
};
struct score {
  candidate who;
  double error = std::numeric_limits<double>::infinity();  // mean squared error on data that was not fitted
};

constexpr std::size_t folds = 5;

/// Solves a x = b for a symmetric positive definite matrix, in place (Cholesky).
std::vector<double> solve(std::vector<std::vector<double>> a, std::vector<double> b) {
  std::size_t const n = b.size();
  for (std::size_t j = 0; j != n; ++j) {
    for (std::size_t k = 0; k != j; ++k) a[j][j] -= a[j][k] * a[j][k];
    a[j][j] = std::sqrt(a[j][j]);
    for (std::size_t i = j + 1; i != n; ++i) {
      for (std::size_t k = 0; k != j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
  for (std::size_t i = 0; i != n; ++i) {
    for (std::size_t k = 0; k != i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = n; i-- != 0;) {
    for (std::size_t k = i + 1; k != n; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

std::vector<double> fit(std::vector<sample> const& data, std::size_t left_out, candidate const& c) {
  auto const terms = static_cast<std::size_t>(c.degree) + 1;
  std::vector<std::vector<double>> normal(terms, std::vector<double>(terms));
  std::vector<double> right(terms), power(terms);
  for (std::size_t i = 0; i != data.size(); ++i) {
    if (i % folds == left_out) continue;
    power[0] = 1;
    for (std::size_t j = 1; j != terms; ++j) power[j] = power[j - 1] * data[i].x;
    for (std::size_t j = 0; j != terms; ++j) {
      right[j] += power[j] * data[i].y;
      for (std::size_t k = 0; k <= j; ++k) normal[j][k] += power[j] * power[k];
    }
  }
  for (std::size_t j = 0; j != terms; ++j) normal[j][j] += c.penalty;
  return solve(std::move(normal), std::move(right));
}

double error_of_fold(std::vector<sample> const& data, std::size_t left_out, candidate const& c) {
  std::vector<double> const w = fit(data, left_out, c);
  double sum = 0;
  for (std::size_t i = left_out; i < data.size(); i += folds) {
    double y = 0;
    for (std::size_t j = w.size(); j-- != 0;) y = y * data[i].x + w[j];
    sum += (y - data[i].y) * (y - data[i].y);
  }
  return sum;
}

template <class Policy>
score evaluate(Policy policy, std::vector<sample> const& data, candidate const& c) {
  auto const each_fold = std::views::iota(std::size_t{0}, folds);
  double const sum = tartan::map_reduce(policy, each_fold, [&](std::size_t f) { return error_of_fold(data, f, c); });
  return {c, sum / static_cast<double>(data.size())};
}

std::vector<sample> read(char const* path) {
  std::vector<sample> data;
  if (path != nullptr) {
    std::ifstream in(path);
    for (sample s{}; in >> s.x >> s.y;) data.push_back(s);
  } else {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> noise(-0.2, 0.2);
    for (int i = 0; i != 2000; ++i) {
      double const x = -1 + i / 1000.0;
      data.push_back({x, std::sin(3 * x) + noise(random)});
    }
  }
  return data;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<sample> const data = read(argc > 1 ? argv[1] : nullptr);
  if (data.size() < 10) return std::puts("grid_search: fewer than 10 lines \"x y\""), 2;
  std::vector<candidate> grid;
  for (int degree = 1; degree <= 12; ++degree)
    for (double penalty = 1e-6; penalty < 1e3; penalty *= 10) grid.push_back({degree, penalty});

  score best;
  tartan::progress bar{"Searching", grid.size(), "model"};
  tartan::master_worker(
      tartan::par.progress(bar), grid, [&](candidate const& c) { return evaluate(tartan::par, data, c); },
      [&](score const& s) {
        if (s.error < best.error) best = s;
      });
  std::printf("\nbest of %zu models: degree %d, penalty %g, error %.5f\n", grid.size(), best.who.degree,
              best.who.penalty, best.error);

  score expected;
  for (candidate const& c : grid)
    if (score const s = evaluate(tartan::seq, data, c); s.error < expected.error) expected = s;
  return best.error == expected.error ? 0 : 1;
}
