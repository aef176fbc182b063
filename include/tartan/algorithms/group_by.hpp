#pragma once
// The elements of a range that have equal keys, together.

#include <concepts>     // default_initializable, invocable
#include <cstddef>      // size_t
#include <functional>   // invoke
#include <iterator>     // make_move_iterator
#include <memory>       // make_unique, unique_ptr
#include <ranges>       // begin, input_range, range_reference_t, range_value_t
#include <type_traits>  // is_same_v, is_trivially_copyable_v
#include <utility>      // forward, move, pair
#include <vector>       // vector

#include "tartan/algorithms/by_key.hpp"           // key_of_t
#include "tartan/algorithms/by_key/grouping.hpp"  // grouping
#include "tartan/algorithms/by_key/result.hpp"    // result_maker, result_order
#include "tartan/algorithms/unattended.hpp"       // unattended
#include "tartan/core/slots.hpp"                  // slots
#include "tartan/exec/backend.hpp"                // shared_memory_backend
#include "tartan/exec/plan.hpp"                   // aggregate_blocks, block_plan
#include "tartan/exec/policy.hpp"                 // execution_policy, supports
#include "tartan/exec/source.hpp"                 // divisible_range, for_parts, length, subrange_of

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Groups that grow by one element at a time.
template <class Key, class Element>
class growing_groups {
 public:
  using table = key_table<Key, std::size_t>;  // of numbers of groups

  template <class K, class X>
  void add(K&& key, X&& x) {
    std::size_t number = groups_.size();
    auto known = [&number](std::size_t old, std::size_t) { return number = old; };
    numbers_.add(std::forward<K>(key), groups_.size(), known);
    if (number == groups_.size()) groups_.emplace_back();
    groups_[number].push_back(std::forward<X>(x));
  }

  [[nodiscard]] table& numbers() noexcept { return numbers_; }

  // The values of a result_maker.
  template <class Cells>
  void prepare(Cells const&) const noexcept {}
  template <class Cell>
  std::vector<Element>&& operator()(std::size_t, Cell& c) {
    return std::move(groups_[c.value()]);
  }

 private:
  table numbers_;
  std::vector<std::vector<Element>> groups_;
};

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

/// The groups of n elements: key(look(i)) says where element i belongs, take(i) is what goes there. By one worker.
template <class Key, class Element, class P, class KeyOf, class Look, class Take, class Order>
auto groups_one_by_one(P const& policy, std::size_t n, KeyOf& key, Look const& look, Take const& take, Order order) {
  growing_groups<Key, Element> groups;
  block_plan const plan = aggregate_blocks(n);
  for (std::size_t b = 0; b != plan.count(); ++b)  // one after the other; between them a stop is seen
    policy.backend().for_range(policy.props(), plan[b].size(), plan[b].size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i)
        groups.add(std::invoke(key, look(plan[b].begin + i)), take(plan[b].begin + i));
    });
  result_maker<Key, std::vector<Element>, typename growing_groups<Key, Element>::table> result({&groups.numbers()});
  return result.make(order, policy.backend(), unattended(policy.props()), groups);
}

/// The same by all workers.
template <class Key, class Element, class P, class KeyOf, class Look, class Take, class Order>
auto groups_in_memory(P const& policy, std::size_t n, KeyOf& key, Look const& look, Take const& take, Order order) {
  using backend = typename P::backend_type;
  std::size_t const width = policy.backend().width(policy.props());
  if (width == 1) return groups_one_by_one<Key, Element>(policy, n, key, look, take, std::move(order));
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
    growing_groups<Key, Element> groups;
    for (auto&& x : part) groups.add(std::invoke(key, x), std::forward<decltype(x)>(x));
    std::vector<entry> out;
    out.reserve(groups.numbers().size());
    groups.numbers().for_each([&](auto& c) { out.emplace_back(c.key.template take<Key>(), groups(0, c)); });
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
/// @param order  sorted or sorted(compare), if wanted.
/// @returns      std::unordered_map from keys to vectors; with sorted a std::map. Elements of a range of values (or of
///               one that cannot be cut) are moved in, all others are copied.
///
/// Complexity: n calls of key and n copies. Extra memory: eight bytes an element, and a table of the keys.
/// Exceptions, Blocking, Thread safety: as for_each.
template <execution_policy P, std::ranges::input_range R, class KeyOf, detail::result_order Order = detail::unsorted_t>
[[nodiscard]] auto group_by(P const& policy, R&& r, KeyOf key, Order order = {}) {
  static_assert(std::invocable<KeyOf&, std::ranges::range_reference_t<R>>,
                "tartan: group_by(policy, range, key) needs a key that can be called with an element of the range");
  static_assert(supports < P, property::grain | property::relaxed >,
                "tartan: group_by does not support a property of this policy (it takes workers, grain, stop, progress, "
                "name, on)");
  using element = std::ranges::range_value_t<R>;
  using key_type = detail::key_of_t<KeyOf, R>;
  if constexpr (!shared_memory_backend<typename P::backend_type>) {
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
