// Groups points by the nearest of k centres and moves each centre to the mean of its group, until nothing changes
// (Lloyd's algorithm). The centres are the same bits on every run, for any number of workers.
//
// Shows: aggregate with a state of one's own; a loop of reductions that must be reproducible to end at the same point.
// Build: g++ -std=c++20 -O3 kmeans.cpp $(pkg-config --cflags --libs tartan) -o kmeans
// Run:   ./kmeans [POINTS [K]]     (default 200000 8)
#include <tartan/tartan.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::size_t dimensions = 4;
using point = std::array<double, dimensions>;

double distance(point const& a, point const& b) {
  double sum = 0;
  for (std::size_t d = 0; d != dimensions; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

std::size_t nearest(point const& p, std::vector<point> const& centres) {
  std::size_t best = 0;
  double least = distance(p, centres[0]);
  for (std::size_t c = 1; c != centres.size(); ++c)
    if (double const d = distance(p, centres[c]); d < least) least = d, best = c;
  return best;
}

/// What the points of a block say about the next centres.
struct groups {
  std::vector<point> sum;
  std::vector<std::size_t> count;
  double spread = 0;  // squared distances from the centres
  explicit groups(std::size_t k) : sum(k), count(k) {}

  void add(point const& p, std::vector<point> const& centres) {
    std::size_t const c = nearest(p, centres);
    for (std::size_t d = 0; d != dimensions; ++d) sum[c][d] += p[d];
    ++count[c];
    spread += distance(p, centres[c]);
  }
  void merge(groups const& other) {
    for (std::size_t c = 0; c != sum.size(); ++c) {
      for (std::size_t d = 0; d != dimensions; ++d) sum[c][d] += other.sum[c][d];
      count[c] += other.count[c];
    }
    spread += other.spread;
  }
};

struct clustering {
  std::vector<point> centres;
  double spread = 0;
  int rounds = 0;
  bool operator==(clustering const&) const = default;
};

template <class Policy>
clustering cluster(Policy const& policy, std::vector<point> const& points, std::vector<point> centres) {
  clustering result{std::move(centres)};
  for (;; ++result.rounds) {
    groups const g = tartan::aggregate(
        policy, points, [&] { return groups(result.centres.size()); },
        [&](groups& part, point const& p) { part.add(p, result.centres); }, [](groups& a, groups&& b) { a.merge(b); });
    auto next = result.centres;
    for (std::size_t c = 0; c != next.size(); ++c)
      for (std::size_t d = 0; g.count[c] != 0 && d != dimensions; ++d)
        next[c][d] = g.sum[c][d] / static_cast<double>(g.count[c]);
    result.spread = g.spread;
    if (next == result.centres || result.rounds == 100) return result;
    result.centres = std::move(next);
  }
}

/// A number in [0, 1) for any index.
double noise(std::uint64_t i) {
  i = (i ^ i >> 30) * 0xbf58476d1ce4e5b9ULL + 0x9e3779b97f4a7c15ULL;
  i = (i ^ i >> 27) * 0x94d049bb133111ebULL;
  return static_cast<double>((i ^ i >> 31) >> 11) * 0x1p-53;
}

double seconds_of(auto&& f) {
  auto const begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t const n = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 200'000;
  std::size_t const k = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 8;
  if (k == 0 || n < k)
    return std::fputs("kmeans: give at least one group and a point for each\n", stderr), EXIT_FAILURE;

  // k clouds: their middles stand on the corners of a wide grid, points lie round them within 5 in every direction.
  auto const middle = [](std::size_t cloud, std::size_t d) {
    return static_cast<double>(cloud >> d & 1) * 10 + static_cast<double>(cloud >> dimensions) * 20;
  };
  std::vector<point> points(n);
  tartan::generate(tartan::par, points, [&](std::size_t i) {
    point p;
    for (std::size_t d = 0; d != dimensions; ++d) p[d] = middle(i % k, d) + 10 * noise(i * dimensions + d) - 5;
    return p;
  });
  std::vector<point> const start(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(k));  // one of each cloud

  clustering serial, parallel;
  double const t1 = seconds_of([&] { serial = cluster(tartan::seq, points, start); });
  double const t2 = seconds_of([&] { parallel = cluster(tartan::par, points, start); });
  for (point const& c : parallel.centres) std::printf("centre %8.4f %8.4f %8.4f %8.4f\n", c[0], c[1], c[2], c[3]);
  std::printf("%zu points, %zu groups, %d rounds, spread %.3f a point: seq %.0f ms, par %.0f ms (%u workers)\n", n, k,
              parallel.rounds, parallel.spread / static_cast<double>(n), t1 * 1e3, t2 * 1e3,
              tartan::available_workers());

  bool right = serial == parallel;
  if (!right) std::fputs("kmeans: seq and par disagree\n", stderr);
  for (std::size_t c = 0; c != k; ++c)
    for (std::size_t d = 0; d != dimensions; ++d)
      if (n >= 100 * k && std::abs(parallel.centres[c][d] - middle(c, d)) > 0.5)
        right = std::fprintf(stderr, "kmeans: centre %zu is not in the middle of its cloud\n", c) == 0;
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
