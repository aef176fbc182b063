// The kernels in AVX-512 intrinsics: the limit to measure against. Whole vectors only, and no care for special values
// where the instructions do not take it; "exp of 13" is masked.
#include "kernels.hpp"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VNNI__)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12, of its own header of intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

#include <algorithm>
#include <numeric>
#include <type_traits>

namespace bench::simd {

namespace {

__m512 at(float const* from, std::size_t k) { return _mm512_loadu_ps(from + k); }
__m512 all(float x) { return _mm512_set1_ps(x); }

/// c[0] + x * (c[1] + x * (c[2] + ...)).
template <class... C>
__m512 horner(__m512 x, float c, C... more) {
  if constexpr (sizeof...(more) == 0)
    return all(c);
  else
    return _mm512_fmadd_ps(horner(x, more...), x, all(c));
}

/// Eight accumulators; step(k, s) adds the 16 terms from k on to s.
template <class Step>
double eight_sums(arrays const& v, Step step) {
  __m512 s[8];
  for (auto& x : s) x = _mm512_setzero_ps();
  for (std::size_t k = 0; k + 128 <= v.n; k += 128) {
#pragma GCC unroll 8
    for (std::size_t u = 0; u != 8; ++u) s[u] = step(k + 16 * u, s[u]);
  }
  for (std::size_t u = 1; u != 8; ++u) s[0] = _mm512_add_ps(s[0], s[u]);
  return _mm512_reduce_add_ps(s[0]);
}

template <class F>
double fill(arrays const& v, F f) {
  for (std::size_t k = 0; k + 64 <= v.n; k += 64) {
    __m512 value[4];
#pragma GCC unroll 4
    for (std::size_t u = 0; u != 4; ++u) value[u] = f(k + 16 * u);
#pragma GCC unroll 4
    for (std::size_t u = 0; u != 4; ++u) _mm512_storeu_ps(v.out + k + 16 * u, value[u]);
  }
  return v.out[v.n - 1];
}

/// e^x; of what lies beyond the range, 0 and infinity.
__m512 exp16(__m512 x) {
  x = _mm512_max_ps(_mm512_min_ps(all(89.0F), x), all(-104.0F));
  __m512 const k = _mm512_roundscale_ps(_mm512_mul_ps(x, all(1.44269504F)), 0);
  __m512 r = _mm512_fnmadd_ps(k, all(0.693359375F), x);
  r = _mm512_fnmadd_ps(k, all(-2.12194440e-4F), r);
  return _mm512_scalef_ps(
      horner(r, 1.0F, 1.0F, 0x1.fffffcp-2F, 0x1.555492p-3F, 0x1.5558f2p-5F, 0x1.1239e2p-7F, 0x1.6a2434p-10F), k);
}

/// The exponent and the fraction by the instructions for them, then a polynomial.
__m512 log16(__m512 x) {
  __m512 const m = _mm512_getmant_ps(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
  __m512 const e = _mm512_sub_ps(_mm512_getexp_ps(x), _mm512_getexp_ps(m));
  __m512 const f = _mm512_sub_ps(m, all(1.0F));
  __m512 const square = _mm512_mul_ps(f, f);
  __m512 const cubic = _mm512_mul_ps(horner(f, 0x1.5555a4p-2F, -0x1.00004p-2F, 0x1.9969bp-3F, -0x1.54efdcp-3F,
                                            0x1.28847cp-3F, -0x1.0d8a8cp-3F, 0x1.ac90bcp-4F, -0x1.7140cp-5F),
                                     f);
  __m512 low = _mm512_fmadd_ps(cubic, square, _mm512_mul_ps(square, all(-0.5F)));
  low = _mm512_fmadd_ps(e, all(-2.12194440e-4F), low);
  return _mm512_fmadd_ps(e, all(0.693359375F), _mm512_add_ps(f, low));
}

/// Quarter turns taken away in three fused steps, both polynomials, a blend; for |x| below 65536.
__m512 sin16(__m512 x) {
  __m512 const n = _mm512_roundscale_ps(_mm512_mul_ps(x, all(0.636619772F)), 0);
  __m512 r = _mm512_fnmadd_ps(n, all(0x1.921fb6p+0F), x);
  r = _mm512_fnmadd_ps(n, all(-0x1.777a5cp-25F), r);
  r = _mm512_fnmadd_ps(n, all(-0x1.ee59dap-50F), r);
  __m512i const quarter = _mm512_cvtps_epi32(n);
  __m512 const z = _mm512_mul_ps(r, r);
  __m512 const sine =
      _mm512_fmadd_ps(_mm512_mul_ps(horner(z, -0x1.555546p-3F, 0x1.110736p-7F, -0x1.994222p-13F), z), r, r);
  __m512 const cosine = horner(z, 1.0F, -0.5F, 0x1.55554ap-5F, -0x1.6c0c86p-10F, 0x1.9a00cep-16F);
  __mmask16 const odd = _mm512_test_epi32_mask(quarter, _mm512_set1_epi32(1));
  __m512i const sign = _mm512_slli_epi32(_mm512_and_epi32(quarter, _mm512_set1_epi32(2)), 30);
  return _mm512_xor_ps(_mm512_mask_blend_ps(odd, sine, cosine), _mm512_castsi512_ps(sign));
}

__m512 least_lanes(float const* a, std::size_t n) {
  __m512 s[8];
  for (auto& x : s) x = at(a, 0);
  for (std::size_t k = 0; k + 128 <= n; k += 128) {
#pragma GCC unroll 8
    for (std::size_t u = 0; u != 8; ++u) s[u] = _mm512_min_ps(at(a, k + 16 * u), s[u]);
  }
  for (std::size_t u = 1; u != 8; ++u) s[0] = _mm512_min_ps(s[0], s[u]);
  return s[0];
}

/// The least value of each 512 elements; only those that hold the least of all are looked at again.
double argmin(arrays const& v) {
  constexpr std::size_t piece = 512;
  std::size_t where = 0;
  float least = v.a[0];
  for (std::size_t k = 0; k + piece <= v.n; k += piece) {
    __m512 const l = least_lanes(v.a + k, piece);
    if (_mm512_cmp_ps_mask(l, all(least), _CMP_LT_OQ) != 0) least = _mm512_reduce_min_ps(l), where = k;
  }
  for (;; where += 16)
    if (auto const hit = _mm512_cmpeq_ps_mask(at(v.a, where), all(least)); hit != 0)
      return static_cast<double>(where + static_cast<unsigned>(__builtin_ctz(hit)));
}

/// Both in one look.
double minmax(arrays const& v) {
  constexpr std::size_t piece = 512;
  std::size_t at_least = 0, at_most = 0;
  float least = v.a[0], most = v.a[0];
  for (std::size_t k = 0; k + piece <= v.n; k += piece) {
    __m512 low[4], high[4];
    for (std::size_t u = 0; u != 4; ++u) low[u] = high[u] = at(v.a, k);
    for (std::size_t i = 0; i != piece; i += 64) {
#pragma GCC unroll 4
      for (std::size_t u = 0; u != 4; ++u) {
        __m512 const x = at(v.a, k + i + 16 * u);
        low[u] = _mm512_min_ps(x, low[u]), high[u] = _mm512_max_ps(x, high[u]);
      }
    }
    __m512 const l = _mm512_min_ps(_mm512_min_ps(low[0], low[1]), _mm512_min_ps(low[2], low[3]));
    __m512 const h = _mm512_max_ps(_mm512_max_ps(high[0], high[1]), _mm512_max_ps(high[2], high[3]));
    if (_mm512_cmp_ps_mask(l, all(least), _CMP_LT_OQ) != 0) least = _mm512_reduce_min_ps(l), at_least = k;
    if (_mm512_cmp_ps_mask(h, all(most), _CMP_GE_OQ) != 0) most = _mm512_reduce_max_ps(h), at_most = k;
  }
  while (v.a[at_least] != least) ++at_least;
  std::size_t last = at_most;
  for (std::size_t k = at_most; k != std::min(v.n, at_most + piece); ++k)
    if (v.a[k] == most) last = k;
  return static_cast<double>(at_least + last);
}

/// Counters in lanes need no way out of the mask registers.
double count_in_lanes(arrays const& v) {
  __m512i s[4];
  for (auto& x : s) x = _mm512_setzero_si512();
  __m512i const one = _mm512_set1_epi32(1);
  for (std::size_t k = 0; k + 64 <= v.n; k += 64) {
#pragma GCC unroll 4
    for (std::size_t u = 0; u != 4; ++u)
      s[u] =
          _mm512_mask_add_epi32(s[u], _mm512_cmp_ps_mask(at(v.a, k + 16 * u), all(threshold), _CMP_GT_OQ), s[u], one);
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_add_epi32(s[0], s[1]), _mm512_add_epi32(s[2], s[3])));
}

double mandelbrot16(arrays const& v) {
  for (std::size_t k = 0; k + 16 <= v.n; k += 16) {
    __m512 const x = at(v.x, k), y = at(v.y, k);
    __m512 re = x, im = y, rounds = _mm512_setzero_ps();
    for (int round = 0; round != most_rounds; ++round) {
      __m512 const re2 = _mm512_mul_ps(re, re), im2 = _mm512_mul_ps(im, im);
      __mmask16 const inside = _mm512_cmp_ps_mask(_mm512_add_ps(re2, im2), all(4.0F), _CMP_LE_OQ);
      if (inside == 0) break;
      rounds = _mm512_mask_add_ps(rounds, inside, rounds, all(1.0F));
      im = _mm512_fmadd_ps(_mm512_add_ps(re, re), im, y);
      re = _mm512_add_ps(_mm512_sub_ps(re2, im2), x);
    }
    _mm512_storeu_ps(v.out + k, rounds);
  }
  return std::accumulate(v.out, v.out + v.n, 0.0);
}

/// Prefix sums within registers; only the addition to what came before waits for the last register.
double scan(arrays const& v) {
  __m512i const zero = _mm512_setzero_si512(), last = _mm512_set1_epi32(15);
  auto const add_moved = [zero](__m512 x, auto lanes) {
    return _mm512_add_ps(
        x, _mm512_castsi512_ps(_mm512_maskz_alignr_epi32(0xFFFF, _mm512_castps_si512(x), zero, 16 - lanes())));
  };
  __m512 before = _mm512_setzero_ps();
  for (std::size_t k = 0; k + 16 <= v.n; k += 16) {
    __m512 x = at(v.a, k);
    x = add_moved(x, std::integral_constant<int, 1>{});
    x = add_moved(x, std::integral_constant<int, 2>{});
    x = add_moved(x, std::integral_constant<int, 4>{});
    x = add_moved(x, std::integral_constant<int, 8>{});
    _mm512_storeu_ps(v.out + k, _mm512_add_ps(x, before));
    before = _mm512_add_ps(before, _mm512_maskz_permutexvar_ps(0xFFFF, last, x));
  }
  return v.out[v.n - 1];
}

__m512i bytes_at(std::int8_t const* from, std::size_t k) { return _mm512_loadu_si512(from + k); }

double sum_bytes(arrays const& v) {
  __m512i s[4];
  for (auto& x : s) x = _mm512_setzero_si512();
  __m512i const ones = _mm512_set1_epi8(1);
  for (std::size_t k = 0; k + 256 <= v.n; k += 256) {
#pragma GCC unroll 4
    for (std::size_t u = 0; u != 4; ++u) s[u] = _mm512_dpbusd_epi32(s[u], ones, bytes_at(v.i, k + 64 * u));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_add_epi32(s[0], s[1]), _mm512_add_epi32(s[2], s[3])));
}

/// The instruction multiplies bytes without sign by bytes with it: one factor moves by 128, which is taken back.
double dot_bytes(arrays const& v) {
  __m512i s[4], moved[4];
  for (std::size_t u = 0; u != 4; ++u) s[u] = moved[u] = _mm512_setzero_si512();
  __m512i const half = _mm512_set1_epi8(-128);
  for (std::size_t k = 0; k + 256 <= v.n; k += 256) {
#pragma GCC unroll 4
    for (std::size_t u = 0; u != 4; ++u) {
      __m512i const y = bytes_at(v.j, k + 64 * u);
      s[u] = _mm512_dpbusd_epi32(s[u], _mm512_xor_si512(bytes_at(v.i, k + 64 * u), half), y);
      moved[u] = _mm512_dpbusd_epi32(moved[u], half, y);
    }
  }
  for (std::size_t u = 0; u != 4; ++u) s[u] = _mm512_sub_epi32(s[u], moved[u]);
  return _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_add_epi32(s[0], s[1]), _mm512_add_epi32(s[2], s[3])));
}

}  // namespace

kernels intrinsics() {
  return {
      {"saxpy",
       [](arrays const& v) {
         return fill(v, [&](std::size_t k) { return _mm512_fmadd_ps(all(factor), at(v.a, k), at(v.b, k)); });
       }},
      {"sum",
       [](arrays const& v) {
         return eight_sums(v, [&](std::size_t k, __m512 s) { return _mm512_add_ps(s, at(v.a, k)); });
       }},
      {"dot",
       [](arrays const& v) {
         return eight_sums(v, [&](std::size_t k, __m512 s) { return _mm512_fmadd_ps(at(v.a, k), at(v.b, k), s); });
       }},
      {"polynomial",
       [](arrays const& v) {
         return fill(v, [&](std::size_t k) {
           return horner(at(v.a, k), 0.9F, 0.8F, 0.7F, 0.6F, 0.5F, 0.4F, 0.3F, 0.2F, 0.1F);
         });
       }},
      {"sum of exp",
       [](arrays const& v) {
         return eight_sums(v, [&](std::size_t k, __m512 s) { return _mm512_add_ps(s, exp16(at(v.a, k))); });
       }},
      {"sum of log",
       [](arrays const& v) {
         return eight_sums(v, [&](std::size_t k, __m512 s) { return _mm512_add_ps(s, log16(at(v.a, k))); });
       }},
      {"sum of sin",
       [](arrays const& v) {
         return eight_sums(v, [&](std::size_t k, __m512 s) { return _mm512_add_ps(s, sin16(at(v.a, k))); });
       }},
      {"min", [](arrays const& v) -> double { return _mm512_reduce_min_ps(least_lanes(v.a, v.n)); }},
      {"argmin", argmin},
      {"minmax", minmax},
      {"count_if", count_in_lanes},
      {"mandelbrot", mandelbrot16},
      {"inclusive_scan", scan},
      {"sum of bytes", sum_bytes},
      {"dot of bytes", dot_bytes},
      {"exp of 13",
       [](arrays const& v) -> double {
         for (std::size_t k = 0; k < v.n; k += 16) {
           auto const m = static_cast<__mmask16>(v.n - k >= 16 ? 0xFFFF : (1 << (v.n - k)) - 1);
           _mm512_mask_storeu_ps(v.out + k, m, exp16(_mm512_maskz_loadu_ps(m, v.a + k)));
         }
         return v.out[v.n - 1];
       }},
  };
}

}  // namespace bench::simd

#else

namespace bench::simd {
kernels intrinsics() { return {}; }
}  // namespace bench::simd

#endif
