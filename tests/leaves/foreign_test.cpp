#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12, of its own header of intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "tartan/leaves/foreign.hpp"

#include <cmath>
#include <cstddef>
#include <experimental/simd>
#include <vector>

#include "support/catch.hpp"
#include "tartan/map.hpp"
#include "tartan/map_reduce.hpp"
#include "tartan/simd.hpp"

#if __has_include(<xsimd/xsimd.hpp>)
#include <xsimd/xsimd.hpp>
#define HAS_XSIMD 1
#endif

namespace tn = tartan;
namespace stdx = std::experimental;

template <class T, class Abi>
struct tartan::lanes::pack_traits<stdx::simd<T, Abi>> {
  using value_type = T;
  static constexpr std::size_t size = stdx::simd<T, Abi>::size();
  static stdx::simd<T, Abi> load(T const* from) { return stdx::simd<T, Abi>(from, stdx::element_aligned); }
  static void store(stdx::simd<T, Abi> const& p, T* to) { p.copy_to(to, stdx::element_aligned); }
};

#if HAS_XSIMD
template <class T, class A>
struct tartan::lanes::pack_traits<xsimd::batch<T, A>> {
  using value_type = T;
  static constexpr std::size_t size = xsimd::batch<T, A>::size;
  static xsimd::batch<T, A> load(T const* from) { return xsimd::batch<T, A>::load_unaligned(from); }
  static void store(xsimd::batch<T, A> const& p, T* to) { p.store_unaligned(to); }
};
#endif

namespace {

/// sqrt(x) + x of P under every policy, against single numbers.
template <class P, class T>
void check() {
  auto const f = tn::lanes::with_packs_of<P>([](P x) {
    using std::sqrt;
    return sqrt(x) + x;
  });
  for (std::size_t const n : {0U, 1U, 3U, 15U, 16U, 17U, 100U, 5000U}) {
    std::vector<T> v(n), out(n), expected(n);
    for (std::size_t i = 0; i != n; ++i) v[i] = static_cast<T>(i * 37 % 1009);
    for (std::size_t i = 0; i != n; ++i) expected[i] = std::sqrt(v[i]) + v[i];
    tn::map_into(tn::simd, v, out, f);
    REQUIRE(out == expected);
    tn::map_into(tn::seq, v, out, f);
    REQUIRE(out == expected);
    T const sum = tn::reduce(tn::seq, expected);
    REQUIRE(tn::map_reduce(tn::simd, v, f) == sum);
    REQUIRE(tn::map_reduce(tn::par_simd.workers(2), v, f) == sum);
  }
}

}  // namespace

TEST_CASE("packs of std::experimental::simd are brought", "[leaves][foreign]") {
  check<stdx::native_simd<float>, float>();
  check<stdx::native_simd<double>, double>();
  check<stdx::fixed_size_simd<double, 4>, double>();
  check<stdx::fixed_size_simd<float, 32>, float>();
}

TEST_CASE("packs of xsimd are brought", "[leaves][foreign]") {
#if HAS_XSIMD
  check<xsimd::batch<float>, float>();
  check<xsimd::batch<double>, double>();
#else
  WARN("xsimd is not installed: nothing is tested");
#endif
}
