#pragma once
// The policies that every pattern is tested on. A new backend joins by one line in one of the lists.

#include <tuple>  // tuple, tuple_cat

#include "support/catch.hpp"
#include "support/fake_remote.hpp"
#include "tartan/backends/nested.hpp"
#include "tartan/backends/sequential.hpp"
#include "tartan/backends/threads.hpp"
#include "tartan/thread_pool.hpp"

namespace tartan::test {

// Each type makes a policy: TestType::make(), once in a test case.
struct sequential {
  static auto make() { return seq; }
};
// Numbers of workers are values: one type, for which a test is compiled once and runs once for each.
struct parallel {
  static auto make() {
    int const workers = GENERATE(0, 5);
    return workers == 0 ? par : par.workers(workers);
  }
};
struct parallel_few {
  static auto make() { return par.workers(GENERATE(1, 2)); }
};
struct parallel_own_pool {
  static auto make() {
    static thread_pool pool{3};
    return par.on(pool);
  }
};
struct parallel_in_sequential {
  static auto make() { return nest(seq, par.workers(2)); }
};
struct sequential_in_parallel {
  static auto make() { return nest(par.workers(3), seq); }
};
struct fake_remote {
  static auto make() { return remote; }
};
struct sequential_in_remote {
  static auto make() { return nest(remote, seq); }
};
struct fake_remote_strict {
  static auto make() { return remote_strict; }
};

/// Workers see the memory of the caller. Each entry compiles every test anew: patterns are tested on these ...
#if TARTAN_TSAN
using shared_policies = std::tuple<parallel>;  // one thread has no races
#else
using shared_policies = std::tuple<sequential, parallel>;
#endif

/// ... and the contract on these too, backends inside backends among them.
using further_shared_policies =
    std::tuple<parallel_few, parallel_own_pool, parallel_in_sequential, sequential_in_parallel>;

/// They do not; functions arrive as they are (a fork copies them). Not under ThreadSanitizer, whose own thread and
/// locks do not survive a fork.
#if TARTAN_TSAN
using remote_policies = std::tuple<>;
using further_remote_policies = std::tuple<>;
using strict_policies = std::tuple<>;
#else
using remote_policies = std::tuple<fake_remote>;
using further_remote_policies = std::tuple<sequential_in_remote>;
using strict_policies = std::tuple<fake_remote_strict>;
#endif

using all_policies = decltype(std::tuple_cat(shared_policies{}, remote_policies{}));

/// Everything that is sent goes through the codec, functions too: for tests whose functions have no captures.
using shipping_policies = decltype(std::tuple_cat(all_policies{}, strict_policies{}));

/// Whether functions may write to the caller's memory under the policy of this maker.
template <class Maker>
inline constexpr bool shares_memory = shared_memory_backend<typename decltype(Maker::make())::backend_type>;

}  // namespace tartan::test
