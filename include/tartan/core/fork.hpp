#pragma once
// The fork of two: the one primitive under every recursive pattern, and the short form of it.

#include <cstdint>      // int64_t
#include <type_traits>  // invoke_result_t, remove_reference_t
#include <utility>      // pair

#include "tartan/core/forked_function.hpp"  // handed_on
#include "tartan/core/join.hpp"             // await_helper, await_stolen
#include "tartan/core/pool.hpp"             // current_worker, pool, worker
#include "tartan/core/result.hpp"           // invoke_regular, result_slot

namespace tartan::inline TARTAN_ABI::detail {

/// The second function of a fork, as others see it. G is deduced: a reference for what is not a temporary.
template <class G, class R>
struct forked_job : job {
  TARTAN_ALWAYS_INLINE explicit forked_job(std::remove_reference_t<G>& second) noexcept : job(&run_it), g(second) {}
  static void run_it(job* base, worker&) {
    auto& self = *static_cast<forked_job*>(base);
    self.result.set_from([&]() -> R { return invoke_regular(self.g); });
  }

  handed_on<G> g;
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

/// If the first function throws: takes the second one's job back, or waits for whoever runs it.
template <class Job>
struct end_of_first {
  Job& second;
  bool threw = true;
  TARTAN_ALWAYS_INLINE ~end_of_first() {
    if (threw) [[unlikely]]
      give_up(second);
  }
  /// Looks the worker up: the way to it would cost a register for the whole of the first function.
  TARTAN_COLD static void give_up(Job& second) {
    worker& w = *current_worker();
    if (!w.tasks.take_back() && await_stolen(w, second)) second.result.discard();
  }
};

/// Runs f here and g here or elsewhere; returns both results when both have ended. `asymmetric` is that of w's deque,
/// a constant where the caller knows it. `place` is the next one of the deque, which has room.
///
/// Exceptions: f's is rethrown if it throws; g is then skipped unless somebody has begun it, and what it throws or
/// returns is dropped. Otherwise g's is rethrown.
/// Cost: a store to the deque, a store and a load to take the job back, one load to see whether anybody is idle.
/// `Tell` says how others learn of g.
template <void (pool_news::*Tell)(worker&, bool) noexcept = &pool::published, class F, class G>
TARTAN_ALWAYS_INLINE auto fork_at(worker& w, std::int64_t place, bool asymmetric, F&& f, G&& g) {
  using A = regular_result<std::invoke_result_t<F&>>;
  using B = regular_result<std::invoke_result_t<G&>>;
  forked_job<G, B> second(g);
  w.tasks.put(place, own_address(second));
  (w.home.*Tell)(w, asymmetric);

  end_of_first<forked_job<G, B>> guard{second};
  A first = invoke_regular(f);
  guard.threw = false;

  if (w.tasks.take_back(asymmetric) || !await_helper(w, second)) [[likely]]
    return std::pair<A, B>(static_cast<A&&>(first), invoke_regular(g));
  return std::pair<A, B>(static_cast<A&&>(first), second.result.take());
}

/// The same, in the place that it finds.
template <void (pool_news::*Tell)(worker&, bool) noexcept = &pool::published, class F, class G>
TARTAN_ALWAYS_INLINE auto fork_two(worker& w, bool asymmetric, F&& f, G&& g) {
  std::int64_t const place = w.tasks.reserve();
  return fork_at<Tell>(w, place, asymmetric, static_cast<F&&>(f), static_cast<G&&>(g));
}

/// Says that `object` may change here: what is read of it afterwards is read from memory, not kept in a register.
template <class T>
TARTAN_ALWAYS_INLINE void keep_in_memory(T& object) noexcept {
  asm volatile("" : "+m"(reinterpret_cast<char(&)[sizeof(T)]>(object)));  // bytes: members may be const
}

/// A fork of two small temporaries by a worker whose fences cost nothing, written for what a compiler makes of it. A
/// function that forks and recurses pays for each register that it saves and for each call, leaves included; so nothing
/// but the first result lives over the second call, and nothing at all over the first: the worker is looked up anew, g
/// and the place of its job are read back from the job. What is seldom done is a call that does all the rest, since one
/// that comes back would keep registers for its way back.
template <class F, class G>
class quick_fork {
  using A = regular_result<std::invoke_result_t<F&>>;
  using B = regular_result<std::invoke_result_t<G&>>;

 public:
  using results = std::pair<A, B>;

  /// Runs f here and g here or elsewhere, as fork_two(). `place` is the next one of w's deque, and is_quick().
  TARTAN_ALWAYS_INLINE static results run(worker& w, std::int64_t place, F f, G g) {
    placed_job second(g);
    second.place = place;
    w.tasks.put(place, own_address(second));
    F first(w.home.anybody_idle(true) && w.home.is_news(w) ? announced(w, f) : F(f));
    return finish(first, second);
  }

  /// Runs f, then g.
  TARTAN_ALWAYS_INLINE static results run_alone(F f, G g) {
    keep_in_memory(g);
    A first = invoke_regular(f);
    return results(static_cast<A&&>(first), invoke_regular(g));
  }

 private:
  struct placed_job : forked_job<G, B> {
    using forked_job<G, B>::forked_job;
    std::int64_t place;
  };

  /// The worker that this thread is: that it is one is known, and that cached_cell is its cell.
  TARTAN_ALWAYS_INLINE static worker& self() noexcept { return *static_cast<worker*>(cached_cell->current); }

  /// Hands f through, so that it need not be kept over the call.
  TARTAN_COLD static F announced(worker& w, F f) noexcept {
    w.home.tell(w);
    return f;
  }

  TARTAN_ALWAYS_INLINE static results finish(F& f, placed_job& second) {
    end_of_first<forked_job<G, B>> guard{second};
    A first = invoke_regular(f);
    guard.threw = false;
    if (self().tasks.reclaim(second.place, true)) [[likely]]
      return results(static_cast<A&&>(first), invoke_regular(second.g));
    return results(static_cast<A&&>(first), finish_late(second));
  }

  /// g's result, when its job is the last one of the deque or a thief's. Not self(): the linker may have taken the copy
  /// of another object of the process, whose cached_cell need not know this thread yet.
  TARTAN_NOINLINE static B finish_late(placed_job& second) {
    worker& w = *current_worker();
    if (w.tasks.reclaim_last(second.place) || !await_helper(w, second)) return invoke_regular(second.g);
    return second.result.take();
  }
};

}  // namespace tartan::inline TARTAN_ABI::detail
