#pragma once
// A pipeline whose workers do not see the caller's memory: parallel stages run there, all others on the calling thread.

#include <cstddef>      // size_t
#include <deque>        // deque
#include <exception>    // current_exception, exception_ptr, rethrow_exception
#include <functional>   // invoke
#include <optional>     // optional
#include <tuple>        // get, tuple
#include <type_traits>  // conditional_t, decay_t, invoke_result_t, is_void_v, remove_cv_t
#include <utility>      // forward, move

#include "tartan/core/config.hpp"               // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/run_control.hpp"          // run_control
#include "tartan/exec/outcome.hpp"              // outcome
#include "tartan/exec/properties.hpp"           // properties
#include "tartan/patterns/pipeline/stages.hpp"  // argument_of, as_argument, lying_token, pipeline_stage, stage_kind

namespace tartan::inline TARTAN_ABI::detail {

/// What all parts of one run share. Tokens are numbered as they leave the source; each part sees them in that order, so
/// whoever fails first among them is the lowest that has failed so far.
struct sent_run {
  explicit sent_run(properties const& props) noexcept : control(props.control()) {}

  run_control control;
  std::size_t failed = ~std::size_t{0};  ///< no token from this one on need go any further
  std::exception_ptr error;

  void fail(std::size_t token, std::exception_ptr why) noexcept {
    if (token >= failed) return;
    failed = token;
    error = std::move(why);
  }
};

/// A token as it is sent, and how the stage gets it there: its own if it was on its way, an lvalue if it lies
/// somewhere.
template <class Token>
struct sent_token {
  using type = Token;
  using argument = Token&&;
  static Token of(Token& token) { return std::move(token); }
};
template <class T>
struct sent_token<lying_token<T>> {
  using type = std::remove_cv_t<T>;
  using argument = T&;
  static type of(lying_token<T>& token) { return *token.at; }
};

/// A parallel stage as it travels.
template <class Token, class F>
struct sent_stage {
  [[no_unique_address]] F f;
  decltype(auto) operator()(typename sent_token<Token>::type& token) const {
    return std::invoke(const_cast<F&>(f), static_cast<typename sent_token<Token>::argument>(token));
  }
};

/// Two parallel stages in one: a token travels once.
template <class F, class G>
struct both_stages {
  [[no_unique_address]] F f;
  [[no_unique_address]] G g;
  template <class Token>
  decltype(auto) operator()(Token&& token) const {
    return std::invoke(const_cast<G&>(g), std::invoke(const_cast<F&>(f), std::forward<Token>(token)));
  }
};

/// The rest of a pipeline, from some stage on. take(n, token) sends token n through it, as far as it goes at once;
/// drain() waits until all are through.
template <class Policy, class Token, class... Stages>
class passage;

template <class Policy, class Token>
class passage<Policy, Token> {
 public:
  passage(Policy const&, sent_run& run, std::size_t) : run_(run) {}
  void take(std::size_t, Token&) { run_.control.finished(1); }
  void drain() {}

 private:
  sent_run& run_;
};

/// A stage of the calling thread.
template <class Policy, class Token, stage_kind Kind, class F, class... Rest>
class passage<Policy, Token, pipeline_stage<Kind, F>, Rest...> {
  using result = std::invoke_result_t<F&, argument_of<Token>>;
  using following =
      std::conditional_t<std::is_void_v<result>, passage<Policy, char>, passage<Policy, std::decay_t<result>, Rest...>>;

 public:
  passage(Policy const& policy, sent_run& run, std::size_t window, pipeline_stage<Kind, F>& stage, Rest&... rest)
      : run_(run), stage_(stage), next_(make_next(policy, run, window, rest...)) {}

  void take(std::size_t n, Token& token) {
    if (n >= run_.failed) return;
#if TARTAN_EXCEPTIONS
    try {
      pass(n, token);
    } catch (...) {
      run_.fail(n, std::current_exception());
    }
#else
    pass(n, token);
#endif
  }
  void drain() { next_.drain(); }

 private:
  static following make_next(Policy const& policy, sent_run& run, std::size_t window, Rest&... rest) {
    if constexpr (std::is_void_v<result>)
      return following(policy, run, window);
    else
      return following(policy, run, window, rest...);
  }
  void pass(std::size_t n, Token& token) {
    if constexpr (std::is_void_v<result>) {
      std::invoke(stage_.f, as_argument(token));
      char nothing{};
      next_.take(n, nothing);
    } else {
      std::decay_t<result> made = std::invoke(stage_.f, as_argument(token));
      next_.take(n, made);
    }
  }

  sent_run& run_;
  pipeline_stage<Kind, F>& stage_;
  following next_;
};

/// A stage of the workers. At most `window` tokens are in it, those included that wait for an earlier one.
template <class Policy, class Token, class F, class... Rest>
class passage<Policy, Token, pipeline_stage<stage_kind::parallel, F>, Rest...> {
  using sent = sent_token<Token>;
  using work = sent_stage<Token, F>;
  using raw = std::invoke_result_t<work const&, typename sent::type&>;
  static constexpr bool gives_nothing = std::is_void_v<raw>;
  using result = std::conditional_t<gives_nothing, void, std::decay_t<raw>>;
  using following =
      std::conditional_t<gives_nothing, passage<Policy, char>, passage<Policy, std::decay_t<raw>, Rest...>>;

  static auto open(Policy const& policy, F const& f, std::size_t window) {
    // What counts is a token that is through.
    return policy.backend().template open<result, typename sent::type>(policy.props().uncounted(), work{f}, window);
  }

 public:
  passage(Policy const& policy, sent_run& run, std::size_t window, pipeline_stage<stage_kind::parallel, F>& stage,
          Rest&... rest)
      : run_(run),
        window_(stage.limit != 0 && stage.limit < window ? stage.limit : window),
        channel_(open(policy, stage.f, window_)),
        next_(make_next(policy, run, window, rest...)) {}

  void take(std::size_t n, Token& token) {
    while (n - first_ >= window_ && n < run_.failed) {
      channel_.wait();
      hand_on();
    }
    if (n >= run_.failed) return;
#if TARTAN_EXCEPTIONS
    try {
      static_cast<void>(channel_.try_push(sent::of(token)));  // there is room
    } catch (...) {
      return run_.fail(n, std::current_exception());
    }
#else
    static_cast<void>(channel_.try_push(sent::of(token)));
#endif
    hand_on();
  }

  void drain() {
    while (channel_.under_way() != 0) {
      if (first_ >= run_.failed) channel_.cancel();
      channel_.wait();
      hand_on();
    }
    next_.drain();
  }

 private:
  static following make_next(Policy const& policy, sent_run& run, std::size_t window, Rest&... rest) {
    if constexpr (gives_nothing)
      return following(policy, run, window);
    else
      return following(policy, run, window, rest...);
  }

  /// Results that are there go on, in order.
  void hand_on() {
    channel_.poll([this](std::size_t n, outcome<result> ended) {
      if (ready_.size() <= n - first_) ready_.resize(n - first_ + 1);
      ready_[n - first_].emplace(std::move(ended));
    });
    while (!ready_.empty() && ready_.front().has_value()) {
      outcome<result> ended = std::move(*ready_.front());
      ready_.pop_front();
      std::size_t const n = first_++;
      if (n >= run_.failed) continue;
      if (!ended.has_value()) {
        run_.fail(n, ended.error());
      } else if constexpr (gives_nothing) {
        char nothing{};
        next_.take(n, nothing);
      } else {
        auto value = std::move(ended).value();
        next_.take(n, value);
      }
    }
  }

  sent_run& run_;
  std::size_t const window_;
  decltype(open(std::declval<Policy const&>(), std::declval<F const&>(), 1)) channel_;
  following next_;
  std::deque<std::optional<outcome<result>>> ready_;  // from token first_ on
  std::size_t first_ = 0;                             // not handed on yet
};

/// Parallel stages in a row are one.
template <class Policy, class Token, class F, class G, class... Rest>
class passage<Policy, Token, pipeline_stage<stage_kind::parallel, F>, pipeline_stage<stage_kind::parallel, G>,
              Rest...> {
  using fused = pipeline_stage<stage_kind::parallel, both_stages<F, G>>;

 public:
  passage(Policy const& policy, sent_run& run, std::size_t window, pipeline_stage<stage_kind::parallel, F>& f,
          pipeline_stage<stage_kind::parallel, G>& g, Rest&... rest)
      : stage_{{f.f, g.f}, narrower(f.limit, g.limit)}, all_(policy, run, window, stage_, rest...) {}
  void take(std::size_t n, Token& token) { all_.take(n, token); }
  void drain() { all_.drain(); }

 private:
  static std::size_t narrower(std::size_t a, std::size_t b) noexcept { return b == 0 || (a != 0 && a < b) ? a : b; }
  fused stage_;
  passage<Policy, Token, fused, Rest...> all_;
};

/// Into how many windows in_flight(n) is shared out: parallel stages, those in a row counted once.
template <stage_kind... Kinds>
consteval std::size_t parts_elsewhere() {
  std::size_t parts = 0;
  bool before = false;
  ((parts += Kinds == stage_kind::parallel && !before ? 1U : 0U, before = Kinds == stage_kind::parallel), ...);
  return parts == 0 ? 1 : parts;
}

template <class Policy, class Source, class... Stages>
void run_sent_pipeline(Policy const& policy, Source& source, std::tuple<Stages...>& stages) {
  sent_run run(policy.props());
  std::size_t const asked = policy.props().in_flight, parts = parts_elsewhere<Stages::kind...>();
  std::size_t const window = asked == 0      ? 64 * policy.backend().width(policy.props())
                             : asked > parts ? asked / parts
                                             : 1;
  auto all = std::apply(
      [&](Stages&... s) { return passage<Policy, typename Source::token, Stages...>(policy, run, window, s...); },
      stages);
  std::size_t n = 0;
  auto const go_on = [&] {
    return run.failed == ~std::size_t{0} && !run.control.skips() && source.next([&](auto&& make) {
      auto token = make();
      all.take(n, token);
    });
  };
#if TARTAN_EXCEPTIONS
  try {
    while (go_on()) ++n;
  } catch (...) {
    run.fail(n, std::current_exception());
  }
  all.drain();
  if (run.error != nullptr) std::rethrow_exception(run.error);
#else
  while (go_on()) ++n;
  all.drain();
#endif
  run.control.conclude();
}

}  // namespace tartan::inline TARTAN_ABI::detail
