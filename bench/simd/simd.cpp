// Vector kernels with their data in each cache and in memory: tartan beside plain loops, std::execution::unseq, OpenMP
// simd, xsimd where it is installed and, where the processor has AVX-512, intrinsics, which are the limit.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness.hpp"
#include "kernels.hpp"

namespace {

using bench::simd::arrays;
using bench::simd::kernel;
using bench::simd::kernels;

struct level {
  char const* name;
  std::size_t bytes;  // of all that a kernel reads and writes
};

struct kernel_row {
  char const* name;
  std::size_t bytes_each;  // read and written for an element
  bool fills;              // out
  double tolerance;        // of the number, relative
  bool cache_only = false;
};

constexpr kernel_row rows[] = {
    {"saxpy", 12, true, 1e-6},
    {"sum", 4, false, 1e-4},
    {"dot", 8, false, 1e-4},
    {"polynomial", 8, true, 1e-6},
    {"sum of exp", 4, false, 1e-4},
    {"sum of log", 4, false, 1e-4},
    {"sum of sin", 4, false, 1e-4},
    {"min", 4, false, 0},
    {"argmin", 4, false, 0},
    {"minmax", 4, false, 0},
    {"count_if", 4, false, 0},
    {"mandelbrot", 12, true, 2e-2, true},  // contraction decides when a point at the rim is given up
    {"inclusive_scan", 8, true, 1e-4},
    {"sum of bytes", 1, false, 0},
    {"dot of bytes", 2, false, 0},
};

/// A number in (0, 1] with 20 digits, the i-th of a sequence without a pattern that a kernel could use.
float number(std::uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15U;
  i = (i ^ (i >> 30)) * 0xBF58476D1CE4E5B9U;
  return static_cast<float>((i >> 44) + 1) * 0x1p-20F;
}

struct storage {
  /// Large arrays begin at the same place of a page each, where they get in each other's way: a load waits for an
  /// earlier store to the same place of another page.
  static constexpr std::size_t stagger = 48, out_stagger = 976;

  std::vector<float> a, b, x, y, out;
  std::vector<std::int8_t> i, j;

  void fill(std::size_t bytes) {
    a.resize(bytes / 4), b.resize(bytes / 8 + stagger), out.resize(bytes / 8 + out_stagger);
    i.resize(bytes), j.resize(bytes / 2 + stagger);
    for (std::size_t k = 0; k != a.size(); ++k) a[k] = number(k);
    for (std::size_t k = 0; k != b.size(); ++k) b[k] = number(k + 7'000'000'000);
    for (std::size_t k = 0; k != i.size(); ++k) i[k] = static_cast<std::int8_t>((k * 2654435761U) >> 24);
    for (std::size_t k = 0; k != j.size(); ++k) j[k] = static_cast<std::int8_t>((k * 2246822519U) >> 20);
    std::size_t const points = 1 << 16;
    x.resize(points), y.resize(points);
    for (std::size_t k = 0; k != points; ++k) {
      x[k] = static_cast<float>(k % 256) / 100 - 2;
      y[k] = static_cast<float>(k / 256) / 100 - 1;
    }
  }
  [[nodiscard]] arrays of(std::size_t n) {
    return {a.data(),           b.data() + stagger,       x.data(), y.data(), i.data(),
            j.data() + stagger, out.data() + out_stagger, n};
  }
};
storage data;

/// Whether k's number and what it fills agree with what the plain loops give.
bool right(kernel k, kernel plain, arrays const& v, double expected, double tolerance, bool fills, bool scans) {
  if (!fills) return std::abs(k(v) - expected) <= tolerance * std::abs(expected);
  plain(v);
  std::vector<float> wanted(v.out, v.out + v.n);
  if (double sum = 0; scans)  // the plain loop loses digits
    for (std::size_t e = 0; e != v.n; ++e) wanted[e] = static_cast<float>(sum += static_cast<double>(v.a[e]));
  std::fill(v.out, v.out + v.n, std::numeric_limits<float>::quiet_NaN());
  double const got = k(v);
  std::size_t different = 0;
  for (std::size_t e = 0; e != v.n; ++e)
    if (!(std::abs(v.out[e] - wanted[e]) <= static_cast<float>(tolerance) * std::abs(wanted[e]))) ++different;
  // Points at the rim of the mandelbrot set may differ; nothing else may.
  std::size_t const allowed = tolerance > 1e-3 ? v.n / 50 : 0;
  return different <= allowed && std::abs(got - expected) <= tolerance * std::abs(expected);
}

/// What the sums are, in double precision; the plain loops' own number elsewhere.
double expected_of(std::string const& name, kernel plain, arrays const& v) {
  double sum = 0;
  auto const over = [&](auto f) {
    for (std::size_t k = 0; k != v.n; ++k) sum += f(k);
    return sum;
  };
  auto const x = [&](std::size_t k) { return static_cast<double>(v.a[k]); };
  if (name == "sum" || name == "inclusive_scan") return over(x);
  if (name == "dot") return over([&](std::size_t k) { return x(k) * static_cast<double>(v.b[k]); });
  if (name == "sum of exp") return over([&](std::size_t k) { return std::exp(x(k)); });
  if (name == "sum of log") return over([&](std::size_t k) { return std::log(x(k)); });
  if (name == "sum of sin") return over([&](std::size_t k) { return std::sin(x(k)); });
  return plain(v);
}

/// Whether a peer's sums may be a plain loop's: OpenMP's are where clang finds no vector function for the term.
bool adds_one_by_one(std::string const& who) {
#if defined(__clang__)
  if (who == "OpenMP simd") return true;
#endif
  return who == "std::execution::unseq";
}

/// A plain loop adds one after another, which costs it most of its digits where there are millions.
double tolerance_of(kernel_row const& row, std::size_t n, bool serial_sum) {
  return row.tolerance > 0 && row.tolerance < 1e-3 && serial_sum && n > 100'000 ? 1.0 : row.tolerance;
}

void add_row(std::vector<bench::contender>& out, std::string const& pattern, kernel_row const& row, std::size_t n) {
  arrays const v = data.of(n);
  struct entry {
    char const* name;
    kernels of;
  };
  static std::vector<entry> const all{{"plain loop", bench::simd::plain()},
                                      {"tartan simd", bench::simd::packs()},
                                      {"tartan simd, relaxed", bench::simd::relaxed_packs()},
                                      {"std::execution::unseq", bench::simd::unseq()},
                                      {"OpenMP simd", bench::simd::openmp()},
                                      {"xsimd", bench::simd::by_xsimd()},
                                      {"AVX-512 intrinsics", bench::simd::intrinsics()}};
  kernel const plain = all[0].of.at(row.name);
  // Worked out when a contender is checked for the first time: there may be many that nobody asked for.
  auto const expected = std::make_shared<std::optional<double>>();
  for (entry const& who : all) {
    auto const found = who.of.find(row.name);
    if (found == who.of.end()) continue;
    kernel const k = found->second;
    bench::contender c;
    c.pattern = pattern;
    c.backend = who.name;
    c.baseline = k == plain;
    c.limit = &who == &all.back();
    c.items = static_cast<double>(n);
    double const tolerance = tolerance_of(row, n, k == plain || adds_one_by_one(who.name));
    auto const verdict = std::make_shared<std::optional<bool>>();
    c.right = [=] {
      if (!*expected) *expected = expected_of(row.name, plain, v);
      if (!*verdict)
        *verdict = right(k, plain, v, **expected, tolerance, row.fills, std::string(row.name) == "inclusive_scan");
      return **verdict;
    };
    // A call of a few hundred nanoseconds is repeated, so that a measurement is longer than the clock is coarse.
    std::size_t const times = std::max<std::size_t>(1, (1 << 18) / (n * row.bytes_each));
    c.items = static_cast<double>(n * times);
    c.bytes = static_cast<double>(n * times * row.bytes_each);
    c.run = [=] {
      for (std::size_t t = 0; t != times; ++t) {
        double answer = k(v);
        asm volatile("" : "+g"(answer) : : "memory");
      }
    };
    out.push_back(std::move(c));
  }
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  level const levels[] = {
      {"L1", 24 << 10}, {"L2", 512 << 10}, {"L3", 8 << 20}, {"DRAM", o.scaled(std::size_t{1} << 27)}};
  data.fill(levels[3].bytes);
  for (level const& l : levels)
    for (kernel_row const& row : rows)
      if (!row.cache_only || &l == levels)
        add_row(out, std::string(row.name) + " " + l.name, row, l.bytes / row.bytes_each / 256 * 256);
  static constexpr kernel_row tail{"exp of 13", 8, true, 1e-6};
  add_row(out, tail.name, tail, 13);
}

bench::registration const here("simd", add);

}  // namespace
