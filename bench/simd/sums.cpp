// What the same bits everywhere cost: sums and dot products of floats and doubles in registers of 128, 256 and 512
// bits, each with the bits of seq, and relaxed, beside vectors by hand. One program holds all three.
#include <tartan/map_reduce.hpp>
#include <tartan/sum.hpp>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "harness.hpp"
#include "widths/sums.hpp"

#if BENCH_WIDTHS

namespace {

namespace sums = bench::sums;

constexpr std::size_t stagger = 64;  // two arrays at the same place of their pages get in each other's way

template <class T>
struct input {
  std::vector<T> a, b;

  void fill(std::size_t n) {
    a.resize(n), b.resize(n + stagger);
    for (std::size_t i = 0; i != n; ++i) a[i] = static_cast<T>(i * 7919 % 1009 + 1) / T{1024};
    for (std::size_t i = 0; i != b.size(); ++i) b[i] = static_cast<T>(i * 104729 % 2003 + 1) / T{512};
  }
};
input<float> floats;
input<double> doubles;

template <class T>
void add_row(std::vector<bench::contender>& out, std::string const& pattern, sums::ways<T> const& ways, T const* a,
             T const* b, std::size_t n) {
  T const expected = b == nullptr ? tartan::reduce(tartan::seq, std::span(a, n))
                                  : tartan::dot(tartan::seq, std::span(a, n), std::span(b, n));
  std::size_t const bytes = n * sizeof(T) * (b == nullptr ? 1 : 2);
  std::size_t const times = bytes < (1 << 18) ? (1 << 18) / bytes : 1;
  auto const add = [&](char const* who, sums::sum<T> f, T tolerance) {
    bench::contender c;
    c.pattern = pattern;
    c.backend = who;
    c.right = [=] { return std::abs(f(a, b, n) - expected) <= tolerance * expected; };
    c.run = [=] {
      for (std::size_t t = 0; t != times; ++t) {
        T answer = f(a, b, n);
        asm volatile("" : "+x"(answer) : : "memory");
      }
    };
    c.bytes = static_cast<double>(bytes * times);
    c.limit = f == ways.by_hand;
    out.push_back(std::move(c));
  };
  add("tartan simd", ways.reproducible, 0);  // to the last bit
  add("tartan simd, relaxed", ways.relaxed, sizeof(T) == 4 ? T(1e-3) : T(1e-11));
  add("vectors by hand", ways.by_hand, sizeof(T) == 4 ? T(1e-2) : T(1e-11));
}

template <class T>
void add_rows(std::vector<bench::contender>& out, std::string const& type, std::string const& bits,
              sums::ways<T> const& ways, input<T> const& in, std::string const& level, std::size_t bytes) {
  std::size_t const n = bytes / sizeof(T);
  add_row<T>(out, "sum " + type + " " + level + ", " + bits, ways, in.a.data(), nullptr, n);
  add_row<T>(out, "dot " + type + " " + level + ", " + bits, ways, in.a.data(), in.b.data() + stagger, n / 2);
}

void add(bench::options const& o, std::vector<bench::contender>& out) {
  struct level {
    char const* name;
    std::size_t bytes;
  };
  level const levels[] = {
      {"L1", 16 << 10}, {"L2", 512 << 10}, {"L3", 8 << 20}, {"DRAM", o.scaled(std::size_t{1} << 27)}};
  floats.fill(levels[3].bytes / sizeof(float));
  doubles.fill(levels[3].bytes / sizeof(double));
  struct named_width {
    char const* name;
    sums::width of;
  };
  std::vector<named_width> widths{{"SSE", sums::of_128_bits()}};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) widths.push_back({"AVX2", sums::of_256_bits()});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    widths.push_back({"AVX-512", sums::of_512_bits()});
  for (level const& l : levels)
    for (named_width const& w : widths) {
      add_rows<float>(out, "f32", w.name, w.of.f32, floats, l.name, l.bytes);
      add_rows<double>(out, "f64", w.name, w.of.f64, doubles, l.name, l.bytes);
    }
}

bench::registration const here("widths", add);

}  // namespace

#endif
