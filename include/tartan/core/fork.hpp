#pragma once
// The fork of two: the one primitive under every recursive pattern.

#include <type_traits>  // invoke_result_t, is_void_v
#include <utility>      // pair

#include "tartan/core/join.hpp"    // await_stolen
#include "tartan/core/pool.hpp"    // pool, worker
#include "tartan/core/result.hpp"  // invoke_regular, result_slot

namespace tartan::inline TARTAN_ABI::detail {

/// The second function of a fork, as others see it.
template <class G, class R>
struct forked_job : job {
  explicit forked_job(G& second) noexcept : job(&run_it), g(second) {}
  static void run_it(job* base, worker&) {
    auto& self = *static_cast<forked_job*>(base);
    self.result.set_from([&]() -> R { return invoke_regular(self.g); });
  }
  G& g;
  result_slot<R> result;
};

/// Runs f here and g here or elsewhere; returns both results when both have ended.
///
/// Exceptions: f's is rethrown if it throws; g is then skipped unless somebody has begun it, and what it throws or
/// returns is dropped. Otherwise g's is rethrown.
/// Cost: a store to the deque, a store and a load to take the job back, one load to see whether anybody is idle.
/// `Tell` says how others learn of g.
template <void (pool::*Tell)(worker&) noexcept = &pool::published, class F, class G>
TARTAN_ALWAYS_INLINE auto fork_two(worker& w, F& f, G& g) {
  using A = regular_result<std::invoke_result_t<F&>>;
  using B = regular_result<std::invoke_result_t<G&>>;
  forked_job<G, B> second(g);
  w.tasks.push(&second);
  (w.home.*Tell)(w);

  struct end_of_first {  // f threw: take g back, or wait for whoever runs it
    worker& w;
    forked_job<G, B>& second;
    bool threw = true;
    TARTAN_ALWAYS_INLINE ~end_of_first() {
      if (threw) [[unlikely]]
        give_up(w, second);
    }
    TARTAN_COLD static void give_up(worker& w, forked_job<G, B>& second) {
      if (!w.tasks.take_back() && await_stolen(w, second)) second.result.discard();
    }
  } guard{w, second};
  A first = invoke_regular(f);
  guard.threw = false;

  if (w.tasks.take_back() || !await_stolen(w, second)) [[likely]]
    return std::pair<A, B>(static_cast<A&&>(first), invoke_regular(g));
  return std::pair<A, B>(static_cast<A&&>(first), second.result.take());
}

}  // namespace tartan::inline TARTAN_ABI::detail
