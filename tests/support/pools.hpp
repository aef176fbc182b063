#pragma once
// Runs a test body on pools from one worker to many more than the machine has cores, with one instantiation.

#include "tartan/backends/threads.hpp"
#include "tartan/thread_pool.hpp"

namespace tartan::test {

/// Calls body(par.on(pool)) for pools of 1, 2, 3, 8, 16 and 64 workers, each of which it uses as often as it likes.
template <class Body>
void on_pools(Body body) {
  for (int const workers : {1, 2, 3, 8, 16, 64}) {
    thread_pool pool{workers};
    body(par.on(pool));
  }
}

}  // namespace tartan::test
