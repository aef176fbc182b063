#pragma once
// Recursion: a problem is solved at once or divided, and the solutions of its parts are combined.

#include <concepts>     // convertible_to, invocable, predicate
#include <cstddef>      // size_t
#include <exception>    // current_exception, exception_ptr, rethrow_exception
#include <functional>   // invoke
#include <ranges>       // begin, input_range, range_reference_t
#include <tuple>        // apply, get, tuple, tuple_element_t, tuple_size
#include <type_traits>  // decay_t, invoke_result_t, is_void_v, remove_cvref_t
#include <utility>      // as_const, index_sequence, move, pair
#include <vector>       // vector

#include "tartan/core/errors.hpp"         // cancelled, raise
#include "tartan/core/result.hpp"         // invoke_regular, regular_result
#include "tartan/core/run_control.hpp"    // run_control
#include "tartan/core/slots.hpp"          // slots
#include "tartan/exec/backend.hpp"        // shared_memory_backend
#include "tartan/exec/outcome.hpp"        // outcome
#include "tartan/exec/policy.hpp"         // execution_policy, supports
#include "tartan/exec/source.hpp"         // at, divisible_range
#include "tartan/patterns/fork_join.hpp"  // fork_call

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class Parts, class Problem, class Indices>
inline constexpr bool members_convert = false;
template <class Parts, class Problem, std::size_t... I>
inline constexpr bool members_convert<Parts, Problem, std::index_sequence<I...>> =
    (std::convertible_to<std::tuple_element_t<I, Parts>, Problem> && ...);

/// A fixed number of parts: a pair, a tuple or an array of problems.
template <class Parts, class Problem>
concept tuple_of_problems = requires { std::tuple_size<Parts>::value; } &&
                            members_convert<Parts, Problem, std::make_index_sequence<std::tuple_size_v<Parts>>>;

/// Any other number of parts.
template <class Parts, class Problem>
concept range_of_problems = !tuple_of_problems<Parts, Problem> && std::ranges::input_range<Parts> &&
                            std::convertible_to<std::ranges::range_reference_t<Parts>, Problem>;

/// The four functions of one recursion, and what follows from their types.
template <class Problem, class IsBase, class Solve, class Divide, class Combine>
struct recursion {
  using problem_type = Problem;
  using raw_result = std::invoke_result_t<Solve&, Problem>;
  using result = std::decay_t<regular_result<raw_result>>;
  using parts = std::remove_cvref_t<std::invoke_result_t<Divide&, Problem>>;

  [[no_unique_address]] IsBase is_base;
  [[no_unique_address]] Solve solve;
  [[no_unique_address]] Divide divide;
  [[no_unique_address]] Combine combine;

  /// Solutions without a value are not handed to combine.
  template <class... R>
  TARTAN_ALWAYS_INLINE result join(R&&... r) {
    if constexpr (std::is_void_v<raw_result>)
      return static_cast<result>(invoke_regular(combine));
    else
      return static_cast<result>(std::invoke(combine, std::forward<R>(r)...));
  }
};

/// Runs the recursion below one problem with the forks of Backend, depth first.
template <class Recursion, class Backend>
class descent {
  using problem_type = typename Recursion::problem_type;
  using result = typename Recursion::result;
  using parts_type = typename Recursion::parts;

 public:
  descent(Recursion& r, Backend backend, properties const& props)
      : r_(r), backend_(std::move(backend)), control_(props.control()), props_(props) {
    props_.stop = {};  // looked at here, at each problem
    props_.progress = {};
    props_.grain = 1;
  }

  result run(problem_type& problem) {
    if (control_.skips()) [[unlikely]]
      raise<cancelled>();
    if (std::invoke(r_.is_base, std::as_const(problem))) {
      result solved = static_cast<result>(invoke_regular(r_.solve, std::move(problem)));
      control_.finished(1);
      return solved;
    }
    if constexpr (tuple_of_problems<parts_type, problem_type>)
      return run_tuple(problem, std::make_index_sequence<std::tuple_size_v<parts_type>>{});
    else
      return run_range(std::invoke(r_.divide, std::move(problem)));
  }

 private:
  template <std::size_t... I>
  TARTAN_ALWAYS_INLINE result run_tuple(problem_type& problem, std::index_sequence<I...>) {
    parts_type parts = std::invoke(r_.divide, std::move(problem));
    if constexpr (sizeof...(I) == 2) {
      auto solved = backend_.fork_join(
          props_, [&] { return run_part(std::get<0>(parts)); }, [&] { return run_part(std::get<1>(parts)); });
      return r_.join(std::move(solved.first), std::move(solved.second));
    } else if constexpr (sizeof...(I) == 1) {
      return r_.join(run_part(std::get<0>(parts)));
    } else {
      return join_all(parts, [this, &part = std::get<I>(parts)] { return run_part(part); }...);
    }
  }

  template <class... F>
  result join_all(parts_type&, F... f) {
    fork_call<F...> call(f...);
    call.template run<0, sizeof...(F)>(backend_, props_);
    return std::apply([this](auto&&... solved) { return r_.join(std::move(solved)...); }, call.take());
  }

  template <class Part>
  TARTAN_ALWAYS_INLINE result run_part(Part& part) {
    if constexpr (std::is_same_v<Part, problem_type>) {
      return run(part);
    } else {
      problem_type converted(std::move(part));
      return run(converted);
    }
  }

  template <class Parts>
  result run_range(Parts&& parts) {
    if constexpr (divisible_range<Parts> && std::is_same_v<std::ranges::range_reference_t<Parts>, problem_type&>) {
      slots<result> solved(length(parts));
      auto const first = std::ranges::begin(parts);
      backend_.for_range(props_, solved.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i != end; ++i) solved.make(i, [&] { return run(at(first, i)); });
      });
      return r_.join(solved.to_vector());
    } else {
      std::vector<problem_type> held;
      for (auto&& part : parts) held.push_back(std::forward<decltype(part)>(part));
      return run_range(held);
    }
  }

  Recursion& r_;
  [[no_unique_address]] Backend backend_;
  run_control control_;
  properties props_;
};

/// The forks of a thread that is alone.
struct in_order {
  template <class F, class G>
  auto fork_join(properties const&, F&& f, G&& g) const {
    auto first = invoke_regular(f);
    return std::pair<decltype(first), decltype(invoke_regular(g))>(std::move(first), invoke_regular(g));
  }
  template <class Body>
  void for_range(properties const&, std::size_t n, std::size_t, Body&& body) const {
    body(std::size_t{0}, n);
  }
};

/// Enters a pool that the policy names once, not at every fork.
template <class Recursion, class Backend>
typename Recursion::result descend_in_pool(Recursion& r, Backend const& backend, properties const& props,
                                           typename Recursion::problem_type& problem) {
  if (!props.pool.named()) return descent<Recursion, Backend>(r, backend, props).run(problem);
  properties inside = props, entering{};
  inside.pool = {};
  entering.pool = props.pool;
  slots<typename Recursion::result> solved(1);
  backend.for_range(entering, std::size_t{1}, std::size_t{1}, [&](std::size_t, std::size_t) {
    solved.make(0, [&] { return descent<Recursion, Backend>(r, backend, inside).run(problem); });
  });
  return std::move(solved[0]);
}

/// What travels: everything below one problem of the frontier.
template <class Recursion>
struct solve_below {
  Recursion recursion;
  auto operator()(typename Recursion::problem_type const& problem) const {
    Recursion own = recursion;
    typename Recursion::problem_type copy = problem;
    return descent<Recursion, in_order>(own, in_order{}, properties{}).run(copy);
  }
};

template <std::size_t, class T>
using repeated = T;

/// The upper part of the recursion, on the caller: problems are divided breadth first until there are enough of them to
/// share, their solutions are combined in the order of the serial recursion.
template <class Recursion>
class frontier {
  using problem_type = typename Recursion::problem_type;
  using result = typename Recursion::result;

 public:
  explicit frontier(Recursion& r) : r_(r) {}

  template <class Backend>
  result run(Backend const& backend, properties const& props, problem_type&& problem) {
    nodes_.push_back({std::move(problem), 0, 0, nullptr});
    std::size_t const enough = 8 * backend.width(props);
    for (std::size_t i = 0, leaves = 1; i != nodes_.size() && leaves < enough; ++i) leaves += unfold(i);
    std::vector<problem_type> problems;
    for_leaves(0, [&](node& n) {
      if (n.error == nullptr) problems.push_back(std::move(n.problem));
    });
    solutions_ = backend.template try_collect<result>(props, problems, solve_below<Recursion>{r_}, std::size_t{0});
    next_ = 0;
    return refold(0);
  }

 private:
  struct node {
    problem_type problem;
    std::size_t first, count;  // of its parts; none for a leaf
    std::exception_ptr error;  // thrown when it was looked at: rethrown when its turn has come
  };

  /// The number of leaves that dividing node i has added.
  std::size_t unfold(std::size_t i) {
#if TARTAN_EXCEPTIONS
    try {
      return divide(i);
    } catch (...) {
      nodes_[i].error = std::current_exception();
      return 0;
    }
#else
    return divide(i);
#endif
  }

  std::size_t divide(std::size_t i) {
    if (std::invoke(r_.is_base, std::as_const(nodes_[i].problem))) return 0;
    std::vector<problem_type> parts;
    auto divided = std::invoke(r_.divide, std::move(nodes_[i].problem));
    if constexpr (tuple_of_problems<typename Recursion::parts, problem_type>)
      std::apply([&](auto&&... part) { (parts.push_back(problem_type(std::move(part))), ...); }, std::move(divided));
    else
      for (auto&& part : divided) parts.push_back(std::forward<decltype(part)>(part));
    std::size_t const first = nodes_.size();
    for (problem_type& part : parts) nodes_.push_back({std::move(part), 0, 0, nullptr});
    nodes_[i].first = first;
    nodes_[i].count = parts.size();
    return parts.size() - 1;
  }

  template <class F>
  void for_leaves(std::size_t i, F&& f) {
    node& n = nodes_[i];
    if (n.first == 0) return f(n);
    for (std::size_t k = 0; k != n.count; ++k) for_leaves(n.first + k, f);
  }

  result refold(std::size_t i) {
    node& n = nodes_[i];
    if (n.error != nullptr) rethrow(n.error);
    if (n.first == 0) return std::move(solutions_[next_++]).value();
    if constexpr (tuple_of_problems<typename Recursion::parts, problem_type>) {
      return refold_tuple(n.first, std::make_index_sequence<std::tuple_size_v<typename Recursion::parts>>{});
    } else {
      std::vector<result> solved;
      for (std::size_t k = 0; k != n.count; ++k) solved.push_back(refold(n.first + k));
      return r_.join(std::move(solved));
    }
  }

  template <std::size_t... I>
  result refold_tuple(std::size_t first, std::index_sequence<I...>) {
    std::tuple<repeated<I, result>...> solved{refold(first + I)...};  // braces: from left to right
    return std::apply([this](auto&... each) { return r_.join(std::move(each)...); }, solved);
  }

  static void rethrow([[maybe_unused]] std::exception_ptr error) {
#if TARTAN_EXCEPTIONS
    std::rethrow_exception(std::move(error));
#endif
  }

  Recursion& r_;
  std::vector<node> nodes_;
  std::vector<outcome<result>> solutions_;
  std::size_t next_ = 0;
};

}  // namespace detail

/// Solves a problem by recursion: at once if it is small, else by dividing it, solving the parts at the same time, and
/// combining their solutions.
///
///     auto sorted = tartan::divide_and_conquer(tartan::par, std::span(v),
///         [](auto s) { return s.size() < 1000; }, [](auto s) { std::ranges::sort(s); return s; },
///         [](auto s) { return std::pair{s.first(s.size() / 2), s.subspan(s.size() / 2)}; },
///         [](auto a, auto b) { return merge(a, b); });
///
/// @param problem  Any movable value.
/// @param is_base  is_base(problem): whether it shall be solved without dividing it.
/// @param solve    solve(problem): its solution, a movable value; the problem may be moved from.
/// @param divide   divide(problem): a pair, tuple or array of problems, or a range of any number of them.
/// @param combine  combine(a, b, ...) of the solutions of a pair or tuple, combine(vector of solutions) of a range; in
///                 their order. If solve returns nothing, combine() has no arguments.
/// @returns        The solution of `problem`, of the type that solve returns.
///
/// Complexity: each function once for each problem; one fork for each part but the first; span of the longest path.
/// With a pair or a tuple nothing is allocated. The cut-off is is_base's: a fork costs some nanoseconds, so problems of
/// a microsecond are large enough. Determinism: the tree is the user's, so the result has the same bits on every run
/// and backend. Exceptions: the one that the serial recursion, parts from left to right, throws first. `cancelled` if a
/// stop was requested before a problem was looked at. Blocking: as fork_join. The depth of the recursion is bounded by
/// the stack: a level takes about 150 bytes and what problems and solutions need. Where memory is not shared, the
/// functions, problems and solutions must travel; the caller divides until there are several problems for each worker,
/// and combines their solutions.
template <execution_policy P, class Problem, class IsBase, class Solve, class Divide, class Combine>
auto divide_and_conquer(P const& p, Problem problem, IsBase is_base, Solve solve, Divide divide, Combine combine) {
  static_assert(std::predicate<IsBase&, Problem const&>,
                "tartan: divide_and_conquer: is_base(problem) must accept a constant problem and give a bool");
  static_assert(std::invocable<Solve&, Problem> && std::invocable<Divide&, Problem>,
                "tartan: divide_and_conquer: solve and divide must accept the problem (by value, const& or &&)");
  static_assert(
      supports<P, property::none>,
      "tartan: divide_and_conquer is cut by its is_base: leave grain(), relaxed() and in_flight() out of its policy");
  if constexpr (std::invocable<Solve&, Problem> && std::invocable<Divide&, Problem>) {
    using recursion = detail::recursion<Problem, IsBase, Solve, Divide, Combine>;
    using parts = typename recursion::parts;
    static_assert(
        detail::tuple_of_problems<parts, Problem> || detail::range_of_problems<parts, Problem>,
        "tartan: divide_and_conquer: divide must return a pair, tuple, array or range of problems of the same type");
    recursion r{std::move(is_base), std::move(solve), std::move(divide), std::move(combine)};
    if constexpr (shared_memory_backend<typename P::backend_type>) {
      if (p.props().workers == 1)  // spares each level a frame
        return detail::descent<recursion, detail::in_order>(r, {}, p.props()).run(problem);
      return detail::descend_in_pool<recursion>(r, p.backend(), p.props(), problem);
    } else {
      return detail::frontier<recursion>(r).run(p.backend(), p.props(), std::move(problem));
    }
  }
}

}  // namespace tartan::inline TARTAN_ABI
