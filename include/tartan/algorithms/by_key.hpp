#pragma once
// What is emitted under equal keys comes together: map_reduce_by_key, count_by.

#include <algorithm>      // max, min
#include <concepts>       // invocable
#include <cstddef>        // size_t
#include <functional>     // invoke, plus
#include <ranges>         // begin, input_range, range_reference_t
#include <string>         // string
#include <string_view>    // string_view
#include <type_traits>    // conditional_t, decay_t, is_convertible_v, is_pointer_v, is_same_v
#include <unordered_map>  // unordered_map
#include <utility>        // forward, move, pair
#include <vector>         // vector

#include "tartan/algorithms/by_key/emissions.hpp"  // emissions
#include "tartan/algorithms/by_key/keys.hpp"       // as_looked_up
#include "tartan/algorithms/by_key/result.hpp"  // result_maker, result_map_t, result_order, sorted_by_key_t, unsorted_t
#include "tartan/algorithms/by_key/table.hpp"   // key_table
#include "tartan/algorithms/unattended.hpp"     // unattended
#include "tartan/core/slots.hpp"                // slots
#include "tartan/exec/backend.hpp"              // shared_memory_backend
#include "tartan/exec/combine.hpp"              // exact
#include "tartan/exec/plan.hpp"                 // block_plan
#include "tartan/exec/policy.hpp"               // execution_policy, supports
#include "tartan/exec/scratch.hpp"              // scratch
#include "tartan/exec/source.hpp"               // divisible_range, for_parts, length, subrange_of

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

/// A key is combined within a block first: long blocks have fewer keys in all, so there are fewer of them where there
/// are enough elements for every worker.
[[nodiscard]] constexpr block_plan by_key_blocks(std::size_t n) noexcept {
  constexpr std::size_t most = 256, least = 64, length = std::size_t{1} << 18;
  std::size_t const count = n < most * most ? most : (std::min)(most, (std::max)(least, n / length));
  return {n, n / count + (n % count != 0 ? 1 : 0)};
}

/// The tables of one call, on a backend that shares memory.
///
/// Where combine is exact and commutes, or order does not matter to the caller, each worker notes down what it emits.
/// Otherwise each block does; blocks come in batches, and those of a batch are added to the result in their order: what
/// a key gets comes together from left to right, whoever ran them. Either way that is done partition by partition (of
/// the hash), all partitions at once.
template <class Key, class Value, class P, class Combine>
class by_key_call {
 public:
  using table = key_table<Key, Value>;
  using emitted = emissions<Key, Value>;

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

  /// Tables that have no key in common.
  [[nodiscard]] std::vector<table*> results() {
    std::vector<emitted*> from;
    by_worker_.for_each([&](emitted& e) { from.push_back(&e); });
    if (from.size() == 1) {
      from[0]->settle(combine_);
      return from[0]->tables();
    }
    if (!from.empty()) merge(from);
    std::vector<table*> all;
    for (table& t : merged_) all.push_back(&t);
    return all;
  }

 private:
  /// For what happens between the elements: nobody counts it, and its pieces are not the user's.
  [[nodiscard]] properties quiet() const {
    properties props = policy_.props().uncounted();
    props.grain = 0;
    return props;
  }

  template <class It, class F>
  static void feed(emitted& to, It first, std::size_t begin, std::size_t end, F& f, Combine& combine) {
    emitter<emitted, Combine> emit(to, combine);
    for (std::size_t i = begin; i != end; ++i) std::invoke(f, at(first, i), emit);
  }

  template <class It, class F>
  void add_by_worker(It first, std::size_t n, F& f) {
    policy_.backend().for_range(policy_.props(), n, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      auto const mine = by_worker_.take(true);
      feed(*mine, first, begin, end, f, combine_);
    });
  }

  template <class It, class F>
  void add_by_block(It first, std::size_t n, F& f) {
    std::size_t const length = by_key_blocks(n)[0].size();
    std::size_t const batch = (std::min<std::size_t>)(256, 4 * width_) * (std::max<std::size_t>)(length, 1);
    for (std::size_t begin = 0; begin != n; begin = (std::min)(n, begin + batch))
      add_batch(advanced(first, begin), (std::min)(batch, n - begin), length, f);
  }

  template <class It, class F>
  void add_batch(It first, std::size_t n, std::size_t length, F& f) {
    block_plan const plan(n, length);
    slots<emitted> blocks(plan.count());
    policy_.backend().for_range(policy_.props(), n, length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin / length; b * length < end; ++b)
        blocks.make(b, [&] {
          emitted e(false);
          e.make_room(keys_of_a_block_);
          feed(e, first, plan[b].begin, plan[b].end, f, combine_);
          return e;
        });
    });
    std::vector<emitted*> from;
    for (std::size_t b = 0; b != blocks.size(); ++b) from.push_back(&blocks[b]);
    keys_of_a_block_ = from[0]->in_one_table() ? from[0]->tables()[0]->size() : 0;
    merge(from);
  }

  void merge(std::vector<emitted*> const& from) {
    if (merged_.empty()) {
      merged_.reserve(emitted::partitions);
      for (std::size_t p = 0; p != emitted::partitions; ++p) merged_.emplace_back(emitted::partition_bits);
    }
    policy_.backend().for_range(quiet(), emitted::partitions, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t p = begin; p != end; ++p)
        for (emitted* e : from) e->move_partition(p, merged_[p], combine_);
    });
  }

  P const& policy_;
  Combine& combine_;
  bool any_order_;
  std::size_t width_;
  scratch<emitted> by_worker_;
  std::vector<table> merged_;
  std::size_t keys_of_a_block_ = 0;  // as far as is known
};

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

template <class KeyOf>
struct emit_one {
  [[no_unique_address]] KeyOf key;
  template <class X, class Emit>
  TARTAN_ALWAYS_INLINE void operator()(X&& x, Emit& emit) {
    emit(std::invoke(key, std::forward<X>(x)), std::size_t{1});
  }
};

/// What is emitted on one thread, where the result is an ordinary map anyhow: if nearly all of the first keys are
/// new, the map itself is the table. (Of the words of a text a quarter have come again by then.)
template <class Key, class Value>
class table_or_map {
 public:
  using table = key_table<Key, Value>;

  template <class E, class V, class Combine>
  TARTAN_ALWAYS_INLINE void add(E&& key, V&& v, Combine& combine) {
    decltype(auto) looked_up = as_looked_up<Key>(std::forward<E>(key));
    if (!in_map_) {
      typename table::probe const p(looked_up);
      ++emitted_;
      if (table_.update(p, std::forward<V>(v), combine)) return;
      add_new(p, std::forward<decltype(looked_up)>(looked_up), static_cast<Value>(std::forward<V>(v)), combine);
    } else {
      add_to_map(std::forward<decltype(looked_up)>(looked_up), static_cast<Value>(std::forward<V>(v)), combine);
    }
  }

  template <class Backend>
  [[nodiscard]] std::unordered_map<Key, Value> result(Backend const& backend, properties const& props) {
    if (in_map_) return std::move(map_);
    return result_maker<Key, Value, table>({&table_}).make(unsorted_t{}, backend, props, values_in_cells{});
  }

 private:
  static constexpr std::size_t few = 512;

  template <class K, class Combine>
  TARTAN_NOINLINE void add_new(typename table::probe p, K&& key, passed_on<Value> v, Combine& combine) {
    if (table_.size() < few || emitted_ >= table_.size() + table_.size() / 16)
      return table_.insert(p, std::forward<K>(key), std::move(v));
    table_.for_each([&](auto& c) { map_.emplace(c.key.template take<Key>(), std::move(c.value())); });
    in_map_ = true;
    add_to_map(std::forward<K>(key), std::move(v), combine);
  }

  template <class K, class Combine>
  void add_to_map(K&& key, Value&& v, Combine& combine) {
    auto const [at, is_new] = map_.try_emplace(Key(std::forward<K>(key)), std::move(v));
    if (!is_new) at->second = static_cast<Value>(std::invoke(combine, std::move(at->second), std::move(v)));
  }

  table table_;
  std::unordered_map<Key, Value> map_;
  std::size_t emitted_ = 0;
  bool in_map_ = false;
};

inline constexpr std::size_t many_elements = std::size_t{1} << 18;

/// By one worker, values of a key in any order, not so many elements that tables would miss the cache.
template <class Key, class Value, class P, class R, class F, class Combine>
std::unordered_map<Key, Value> reduced_one_by_one(P const& policy, R& r, F& f, Combine& combine) {
  using both = table_or_map<Key, Value>;
  both all;
  for_parts(r, [&](auto&& part, std::size_t) {
    auto const first = std::ranges::begin(part);
    policy.backend().for_range(policy.props(), length(part), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      emitter<both, Combine> emit(all, combine);
      for (std::size_t i = begin; i != end; ++i) std::invoke(f, at(first, i), emit);
    });
  });
  return all.result(policy.backend(), unattended(policy.props()));
}

/// map_reduce_by_key, whatever its result is to be.
template <class Key, class Value, class P, class R, class F, class Combine, class Order>
auto reduced_by_key(P const& policy, R& r, F& f, Combine& combine, Order order) {
  using table = key_table<Key, Value>;
  if constexpr (shared_memory_backend<typename P::backend_type>) {
    bool const any_order = exact<Combine, Value> || policy.props().relaxed;
    if constexpr (divisible_range<R> && std::is_same_v<Order, unsorted_t>)
      if (any_order && policy.backend().width(policy.props()) == 1 && length(r) < many_elements)
        return reduced_one_by_one<Key, Value>(policy, r, f, combine);
    by_key_call<Key, Value, P, Combine> call(policy, combine, any_order);
    for_parts(r, [&](auto&& part, std::size_t) { call.add(std::ranges::begin(part), length(part), f); });
    result_maker<Key, Value, table> result(call.results());
    return result.make(order, policy.backend(), unattended(policy.props()), values_in_cells{});
  } else {
    table all;
    for_parts(r, [&](auto&& part, std::size_t) {
      auto blocks = policy.backend().template collect<std::vector<std::pair<Key, Value>>>(
          policy.props(), by_key_blocks(length(part)), subrange_of{std::ranges::begin(part)},
          by_key_work<Key, Value, F, Combine>{f, combine});
      for (auto& block : blocks)
        for (auto& [key, value] : block) all.add(std::move(key), std::move(value), combine);
    });
    result_maker<Key, Value, table> result({&all});
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
/// Complexity: O(1) for each emission, in a table that is a worker's or a block's own. Extra memory: the distinct keys
/// once a worker where combine is exact (whole numbers and std::plus, maximum, bit operations, ...) or the policy is
/// relaxed(); else up to four blocks a worker have tables of their own at a time. Keys that are nearly all new are
/// listed before they join a table, at most half as many as it has keys.
/// Determinism: the same result on every run and backend; values come together in the order of r, within at most 256
/// blocks fixed by its length. With relaxed() the order is arbitrary. The order of the map is that of an unordered_map.
/// Exceptions: of f as for_each; of combine, any one that was thrown. What was emitted is destroyed.
/// Blocking, Thread safety: as for_each.
template <class Key, class Value, execution_policy P, std::ranges::input_range R, class F, class Combine = std::plus<>,
          detail::result_order Order = detail::unsorted_t>
[[nodiscard]] detail::result_map_t<Order, Key, Value> map_reduce_by_key(P const& policy, R&& r, F f,
                                                                        Combine combine = {}, Order order = {}) {
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
  return detail::reduced_by_key<Key, Value>(policy, r, f, combine, std::move(order));
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
  return map_reduce_by_key<detail::key_of_t<KeyOf, R>, std::size_t>(
      policy, std::forward<R>(r), detail::emit_one<KeyOf>{std::move(key)}, std::plus<>{}, std::move(order));
}

}  // namespace tartan::inline TARTAN_ABI
