#pragma once
// What a pipeline is made of: stages, and where its tokens come from.

#include <concepts>     // convertible_to
#include <cstddef>      // ptrdiff_t, size_t
#include <functional>   // invoke
#include <memory>       // addressof
#include <optional>     // optional
#include <ranges>       // begin, end, forward_range, input_range, iterator_t, random_access_range, range_reference_t
#include <type_traits>  // conditional_t, decay_t, invoke_result_t, is_lvalue_reference_v, remove_cvref_t
#include <utility>      // forward, move

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // bad_argument, raise

namespace tartan::inline TARTAN_ABI {

namespace detail {

enum class stage_kind : unsigned char { serial, serial_any, parallel, fold };

template <stage_kind Kind, class F>
struct pipeline_stage {
  static constexpr stage_kind kind = Kind;
  [[no_unique_address]] F f;
  std::size_t limit = 0;  // tokens at a time; 0: as many as there are

  /// At most n tokens are in this stage at once. Throws bad_argument unless n >= 1.
  [[nodiscard]] pipeline_stage width(std::ptrdiff_t n) && requires(Kind == stage_kind::parallel) {
    if (n < 1) raise<bad_argument>("tartan: width(n) of a pipeline's stage needs n >= 1");
    return {std::move(f), static_cast<std::size_t>(n)};
  }
};

template <class T>
inline constexpr bool is_stage = false;
template <stage_kind K, class F>
inline constexpr bool is_stage<pipeline_stage<K, F>> = true;

/// A fold's function and where it has come.
template <class T, class F>
struct folding {
  [[no_unique_address]] F f;
  T value;
  template <class Token>
  void operator()(Token&& token) {
    value = std::invoke(f, std::move(value), std::forward<Token>(token));
  }
};

/// A token that lies in the user's range.
template <class T>
struct lying_token {
  T* at;
};

template <class Token>
Token&& as_argument(Token& token) noexcept {
  return std::move(token);
}
template <class T>
T& as_argument(lying_token<T>& token) noexcept {
  return *token.at;
}
template <class Token>
using argument_of = decltype(as_argument(std::declval<Token&>()));

/// Tokens of a range. `may_wait`: the next token may take any time to come, so those before must not wait for it.
template <class R>
class range_source {
  using reference = std::ranges::range_reference_t<R>;
  static constexpr bool lies = std::ranges::forward_range<R> && std::is_lvalue_reference_v<reference>;

 public:
  static constexpr bool may_wait = !lies && !std::ranges::random_access_range<R>;
  using token =
      std::conditional_t<lies, lying_token<std::remove_reference_t<reference>>, std::ranges::range_value_t<R>>;

  explicit range_source(R& r) : next_(std::ranges::begin(r)), end_(std::ranges::end(r)) {}

  /// Calls take(token) unless there is none left.
  template <class Take>
  bool next(Take&& take) {
    if (begun_) ++next_;  // not before the token is wanted: ++ may wait
    begun_ = true;
    if (next_ == end_) return begun_ = false;
    if constexpr (lies)
      take([&] { return token{std::addressof(*next_)}; });
    else
      take([&] { return token(*next_); });
    return true;
  }

 private:
  std::ranges::iterator_t<R> next_;
  std::ranges::sentinel_t<R> end_;
  bool begun_ = false;
};

/// A function whose result converts to bool and is dereferenced, as std::optional.
template <class F>
concept token_function = requires(F& f) {
  static_cast<bool>(f());
  *f();
};

template <class F>
class function_source {
 public:
  static constexpr bool may_wait = true;
  using token = std::remove_cvref_t<decltype(*std::declval<std::invoke_result_t<F&>&>())>;

  explicit function_source(F& f) noexcept : f_(f) {}

  template <class Take>
  bool next(Take&& take) {
    auto found = f_();
    if (!found) return false;
    take([&] { return token(*std::move(found)); });
    return true;
  }

 private:
  F& f_;
};

template <class S>
auto source_of(S& source) {
  if constexpr (std::ranges::input_range<S>)
    return range_source<S>(source);
  else
    return function_source<S>(source);
}

}  // namespace detail

/// A stage of a pipeline that sees the tokens one by one, in the order of the source.
template <class F>
[[nodiscard]] auto serial(F f) {
  return detail::pipeline_stage<detail::stage_kind::serial, F>{std::move(f)};
}

/// A stage of a pipeline that sees the tokens one by one, in whatever order they come.
template <class F>
[[nodiscard]] auto serial_any(F f) {
  return detail::pipeline_stage<detail::stage_kind::serial_any, F>{std::move(f), 1};
}

/// A stage of a pipeline that may work on many tokens at once; parallel(f).width(n) on at most n.
template <class F>
[[nodiscard]] auto parallel(F f) {
  return detail::pipeline_stage<detail::stage_kind::parallel, F>{std::move(f)};
}

/// The last stage of a pipeline that returns one value: init = f(init, token) for each token, in order.
template <class T, class F>
[[nodiscard]] auto reduce_into(T init, F f) {
  using fold = detail::folding<T, F>;
  return detail::pipeline_stage<detail::stage_kind::fold, fold>{fold{std::move(f), std::move(init)}};
}

}  // namespace tartan::inline TARTAN_ABI
