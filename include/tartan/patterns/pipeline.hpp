#pragma once
// Tokens that pass through stages, in order and within bounds.

#include <cstddef>      // size_t
#include <functional>   // invoke
#include <ranges>       // input_range
#include <tuple>        // get, tuple
#include <type_traits>  // decay_t, invoke_result_t, is_invocable_v, is_void_v, remove_reference_t, type_identity
#include <utility>      // move
#include <vector>       // vector

#include "tartan/core/errors.hpp"               // never
#include "tartan/core/run_control.hpp"          // run_control
#include "tartan/exec/backend.hpp"              // shared_memory_backend
#include "tartan/exec/policy.hpp"               // execution_policy, supports
#include "tartan/patterns/pipeline/run.hpp"     // pipeline_run
#include "tartan/patterns/pipeline/sent.hpp"    // run_sent_pipeline
#include "tartan/patterns/pipeline/stages.hpp"  // parallel, reduce_into, serial, serial_any, source_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What the last stage returns; complains about stages that do not fit.
template <class Token, class Stage, class... Rest>
consteval auto last_result() {
  using function = decltype(Stage::f);
  static_assert(
      std::is_invocable_v<function&, argument_of<Token>>,
      "tartan: a stage of this pipeline cannot be called with what the stage before it returns (the first one: "
      "with what the source gives)");
  using result = std::invoke_result_t<function&, argument_of<Token>>;
  if constexpr (sizeof...(Rest) == 0) {
    return std::type_identity<result>{};
  } else {
    static_assert(Stage::kind != stage_kind::fold, "tartan: reduce_into() is the last stage of a pipeline");
    static_assert(!std::is_void_v<result>,
                  "tartan: every stage of a pipeline but the last returns the token for the next one");
    return last_result<std::decay_t<result>, Rest...>();
  }
}

/// One token after another, each through all stages.
template <class Source, class... Stages>
class serial_pipeline {
 public:
  serial_pipeline(Source& source, std::tuple<Stages...>& its_stages, properties const& props)
      : source_(source), stages_(its_stages), control_(props.control()) {}

  void run() {
    while (!control_.skips() && source_.next([this](auto&& make) {
      auto token = make();
      pass<0>(token);
      control_.finished(1);
    })) {
    }
    control_.conclude();
  }

 private:
  template <std::size_t J, class Token>
  void pass(Token& token) {
    auto& f = std::get<J>(stages_).f;
    if constexpr (J + 1 == sizeof...(Stages)) {
      static_cast<void>(std::invoke(f, as_argument(token)));
    } else {
      std::decay_t<std::invoke_result_t<decltype(f), argument_of<Token>>> made = std::invoke(f, as_argument(token));
      pass<J + 1>(made);
    }
  }

  Source& source_;
  std::tuple<Stages...>& stages_;
  run_control control_;
};

template <class B, class Run>
void attend_with(B const& backend, properties const& props, Run& run, std::size_t workers) {
  if (workers == 1) return run.attend();
  backend.fork_join(props, [&run] { run.attend(); }, [&] { attend_with(backend, props, run, workers - 1); });
}

template <class P, class Source, class... Stages>
void run_pipeline(P const& policy, Source source, std::tuple<Stages...>& stages) {
  if constexpr (!shared_memory_backend<typename P::backend_type>) {
    run_sent_pipeline(policy, source, stages);
  } else {
    std::size_t const width = policy.backend().width(policy.props());
    if (width == 1) {
      serial_pipeline<Source, Stages...> run(source, stages, policy.props());
      policy.backend().fork_join(policy.props(), [&run] { run.run(); }, [] {});
    } else {
      pipeline_run<Source, Stages...> run(source, stages, policy.props(), width);
      attend_with(policy.backend(), policy.props(), run, width);
      run.conclude();
    }
  }
}

}  // namespace detail

/// Sends what the source gives through the stages; different tokens are in different stages at the same time.
///
///     tartan::pipeline(tartan::par.in_flight(64),
///                      [&]() -> std::optional<std::string> { return next_line(file); },
///                      tartan::parallel(parse), tartan::serial([&](record r) { write(out, r); }));
///
/// @param policy  in_flight(n): at most n tokens are between source and end, the bound of the memory that is used.
///                grain(n): n tokens are taken from the source at a time.
/// @param source  Any input range, or a function that returns a std::optional (or the like), empty at the end. Called
///                by one worker at a time.
/// @param stages  serial(f): one token at a time, in the order of the source; serial_any(f): one at a time, in any
///                order; parallel(f), parallel(f).width(n): many, at most n. Each is called with what the one before
///                returned, which may be movable only; elements that lie in a range reach the first stage as lvalues.
/// @returns  A std::vector of what the last stage returns, in the order of the source; nothing if that is nothing; the
///           value if the last stage is reduce_into(init, f).
///
/// Cheap tokens go together, some tens of microseconds' worth: in ranges of random access, and whose elements lie
/// somewhere, as many as shall; from any other source, which may keep the worker that asks it waiting, as many as come
/// at once. When such a source turns slow, the next worker that is free, or was asleep, takes over what it has given so
/// far, so no token waits for a later one; where no other worker is there, tokens go one by one, which costs some
/// 100 ns each. Complexity: no allocation a token; on one worker, a loop over the tokens. Determinism: order and
/// results are those of the loop; only side effects of parallel and serial_any stages mix. Exceptions: that of the
/// lowest token, whichever stage or the source threw it. Tokens before it go through; no serial stage sees one behind
/// it. `cancelled` if a stop kept the source from being asked again. Blocking: until the last token is through; the
/// caller works too. A worker that finds nothing to do sleeps and lets another thread in. Processes: parallel stages
/// run in workers, in a row as one, so that a token travels once; tokens, what these stages return, and the stages
/// themselves travel. All other stages and the source run on the calling thread, which looks after the workers between
/// two tokens of the source. A worker's death is the error of its token.
template <execution_policy P, class Source, class... Stages>
auto pipeline(P const& policy, Source&& source, Stages... stages) {
  using source_type = std::remove_reference_t<Source>;
  static_assert(
      supports < P, property::grain | property::in_flight >,
      "tartan: pipeline does not support a property of this policy (it takes workers, in_flight, grain, stop, "
      "progress, name, on)");
  static_assert(sizeof...(Stages) != 0 && (detail::is_stage<Stages> && ...),
                "tartan: pipeline(policy, source, stages...) needs stages made by serial, serial_any, parallel or "
                "reduce_into");
  static_assert(std::ranges::input_range<source_type> || detail::token_function<source_type>,
                "tartan: the source of a pipeline is an input range or a function that returns a std::optional");
  auto from = detail::source_of<source_type>(source);
  using result = typename decltype(detail::last_result<typename decltype(from)::token, Stages...>())::type;
  constexpr bool folds = ((Stages::kind == detail::stage_kind::fold) || ...);
  if constexpr (std::is_void_v<result>) {
    std::tuple<Stages...> all(std::move(stages)...);
    detail::run_pipeline(policy, std::move(from), all);
    if constexpr (folds) return std::move(std::get<sizeof...(Stages) - 1>(all).f.value);
  } else {
    std::vector<std::decay_t<result>> results;
    auto keep = serial([&results](std::decay_t<result>&& r) { results.push_back(std::move(r)); });
    std::tuple<Stages..., decltype(keep)> all(std::move(stages)..., std::move(keep));
    detail::run_pipeline(policy, std::move(from), all);
    return results;
  }
}

}  // namespace tartan::inline TARTAN_ABI
