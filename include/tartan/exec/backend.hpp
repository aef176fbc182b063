#pragma once
// The backend contract, in tiers. Patterns are written against this and nothing else; one contract test
// (tests/contract) runs every clause on every backend.

#include <concepts>     // copyable, same_as
#include <cstddef>      // size_t
#include <exception>    // exception_ptr
#include <string_view>  // string_view
#include <variant>      // monostate
#include <vector>       // vector

#include "tartan/exec/plan.hpp"        // block, block_plan
#include "tartan/exec/properties.hpp"  // properties, property

namespace tartan::inline TARTAN_ABI {

namespace detail {
class pool;
}

namespace detail {  // archetypes, used unevaluated only
struct any_slice {
  int operator()(block) const;
};
struct any_work {
  int operator()(int&) const;
};
struct any_body {
  void operator()(std::size_t, std::size_t) const;
};
struct any_thunk {
  void operator()() const;
};
struct any_call {
  int operator()(std::monostate&) const;
};
struct any_sink {
  void value(int&&);
  void error(std::exception_ptr);
  void skipped();
};
struct any_rank {
  template <class Barrier>
  void operator()(std::size_t, std::size_t, Barrier&) const;
};
}  // namespace detail

/// Tier 1, every backend.
///
/// collect<R>(props, plan, slice, work) returns work(argument) for each block of the plan, in order, where `argument`
/// is slice(plan[i]) (made on the calling side and, where memory is not shared, sent: a range arrives as a vector of
/// its values). `work` is a class with the user's functions as members, so that it can travel exactly if they can.
///   C1  Each block is worked on once, on any worker; work is called concurrently.
///   C2  It returns or throws only after every started call has ended.
///   C3  If calls throw, the exception of the lowest block is rethrown; blocks above it may be skipped, none below is.
///   C4  A stop skips blocks that have not begun; if any was skipped and none threw, `cancelled` is thrown.
///   C5  The backend stays usable after C3 and C4.
///   C6  The progress is told of the elements of each block that has been worked on.
/// width(props) is the number of workers that would take part, at least 1.
/// Where memory is not shared, two more: block_length(props, n) is the number of elements that travel together, and
/// try_collect<R>(props, range, f, offset) gives an outcome<R> for each element, with index offset + i (nothing
/// skipped).
template <class B>
concept backend = std::copyable<B> && requires(B const& b, properties const& p, block_plan const& plan) {
  { B::name } -> std::convertible_to<std::string_view>;
  { B::honoured } -> std::convertible_to<property>;
  { b.width(p) } -> std::same_as<std::size_t>;
  { b.template collect<int>(p, plan, detail::any_slice{}, detail::any_work{}) } -> std::same_as<std::vector<int>>;
};

/// Tier 4, for all of them, is in exec/channel.hpp: open_channel() for tasks that come one by one. It needs
/// async_pool() of tier 2 or, where memory is not shared, a member open<R, Argument>(props, work, window).

namespace detail {

/// Whether tasks may go on when the call that made them has returned.
template <class B>
concept outlives_calls = !requires { requires B::lives_for_a_call; };

}  // namespace detail

/// Tier 4 for backends that share no memory and whose workers outlive calls.
///
/// launch<R>(props, call, sink) sends `call` with all that it holds, runs call(std::monostate&) some time, and tells
/// the sink what became of it, exactly once and on any thread of this process: value(R&&), error(exception_ptr), or
/// skipped() if it did not run because a stop asked. If the sink has skips(), a call for which that is true when its
/// turn to be sent comes is skipped too. What launch() throws, the sink is not told.
template <class B>
concept launching_backend = backend<B> && detail::outlives_calls<B> && requires(B const& b, properties const& p) {
  b.template launch<int>(p, detail::any_call{}, detail::any_sink{});
};

/// Tier 2, backends whose workers see the caller's memory. Functions may write through references.
///
/// for_range(props, n, alignment, body) calls body(begin, end) on disjoint pieces that cover [0, n); cuts fall on
/// multiples of alignment. C1 to C5 hold with "piece that begins lowest" for "lowest block".
/// fork_join(props, f, g) runs both, perhaps at once, and returns their results as a pair (void as std::monostate).
///   F1  Returns after both have ended, unless f throws before g began: then g is skipped.
///   F2  If both throw, f's exception is rethrown.
/// spawn(props, task) runs a copyable task some time, on a pool or at once; nobody waits for it. What it throws goes to
/// the handler of set_unhandled().
/// async_pool(props) is the pool whose queue takes tasks that others may wait for; null: they run at once.
template <class B>
concept shared_memory_backend = backend<B> && requires(B const& b, properties const& p) {
  b.for_range(p, std::size_t{}, std::size_t{1}, detail::any_body{});
  b.fork_join(p, detail::any_thunk{}, detail::any_thunk{});
  b.spawn(p, detail::any_thunk{});
  { b.async_pool(p) } -> std::same_as<detail::pool*>;
};

/// Tier 3, backends that can run several ranks at the same time.
///
/// team(props, body) calls body(rank, size, barrier) once for each rank of [0, size), all of them truly concurrent, so
/// that ranks may wait for each other; size is 1 when no other worker is free. barrier.arrive_and_wait() synchronises.
template <class B>
concept team_backend =
    shared_memory_backend<B> && requires(B const& b, properties const& p) { b.team(p, detail::any_rank{}); };

}  // namespace tartan::inline TARTAN_ABI
