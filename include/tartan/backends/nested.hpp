#pragma once
// Two backends, one inside the other: ranks or processes that each use threads.

#include <algorithm>    // max, min
#include <atomic>       // atomic, memory_order_*
#include <cstddef>      // size_t
#include <string_view>  // string_view
#include <type_traits>  // decay_t, invoke_result_t
#include <utility>      // exchange, forward, move
#include <vector>       // vector

#include "tartan/core/errors.hpp"   // cancelled, raise
#include "tartan/core/range.hpp"    // first_error
#include "tartan/exec/backend.hpp"  // backend, block, block_plan, shared_memory_backend, team_backend
#include "tartan/exec/policy.hpp"   // execution_policy, policy

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Blocks of one share, whose arguments are made where they are used: for an outer backend that shares memory.
template <class Slice>
struct lazy_share {
  block_plan const* plan;
  Slice const* slice;
  std::size_t first, count;
  [[nodiscard]] std::size_t size() const noexcept { return count; }
  [[nodiscard]] decltype(auto) operator[](std::size_t i) const { return (*slice)((*plan)[first + i]); }
};

/// What an outer worker does with a share. Travels if Inner and Work do.
template <class R, class Inner, class Work>
struct share_work {
  [[no_unique_address]] Inner inner;
  unsigned inner_workers;
  bool relaxed;
  [[no_unique_address]] Work work;

  template <class Share>
  std::vector<R> operator()(Share& share) const {
    properties props;
    props.workers = inner_workers;
    props.relaxed = relaxed;
    return run(share, props);
  }
  template <class Share>
  std::vector<R> run(Share& share, properties const& props) const {
    return inner.template collect<R>(
        props, block_plan(share.size(), 1), [&](block const& b) -> decltype(auto) { return share[b.index]; }, work);
  }
};

/// Whether some share was cut short by a stop. It is `cancelled` only if nothing else was thrown, so each share keeps
/// this to itself until all have ended.
class cut_short {
 public:
  template <class F>
  void watch(F&& f) {
#if TARTAN_EXCEPTIONS
    try {
      f();
    } catch (cancelled const&) {
      happened_.store(true, std::memory_order_relaxed);  // relaxed: read after the join
    }
#else
    f();
#endif
  }
  void conclude() const {
    if (happened_.load(std::memory_order_relaxed)) raise<cancelled>();  // relaxed: after the join
  }

 private:
  std::atomic<bool> happened_{false};
};

}  // namespace detail

/// Cuts work into shares for Outer, and each share into pieces for Inner. Shares memory if both do.
///
///     auto p = tartan::nest(tartan::processes.workers(2), tartan::par.workers(4));   // two processes of four threads
///
/// Properties of the call are Outer's; Inner gets its number of workers, and where memory is shared its pool and the
/// stop. Threads inside threads use one pool: a call from inside a task stays on that task's pool.
template <backend Outer, backend Inner>
struct nested {
  static constexpr std::string_view name = "nested";
  static constexpr property honoured = Outer::honoured;
  static constexpr bool shared = shared_memory_backend<Outer> && shared_memory_backend<Inner>;

  [[no_unique_address]] Outer outer{};
  [[no_unique_address]] Inner inner{};
  unsigned inner_workers = 0;
  pool_ref inner_pool{};

  [[nodiscard]] std::size_t width(properties const& props) const {
    return outer.width(props) * inner.width(inside(props));
  }

  template <class R, class Slice, class Work>
  std::vector<R> collect(properties const& props, block_plan const& plan, Slice const& slice, Work const& work) const {
    std::size_t const together = share_length(props, plan.count());  // blocks of a share
    block_plan const shares(plan.elements(), together * plan[0].size());
    detail::share_work<R, Inner, Work> const share{inner, inner_workers, props.relaxed, work};
    if constexpr (shared_memory_backend<Outer>)
      return flat(collect_here<R>(props, plan, shares, together, slice, share));
    else
      return flat(collect_away<R>(props, plan, shares, together, slice, share));
  }

  template <class Body>
  void for_range(properties const& props, std::size_t n, std::size_t alignment, Body&& body) const
    requires shared
  {
    std::size_t const cuts = n / alignment + (n % alignment != 0 ? 1 : 0);
    block_plan const shares(n, share_length(props, cuts) * alignment);
    detail::cut_short stopped;
    auto const run_share = [&](std::size_t begin, std::size_t end) {
      for (std::size_t s = begin; s != end; ++s)
        stopped.watch([&] {
          block const part = shares[s];
          inner.for_range(inside(props), part.size(), alignment,
                          [&](std::size_t from, std::size_t to) { body(part.begin + from, part.begin + to); });
        });
    };
    outer.for_range(outside(props), shares.count(), std::size_t{1}, run_share);
    stopped.conclude();
  }

  template <class F, class G>
  auto fork_join(properties const& props, F&& f, G&& g) const
    requires shared
  {
    if (outer.width(props) == 1) return inner.fork_join(inside(props), f, g);
    return outer.fork_join(props, f, g);
  }

  template <class Task>
  void spawn(properties const& props, Task&& task) const
    requires shared
  {
    outer.spawn(props, std::forward<Task>(task));
  }

  /// The pool of tasks that nobody waits for: Outer's.
  [[nodiscard]] detail::pool* async_pool(properties const& props) const
    requires shared
  {
    return outer.async_pool(props);
  }

  template <class Body>
  void team(properties const& props, Body&& body) const
    requires(shared && team_backend<Outer>)
  {
    outer.team(props, body);
  }

  /// Elements that travel together, where memory is not shared.
  [[nodiscard]] std::size_t block_length(properties const& props, std::size_t n) const
    requires(!shared)
  {
    std::size_t const pieces = 4 * width(props);
    return props.grain != 0 ? props.grain : n / pieces + (n % pieces != 0 ? 1 : 0);
  }

  /// An outcome for each element; a task that ends its process costs one element, so Outer runs them one by one.
  template <class R, class Range, class F>
  auto try_collect(properties const& props, Range&& range, F const& f, std::size_t offset) const
    requires(!shared_memory_backend<Outer>)
  {
    return outer.template try_collect<R>(props, std::forward<Range>(range), f, offset);
  }

  /// Tasks that come one by one are Outer's.
  template <class R, class Argument, class Work>
  auto open(properties const& props, Work work, std::size_t window) const
    requires(!shared_memory_backend<Outer>)
  {
    return outer.template open<R, Argument>(props, std::move(work), window);
  }

 private:
  /// What Inner is told where it sees the caller's memory.
  [[nodiscard]] properties inside(properties const& props) const noexcept {
    properties inner_props = props;
    inner_props.workers = inner_workers;
    inner_props.pool = inner_pool;
    return inner_props;
  }

  /// What Outer is told where Inner looks at the stop and counts.
  [[nodiscard]] static properties outside(properties const& props) noexcept {
    properties outer_props = props;
    outer_props.stop = {};
    outer_props.progress = {};
    outer_props.grain = 1;
    return outer_props;
  }

  /// As many shares as Outer has workers, so that Inner gets work for all of its own; more where there is plenty.
  [[nodiscard]] std::size_t share_length(properties const& props, std::size_t blocks) const {
    std::size_t const wide = outer.width(props);
    std::size_t const shares = wide == 1 ? 1 : blocks <= 4 * width(props) ? wide : 4 * wide;
    return (std::max<std::size_t>)(blocks / shares + (blocks % shares != 0 ? 1 : 0), 1);
  }

  template <class R>
  static std::vector<R> flat(std::vector<std::vector<R>> blocks) {
    std::vector<R> results;
    for (auto& some : blocks)
      for (auto&& r : some) results.push_back(std::move(r));
    return results;
  }

  template <class R, class Slice, class Share>
  auto collect_here(properties const& props, block_plan const& plan, block_plan const& shares, std::size_t together,
                    Slice const& slice, Share const& share) const {
    detail::cut_short stopped;
    properties outer_props = outside(props), inner_props = inside(props);
    outer_props.progress = std::exchange(inner_props.progress, {});  // Outer knows how many elements a share has
    auto const part_of = [&](block const& b) {
      std::size_t const first = b.index * together;
      return detail::lazy_share<Slice>{&plan, &slice, first, (std::min)(together, plan.count() - first)};
    };
    auto const run_share = [&](auto& part) {
      std::vector<R> results;
      stopped.watch([&] { results = share.run(part, inner_props); });
      return results;
    };
    auto blocks = outer.template collect<std::vector<R>>(outer_props, shares, part_of, run_share);
    stopped.conclude();
    return blocks;
  }

  template <class R, class Slice, class Share>
  auto collect_away(properties const& props, block_plan const& plan, block_plan const& shares, std::size_t together,
                    Slice const& slice, Share const& share) const {
    detail::first_error failed;  // of a slice: the blocks before it still run
    auto const arguments_of = [&](block const& b) {
      std::vector<std::decay_t<std::invoke_result_t<Slice const&, block>>> arguments;
      std::size_t const end = (std::min)(plan.count(), (b.index + 1) * together);
      for (std::size_t i = b.index * together;
           i != end && !failed.skips(i) && append(arguments, slice, plan[i], failed);)
        ++i;
      return arguments;
    };
    auto blocks = outer.template collect<std::vector<R>>(props, shares, arguments_of, share);
    failed.rethrow();
    return blocks;
  }

  template <class Arguments, class Slice>
  static bool append(Arguments& arguments, Slice const& slice, block const& b,
                     [[maybe_unused]] detail::first_error& failed) {
#if TARTAN_EXCEPTIONS
    try {
      arguments.push_back(slice(b));
      return true;
    } catch (...) {
      failed.record(b.index);
      return false;
    }
#else
    arguments.push_back(slice(b));
    return true;
#endif
  }
};

/// The policy that runs `inner` inside each worker of `outer`; leaf and properties are outer's and inner's together:
/// how many workers each has, and what else outer says.
template <execution_policy Outer, execution_policy Inner>
[[nodiscard]] constexpr auto nest(Outer const& outer, Inner const& inner) {
  using backend_type = nested<typename Outer::backend_type, typename Inner::backend_type>;
  static_assert(backend<backend_type>);
  return policy<backend_type, typename Inner::leaf_type, Outer::used>{
      backend_type{outer.backend(), inner.backend(), inner.props().workers, inner.props().pool}, outer.props()};
}

}  // namespace tartan::inline TARTAN_ABI
