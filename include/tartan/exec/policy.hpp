#pragma once
// The first argument of every call: where, in what, and how.

#include <concepts>     // convertible_to, same_as
#include <cstddef>      // ptrdiff_t, size_t
#include <cstdint>      // int64_t
#include <string_view>  // string_view
#include <type_traits>  // remove_cvref_t

#include "tartan/core/errors.hpp"      // bad_argument, raise
#include "tartan/core/unhandled.hpp"   // run_unattended
#include "tartan/exec/leaf.hpp"        // or_scalar_t, scalar_leaf, simd_leaf
#include "tartan/exec/properties.hpp"  // properties, property

namespace tartan::inline TARTAN_ABI {

/// What a policy can be asked to watch: anything that answers stop_requested(), as std::stop_token does.
template <class T>
concept stoppable = requires(T const& t) {
  { t.stop_requested() } -> std::convertible_to<bool>;
};

/// What counts finished elements, as tartan::progress does. advance() may be called from any worker at once.
template <class T>
concept progress_counter = requires(T& t, std::size_t n) { t.advance(n); };

/// Where work runs (Backend), what runs inside one piece (Leaf), and how (properties).
///
///     auto p = tartan::par.workers(4).grain(1024).stop(token).name("resize");
///
/// Types choose code, values choose numbers: a property that is a number keeps the policy's type; one that only some
/// patterns can honour is also noted in the type (Used), so that the others refuse it at compile time.
/// It is a hundred bytes: functions that hand one on, down a recursion above all, take it by reference.
/// Thread safety: immutable; one policy may be used by many threads at once. It owns nothing: stop tokens, progress
/// counters and pools are referred to and must outlive the calls that use the policy, and the tasks that these start.
template <class Backend, class Leaf = scalar_leaf, property Used = property::none>
class policy {
 public:
  using backend_type = Backend;
  using leaf_type = Leaf;
  static constexpr property used = Used;

  constexpr policy() = default;
  constexpr explicit policy(Backend backend, properties const& props = {}) : backend_(backend), props_(props.copy()) {}

  /// At most n workers take part, the caller included; more than the default pool has are lent for the call.
  /// A pool that on() names is used whole, whatever its size, and so is the enclosing call's inside a task: only n == 1
  /// (run it here) changes anything there.
  /// Throws bad_argument unless 1 <= n <= 4096.
  [[nodiscard]] constexpr policy workers(std::ptrdiff_t n) const {
    if (n < 1 || n > 4096)
      detail::raise<bad_argument>(
          "tartan: workers(n) needs 1 <= n <= 4096; leave it out to use all that the machine grants");
    return with([n](properties& p) { p.workers = static_cast<unsigned>(n); });
  }

  /// Pieces have at most n elements; without it their cost decides. Never changes a result.
  /// Throws bad_argument unless n >= 1.
  [[nodiscard]] constexpr auto grain(std::ptrdiff_t n) const {
    if (n < 1)
      detail::raise<bad_argument>("tartan: grain(n) needs n >= 1; leave it out to let the cost of the elements decide");
    return noting<property::grain>([n](properties& p) { p.grain = static_cast<std::size_t>(n); });
  }

  /// Gives up "the same bits on every run" where that is faster.
  [[nodiscard]] constexpr auto relaxed() const {
    return noting<property::relaxed>([](properties& p) { p.relaxed = true; });
  }

  /// At most n items between the source and the sink of a stream. Throws bad_argument unless n >= 1.
  [[nodiscard]] constexpr auto in_flight(std::ptrdiff_t n) const {
    if (n < 1)
      detail::raise<bad_argument>("tartan: in_flight(n) needs n >= 1, the number of items that may be under way");
    return noting<property::in_flight>([n](properties& p) { p.in_flight = static_cast<std::size_t>(n); });
  }

  /// Looks at `token` between pieces and skips the rest once it asks to stop; then the call throws `cancelled`.
  template <stoppable Token>
  [[nodiscard]] constexpr policy stop(Token const& token) const {
    return with([&token](properties& p) {
      p.stop = {&token, [](void const* t) -> bool { return static_cast<Token const*>(t)->stop_requested(); }};
    });
  }
  template <stoppable Token>
  policy stop(Token const&& token) const {
    static_assert(
        detail::never<Token>,
        "tartan: a policy refers to its stop token; keep it in a variable that outlives calls and their tasks");
    return stop(token);
  }

  /// Tells `counter` about finished elements. What it throws goes to the handler of set_unhandled(): the call is not
  /// to fail because somebody looks on.
  template <progress_counter Counter>
  [[nodiscard]] constexpr policy progress(Counter& counter) const {
    return with([&counter](properties& p) {
      p.progress = {&counter, [](void* c, std::size_t n) noexcept {
                      detail::run_unattended([&] { static_cast<Counter*>(c)->advance(n); });
                    }};
    });
  }

  /// A name for those who look on (traces, statistics); the characters must outlive the calls.
  [[nodiscard]] constexpr policy name(char const* text) const {
    return with([text](properties& p) { p.name = text; });
  }

  /// Runs on that pool, with all its workers. A call after the pool's end throws pool_gone; one that has nothing to
  /// hand over (no elements, or too few) may return without a look at the pool.
  template <class Pool>
  [[nodiscard]] constexpr auto on(Pool& pool) const {
    static_assert(honours(property::on),
                  "tartan: this policy has no pool to choose; use on() with par, par_simd or processes");
    pool_ref const ref = pool.ref();
    return noting<property::on>([ref](properties& p) { p.pool = ref; });
  }

  /// A task that runs longer is killed and reported as task_timeout.
  /// Takes any std::chrono::duration; throws bad_argument unless it is positive and fits 64 bits of nanoseconds.
  template <class Duration>
    requires requires(Duration d) {
      d.count();
      Duration::period::num;
      Duration::period::den;
    }
  [[nodiscard]] constexpr auto timeout(Duration limit) const {
    static_assert(
        honours(property::timeout),
        "tartan: a running thread cannot be stopped from outside; use tartan::processes for tasks with a timeout");
    auto const ns = static_cast<long double>(limit.count()) * Duration::period::num / Duration::period::den * 1e9L;
    if (!(ns >= 1 && ns < 9e18L)) detail::raise<bad_argument>("tartan: timeout(d) needs a positive duration");
    return noting<property::timeout>([ns](properties& p) { p.timeout_ns = static_cast<std::int64_t>(ns); });
  }

  /// A task whose worker died runs again up to n times. Throws bad_argument if n is negative.
  [[nodiscard]] constexpr auto retries(int n) const {
    static_assert(honours(property::retries),
                  "tartan: only a worker process can die alone; use tartan::processes for tasks with retries");
    if (n < 0) detail::raise<bad_argument>("tartan: retries(n) needs n >= 0");
    return noting<property::retries>([n](properties& p) { p.retries = static_cast<unsigned>(n); });
  }

  /// The same place and properties with vector packs inside a piece (include <tartan/simd.hpp>).
  template <class L = simd_leaf>
  [[nodiscard]] constexpr policy<Backend, L, Used> simd() const {
    return policy<Backend, L, Used>{backend_, props_};
  }

  /// A function that cannot take packs runs on scalars instead of being refused.
  template <class L = Leaf>
  [[nodiscard]] constexpr auto or_scalar() const {
    return policy<Backend, or_scalar_t<L>, Used>{backend_, props_};
  }

  [[nodiscard]] constexpr Backend const& backend() const noexcept { return backend_; }
  [[nodiscard]] constexpr properties const& props() const noexcept { return props_; }

 private:
  static constexpr bool honours(property p) noexcept { return within(p, Backend::honoured); }

  template <class Edit>
  constexpr policy with(Edit edit) const {
    properties changed = props_.copy();
    edit(changed);
    return policy{backend_, changed};
  }
  template <property P, class Edit>
  constexpr auto noting(Edit edit) const {
    properties changed = props_.copy();
    edit(changed);
    return policy<Backend, Leaf, (Used | P)>{backend_, changed};
  }

  [[no_unique_address]] Backend backend_{};
  properties props_{};
};

namespace detail {
/// Specialised with a sentence for what is often taken for a policy.
template <class T>
struct taken_for_policy {
  static constexpr bool value = false;
};
template <class B, class L, property U>
struct taken_for_policy<policy<B, L, U>> {
  static constexpr bool value = true;
};
}  // namespace detail

/// The first parameter of every pattern.
template <class P>
concept execution_policy = detail::taken_for_policy<std::remove_cvref_t<P>>::value;

/// Whether a pattern that honours `Supported` may be called with P; patterns say so in a static_assert of one sentence.
template <class P, property Supported>
inline constexpr bool supports = within(P::used, Supported | property::on | property::timeout | property::retries);

}  // namespace tartan::inline TARTAN_ABI
