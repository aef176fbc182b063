#pragma once
// What the stages of a pipeline do with a batch of tokens.

#include <algorithm>    // max
#include <cstddef>      // byte, size_t
#include <functional>   // invoke
#include <memory>       // addressof, destroy_at
#include <new>          // launder
#include <tuple>        // get, tuple
#include <type_traits>  // decay_t, invoke_result_t
#include <utility>      // index_sequence, index_sequence_for, move

#include "tartan/core/config.hpp"               // TARTAN_EXCEPTIONS
#include "tartan/core/range.hpp"                // first_error
#include "tartan/patterns/pipeline/gate.hpp"    // token_batch
#include "tartan/patterns/pipeline/stages.hpp"  // argument_of, as_argument

namespace tartan::inline TARTAN_ABI::detail {

/// The type of the tokens before stage J, and void behind a last stage that returns nothing.
template <std::size_t J, class Token, class... Stages>
struct token_before;
template <class Token, class... Stages>
struct token_before<0, Token, Stages...> {
  using type = Token;
};
template <std::size_t J, class Token, class Stage, class... Stages>
  requires(J != 0)
struct token_before<J, Token, Stage, Stages...> {
  using result = std::invoke_result_t<decltype(Stage::f)&, argument_of<Token>>;
  using type = typename token_before<J - 1, std::decay_t<result>, Stages...>::type;
};

/// Runs a stage over a batch, and says at which token it has failed.
///
/// Tokens at and behind the lowest one that failed are destroyed before the next stage. Those before it go on, for they
/// may fail too; a serial stage sees batches in order, so it sees none behind a token that has failed.
template <class Token, class... Stages>
class stage_work {
  static constexpr std::size_t stages = sizeof...(Stages);
  template <class Sequence>
  struct room;
  template <std::size_t... J>
  struct room<std::index_sequence<J...>> {
    static constexpr std::size_t align = (std::max)({alignof(typename token_before<J, Token, Stages...>::type)...});
    static constexpr std::size_t largest = (std::max)({sizeof(typename token_before<J, Token, Stages...>::type)...});
    static constexpr std::size_t size = (largest + align - 1) / align * align;
  };

 public:
  template <std::size_t J>
  using token_at = typename token_before<J, Token, Stages...>::type;
  /// The place that a token has at all stages.
  using token_room = room<std::index_sequence_for<Stages...>>;

  stage_work(std::tuple<Stages...>& its_stages, first_error& error) noexcept : stages_(its_stages), error_(error) {}

  /// The stage before which the batch stands. Calls fail(token) in the handler of what it has thrown.
  template <class Fail>
  void run(token_batch& b, Fail&& fail) {
    run(b, fail, std::index_sequence_for<Stages...>());
  }

 private:
  static std::byte* place(token_batch& b, std::size_t i) noexcept { return b.tokens + i * token_room::size; }
  template <std::size_t J>
  static token_at<J>& token(token_batch& b, std::size_t i) noexcept {
    return *std::launder(reinterpret_cast<token_at<J>*>(place(b, i)));
  }

  template <class Fail, std::size_t... J>
  void run(token_batch& b, Fail& fail, std::index_sequence<J...>) {
    static_cast<void>(((b.stage == J && (run_stage<J>(b, fail), true)) || ...));
  }

  template <std::size_t J, class Fail>
  void run_stage(token_batch& b, [[maybe_unused]] Fail& fail) {
    while (b.count != 0 && error_.skips(b.first + b.count - 1)) {
      --b.count;
      std::destroy_at(std::addressof(token<J>(b, b.count)));
    }
    std::size_t i = 0;
    bool emptied = false;
#if TARTAN_EXCEPTIONS
    try {
      for (; i != b.count; ++i) run_token<J>(b, i, emptied);
    } catch (...) {
      fail(b.first + i);
      for (std::size_t k = emptied ? i + 1 : i; k != b.count; ++k) std::destroy_at(std::addressof(token<J>(b, k)));
      b.count = i;
    }
#else
    for (; i != b.count; ++i) run_token<J>(b, i, emptied);
#endif
  }

  /// Leaves `emptied` set if it throws when the place of the token holds none.
  template <std::size_t J>
  void run_token(token_batch& b, std::size_t i, bool& emptied) {
    auto& f = std::get<J>(stages_).f;
    token_at<J>& t = token<J>(b, i);
    if constexpr (J + 1 == stages) {
      static_cast<void>(std::invoke(f, as_argument(t)));
      std::destroy_at(std::addressof(t));
    } else {
      token_at<J + 1> made = std::invoke(f, as_argument(t));
      std::destroy_at(std::addressof(t));
      emptied = true;
      ::new (static_cast<void*>(place(b, i))) token_at<J + 1>(std::move(made));
      emptied = false;
    }
  }

  std::tuple<Stages...>& stages_;
  first_error& error_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
