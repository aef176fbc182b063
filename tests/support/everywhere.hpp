#pragma once
// Runs a test body on every shared-memory policy with few instantiations: worker counts are values, not types.

#include <utility>  // forward

#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"

namespace tartan::test {

/// Calls body(policy) for seq, and for par with the default, 1, 2, 3 and 8 workers. One thread has no races: a build
/// with ThreadSanitizer leaves seq to the others.
template <class Body>
void everywhere(Body body) {
#if !TARTAN_TSAN
  body(seq);
#endif
  for (auto const& p : {par, par.workers(1), par.workers(2), par.workers(3), par.workers(8)}) body(p);
}

}  // namespace tartan::test
