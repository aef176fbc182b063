#pragma once
// What is emitted under equal keys comes together: map_reduce_by_key, count_by, group_by.

#include <algorithm>      // max, min
#include <bit>            // bit_floor, countr_zero
#include <concepts>       // invocable
#include <cstddef>        // ptrdiff_t, size_t
#include <functional>     // invoke, plus
#include <memory>         // make_unique_for_overwrite, unique_ptr
#include <ranges>         // begin, input_range, range_reference_t, range_value_t
#include <string>         // string
#include <string_view>    // string_view
#include <type_traits>    // conditional_t, decay_t, is_convertible_v, is_pointer_v
#include <unordered_map>  // unordered_map
#include <utility>        // forward, move, pair
#include <vector>         // vector

#include "tartan/algorithms/by_key/table.hpp"  // key_table
#include "tartan/core/slots.hpp"               // slots
#include "tartan/exec/backend.hpp"             // shared_memory_backend
#include "tartan/exec/combine.hpp"             // exact
#include "tartan/exec/plan.hpp"                // aggregate_blocks
#include "tartan/exec/policy.hpp"              // execution_policy, supports
#include "tartan/exec/scratch.hpp"             // scratch
#include "tartan/exec/source.hpp"              // for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// What f calls: emit(key, value).
template <class Table, class Combine>
class emitter {
 public:
  emitter(Table& table, Combine& combine) noexcept : table_(table), combine_(combine) {}
  template <class K, class V>
  TARTAN_ALWAYS_INLINE void operator()(K&& key, V&& value) {
    table_.add(std::forward<K>(key), std::forward<V>(value), combine_);
  }

 private:
  Table& table_;
  Combine& combine_;
};

/// The tables of one call, on a backend that shares memory.
///
/// Where combine is exact and commutes, or order does not matter to the caller, each worker has a table, and the tables
/// come together at the end. Otherwise each block has one; blocks come in batches, and the tables of a batch are added
/// to the result in the order of the blocks: what a key gets is b0 + b1 + ..., whoever ran them. Either way tables come
/// together partition by partition (of the hash), all partitions at once.
template <class Key, class Value, class P, class Combine>
class by_key_call {
 public:
  using table = key_table<Key, Value>;
  using cell = typename table::cell;

  /// `any_order`: values of one key may come together in any order.
  by_key_call(P const& policy, Combine& combine, bool any_order)
      : policy_(policy),
        combine_(combine),
        any_order_(any_order),
        width_(policy.backend().width(policy.props())),
        by_worker_(width_) {}

  template <class It, class F>
  void add(It first, std::size_t n, F& f) {
    if (any_order_)
      add_by_worker(first, n, f);
    else
      add_by_block(first, n, f);
  }

  /// f(table), one after the other, of tables that have no key in common.
  template <class F>
  void for_results(F&& f) {
    if (any_order_) merge_workers();
    if (merged_.empty())
      by_worker_.for_each(f);
    else
      for (table& t : merged_) f(t);
  }

  /// Where a key is that has come, else null; for calls in which the order of values counts.
  [[nodiscard]] cell* lookup(typename table::probe const& p) const {
    return merged_.empty() ? nullptr : merged_[p.hash >> (64 - partition_bits)].lookup(p);
  }

  /// f(i, table) for the same tables, at the same time; make(number of tables) comes first.
  template <class Make, class F>
  void for_results_at_once(Make&& make, F&& f) {
    std::vector<table*> all;
    for_results([&](table& t) { all.push_back(&t); });
    make(all.size());
    policy_.backend().for_range(quiet(), all.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) f(i, *all[i]);
    });
  }

 private:
  static constexpr unsigned partition_bits = 6;
  static constexpr std::size_t partitions = std::size_t{1} << partition_bits;

  /// For what happens between the elements: nobody counts it, and its pieces are not the user's.
  [[nodiscard]] properties quiet() const {
    properties props = policy_.props();
    props.progress = {};
    props.grain = 0;
    return props;
  }

  template <class It, class F>
  static void feed(table& t, It first, std::size_t begin, std::size_t end, F& f, Combine& combine) {
    emitter<table, Combine> emit(t, combine);
    for (std::size_t i = begin; i != end; ++i) std::invoke(f, at(first, i), emit);
  }

  template <class It, class F>
  void add_by_worker(It first, std::size_t n, F& f) {
    policy_.backend().for_range(policy_.props(), n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      auto const mine = by_worker_.take();
      feed(*mine, first, begin, end, f, combine_);
    });
  }

  void merge_workers() {
    if (by_worker_.size() < 2) return;
    std::vector<table*> from;
    by_worker_.for_each([&](table& t) { from.push_back(&t); });
    merge(from);
  }

  template <class It, class F>
  void add_by_block(It first, std::size_t n, F& f) {
    std::size_t const length = aggregate_blocks(n)[0].size();
    std::size_t const batch = (std::min<std::size_t>)(256, 8 * width_) * (std::max<std::size_t>)(length, 1);
    for (std::size_t begin = 0; begin != n; begin = (std::min)(n, begin + batch))
      add_batch(advanced(first, begin), (std::min)(batch, n - begin), length, f);
  }

  template <class It, class F>
  void add_batch(It first, std::size_t n, std::size_t length, F& f) {
    block_plan const plan(n, length);
    slots<table> tables(plan.count());
    policy_.backend().for_range(policy_.props(), n, length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin / length; b * length < end; ++b)
        tables.make(b, [&] {
          table t;
          feed(t, first, plan[b].begin, plan[b].end, f, combine_);
          return t;
        });
    });
    std::vector<table*> from;
    for (std::size_t b = 0; b != tables.size(); ++b) from.push_back(&tables[b]);
    merge(from);
  }

  void merge(std::vector<table*> const& from) {
    std::size_t most = 0;
    for (table* t : from) most = (std::max)(most, t->size());
    if (merged_.empty()) {
      merged_.reserve(partitions);
      for (std::size_t p = 0; p != partitions; ++p) merged_.emplace_back(partition_bits);
    }
    policy_.backend().for_range(quiet(), partitions, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t p = begin; p != end; ++p) {
        merged_[p].reserve(most / partitions);
        for (table* t : from) t->for_partition(p, partition_bits, [&](cell& c) { merged_[p].add_cell(c, combine_); });
      }
    });
  }

  P const& policy_;
  Combine& combine_;
  bool any_order_;
  std::size_t width_;
  scratch<table> by_worker_;
  std::vector<table> merged_;
};

/// What travels to a worker that does not see the caller's memory: a block in, its keys and values out.
template <class Key, class Value, class F, class Combine>
struct by_key_work {
  [[no_unique_address]] F f;
  [[no_unique_address]] Combine combine;
  template <class Part>
  std::vector<std::pair<Key, Value>> operator()(Part& part) const {
    using table = key_table<Key, Value>;
    F g = f;
    Combine c = combine;
    table t;
    emitter<table, Combine> emit(t, c);
    for (auto&& element : part) std::invoke(g, std::forward<decltype(element)>(element), emit);
    std::vector<std::pair<Key, Value>> out;
    out.reserve(t.size());
    t.for_each([&](auto& cell) { out.emplace_back(cell.key.template take<Key>(), std::move(cell.value())); });
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

/// Moves the keys and values of a table into a map that has none of the keys.
template <class Map, class Table>
void pour(Map& map, Table& t) {
  t.for_each(
      [&](auto& cell) { map.emplace(cell.key.template take<typename Map::key_type>(), std::move(cell.value())); });
}

/// One map of several that have no key in common: nodes are relinked, nothing is copied.
template <class Map>
Map united(std::vector<Map>& parts) {
  if (parts.size() == 1) return std::move(parts.front());
  Map all;
  std::size_t keys = 0;
  for (Map const& part : parts) keys += part.size();
  all.reserve(keys);
  for (Map& part : parts) all.merge(part);
  return all;
}

template <class KeyOf>
struct emit_one {
  [[no_unique_address]] KeyOf key;
  template <class X, class Emit>
  TARTAN_ALWAYS_INLINE void operator()(X&& x, Emit& emit) {
    emit(std::invoke(key, std::forward<X>(x)), std::size_t{1});
  }
};

/// The elements of one group, as a list through an array of indices: first, last and number.
struct index_chain {
  std::size_t head, tail, count;
};

/// The indices from `base` on, as the elements of a range.
struct index_iterator {
  using difference_type = std::ptrdiff_t;
  using value_type = std::size_t;
  std::size_t base;
  std::size_t operator[](difference_type i) const noexcept { return base + static_cast<std::size_t>(i); }
  index_iterator operator+(difference_type i) const noexcept { return {base + static_cast<std::size_t>(i)}; }
};

/// Joins two chains; `next` has a place for each element.
struct join_chains {
  std::size_t* next;
  index_chain operator()(index_chain a, index_chain b) const noexcept {
    next[a.tail] = b.head;
    return {a.head, b.tail, a.count + b.count};
  }
};

/// The groups of n elements: key(look(i)) says where element i belongs, take(i) is what goes there.
template <class Key, class Element, class P, class KeyOf, class Look, class Take>
std::unordered_map<Key, std::vector<Element>> group_indices(P const& policy, std::size_t n, KeyOf& key, Look look,
                                                            Take take) {
  auto const next = std::make_unique_for_overwrite<std::size_t[]>(n);
  join_chains join{next.get()};
  by_key_call<Key, index_chain, P, join_chains> call(policy, join, false);
  auto chain_of = [&](std::size_t i, auto& emit) { emit(std::invoke(key, look(i)), index_chain{i, i, 1}); };
  call.add(index_iterator{0}, n, chain_of);

  std::vector<std::unordered_map<Key, std::vector<Element>>> parts;
  auto const gather = [&](std::size_t p, auto& table) {
    parts[p].reserve(table.size());
    table.for_each([&](auto& cell) {
      auto [i, tail, count] = cell.value();
      std::vector<Element> group;
      group.reserve(count);
      for (; count != 0; --count, i = next[i]) group.push_back(take(i));
      parts[p].emplace(cell.key.template take<Key>(), std::move(group));
    });
  };
  call.for_results_at_once([&](std::size_t tables) { parts.resize(tables); }, gather);
  return united(parts);
}

template <class T>
struct append {
  std::vector<T> operator()(std::vector<T>&& a, std::vector<T>&& b) const {
    for (T& x : b) a.push_back(std::move(x));
    return std::move(a);
  }
};
template <class KeyOf>
struct emit_alone {
  [[no_unique_address]] KeyOf key;
  template <class X, class Emit>
  void operator()(X&& x, Emit& emit) {
    auto&& k = std::invoke(key, x);
    std::vector<std::decay_t<X>> alone;
    alone.push_back(std::forward<X>(x));
    emit(std::forward<decltype(k)>(k), std::move(alone));
  }
};

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
/// @returns       std::unordered_map<Key, Value>.
///
/// Complexity: O(1) for each emission, in a table that is a worker's or a block's own. Extra memory: the distinct keys
/// once a worker where combine is exact (whole numbers and std::plus, maximum, bit operations, ...) or the policy is
/// relaxed(); else up to eight blocks a worker have tables of their own at a time.
/// Determinism: the same result on every run and backend; values come together in the order of r, within at most 256
/// blocks fixed by its length. With relaxed() the order is arbitrary. The order of the map is that of an unordered_map.
/// Exceptions: of f as for_each; of combine, any one that was thrown. What was emitted is destroyed.
/// Blocking, Thread safety: as for_each.
template <class Key, class Value, execution_policy P, std::ranges::input_range R, class F, class Combine = std::plus<>>
[[nodiscard]] std::unordered_map<Key, Value> map_reduce_by_key(P const& policy, R&& r, F f, Combine combine = {}) {
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
  std::unordered_map<Key, Value> result;
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    bool const any_order = detail::exact<Combine, Value> || policy.props().relaxed;
    detail::by_key_call<Key, Value, P, Combine> call(policy, combine, any_order);
    detail::for_parts(r,
                      [&](auto&& part, std::size_t) { call.add(std::ranges::begin(part), detail::length(part), f); });
    std::vector<std::unordered_map<Key, Value>> parts;
    call.for_results_at_once([&](std::size_t tables) { parts.resize(tables); },
                             [&](std::size_t i, auto& table) {
                               parts[i].reserve(table.size());
                               detail::pour(parts[i], table);
                             });
    result = detail::united(parts);
  } else {
    detail::key_table<Key, Value> all;
    detail::for_parts(r, [&](auto&& part, std::size_t) {
      auto blocks = policy.backend().template collect<std::vector<std::pair<Key, Value>>>(
          policy.props(), detail::aggregate_blocks(detail::length(part)), detail::subrange_of{std::ranges::begin(part)},
          detail::by_key_work<Key, Value, F, Combine>{f, combine});
      for (auto& block : blocks)
        for (auto& [key, value] : block) all.add(std::move(key), std::move(value), combine);
    });
    result.reserve(all.size());
    detail::pour(result, all);
  }
  return result;
}

/// How many elements x of r have each key(x).
///
///     auto cities = tartan::count_by(tartan::par, people, &person::city);   // std::unordered_map<std::string, size_t>
///
/// @param key  A function or a pointer to a member; called once for each element. A string_view or a literal that it
///             returns is stored as a std::string.
///
/// Everything else as map_reduce_by_key with whole numbers: exact, so nothing depends on order.
template <execution_policy P, std::ranges::input_range R, class KeyOf>
[[nodiscard]] auto count_by(P const& policy, R&& r, KeyOf key) {
  static_assert(std::invocable<KeyOf&, std::ranges::range_reference_t<R>>,
                "tartan: count_by(policy, range, key) needs a key that can be called with an element of the range");
  return map_reduce_by_key<detail::key_of_t<KeyOf, R>, std::size_t>(policy, std::forward<R>(r),
                                                                    detail::emit_one<KeyOf>{std::move(key)});
}

/// The elements of r by key(x), each group in the order of r.
///
///     auto by_city = tartan::group_by(tartan::par, people, &person::city);   // city -> std::vector<person>
///
/// @param key  As for count_by; must return the same for equal elements.
/// @returns    std::unordered_map from keys to vectors. Elements of a range of values (or of one that cannot be cut)
/// are
///             moved in, all others are copied.
///
/// Complexity: n calls of key and n copies. Extra memory: a std::size_t for each element. Exceptions, Blocking, Thread
/// safety: as for_each.
template <execution_policy P, std::ranges::input_range R, class KeyOf>
[[nodiscard]] auto group_by(P const& policy, R&& r, KeyOf key) {
  static_assert(std::invocable<KeyOf&, std::ranges::range_reference_t<R>>,
                "tartan: group_by(policy, range, key) needs a key that can be called with an element of the range");
  static_assert(supports < P, property::grain | property::relaxed >,
                "tartan: group_by does not support a property of this policy (it takes workers, grain, stop, progress, "
                "name, on)");
  using element = std::ranges::range_value_t<R>;
  using key_type = detail::key_of_t<KeyOf, R>;
  if constexpr (!shared_memory_backend<typename P::backend_type>) {
    return map_reduce_by_key<key_type, std::vector<element>>(
        policy, std::forward<R>(r), detail::emit_alone<KeyOf>{std::move(key)}, detail::append<element>{});
  } else if constexpr (divisible_range<R>) {
    auto const first = std::ranges::begin(r);
    auto const element_at = [&](std::size_t i) -> decltype(auto) { return detail::at(first, i); };
    return detail::group_indices<key_type, element>(policy, detail::length(r), key, element_at, element_at);
  } else {
    std::vector<element> all;
    for (auto&& x : r) all.push_back(std::forward<decltype(x)>(x));
    return detail::group_indices<key_type, element>(
        policy, all.size(), key, [&](std::size_t i) -> element& { return all[i]; },
        [&](std::size_t i) -> element&& { return std::move(all[i]); });
  }
}

}  // namespace tartan::inline TARTAN_ABI
