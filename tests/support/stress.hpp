#pragma once
// How long stresses run, and how much they say that they have done.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tartan::test {

/// How much longer than in CI a stress shall run: TARTAN_STRESS is a factor, or "large".
inline unsigned stress(unsigned large = 60) {
  char const* const text = std::getenv("TARTAN_STRESS");
  if (text == nullptr || *text == '\0') return 1;
  if (std::strcmp(text, "large") == 0) return large;
  int const factor = std::atoi(text);
  return factor > 0 ? static_cast<unsigned>(factor) : 1;
}

/// Counts rounds, and prints how many there were if TARTAN_STRESS is set. Any thread.
class rounds {
 public:
  explicit rounds(char const* what) : what_(what) {}
  rounds(rounds const&) = delete;
  rounds& operator=(rounds const&) = delete;
  ~rounds() {
    if (stress() != 1) std::fprintf(stderr, "tartan-rounds: %ld %s\n", done_.load(), what_);
  }
  void one() { ++done_; }

 private:
  char const* what_;
  std::atomic<long> done_{0};
};

}  // namespace tartan::test
