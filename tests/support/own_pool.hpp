#pragma once
// A pool that belongs to the tests, for policies that name one.

#include "tartan/thread_pool.hpp"  // thread_pool

namespace tartan::test {

class own_pool : public thread_pool {
 public:
  explicit own_pool(unsigned size) : thread_pool({.workers = static_cast<std::ptrdiff_t>(size), .name = "own"}) {}
};

}  // namespace tartan::test
