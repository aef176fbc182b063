#pragma once
// What is emitted under equal keys comes together: map_reduce_by_key, count_by.

#include <concepts>     // convertible_to, equality_comparable, invocable
#include <cstddef>      // size_t
#include <functional>   // hash, invoke, plus
#include <ranges>       // begin, input_range, range_reference_t
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // conditional_t, decay_t, is_convertible_v, is_pointer_v, is_same_v
#include <utility>      // forward, move, pair
#include <vector>       // vector

#include "tartan/algorithms/by_key/any_order.hpp"  // call_in_any_order
#include "tartan/algorithms/by_key/by_block.hpp"   // call_by_block, enough_for_blocks
#include "tartan/algorithms/by_key/emissions.hpp"  // emissions
#include "tartan/algorithms/by_key/emitter.hpp"    // emitter
#include "tartan/algorithms/by_key/in_order.hpp"   // by_key_blocks, call_in_order
#include "tartan/algorithms/by_key/result.hpp"  // result_maker, result_map_t, result_order, sorted_by_key_t, unsorted_t
#include "tartan/algorithms/by_key/table.hpp"   // key_table
#include "tartan/algorithms/unattended.hpp"     // unattended
#include "tartan/exec/backend.hpp"              // shared_memory_backend
#include "tartan/exec/combine.hpp"              // exact
#include "tartan/exec/policy.hpp"               // execution_policy, supports
#include "tartan/exec/source.hpp"               // divisible_range, for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What travels to a worker that does not see the caller's memory: a block in, its keys and values out, in the order of
/// the values of each key.
template <class Key, class Value, class F, class Combine>
struct by_key_work {
  [[no_unique_address]] F f;
  [[no_unique_address]] Combine combine;
  template <class Part>
  std::vector<std::pair<Key, Value>> operator()(Part& part) const {
    using emitted = emissions<Key, Value>;
    F g = f;
    Combine c = combine;
    emitted all(exact<Combine, Value>);
    emitter<emitted, Combine> emit(all, c);
    for (auto&& element : part) std::invoke(g, std::forward<decltype(element)>(element), emit);
    std::vector<std::pair<Key, Value>> out;
    all.settle(c);
    for (auto* t : all.tables())
      t->for_each([&](auto& cell) { out.emplace_back(cell.key.template take<Key>(), std::move(cell.value())); });
    return out;
  }
};

/// A result never refers to text that may be gone: views and literals become strings.
template <class K>
using owned_key = std::conditional_t<std::is_convertible_v<K, std::string_view> &&
                                         (std::is_pointer_v<K> || std::is_same_v<K, std::string_view>),
                                     std::string, K>;
template <class KeyOf, class R>
using key_of_t = owned_key<std::decay_t<std::invoke_result_t<KeyOf&, std::ranges::range_reference_t<R>>>>;

/// What a table finds again.
template <class K>
concept table_key = std::equality_comparable<K> && requires(K const& key) {
  { std::hash<K>{}(key) } -> std::convertible_to<std::size_t>;
};

/// K, or something that compiles once the sentence is said.
template <class K>
struct checked_key {
  static_assert(table_key<K>, "tartan: keys are found again by == and std::hash; give the type of the keys both");
  using type = std::conditional_t<table_key<K>, K, int>;
};

template <class KeyOf>
struct emit_one {
  [[no_unique_address]] KeyOf key;
  template <class X, class Emit>
  TARTAN_ALWAYS_INLINE void operator()(X&& x, Emit& emit) {
    emit(std::invoke(key, std::forward<X>(x)), std::size_t{1});
  }
};

/// Of functions that emit as often as they are called.
template <class F>
inline constexpr bool emits_once = false;
template <class KeyOf>
inline constexpr bool emits_once<emit_one<KeyOf>> = true;

template <class Order, class Key, class Value, class P, class Call, class Values>
result_map_t<Order, Key, Value> result_of_call(P const& policy, Call& call, Order order, Values values) {
  bool const in_map = call.come_together();
  if constexpr (std::is_same_v<Order, unsorted_t>)
    if (in_map) return call.take_map();
  result_maker<Key, Value, typename Call::table> result(call.results());
  return result.make(order, policy.backend(), unattended(policy.props()), values);
}

/// map_reduce_by_key, whatever its result is to be.
template <class Key, class Value, class P, class R, class F, class Combine, class Order>
result_map_t<Order, Key, Value> reduced_by_key(P const& policy, R& r, F& f, Combine& combine, Order order) {
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    std::size_t elements = 0;
    if constexpr (divisible_range<R>) elements = length(r);
    constexpr bool into_map = divisible_range<R> && std::is_same_v<Order, unsorted_t>;
    if (exact<Combine, Value> || policy.props().relaxed) {
      call_in_any_order<Key, Value, P, Combine> call(policy, combine, elements, into_map);
      for_parts(r, [&](auto&& part, std::size_t) {
        call.template add<emits_once<F>>(std::ranges::begin(part), length(part), f);
      });
      return result_of_call<Order, Key, Value>(policy, call, std::move(order), values_in_cells{});
    }
    if constexpr (!exact<Combine, Value>) {
      if (elements >= enough_for_blocks) {
        call_by_block<Key, Value, P, Combine> call(policy, combine);
        for_parts(r, [&](auto&& part, std::size_t) { call.add(std::ranges::begin(part), length(part), f); });
        return result_of_call<Order, Key, Value>(policy, call, std::move(order), values_in_cells{});
      }
      call_in_order<Key, Value, P, Combine> call(policy, combine, elements, into_map);
      for_parts(r, [&](auto&& part, std::size_t) { call.add(std::ranges::begin(part), length(part), f); });
      return result_of_call<Order, Key, Value>(policy, call, std::move(order), call.settled());
    }
  } else {
    key_table<Key, Value> all;
    for_parts(r, [&](auto&& part, std::size_t) {
      auto blocks = policy.backend().template collect<std::vector<std::pair<Key, Value>>>(
          policy.props(), by_key_blocks<Combine, Value>(length(part)), subrange_of{std::ranges::begin(part)},
          by_key_work<Key, Value, F, Combine>{f, combine});
      for (auto& block : blocks)
        for (auto& [key, value] : block) all.add(std::move(key), std::move(value), combine);
    });
    result_maker<Key, Value, key_table<Key, Value>> result({&all});
    return result.make(order, on_caller{}, unattended(policy.props()), values_in_cells{});
  }
}

}  // namespace detail

/// Calls f(x, emit) for each element x of r; f calls emit(key, value) as often as it likes; values of equal keys are
/// combined.
///
///     auto counts = tartan::map_reduce_by_key<std::string, long>(tartan::par, lines,
///         [](std::string_view line, auto& emit) { for (auto w : words_of(line)) emit(w, 1L); }, std::plus<>{});
///
/// @tparam Key    With std::hash and ==. Keys are looked up as they are emitted and stored as Key when they are new: a
///                string_view, for instance, where Key is std::string. Other types are converted first.
/// @param r       Any input range; see for_each.
/// @param f       Called exactly once for each element, from several threads at once. emit belongs to that call: use it
///                only before f returns, on the thread that f was called on.
/// @param combine Associative; combine(Value, Value) gives a Value.
/// @param order   sorted_by_key or sorted_by_key(compare), if wanted; it may stand in the place of combine, which is
///                std::plus then.
/// @returns       std::unordered_map<Key, Value>; with sorted_by_key std::map<Key, Value>.
///
/// Complexity: O(1) for each emission. Extra memory: the distinct keys once a worker where combine is exact (whole
/// numbers and std::plus, maximum, bit operations, ...) or the policy is relaxed(); else one worker has the distinct
/// keys so far, and the others note down what each key has of each block, of a few blocks at a time. Keys that are
/// nearly all new are listed before they join a table. Where elements are cheap, one worker does what takes half a
/// millisecond before the others join in.
/// Determinism: the same result on every run and backend; values come together in the order of r, within at most 256
/// blocks fixed by its length. With relaxed() the order is arbitrary. The order of the map is that of an unordered_map.
/// Exceptions: of f as for_each; of combine, any one that was thrown. What was emitted is destroyed.
/// Blocking, Thread safety: as for_each.
template <class Key, class Value, execution_policy P, std::ranges::input_range R, class F, class Combine = std::plus<>,
          detail::result_order Order = detail::unsorted_t>
[[nodiscard]] detail::result_map_t<Order, typename detail::checked_key<Key>::type, Value> map_reduce_by_key(
    P const& policy, R&& r, F f, Combine combine = {}, Order order = {}) {
  using emit = detail::emitter<detail::key_table<Key, Value>, Combine>;
  static_assert(
      std::invocable<F&, std::ranges::range_reference_t<R>, emit&>,
      "tartan: map_reduce_by_key<Key, Value>(policy, range, f, combine) needs an f that can be called with an "
      "element of the range and an emit function, as in [](auto const& x, auto& emit) { emit(key, value); }");
  static_assert(std::invocable<Combine&, Value&&, Value&&>,
                "tartan: map_reduce_by_key<Key, Value>: combine(Value, Value) must compile");
  static_assert(
      supports < P, property::grain | property::relaxed >,
      "tartan: map_reduce_by_key does not support a property of this policy (it takes workers, grain, relaxed, "
      "stop, progress, name, on)");
  if constexpr (detail::table_key<Key>)
    return detail::reduced_by_key<Key, Value>(policy, r, f, combine, std::move(order));
  else
    return {};
}

/// The same with std::plus, sorted by key.
template <class Key, class Value, execution_policy P, std::ranges::input_range R, class F, class Compare>
[[nodiscard]] auto map_reduce_by_key(P const& policy, R&& r, F f, sorted_by_key_t<Compare> order) {
  return map_reduce_by_key<Key, Value>(policy, std::forward<R>(r), std::move(f), std::plus<>{}, std::move(order));
}

/// How many elements x of r have each key(x).
///
///     auto cities = tartan::count_by(tartan::par, people, &person::city);   // std::unordered_map<std::string, size_t>
///
/// @param key    A function or a pointer to a member; called once for each element. A string_view or a literal that it
///               returns is stored as a std::string.
/// @param order  sorted_by_key or sorted_by_key(compare), if wanted.
///
/// Everything else as map_reduce_by_key with whole numbers: exact, so nothing depends on order. Where nearly all keys
/// differ, most of the time goes into the nodes of the map that is returned, one allocation each.
template <execution_policy P, std::ranges::input_range R, class KeyOf, detail::result_order Order = detail::unsorted_t>
[[nodiscard]] auto count_by(P const& policy, R&& r, KeyOf key, Order order = {}) {
  static_assert(std::invocable<KeyOf&, std::ranges::range_reference_t<R>>,
                "tartan: count_by(policy, range, key) needs a key that can be called with an element of the range");
  using found = detail::key_of_t<KeyOf, R>;
  using key_type = typename detail::checked_key<found>::type;
  if constexpr (detail::table_key<found>)
    return map_reduce_by_key<key_type, std::size_t>(policy, std::forward<R>(r), detail::emit_one<KeyOf>{std::move(key)},
                                                    std::plus<>{}, std::move(order));
  else
    return detail::result_map_t<Order, key_type, std::size_t>{};
}

}  // namespace tartan::inline TARTAN_ABI
