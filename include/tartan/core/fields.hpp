#pragma once
// The members of an aggregate, counted and visited without a word from its author.

#include <cstddef>      // size_t
#include <type_traits>  // is_aggregate_v, is_base_of_v
#include <utility>      // index_sequence, make_index_sequence

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Converts to anything, unevaluated: as many of them as T{...} takes is the number of its initialisers.
struct any_value {
  template <class T>
  operator T() const noexcept;
};

/// Converts to a base of T only: T{base_value<T>{}} is well formed when T begins with a base class.
template <class T>
struct base_value {
  template <class Base>
    requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
  operator Base() const noexcept;
};

template <std::size_t>
using any_at = any_value;

// T{any x Before, {any}, any x After}: the braces in the middle keep an array from taking initialisers of its own
// from the outer list, so that an array counts as one member.
template <class T, std::size_t... Before, std::size_t... After>
consteval bool takes_nested(std::index_sequence<Before...>, std::index_sequence<After...>) {
  return requires { T{any_at<Before>{}..., {any_value{}}, any_at<After>{}...}; };
}

template <class T, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
  return requires { T{any_at<I>{}...}; };
}

/// One more than with_fields can visit: such an aggregate is refused with a sentence.
inline constexpr std::size_t too_many_fields = 25;

/// The longest list of initialisers that is tried.
inline constexpr std::size_t most_initialisers = 1024;

// The largest n in [Low, High) that T{any x n} takes. Where T is default constructible every shorter list is taken
// too, so halving finds it; else the list is walked down from a shorter limit.
template <class T, std::size_t Low, std::size_t High>
consteval std::size_t initialisers_between() {
  constexpr std::size_t middle = Low + (High - Low) / 2;
  if constexpr (High - Low <= 1)
    return Low;
  else if constexpr (takes<T>(std::make_index_sequence<middle>{}))
    return initialisers_between<T, middle, High>();
  else
    return initialisers_between<T, Low, middle>();
}

template <class T, std::size_t N = 64>
consteval std::size_t initialisers() {
  if constexpr (std::is_default_constructible_v<T>)
    return initialisers_between<T, 0, most_initialisers>();
  else if constexpr (N == 0 || takes<T>(std::make_index_sequence<N>{}))
    return N;
  else
    return initialisers<T, N - 1>();
}

// How many initialisers the member at At takes, in (Low, High]: 1, or the length of an array. Too few leave more than
// the members behind it take; a member that takes no nested braces at all (std::string) takes one initialiser.
template <class T, std::size_t Total, std::size_t At, std::size_t Low, std::size_t High>
consteval std::size_t width_between() {
  constexpr std::size_t middle = Low + (High - Low) / 2;
  if constexpr (High - Low == 1)
    return takes_nested<T>(std::make_index_sequence<At>{}, std::make_index_sequence<Total - At - High>{}) ? High : 1;
  else if constexpr (takes_nested<T>(std::make_index_sequence<At>{}, std::make_index_sequence<Total - At - middle>{}))
    return width_between<T, Total, At, Low, middle>();
  else
    return width_between<T, Total, At, middle, High>();
}

template <class T, std::size_t Total, std::size_t At>
consteval std::size_t width_at() {
  if constexpr (takes_nested<T>(std::make_index_sequence<At>{}, std::make_index_sequence<Total - At - 1>{}))
    return 1;
  else
    return width_between<T, Total, At, 0, Total - At>();
}

template <class T, std::size_t Total, std::size_t At = 0, std::size_t Found = 0>
consteval std::size_t count_fields() {
  if constexpr (At >= Total || Found == too_many_fields)
    return Found;
  else
    return count_fields<T, Total, At + width_at<T, Total, At>(), Found + 1>();
}

/// The number of direct members of the aggregate T, an array counting as one; at most too_many_fields.
template <class T>
inline constexpr std::size_t field_count = count_fields<T, initialisers<T>()>();

template <class T>
inline constexpr bool has_base = requires { T{base_value<T>{}}; };

/// Calls f with references to all members of `x`, whose number is N.
template <std::size_t N, class T, class F>
constexpr decltype(auto) with_fields(T& x, F&& f) {
  static_assert(N < too_many_fields);
  // clang-format off
#define TARTAN_BIND(...) auto& [__VA_ARGS__] = x; return f(__VA_ARGS__)
  if constexpr (N == 0) return f();
  else if constexpr (N == 1) { TARTAN_BIND(a); }
  else if constexpr (N == 2) { TARTAN_BIND(a, b); }
  else if constexpr (N == 3) { TARTAN_BIND(a, b, c); }
  else if constexpr (N == 4) { TARTAN_BIND(a, b, c, d); }
  else if constexpr (N == 5) { TARTAN_BIND(a, b, c, d, e); }
  else if constexpr (N == 6) { TARTAN_BIND(a, b, c, d, e, g); }
  else if constexpr (N == 7) { TARTAN_BIND(a, b, c, d, e, g, h); }
  else if constexpr (N == 8) { TARTAN_BIND(a, b, c, d, e, g, h, i); }
  else if constexpr (N == 9) { TARTAN_BIND(a, b, c, d, e, g, h, i, j); }
  else if constexpr (N == 10) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k); }
  else if constexpr (N == 11) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l); }
  else if constexpr (N == 12) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m); }
  else if constexpr (N == 13) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n); }
  else if constexpr (N == 14) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o); }
  else if constexpr (N == 15) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p); }
  else if constexpr (N == 16) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q); }
  else if constexpr (N == 17) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r); }
  else if constexpr (N == 18) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s); }
  else if constexpr (N == 19) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t); }
  else if constexpr (N == 20) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u); }
  else if constexpr (N == 21) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v); }
  else if constexpr (N == 22) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w); }
  else if constexpr (N == 23) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y); }
  else if constexpr (N == 24) { TARTAN_BIND(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z); }
#undef TARTAN_BIND
  // clang-format on
}

}  // namespace tartan::inline TARTAN_ABI::detail
