#pragma once
// Waiting for what another thread or process is about to do, without a time that a loaded machine could miss.

#include <chrono>
#include <thread>

namespace tartan::test {

/// Waits until f() is true, for a generous time; whether it became so.
template <class F>
bool comes_true(F f, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  auto const end = std::chrono::steady_clock::now() + limit;
  while (!f()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace tartan::test
