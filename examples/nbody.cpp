// Moves stars that attract each other: every pair, by leapfrog steps, so that the energy stays what it was.
//
// Shows: for_each over the stars while all are read; lanes::pack in a loop of one's own; a reproducible sum.
// Build: g++ -std=c++20 -O3 -march=native nbody.cpp $(pkg-config --cflags --libs tartan) -o nbody
// Run:   ./nbody [STARS [STEPS]]     (default 2000 20)
#include <tartan/tartan.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <ranges>
#include <vector>

namespace {

struct stars {
  std::array<std::vector<double>, 3> at, speed;
  std::vector<double> mass;
  [[nodiscard]] std::size_t size() const { return mass.size(); }
  bool operator==(stars const&) const = default;
};

constexpr double softening = 1e-4;  // squared: so near to each other they no longer attract more

stars random_stars(std::size_t n) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  stars s;
  s.mass.assign(n, 1.0 / static_cast<double>(n));
  for (auto& coordinate : s.at)
    for (std::size_t i = 0; i != n; ++i) coordinate.push_back(normal(random));
  for (auto& coordinate : s.speed)
    for (std::size_t i = 0; i != n; ++i) coordinate.push_back(0.3 * normal(random));
  return s;
}

/// What all stars do to star i, as many at a time as a vector register holds.
std::array<double, 3> pull(stars const& s, std::size_t i) {
  using vec = tartan::lanes::native_pack<double>;
  vec sum[3] = {vec(0.0), vec(0.0), vec(0.0)};
  auto const add = [&](vec const& x, vec const& y, vec const& z, vec const& mass) {
    vec const dx = x - s.at[0][i], dy = y - s.at[1][i], dz = z - s.at[2][i];
    vec const squared = dx * dx + dy * dy + dz * dz + softening;
    vec const factor = mass / (squared * sqrt(squared));
    sum[0] = sum[0] + factor * dx;
    sum[1] = sum[1] + factor * dy;
    sum[2] = sum[2] + factor * dz;
  };
  std::size_t j = 0;
  for (; j + vec::size <= s.size(); j += vec::size)
    add(vec::load(&s.at[0][j]), vec::load(&s.at[1][j]), vec::load(&s.at[2][j]), vec::load(&s.mass[j]));
  if (std::size_t const left = s.size() - j; left != 0)  // lanes without a star have no mass
    add(vec::load_first(&s.at[0][j], left), vec::load_first(&s.at[1][j], left), vec::load_first(&s.at[2][j], left),
        vec::load_first(&s.mass[j], left));
  std::array<double, 3> total{};
  for (std::size_t d = 0; d != 3; ++d)
    for (std::size_t lane = 0; lane != vec::size; ++lane) total[d] += sum[d][lane];
  return total;
}

template <class Policy>
void step(Policy const& policy, stars& s, double dt) {
  auto const all = std::views::iota(std::size_t{0}, s.size());
  tartan::for_each(policy, all, [&](std::size_t i) {  // writes speeds, reads places
    auto const a = pull(s, i);
    for (std::size_t d = 0; d != 3; ++d) s.speed[d][i] += dt * a[d];
  });
  tartan::for_each(policy, all, [&](std::size_t i) {
    for (std::size_t d = 0; d != 3; ++d) s.at[d][i] += dt * s.speed[d][i];
  });
}

/// Speeds are half a step behind the places.
template <class Policy>
double energy(Policy const& policy, stars const& s, double dt) {
  return tartan::map_reduce(policy, std::views::iota(std::size_t{0}, s.size()), [&](std::size_t i) {
    auto const a = pull(s, i);
    double sum = 0;
    for (std::size_t d = 0; d != 3; ++d) {
      double const v = s.speed[d][i] + dt / 2 * a[d];
      sum += s.mass[i] * v * v / 2;
    }
    for (std::size_t j = 0; j != i; ++j) {
      double squared = softening;
      for (std::size_t d = 0; d != 3; ++d) squared += (s.at[d][i] - s.at[d][j]) * (s.at[d][i] - s.at[d][j]);
      sum -= s.mass[i] * s.mass[j] / std::sqrt(squared);
    }
    return sum;
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t const n = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2'000;
  int const steps = argc > 2 ? static_cast<int>(std::strtol(argv[2], nullptr, 10)) : 20;
  if (n < 1 || steps < 1) return std::fputs("nbody: give at least one star and one step\n", stderr), EXIT_FAILURE;
  constexpr double dt = 0.001;
  stars s = random_stars(n), serial = s;
  double const before = energy(tartan::par, s, 0);
  step(tartan::par, s, dt / 2);  // brings the speeds half a step off ...
  for (std::size_t d = 0; d != 3; ++d) s.at[d] = serial.at[d];
  serial = s;  // ... and the places stay

  auto const begin = std::chrono::steady_clock::now();
  for (int i = 0; i != steps; ++i) step(tartan::par, s, dt);
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
  double const pairs = static_cast<double>(n) * static_cast<double>(n) * steps;
  double const drift = std::abs(energy(tartan::par, s, -dt) / before - 1);
  std::printf("%zu stars, %d steps: %.0f million pairs a second (%u workers), energy off by %.1e\n", n, steps,
              pairs / took.count() * 1e-6, tartan::available_workers(), drift);

  for (int i = 0; i != steps; ++i) step(tartan::seq, serial, dt);
  if (s != serial) return std::fputs("nbody: seq and par disagree\n", stderr), EXIT_FAILURE;
  if (n > 1 && drift > 1e-3) return std::fputs("nbody: energy is not kept\n", stderr), EXIT_FAILURE;
  return EXIT_SUCCESS;
}
