#pragma once
// The elements of a range that have equal keys, together.

#include <algorithm>      // sort
#include <concepts>       // default_initializable, invocable
#include <cstddef>        // size_t
#include <functional>     // invoke
#include <iterator>       // make_move_iterator
#include <memory>         // make_unique, unique_ptr
#include <ranges>         // begin, input_range, range_reference_t, range_value_t
#include <span>           // span
#include <type_traits>    // is_same_v, is_trivially_copyable_v, remove_cvref_t
#include <unordered_map>  // unordered_map
#include <utility>        // forward, move, pair
#include <vector>         // vector

#include "tartan/algorithms/by_key.hpp"              // checked_key, key_of_t, table_key
#include "tartan/algorithms/by_key/alone_first.hpp"  // for_range_alone_first
#include "tartan/algorithms/by_key/front.hpp"        // front
#include "tartan/algorithms/by_key/grouping.hpp"     // grouping, key_table
#include "tartan/algorithms/by_key/result.hpp"       // result_maker, result_map_t, result_order, sorted_map, unsorted_t
#include "tartan/algorithms/unattended.hpp"          // unattended
#include "tartan/core/slots.hpp"                     // slots
#include "tartan/exec/backend.hpp"                   // shared_memory_backend
#include "tartan/exec/plan.hpp"                      // aggregate_blocks, block_plan
#include "tartan/exec/policy.hpp"                    // execution_policy, supports
#include "tartan/exec/scratch.hpp"                   // scratch
#include "tartan/exec/source.hpp"                    // divisible_range, for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// The groups as vectors, made by all workers; take(i) is element i.
template <class Element, class Groups, class Backend, class Take>
class vectors_of_groups {
  using group = typename Groups::group;
  // Then each element goes to its place as it is read, in the order of the range; others are constructed one by one.
  static constexpr bool dealt_out =
      std::is_trivially_copyable_v<Element> && std::default_initializable<Element> && !std::is_same_v<Element, bool>;

 public:
  vectors_of_groups(Groups& groups, Backend const& backend, properties const& props, Take const& take)
      : groups_(groups), backend_(backend), props_(props), take_(take) {}

  template <class Cells>
  void prepare(Cells const& cells) {
    if constexpr (dealt_out) {
      std::vector<Element*> from(cells.size());
      make(cells, [&](std::size_t i, group const& g) {
        std::vector<Element> v(g.count);
        from[i] = v.data();
        return v;
      });
      groups_.deal_out(cells, from, take_);
    } else {
      groups_.put_in_order();
      make(cells, [&](std::size_t, group const& g) {
        std::vector<Element> v;
        v.reserve(g.count);
        for (std::size_t at = g.first; at != g.first + g.count; ++at) v.push_back(take_(groups_[at]));
        return v;
      });
    }
  }
  template <class Cell>
  std::vector<Element>&& operator()(std::size_t i, Cell&) {
    return std::move((*made_)[i]);
  }

 private:
  template <class Cells, class F>
  void make(Cells const& cells, F const& vector_of) {
    made_ = std::make_unique<slots<std::vector<Element>>>(cells.size());
    backend_.for_range(props_, cells.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      cells.for_each(begin, end,
                     [&](std::size_t i, auto& c) { made_->make(i, [&] { return vector_of(i, c.value()); }); });
    });
  }

  Groups& groups_;
  Backend const& backend_;
  properties props_;
  Take const& take_;
  std::unique_ptr<slots<std::vector<Element>>> made_;
};

/// The groups of n elements in the map that is returned: key(look(i)) says where element i belongs, take(i) is what
/// goes there. Whoever continues where all before is in its group puts elements there; others note down the keys. No
/// table beats that of the result where there are few elements, or nobody to share with.
template <class Key, class Element, class P, class KeyOf, class Look, class Take>
class groups_in_map {
 public:
  using map = std::unordered_map<Key, std::vector<Element>>;

  groups_in_map(P const& policy, KeyOf& key, Look const& look, Take const& take)
      : policy_(policy),
        key_(key),
        look_(look),
        take_(take),
        width_(policy.backend().width(policy.props())),
        by_worker_(width_) {}

  map make(std::size_t n) {
    block_plan const plan(n, width_ == 1 ? n / 256 + 4096 : n);
    for (std::size_t b = 0; b != plan.count(); ++b)  // one after the other; between them a stop is seen
      for_range_alone_first(
          policy_.backend(), policy_.props(), plan[b].size(),
          [&](std::size_t begin, std::size_t end) { add(plan[b].begin + begin, plan[b].begin + end); });
    std::vector<noted*> all;
    by_worker_.for_each([&](std::vector<std::unique_ptr<noted>>& some) {
      for (auto& one : some) all.push_back(one.get());
    });
    std::sort(all.begin(), all.end(), [](noted const* a, noted const* b) { return a->begin < b->begin; });
    for (noted* one : all)
      for (std::size_t i = 0; i != one->keys.size(); ++i)
        map_[std::move(one->keys[i])].push_back(take_(one->begin + i));
    return std::move(map_);
  }

 private:
  /// Of a stretch of elements.
  struct noted {
    std::size_t begin;
    std::vector<Key> keys{};
  };

  void add(std::size_t begin, std::size_t end) {
    auto const mine = by_worker_.take();
    // Who goes on with notes leaves the front alone: it would take its cache line from the one who is there.
    bool const goes_on = !mine->empty() && mine->back()->begin + mine->back()->keys.size() == begin;
    if (!goes_on && leading_.take(begin)) {
      for (std::size_t i = begin; i != end; ++i) group_of(std::invoke(key_, look_(i))).push_back(take_(i));
      leading_.leave(end);
      return;
    }
    if (!goes_on) mine->push_back(std::make_unique<noted>(noted{begin}));
    for (std::size_t i = begin; i != end; ++i) mine->back()->keys.push_back(Key(std::invoke(key_, look_(i))));
  }

  template <class K>
  std::vector<Element>& group_of(K&& k) {
    if constexpr (std::is_same_v<std::remove_cvref_t<K>, Key>)
      return map_[std::forward<K>(k)];
    else
      return map_[Key(std::forward<K>(k))];
  }

  P const& policy_;
  KeyOf& key_;
  Look const& look_;
  Take const& take_;
  std::size_t width_;
  front leading_;
  map map_;
  scratch<std::vector<std::unique_ptr<noted>>> by_worker_;
};

template <class Key, class Element, class P, class KeyOf, class Look, class Take, class Order>
result_map_t<Order, Key, std::vector<Element>> groups_without_table(P const& policy, std::size_t n, KeyOf& key,
                                                                    Look const& look, Take const& take, Order order) {
  auto map = groups_in_map<Key, Element, P, KeyOf, Look, Take>(policy, key, look, take).make(n);
  if constexpr (std::is_same_v<Order, unsorted_t>) {
    return map;
  } else {
    std::vector<std::pair<Key, std::vector<Element>>> entries;
    entries.reserve(map.size());
    while (!map.empty()) {
      auto node = map.extract(map.begin());
      entries.emplace_back(std::move(node.key()), std::move(node.mapped()));
    }
    return sorted_map(std::move(order), policy.backend(), unattended(policy.props()), std::span(entries));
  }
}

inline constexpr std::size_t too_few_to_deal_out = std::size_t{1} << 19;

/// The same by all workers.
template <class Key, class Element, class P, class KeyOf, class Look, class Take, class Order>
auto groups_in_memory(P const& policy, std::size_t n, KeyOf& key, Look const& look, Take const& take, Order order) {
  using backend = typename P::backend_type;
  std::size_t const width = policy.backend().width(policy.props());
  if (width == 1 || n < too_few_to_deal_out)
    return groups_without_table<Key, Element>(policy, n, key, look, take, std::move(order));
  properties const quiet = unattended(policy.props());
  grouping<Key, backend> groups(policy.backend(), policy.props(), quiet, n, width,
                                [&](std::size_t i) -> decltype(auto) { return std::invoke(key, look(i)); });
  vectors_of_groups<Element, grouping<Key, backend>, backend, Take> vectors(groups, policy.backend(), quiet, take);
  result_maker<Key, std::vector<Element>, typename grouping<Key, backend>::table> result(groups.tables());
  return result.make(order, policy.backend(), quiet, vectors);
}

/// What travels to a worker that does not see the caller's memory: a block in, its groups out.
template <class Key, class Element, class KeyOf>
struct group_work {
  using entry = std::pair<Key, std::vector<Element>>;
  [[no_unique_address]] KeyOf key_of;
  template <class Part>
  std::vector<entry> operator()(Part& part) const {
    KeyOf key = key_of;
    key_table<Key, std::size_t> numbers;
    std::vector<std::vector<Element>> groups;
    std::size_t number = 0;
    auto known = [&number](std::size_t old, std::size_t) { return number = old; };
    for (auto&& x : part) {
      number = groups.size();
      numbers.add(std::invoke(key, x), number, known);
      if (number == groups.size()) groups.emplace_back();
      groups[number].push_back(std::forward<decltype(x)>(x));
    }
    std::vector<entry> out;
    out.reserve(groups.size());
    numbers.for_each([&](auto& c) { out.emplace_back(c.key.template take<Key>(), std::move(groups[c.value()])); });
    return out;
  }
};

template <class Key, class Element, class P, class R, class KeyOf, class Order>
auto groups_from_afar(P const& policy, R& r, KeyOf& key, Order order) {
  using work = group_work<Key, Element, KeyOf>;
  key_table<Key, std::vector<Element>> all;
  auto append = [](std::vector<Element>&& a, std::vector<Element>&& b) {
    a.insert(a.end(), std::make_move_iterator(b.begin()), std::make_move_iterator(b.end()));
    return std::move(a);
  };
  for_parts(r, [&](auto&& part, std::size_t) {
    auto blocks = policy.backend().template collect<std::vector<typename work::entry>>(
        policy.props(), aggregate_blocks(length(part)), subrange_of{std::ranges::begin(part)}, work{key});
    for (auto& block : blocks)
      for (auto& [k, group] : block) all.add(std::move(k), std::move(group), append);
  });
  result_maker<Key, std::vector<Element>, key_table<Key, std::vector<Element>>> result({&all});
  return result.make(order, on_caller{}, unattended(policy.props()), values_in_cells{});
}

}  // namespace detail

/// The elements of r by key(x), each group in the order of r.
///
///     auto by_city = tartan::group_by(tartan::par, people, &person::city);   // city -> std::vector<person>
///
/// @param key    As for count_by; must return the same for equal elements.
/// @param order  sorted_by_key or sorted_by_key(compare), if wanted.
/// @returns      std::unordered_map from keys to vectors; with sorted_by_key a std::map. Elements of a range of values
///               (or of one that cannot be cut) are moved in, all others are copied.
///
/// Complexity: n calls of key and n copies; below half a million elements one worker makes the groups, in the map that
/// is returned, and the others call key. Extra memory: eight bytes an element, and a table of the keys; below, the keys
/// of those elements whose key another worker called.
/// Exceptions, Blocking, Thread safety: as for_each.
template <execution_policy P, std::ranges::input_range R, class KeyOf, detail::result_order Order = detail::unsorted_t>
[[nodiscard]] auto group_by(P const& policy, R&& r, KeyOf key, Order order = {}) {
  static_assert(std::invocable<KeyOf&, std::ranges::range_reference_t<R>>,
                "tartan: group_by(policy, range, key) needs a key that can be called with an element of the range");
  static_assert(supports < P, property::grain | property::relaxed >,
                "tartan: group_by does not support a property of this policy (it takes workers, grain, stop, progress, "
                "name, on)");
  using element = std::ranges::range_value_t<R>;
  using found = detail::key_of_t<KeyOf, R>;
  using key_type = typename detail::checked_key<found>::type;
  if constexpr (!detail::table_key<found>) {
    return detail::result_map_t<Order, key_type, std::vector<element>>{};
  } else if constexpr (!shared_memory_backend<typename P::backend_type>) {
    return detail::groups_from_afar<key_type, element>(policy, r, key, std::move(order));
  } else if constexpr (divisible_range<R>) {
    auto const first = std::ranges::begin(r);
    auto const element_at = [&](std::size_t i) -> decltype(auto) { return detail::at(first, i); };
    return detail::groups_in_memory<key_type, element>(policy, detail::length(r), key, element_at, element_at,
                                                       std::move(order));
  } else {
    std::vector<element> all;
    for (auto&& x : r) all.push_back(std::forward<decltype(x)>(x));
    return detail::groups_in_memory<key_type, element>(
        policy, all.size(), key, [&](std::size_t i) -> element& { return all[i]; },
        [&](std::size_t i) -> element&& { return std::move(all[i]); }, std::move(order));
  }
}

}  // namespace tartan::inline TARTAN_ABI
