#pragma once
// The kernels of the SIMD table, each of which every contender writes in its own way.

#include <cstddef>  // size_t
#include <cstdint>  // int8_t
#include <map>      // map
#include <string>   // string

namespace bench::simd {

/// What a kernel works on: n elements each.
struct arrays {
  float const* a;  // in (0, 1]
  float const* b;  // in (0, 1]
  float const* x;  // with y: points of the plane, for mandelbrot
  float const* y;
  std::int8_t const* i;
  std::int8_t const* j;
  float* out;
  std::size_t n;
};

/// Gives one number to compare contenders by; some fill out[0, n) besides, which is compared too.
using kernel = double (*)(arrays const&);

/// The kernels that a contender has, by name.
using kernels = std::map<std::string, kernel>;

kernels plain();
kernels packs();
kernels relaxed_packs();
kernels unseq();
kernels openmp();
kernels by_xsimd();
kernels intrinsics();

constexpr float factor = 2.5F;
constexpr float threshold = 0.5F;
constexpr int most_rounds = 64;

/// A polynomial by Horner's rule, of anything that has the operators of numbers.
inline constexpr auto polynomial = [](auto const& x) __attribute__((always_inline)) {
  return (((((((0.1F * x + 0.2F) * x + 0.3F) * x + 0.4F) * x + 0.5F) * x + 0.6F) * x + 0.7F) * x + 0.8F) * x + 0.9F;
};

/// Rounds until a point of the plane is known to run away, at most most_rounds.
inline float mandelbrot(float x, float y) {
  float re = x, im = y;
  for (int k = 0; k != most_rounds; ++k) {
    float const re2 = re * re, im2 = im * im;
    if (re2 + im2 > 4) return static_cast<float>(k);
    im = 2 * re * im + y;
    re = re2 - im2 + x;
  }
  return most_rounds;
}

}  // namespace bench::simd
