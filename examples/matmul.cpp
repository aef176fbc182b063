// Multiplies two matrices of doubles, block by block: panels of B stay in the second-level cache, a block of A in the
// first, and 8 x 3 vectors of the result in registers. Says how much of the processor's peak that is.
//
// Shows: for_each over blocks, lanes::pack in a kernel of one's own, worker_local for scratch memory.
// Build: g++ -std=c++20 -O3 -march=native matmul.cpp $(pkg-config --cflags --libs tartan) -o matmul
// Run:   ./matmul [N]          (default 768)
#include <tartan/tartan.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using vec = tartan::lanes::native_pack<double>;
#if defined(__AVX512F__)
constexpr std::size_t tile_rows = 8, tile_packs = 3;  // 24 of 32 registers
#else
constexpr std::size_t tile_rows = 4, tile_packs = 3;  // 12 of 16 registers
#endif
constexpr std::size_t tile_columns = tile_packs * vec::size;
constexpr std::size_t depth = 256;                 // of a panel: so many columns of A and rows of B
constexpr std::size_t block_rows = 8 * tile_rows;  // of A, packed at a time

struct matrix {
  std::size_t rows, columns;
  std::vector<double> values;
  matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c) {}
  double* row(std::size_t i) { return values.data() + i * columns; }
  double const* row(std::size_t i) const { return values.data() + i * columns; }
};

vec multiply_add(vec a, vec b, vec c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// tile += a * b: `a` holds tile_rows values for each k, `b` tile_columns; both lie in the order in which they are
/// read.
void multiply_tile(std::size_t k_count, double const* a, double const* b, double* tile) {
  vec sum[tile_rows][tile_packs];
  for (auto& row : sum)
    for (vec& s : row) s = vec(0.0);
  for (std::size_t k = 0; k != k_count; ++k, a += tile_rows, b += tile_columns) {
    vec columns[tile_packs];
    for (std::size_t c = 0; c != tile_packs; ++c) columns[c] = vec::load(b + c * vec::size);
    for (std::size_t r = 0; r != tile_rows; ++r) {
      vec const factor(a[r]);
      for (std::size_t c = 0; c != tile_packs; ++c) sum[r][c] = multiply_add(factor, columns[c], sum[r][c]);
    }
  }
  for (std::size_t r = 0; r != tile_rows; ++r)
    for (std::size_t c = 0; c != tile_packs; ++c) sum[r][c].store(tile + r * tile_columns + c * vec::size);
}

/// `from(k, i)` for all k and for i in tiles of `width`, filled up with zeros.
template <class From>
void pack_tiles(std::vector<double>& to, std::size_t k_count, std::size_t n, std::size_t width, From from) {
  to.resize((n + width - 1) / width * width * k_count);
  double* out = to.data();
  for (std::size_t tile = 0; tile < n; tile += width)
    for (std::size_t k = 0; k != k_count; ++k)
      for (std::size_t i = tile; i != tile + width; ++i) *out++ = i < n ? from(k, i) : 0.0;
}

template <class Policy>
matrix multiply(Policy const& policy, matrix const& a, matrix const& b) {
  matrix c(a.rows, b.columns);
  std::vector<std::vector<double>> panels((b.columns + tile_columns - 1) / tile_columns);
  tartan::worker_local<std::vector<double>> packed_rows;
  for (std::size_t k = 0; k < a.columns; k += depth) {
    std::size_t const k_count = std::min(depth, a.columns - k);
    tartan::for_each(policy, tartan::enumerate(panels), [&](auto const& entry) {
      auto& [p, panel] = entry;
      std::size_t const first = p * tile_columns, width = std::min(tile_columns, b.columns - first);
      pack_tiles(panel, k_count, width, tile_columns,
                 [&](std::size_t row, std::size_t j) { return b.row(k + row)[first + j]; });
    });
    std::vector<std::size_t> blocks((a.rows + block_rows - 1) / block_rows);
    tartan::iota(policy, blocks, std::size_t{0});
    tartan::for_each(policy, blocks, [&](std::size_t block) {
      std::size_t const first = block * block_rows, rows = std::min(block_rows, a.rows - first);
      std::vector<double>& left = packed_rows.local();
      pack_tiles(left, k_count, rows, tile_rows,
                 [&](std::size_t column, std::size_t i) { return a.row(first + i)[k + column]; });
      double tile[tile_rows * tile_columns];
      for (std::size_t p = 0; p != panels.size(); ++p)
        for (std::size_t i = 0; i < rows; i += tile_rows) {
          multiply_tile(k_count, left.data() + i * k_count, panels[p].data(), tile);
          std::size_t const width = std::min(tile_columns, b.columns - p * tile_columns);
          for (std::size_t r = 0; r != std::min(tile_rows, rows - i); ++r) {
            double* const out = c.row(first + i + r) + p * tile_columns;
            for (std::size_t j = 0; j != width; ++j) out[j] += tile[r * tile_columns + j];
          }
        }
    });
  }
  return c;
}

/// What all workers can do together: multiplications and additions that wait for nothing, a second.
double peak_flops() {
  constexpr std::size_t chains = 16, rounds = 1'000'000;
  std::vector<double> results(tartan::available_workers());
  auto const begin = std::chrono::steady_clock::now();
  tartan::for_each(tartan::par.grain(1), results, [](double& result) {
    vec sum[chains];
    for (std::size_t i = 0; i != chains; ++i) sum[i] = vec(static_cast<double>(i));
    for (std::size_t n = 0; n != rounds; ++n)
      for (vec& s : sum) s = multiply_add(s, vec(0.999), vec(0.5));
    for (vec const& s : sum) result += s[0];
  });
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(2 * chains * rounds * vec::size * results.size()) / took.count();
}

std::vector<double> times(matrix const& m, std::vector<double> const& x) {
  std::vector<double> y(m.rows);
  for (std::size_t i = 0; i != m.rows; ++i)
    for (std::size_t j = 0; j != m.columns; ++j) y[i] += m.row(i)[j] * x[j];
  return y;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t const n = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 768;
  if (n == 0) return std::fputs("matmul: give the number of rows, at least 1\n", stderr), EXIT_FAILURE;
  matrix a(n, n), b(n, n);
  auto const value = [](std::size_t i) { return static_cast<double>(i * 7919 % 2003) / 1001.5 - 1; };
  tartan::generate(tartan::par, a.values, value);
  tartan::generate(tartan::par, b.values, [&](std::size_t i) { return value(i + 12'345); });

  matrix c = multiply(tartan::par, a, b);  // wakes the workers
  auto const begin = std::chrono::steady_clock::now();
  c = multiply(tartan::par, a, b);
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
  double const flops = 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n) / took.count();
  double const peak = peak_flops();
  std::printf("%zu x %zu: %.3f s, %.1f GFLOP/s, %.0f %% of the peak of %u workers (%.1f)\n", n, n, took.count(),
              flops * 1e-9, 100 * flops / peak, tartan::available_workers(), peak * 1e-9);

  // (A B) x = A (B x) for a random x: wrong in any place, they differ (Freivalds, 1977).
  std::vector<double> x(n);
  for (std::size_t i = 0; i != n; ++i) x[i] = value(3 * i + 1) + 2;
  auto const left = times(c, x), right = times(a, times(b, x));
  double worst = 0;
  for (std::size_t i = 0; i != n; ++i) worst = std::max(worst, std::abs(left[i] - right[i]));
  bool const same = c.values == multiply(tartan::seq, a, b).values;
  if (!same) std::fputs("matmul: seq and par disagree\n", stderr);
  if (worst > 1e-9 * static_cast<double>(n)) std::fprintf(stderr, "matmul: wrong by %g\n", worst);
  return same && worst <= 1e-9 * static_cast<double>(n) ? EXIT_SUCCESS : EXIT_FAILURE;
}
