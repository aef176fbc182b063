// expect: tartan: worker_local<T> moves what make() returns to its place: T needs a move constructor
#include "tartan/core/worker_local.hpp"

#include <atomic>
#include <memory>

#ifndef TARTAN_MUST_FAIL
#define TARTAN_MUST_FAIL 0
#endif

int main() {
  tartan::worker_local<std::unique_ptr<std::atomic<int>>> held([] { return std::make_unique<std::atomic<int>>(0); });
#if TARTAN_MUST_FAIL == 1
  tartan::worker_local<std::atomic<int>> counts;
  ++counts.local();
#endif
  return *held.local();
}
