#pragma once
// Sums and dot products for one width of vector registers: widths/sums.cpp is compiled once for each.

#include <cstddef>  // size_t

namespace bench::sums {

/// How n numbers a[i], or products a[i] * b[i] where b is not null, are added up.
template <class T>
using sum = T (*)(T const* a, T const* b, std::size_t n);

template <class T>
struct ways {
  sum<T> reproducible;
  sum<T> relaxed;
  sum<T> by_hand;  // the compiler's vectors of this width, eight accumulators: the limit
};

struct width {
  ways<float> f32;
  ways<double> f64;
};

#if BENCH_WIDTHS
width of_128_bits();
width of_256_bits();
width of_512_bits();
#endif

}  // namespace bench::sums
