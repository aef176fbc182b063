// Built for several instruction sets: each program gives the same bits and the same answers. Ends with 77 where the
// processor lacks the instructions.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "tartan/find.hpp"
#include "tartan/map.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/minmax.hpp"
#include "tartan/scan.hpp"
#include "tartan/simd.hpp"
#include "tartan/stencil.hpp"
#include "tartan/sum.hpp"

namespace {

namespace tn = tartan;

int failures = 0;

template <class T>
void expect(char const* what, T got, T expected) {
  if (got == expected) return;
  std::printf("%s: %a, expected %a\n", what, static_cast<double>(got), static_cast<double>(expected));
  ++failures;
}

/// Positive and negative numbers whose exponents are spread over 60 bits.
template <class T>
std::vector<T> ill_conditioned(std::size_t n) {
  std::mt19937_64 random{9};
  std::vector<T> v(n);
  for (T& x : v) {
    auto const digits = static_cast<double>(static_cast<std::int32_t>(random()));
    x = static_cast<T>(std::ldexp(digits, static_cast<int>(random() % 60) - 60));
  }
  return v;
}

void sums() {
  auto const f = ill_conditioned<float>(20'000);
  auto const d = ill_conditioned<double>(20'000);
  auto const root = [](auto x) { return tn::sqrt(tn::abs(x)) + x / 3; };
  auto const fused = [](auto x) { return tn::fma(x, x, x); };
  auto const square = [](auto x) { return x * x; };
  expect("float roots", tn::map_reduce(tn::simd, f, root), 0x1.9a6cep+27F);
  expect("double roots", tn::map_reduce(tn::simd, d, root), 0x1.9a6e1c16385cp+27);
  expect("float fma", tn::map_reduce(tn::simd, f, fused), 0x1.3130fap+67F);
  expect("double fma", tn::map_reduce(tn::simd, d, fused), 0x1.3130fb5f8e1b8p+67);
  expect("double squares", tn::map_reduce(tn::par_simd.workers(2), d, square), 0x1.3130fb5f89d94p+67);
  expect("scalar squares", tn::map_reduce(tn::seq, d, square), 0x1.3130fb5f89d94p+67);
  expect("float minimum", tn::reduce(tn::simd, f, f[0], tn::minimum{}), -0x1.fd8b92p+29F);
}

/// Against the sum in long double, whose own error is 2000 times smaller.
void accuracy() {
  auto const v = ill_conditioned<double>(100'000);
  long double exact = 0, magnitude = 0;
  double one_by_one = 0;
  for (double x : v)
    exact += static_cast<long double>(x), magnitude += std::abs(static_cast<long double>(x)), one_by_one += x;
  long double const error = std::abs(static_cast<long double>(tn::reduce(tn::simd, v)) - exact);
  long double const serial = std::abs(static_cast<long double>(one_by_one) - exact);
  if (error > magnitude * 0x1p-53L * 2 || error > serial) {
    std::printf("sum: error %Lg, of the serial loop %Lg, sum of magnitudes %Lg\n", error, serial, magnitude);
    ++failures;
  }
}

void searches() {
  std::vector<float> v(1000, 1.0F);
  v[777] = 5;
  v[888] = 5;
  expect("find", static_cast<float>(tn::find(tn::simd, v, 5.0F) - v.begin()), 777.0F);
  expect("max_element", static_cast<float>(tn::max_element(tn::simd, v) - v.begin()), 777.0F);
  expect("count", static_cast<float>(tn::count(tn::simd, v, 5.0F)), 2.0F);
  std::vector<std::uint8_t> bytes(1001);
  for (std::size_t i = 0; i != bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  auto const doubled = tn::map(tn::simd, bytes, [](auto x) { return tn::to<std::uint8_t>(x * 2); });
  for (std::size_t i = 0; i != bytes.size(); ++i)
    expect("map", static_cast<float>(doubled[i]), static_cast<float>(static_cast<std::uint8_t>(i * 2)));
}

void scans() {
  auto const d = ill_conditioned<double>(50'000);
  std::vector<double> out(d.size()), plain(d.size());
  tn::inclusive_scan(tn::simd, d, out);
  tn::inclusive_scan(tn::seq, d, plain);
  expect("scan", out == plain ? 1.0F : 0.0F, 1.0F);
  expect("element of a scan", out[12'345], 0x1.3de42e9f92cbbp+32);
  expect("end of a scan", out.back(), 0x1.c42ced8802484p+31);
  expect("sum of a scan", tn::sum(tn::simd, out), 0x1.db5d361bfebbdp+47);
}

void bytes() {
  std::vector<std::int8_t> a(10'001), b(a.size());
  for (std::size_t i = 0; i != a.size(); ++i)
    a[i] = static_cast<std::int8_t>(i), b[i] = static_cast<std::int8_t>(i * 7);
  expect("sum of bytes", tn::sum(tn::simd, a), tn::sum<int>(tn::seq, a));
  expect("dot of bytes", tn::dot(tn::simd, a, b), tn::dot(tn::seq, a, b));
}

void stencils() {
  auto const spread = [](auto at) { return (at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)) / 4; };
  tn::grid<float, 2> g(33, 500);
  for (std::size_t i = 0; i != 33; ++i)
    for (std::size_t j = 0; j != 500; ++j) g(i, j) = static_cast<float>((i * 37 + j * 11) % 1000) / 3;
  auto plain = g;
  tn::stencil(tn::simd, g, tn::steps(9), tn::radius(1), tn::boundary::clamp, spread);
  tn::stencil(tn::seq, plain, tn::steps(9).temporal(1), tn::radius(1), tn::boundary::clamp, spread);
  expect("stencil", g == plain ? 1.0F : 0.0F, 1.0F);
  expect("stencil value", tn::reduce(tn::simd, g.row(16)), 0x1.4e2e3p+16F);
}

bool supported() {
#if defined(__AVX512F__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#elif defined(__AVX2__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

}  // namespace

int main() {
  if (!supported()) return 77;
  sums();
  accuracy();
  searches();
  scans();
  bytes();
  stencils();
  return failures == 0 ? 0 : 1;
}
