#pragma once
// The fork of two: the one primitive under every recursive pattern.

#include <cstdint>      // int64_t
#include <type_traits>  // conditional_t, invoke_result_t, is_reference_v, is_trivially_*_v, remove_*_t
#include <utility>      // pair

#include "tartan/core/join.hpp"    // await_stolen
#include "tartan/core/pool.hpp"    // pool, worker
#include "tartan/core/result.hpp"  // invoke_regular, result_slot

namespace tartan::inline TARTAN_ABI::detail {

/// Whether a copy of this function can stand in for it unseen: the caller's temporary of at most two words of plain
/// data, as most lambdas are. A copy lies beside the job, and the function itself need not lie in memory at all.
template <class G>
inline constexpr bool copied_unseen = !std::is_reference_v<G> && std::is_trivially_copy_constructible_v<G> &&
                                      std::is_trivially_destructible_v<G> && sizeof(G) <= 2 * sizeof(void*);

/// The second function of a fork, as others see it. G is deduced: a reference for what is not a temporary.
template <class G, class R>
struct forked_job : job {
  using function = std::conditional_t<copied_unseen<G>, std::remove_const_t<G>, std::remove_reference_t<G>&>;

  TARTAN_ALWAYS_INLINE explicit forked_job(std::remove_reference_t<G>& second) noexcept : job(&run_it), g(second) {}
  static void run_it(job* base, worker&) {
    auto& self = *static_cast<forked_job*>(base);
    self.result.set_from([&]() -> R { return invoke_regular(self.g); });
  }

  function g;
  result_slot<R> result{unasked{}};
};

/// The address of `object` in a register of its own. From &object compilers keep one register for the whole function,
/// for a path that is seldom taken: saving that register costs each call two stores and loads.
template <class T>
TARTAN_ALWAYS_INLINE T* own_address(T& object) noexcept {
#if defined(__x86_64__) && !defined(__ILP32__)
  T* address;
  asm("leaq %1, %0" : "=r"(address) : "m"(object));
  return address;
#else
  return __builtin_addressof(object);
#endif
}

/// Runs f here and g here or elsewhere; returns both results when both have ended. `asymmetric` is that of w's deque,
/// a constant where the caller knows it.
///
/// Exceptions: f's is rethrown if it throws; g is then skipped unless somebody has begun it, and what it throws or
/// returns is dropped. Otherwise g's is rethrown.
/// Cost: a store to the deque, a store and a load to take the job back, one load to see whether anybody is idle.
/// `Tell` says how others learn of g.
template <void (pool::*Tell)(worker&, bool) noexcept = &pool::published, class F, class G>
TARTAN_ALWAYS_INLINE auto fork_two(worker& w, bool asymmetric, F&& f, G&& g) {
  using A = regular_result<std::invoke_result_t<F&>>;
  using B = regular_result<std::invoke_result_t<G&>>;
  std::int64_t const place = w.tasks.reserve();
  forked_job<G, B> second(g);
  w.tasks.put(place, own_address(second));
  (w.home.*Tell)(w, asymmetric);

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

  if (w.tasks.take_back(asymmetric) || !await_stolen(w, second)) [[likely]]
    return std::pair<A, B>(static_cast<A&&>(first), invoke_regular(g));
  return std::pair<A, B>(static_cast<A&&>(first), second.result.take());
}

}  // namespace tartan::inline TARTAN_ABI::detail
