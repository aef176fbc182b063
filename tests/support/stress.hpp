#pragma once
// How long stresses run.

#include <cstdlib>

namespace tartan::test {

/// How much longer than in CI a stress shall run: TARTAN_STRESS is a factor, or "large".
inline unsigned stress() {
  char const* const text = std::getenv("TARTAN_STRESS");
  if (text == nullptr || *text == '\0') return 1;
  int const factor = std::atoi(text);
  return factor > 0 ? static_cast<unsigned>(factor) : 60;
}

}  // namespace tartan::test
