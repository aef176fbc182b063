#pragma once
// Stand-in: nobody looks whether the pool stands still; how the lookout lies down and is called is checked in
// lookout_test.cpp.

#include "tartan/core/pool_setup.hpp"    // pool_setup
#include "tartan/core/pool_threads.hpp"  // pool_threads

namespace tartan::inline TARTAN_ABI::detail {

struct lookout {
  lookout(pool&, pool_setup const&, pool_threads&) {}
  void begin_again() {}
  void call() {}
  void end() {}
  void let_go() {}
};

}  // namespace tartan::inline TARTAN_ABI::detail
