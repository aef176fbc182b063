#pragma once
// What the parts share by name.

#include <cstddef>

// The control of the lending check: an inline function outside tartan, the same in every part, which the linker
// therefore does take from the part that comes first. A check that does not see it sees nothing.
[[gnu::noinline]] inline void odr_lent(double* data, std::size_t n) {
  for (std::size_t i = 0; i != n; ++i) data[i] = data[i] * data[i] + 1.0;
}

// Named, not a lambda: what tartan makes from it has the same name in every part but for the inline namespace.
struct odr_square {
  template <class T>
  [[gnu::always_inline]] auto operator()(T x) const {
    return x * x;
  }
};
