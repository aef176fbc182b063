#pragma once
// Everything on the calling thread, in order: the meaning of the other backends.

#include <cstddef>      // size_t
#include <string_view>  // string_view
#include <type_traits>  // invoke_result_t
#include <utility>      // forward, pair
#include <vector>       // vector

#include "tartan/core/range.hpp"      // serial_range
#include "tartan/core/result.hpp"     // invoke_regular
#include "tartan/core/unhandled.hpp"  // run_unattended
#include "tartan/exec/backend.hpp"    // backend, block_plan
#include "tartan/exec/policy.hpp"     // policy

namespace tartan::inline TARTAN_ABI {

/// Shared memory, one worker. Thread safety: stateless.
struct sequential_backend {
  static constexpr std::string_view name = "seq";
  static constexpr property honoured = property::grain | property::relaxed | property::in_flight;

  [[nodiscard]] std::size_t width(properties const&) const noexcept { return 1; }

  /// Whether for_range() is one call of its body: patterns may then leave it out.
  [[nodiscard]] bool in_one_piece(properties const& props) const noexcept {
    return !props.watched() && props.grain == 0;
  }

  template <class R, class Slice, class Work>
  std::vector<R> collect(properties const& props, block_plan const& plan, Slice const& slice, Work const& work) const {
    std::vector<R> results;
    results.reserve(plan.count());
    detail::run_control control = props.control();
    for (std::size_t i = 0; i != plan.count() && !control.skips(); ++i) {
      auto&& argument = slice(plan[i]);
      results.push_back(work(argument));
      control.finished(plan[i].size());
    }
    control.conclude();
    return results;
  }

  template <class Body>
  void for_range(properties const& props, std::size_t n, std::size_t alignment, Body&& body) const {
    if (n == 0) return;
    if (in_one_piece(props)) [[likely]]
      return body(std::size_t{0}, n);
    detail::run_control control = props.control();
    detail::serial_range(n, props.grain, alignment, control, detail::range_body(body));
  }

  template <class F, class G>
  detail::forked_pair<F, G> fork_join(properties const&, F&& f, G&& g) const {
    using A = detail::regular_result<std::invoke_result_t<F&>>;
    A first = detail::invoke_regular(f);
    return detail::forked_pair<F, G>(static_cast<A&&>(first), detail::invoke_regular(g));
  }

  template <class Task>
  void spawn(properties const& props, Task&& task) const {
    if (!props.stop.requested()) detail::run_unattended(task);
  }

  /// Work for which no frame waits runs at once.
  [[nodiscard]] detail::pool* async_pool(properties const&) const noexcept { return nullptr; }

  template <class Body>
  void team(properties const&, Body&& body) const {
    struct {
      void arrive_and_wait() noexcept {}
    } barrier;
    body(std::size_t{0}, std::size_t{1}, barrier);
  }
};
static_assert(team_backend<sequential_backend>);

/// This thread, scalars.
inline constexpr policy<sequential_backend> seq{};

}  // namespace tartan::inline TARTAN_ABI
