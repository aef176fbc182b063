#pragma once
// A callable that travels: a function without captures, and the state that it would have captured, in plain sight.

#include <cstddef>      // size_t
#include <functional>   // invoke
#include <tuple>        // apply, forward_as_tuple, get, tuple
#include <type_traits>  // decay_t, is_empty_v
#include <utility>      // forward, index_sequence, move

#include "tartan/core/code_address.hpp"  // codec of function pointers
#include "tartan/core/codec.hpp"         // codec
#include "tartan/core/config.hpp"        // TARTAN_ABI
#include "tartan/core/shipping.hpp"      // shippable, require_shippable

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class F>
inline constexpr bool is_function_pointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

/// What `closure` returns: calls function(state..., arguments...).
template <class F, class... State>
struct stateful {
  std::tuple<State...> state;
  F function;

  template <class... Args>
    requires std::is_invocable_v<F const&, State const&..., Args...>
  decltype(auto) operator()(Args&&... args) const {
    return std::apply(
        [&](State const&... s) -> decltype(auto) { return std::invoke(function, s..., std::forward<Args>(args)...); },
        state);
  }
};

template <class All, std::size_t... I>
auto make_stateful(All&& all, std::index_sequence<I...>) {
  using function = std::decay_t<std::tuple_element_t<sizeof...(I), std::remove_cvref_t<All>>>;
  static_assert(
      (std::is_empty_v<function> && std::is_default_constructible_v<function>) || is_function_pointer<function>,
      "tartan: the last argument of closure must be a function or a lambda without captures: what it needs "
      "stands before it, closure(state..., [](auto& state..., auto argument) { ... })");
  (require_shippable<std::decay_t<std::tuple_element_t<I, std::remove_cvref_t<All>>>>(), ...);
  return stateful<function, std::decay_t<std::tuple_element_t<I, std::remove_cvref_t<All>>>...>{
      {std::get<I>(std::forward<All>(all))...}, std::get<sizeof...(I)>(std::forward<All>(all))};
}

}  // namespace detail

/// A callable for other processes: `f` has no captures, its state is handed over and copied explicitly.
///
///     tn::map(tn::processes, v, tn::closure(k, [](double factor, double x) { return factor * x; }));
///
/// The call is f(state..., arguments...), the state as const&. On every other policy it is called as any callable.
template <class... StateThenFunction>
  requires(sizeof...(StateThenFunction) > 0)
[[nodiscard]] auto closure(StateThenFunction&&... state_then_function) {
  return detail::make_stateful(std::forward_as_tuple(std::forward<StateThenFunction>(state_then_function)...),
                               std::make_index_sequence<sizeof...(StateThenFunction) - 1>{});
}

}  // namespace tartan::inline TARTAN_ABI
