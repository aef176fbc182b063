#pragma once
// The work-stealing pool as a backend.

#include <cstddef>      // size_t
#include <cstdint>      // int64_t, uint64_t
#include <string_view>  // string_view
#include <type_traits>  // decay_t, invoke_result_t
#include <utility>      // forward, move, pair
#include <vector>       // vector

#include "tartan/backends/sequential.hpp"  // sequential_backend
#include "tartan/core/call_scope.hpp"      // call_scope, lease
#include "tartan/core/fork.hpp"            // fork_two
#include "tartan/core/pool_table.hpp"      // default_pool, pool_table
#include "tartan/core/range.hpp"           // run_few, split_range
#include "tartan/core/range_body.hpp"      // range_body
#include "tartan/core/slots.hpp"           // slots
#include "tartan/core/team.hpp"            // team_call
#include "tartan/core/unhandled.hpp"       // run_unattended
#include "tartan/exec/backend.hpp"         // team_backend
#include "tartan/exec/policy.hpp"          // policy

namespace tartan::inline TARTAN_ABI {

/// Shared memory, many workers, work-stealing. Thread safety: stateless; pools are found by the properties.
///
/// A call from inside a task runs on that task's pool. A call from outside runs on the pool named by on(), else on the
/// default pool, or, when workers(n) asks for another size, on a pool of n that is lent for the call.
struct threads_backend {
  static constexpr std::string_view name = "par";
  static constexpr property honoured = property::grain | property::relaxed | property::in_flight | property::on;

  [[nodiscard]] std::size_t width(properties const& props) const {
    if (detail::worker const* const w = detail::current_worker(); props.workers == 1 || (w != nullptr && w->alone))
      return 1;
    if (props.pool.named()) return named_pool(props).size();
    if (detail::worker const* const w = detail::current_worker()) return w->home.size();
    return props.workers != 0 ? props.workers : detail::default_pool().size();
  }

  /// Whether work that is offered now would soon be taken. A hint; asked by a worker.
  [[nodiscard]] bool somebody_idles() const noexcept {
    detail::worker const* const w = detail::current_worker();
    return w == nullptr || w->home.idle().look().somebody();
  }

  template <class R, class Slice, class Work>
  std::vector<R> collect(properties const& props, block_plan const& plan, Slice const& slice, Work const& work) const {
    detail::slots<R> results(plan.count());
    auto body = [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) {
        results.make(i, [&]() -> R {
          auto&& argument = slice(plan[i]);
          return work(argument);
        });
        props.progress.finished(plan[i].size());
      }
    };
    properties per_block = props;
    per_block.grain = 0;
    per_block.progress = {};  // it would count blocks
    for_range(per_block, plan.count(), 1, body);
    return results.to_vector();
  }

  template <class Body>
  void for_range(properties const& props, std::size_t n, std::size_t alignment, Body&& body) const {
    if (n != 0) run_range(props, n, alignment, detail::range_body(body));
  }

  template <class F, class G>
  TARTAN_ALWAYS_INLINE detail::forked_pair<F, G> fork_join(properties const& props, F&& f, G&& g) const {
    asked const where(props);
    if constexpr (detail::copied_unseen<F> && detail::copied_unseen<G>) {
      return fork_copies<F, G>(where, f, g);
    } else {
      if (detail::worker* const w = detail::current_worker(); w != nullptr && where.suits(*w)) [[likely]] {
        if (w->alone) return sequential_backend{}.fork_join(props, std::forward<F>(f), std::forward<G>(g));
        if (std::int64_t const place = w->tasks.next(); w->tasks.is_quick(place)) [[likely]]
          return detail::fork_at(*w, place, true, std::forward<F>(f), std::forward<G>(g));
      }
      return fork_slowly(where, f, g);
    }
  }

  template <class Task>
  void spawn(properties const& props, Task&& task) const {
    struct owner {
      spawned<std::decay_t<Task>>* node;
      ~owner() { delete node; }
    } mine{new spawned<std::decay_t<Task>>(props.stop, std::forward<Task>(task))};
    if (!async_pool(props)->submit(mine.node, detail::this_queue_place())) detail::raise<pool_closed>();
    mine.node = nullptr;  // the pool has it
  }

  /// The pool that takes work for which no frame waits; never null here.
  [[nodiscard]] detail::pool* async_pool(properties const& props) const {
    if (props.pool.named()) return &named_pool(props);
    detail::worker* const w = detail::current_worker();
    // A child that was forked inside a task: nobody else is left in that task's pool.
    return w != nullptr && !w->home.left_behind() ? &w->home : &detail::default_pool();
  }

  template <class Body>
  void team(properties const& props, Body&& body) const {
    on_a_worker(asked(props), [&](detail::worker& w) { detail::team_call(w, body).run(w.home.size(), props.work_us); });
  }

 private:
  template <class Task>
  struct spawned : detail::queued_task {
    spawned(detail::stop_query its_stop, Task its_task)
        : queued_task(&run_it), stop(its_stop), task(std::move(its_task)) {}
    static void run_it(detail::queued_task* base, detail::worker*, detail::task_order order) {
      auto* const self = static_cast<spawned*>(base);
      if (order == detail::task_order::run && !self->stop.requested()) detail::run_unattended(self->task);
      delete self;
    }
    detail::stop_query stop;
    Task task;
  };

  /// Where a call shall run, as far as its properties say. Handed on by value, in two registers: so properties that
  /// were made for one call need not lie in memory. (g++ would put a structure with gaps there.)
  struct asked {
    TARTAN_ALWAYS_INLINE constexpr explicit asked(properties const& props) noexcept
        : pool(props.pool.word()), workers(props.workers) {}

    /// A call from outside runs on the default pool.
    [[nodiscard]] constexpr bool nothing() const noexcept { return workers == 0 && pool == 0; }

    /// A call by w stays where it is.
    [[nodiscard]] TARTAN_ALWAYS_INLINE bool suits(detail::worker const& w) const noexcept {
      return pool != 0 ? pool == w.home.ref_word() && workers != 1 : workers != 1 || w.alone;
    }

    /// This is a child that was forked in a task of the pool: what goes there by name has a new one. (Quick forks do
    /// not ask: the worker runs them by itself, until something else has made the new pool.)
    [[nodiscard]] bool begins_anew(detail::worker const& w) const noexcept { return pool != 0 && w.home.left_behind(); }

    [[nodiscard]] detail::pool& named_pool() const { return detail::pool_table::instance().find(pool_ref::of(pool)); }

    std::uint64_t pool;  // 0: none is named
    std::uint64_t workers;
  };

  static detail::pool& named_pool(properties const& props) { return asked(props).named_pool(); }

  template <class F>
  TARTAN_ALWAYS_INLINE static decltype(auto) on_a_worker(asked where, F&& f) {
    detail::worker* const here = detail::current_worker();
    if (here != nullptr && where.suits(*here) && !where.begins_anew(*here)) return f(*here);
    if (here == nullptr && where.nothing()) [[likely]] {
      detail::call_scope const scope(detail::default_pool());
      return f(scope.self());
    }
    return on_the_worker_asked_for(where, f);
  }

  template <class F>
  TARTAN_NOINLINE static decltype(auto) on_the_worker_asked_for(asked where, F& f) {
    bool const named = where.pool != 0;
    // workers(1) also inside a task: what is called from there shall find itself alone.
    if (where.workers == 1 || (!named && where.workers != detail::default_pool().size())) {
      detail::lease const lent(static_cast<unsigned>(where.workers));
      detail::call_scope const scope(lent.get());
      return f(scope.self());
    }
    detail::call_scope const scope(named ? where.named_pool() : detail::default_pool());
    return f(scope.self());
  }

  /// Out of line: one for all loops of a program.
  TARTAN_NOINLINE static void run_range(properties const& props, std::size_t n, std::size_t alignment,
                                        detail::range_body body) {
    if (n <= body.at_once() && !props.watched() && run_few(props, n, alignment, body)) return;
    run_many(props, n, alignment, body);
  }

  TARTAN_NOINLINE static bool run_few(properties const& props, std::size_t n, std::size_t alignment,
                                      detail::range_body body) {
    return on_a_worker(asked(props),
                       [&](detail::worker& w) { return detail::run_few(w, n, props.grain, alignment, body); });
  }

  /// In a frame of its own: short loops would spend much of their time on saving registers.
  TARTAN_NOINLINE static void run_many(properties const& props, std::size_t n, std::size_t alignment,
                                       detail::range_body body) {
    on_a_worker(asked(props), [&](detail::worker& w) {
      if (w.alone) return sequential_backend{}.for_range(props, n, alignment, body);
      detail::run_control control = props.control();
      detail::split_range(w, n, props.grain, alignment, control, body);
    });
  }

  template <class F, class G>
  TARTAN_ALWAYS_INLINE static detail::forked_pair<F, G> fork_copies(asked const& where, F f, G g) {
    using quick = detail::quick_fork<F, G>;
    auto* const w = static_cast<detail::worker*>(detail::cached_cell->current);
    if (w == nullptr || !where.suits(*w)) [[unlikely]]
      return fork_copies_slowly(where, f, g);
    if (w->alone) return quick::run_alone(f, g);
    std::int64_t const place = w->tasks.next();
    if (!w->tasks.is_quick(place)) [[unlikely]]
      return fork_copies_slowly(where, f, g);
    return quick::run(*w, place, f, g);
  }

  /// By value: so f and g need not lie in memory for those who do not come here. Hidden, so that it is the caller's
  /// cached_cell that learns of this thread, not another object's: the next fork is a quick one.
  template <class F, class G>
  [[gnu::visibility("hidden")]] TARTAN_NOINLINE static detail::forked_pair<F, G> fork_copies_slowly(asked where, F f,
                                                                                                    G g) {
    static_cast<void>(detail::this_thread_cell());
    return fork_slowly(where, f, g);
  }

  /// From outside of the pool, where each fork needs a fence, or after one that another worker ran.
  template <class F, class G>
  TARTAN_NOINLINE static detail::forked_pair<F, G> fork_slowly(asked where, F& f, G& g) {
    return on_a_worker(where, [&](detail::worker& w) {
      if (w.alone) return sequential_backend{}.fork_join(properties{}, f, g);
      return detail::fork_two<&detail::pool::published_in_person>(w, w.tasks.asymmetric(), f, g);
    });
  }
};
static_assert(team_backend<threads_backend>);

/// The work-stealing pool, scalars.
inline constexpr policy<threads_backend> par{};

}  // namespace tartan::inline TARTAN_ABI
