#pragma once
// The input that most tests of processes work on.

#include <cstddef>
#include <numeric>
#include <vector>

namespace tartan::test {

/// 0, 1, ... n - 1.
inline std::vector<int> numbers(int n) {
  std::vector<int> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

}  // namespace tartan::test
