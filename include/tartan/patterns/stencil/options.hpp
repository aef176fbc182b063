#pragma once
// How a stencil runs: steps, until, radius, boundary, fields, fixed.

#include <array>        // array
#include <cstddef>      // size_t, ptrdiff_t
#include <tuple>        // tuple
#include <type_traits>  // is_lvalue_reference_v
#include <utility>      // forward, move

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // bad_argument, raise

namespace tartan::inline TARTAN_ABI {

namespace detail {

struct step_count {
  std::size_t count;
  std::size_t block = 0;  ///< Steps at once; 0 lets the grid decide.

  /// n steps at once while rows are in the cache; 1 sweeps over the grid in every step. Never changes a result.
  [[nodiscard]] constexpr step_count temporal(std::ptrdiff_t n) const {
    if (n < 1) raise<bad_argument>("tartan: temporal(n) needs n >= 1, the number of steps taken at once");
    return {count, static_cast<std::size_t>(n)};
  }
};

/// The measure of until without another one: the largest absolute change.
struct largest_change_measure {};

template <class Change, class Combine>
struct reduced_changes {
  Change change;
  Combine combine;
};

template <class Done, class Measure = largest_change_measure>
struct step_until {
  Done done;
  std::size_t every;
  Measure measure{};
  std::size_t most = static_cast<std::size_t>(-1);

  /// Gives up after n steps.
  [[nodiscard]] constexpr step_until at_most(std::size_t n) const { return {done, every, measure, n}; }

  /// Hands done the changes of all points, change(now, before), combined: each row from left to right, then the rows in
  /// their order, which no number of workers alters. A sum of squares:
  ///
  ///     until(small, 10).of([](double now, double before) { return (now - before) * (now - before); }, std::plus{})
  template <class Change, class Combine>
  [[nodiscard]] constexpr step_until<Done, reduced_changes<Change, Combine>> of(Change change, Combine combine) const {
    return {done, every, {std::move(change), std::move(combine)}, most};
  }
};

template <class W>
inline constexpr bool is_when = false;
template <>
inline constexpr bool is_when<step_count> = true;
template <class Done, class Measure>
inline constexpr bool is_when<step_until<Done, Measure>> = true;

/// How far a function looks: one radius for all dimensions, or one each, the first dimension first.
struct reach {
  std::array<std::ptrdiff_t, 3> by{};
  std::size_t given = 0;
};

enum class edge { clamp, wrap, reflect, symmetric, constant, none };

template <class T = char>
struct edge_rule {
  edge kind;
  T value{};
  std::ptrdiff_t group = 1;

  /// Elements of a row come in groups of n, as the colours of a picture do: what lies behind the rim is that of the
  /// same place of a group. The radius counts elements all the same.
  [[nodiscard]] constexpr edge_rule interleaved(std::ptrdiff_t n) const {
    if (n < 1) raise<bad_argument>("tartan: interleaved(n) needs n >= 1, the elements of a group");
    return {kind, value, n};
  }
};

template <class... G>
struct field_list {
  std::tuple<G...> grids;
};

template <class G>
struct fixed_field {
  G const& grid;
};

template <class F>
struct pass_step {
  reach r;
  F f;
};

}  // namespace detail

/// n steps. Throws bad_argument unless n >= 1.
[[nodiscard]] constexpr detail::step_count steps(std::ptrdiff_t n) {
  if (n < 1) detail::raise<bad_argument>("tartan: steps(n) needs n >= 1");
  return {static_cast<std::size_t>(n)};
}

/// Steps until done(change) is true, where `change` is the largest absolute difference that one step made to the first
/// field, or what .of(change, combine) makes of all of them; it is looked at after every `every` steps. It is NaN as
/// soon as a value is, and `change < small` is false of NaN: .at_most(n) ends what does not converge. Of whole numbers
/// it is at most the largest that their type holds.
template <class Done>
[[nodiscard]] constexpr detail::step_until<Done> until(Done done, std::ptrdiff_t every = 1) {
  if (every < 1) detail::raise<bad_argument>("tartan: until(done, every) needs every >= 1");
  return {std::move(done), static_cast<std::size_t>(every), {}, static_cast<std::size_t>(-1)};
}

/// How far the function looks in each direction: one number for all dimensions, or one for each.
template <std::convertible_to<std::ptrdiff_t>... R>
  requires(sizeof...(R) >= 1 && sizeof...(R) <= 3)
[[nodiscard]] constexpr detail::reach radius(R... r) {
  detail::reach out{{static_cast<std::ptrdiff_t>(r)...}, sizeof...(R)};
  for (std::ptrdiff_t one : out.by)
    if (one < 0 || one > (1 << 20)) detail::raise<bad_argument>("tartan: radius(r) needs 0 <= r <= 2^20");
  return out;
}

/// What lies behind the rim of a grid.
namespace boundary {
inline constexpr detail::edge_rule<> clamp{detail::edge::clamp};          ///< aaa|abc|ccc: the last value goes on
inline constexpr detail::edge_rule<> wrap{detail::edge::wrap};            ///< bc|abc|ab: the other end
inline constexpr detail::edge_rule<> reflect{detail::edge::reflect};      ///< cb|abc|ba: mirrored at the last value
inline constexpr detail::edge_rule<> symmetric{detail::edge::symmetric};  ///< ba|abc|cb: mirrored behind the last value
inline constexpr detail::edge_rule<> none{detail::edge::none};            ///< nothing: the rim keeps its values

/// The same value everywhere.
template <class T>
[[nodiscard]] constexpr detail::edge_rule<T> constant(T value) {
  return {detail::edge::constant, value};
}
}  // namespace boundary

/// Several grids of the same extents. The function gets a point of each, in this order. It returns a value for each
/// grid that is not fixed; or one value, the next state of the first grid, whereupon each other grid takes the state
/// that the one before it had (the history that waves need).
template <class... G>
[[nodiscard]] constexpr detail::field_list<G...> fields(G&&... grids) {
  return {std::tuple<G...>(std::forward<G>(grids)...)};
}

/// A grid that the function reads and no step changes.
template <class G>
[[nodiscard]] constexpr detail::fixed_field<G> fixed(G const& grid) {
  return {grid};
}
template <class G>
void fixed(G const&& grid) = delete;  // the grid must outlive the call

/// One of several functions that stencil_into applies one after another: how far it looks, and the function.
template <class F>
[[nodiscard]] constexpr detail::pass_step<F> pass(detail::reach const& r, F f) {
  return {r, std::move(f)};
}

}  // namespace tartan::inline TARTAN_ABI
