#pragma once
// The maps that by-key operations return.

#include <algorithm>      // min, sort
#include <cstddef>        // size_t
#include <functional>     // less
#include <map>            // map
#include <span>           // span
#include <type_traits>    // is_same_v
#include <unordered_map>  // unordered_map
#include <utility>        // move, pair
#include <vector>         // vector

#include "tartan/algorithms/by_key/assemble.hpp"  // cells_in_order
#include "tartan/algorithms/sort.hpp"             // sort
#include "tartan/core/config.hpp"                 // TARTAN_ABI
#include "tartan/core/slots.hpp"                  // slots
#include "tartan/exec/backend.hpp"                // shared_memory_backend
#include "tartan/exec/policy.hpp"                 // policy
#include "tartan/exec/properties.hpp"             // properties

namespace tartan::inline TARTAN_ABI {

/// What `sorted_by_key` is; see there.
template <class Compare = std::less<>>
struct sorted_by_key_t {
  [[no_unique_address]] Compare compare{};
  /// Sorted by another order, as in sorted_by_key(std::greater<>{}).
  template <class Other>
  [[nodiscard]] constexpr sorted_by_key_t<Other> operator()(Other other) const {
    return {std::move(other)};
  }
};

/// As the last argument of a by-key operation: the result is a std::map, sorted by key, and no std::unordered_map.
///
///     for (auto const& [city, n] : tartan::count_by(tartan::par, people, &person::city, tartan::sorted_by_key)) ...
///
/// sorted_by_key(compare) sorts by a strict weak order that tells apart all keys that are not equal.
inline constexpr sorted_by_key_t<> sorted_by_key{};

namespace detail {

/// No order was asked for.
struct unsorted_t {};

template <class T>
inline constexpr bool is_result_order = std::is_same_v<T, unsorted_t>;
template <class Compare>
inline constexpr bool is_result_order<sorted_by_key_t<Compare>> = true;
template <class T>
concept result_order = is_result_order<T>;

template <class Order, class Key, class Value>
struct result_map {
  using type = std::unordered_map<Key, Value>;
};
template <class Compare, class Key, class Value>
struct result_map<sorted_by_key_t<Compare>, Key, Value> {
  using type = std::map<Key, Value, Compare>;
};
template <class Key, class Value>
struct result_map<sorted_by_key_t<std::less<>>, Key, Value> {
  using type = std::map<Key, Value>;
};
template <class Order, class Key, class Value>
using result_map_t = typename result_map<Order, Key, Value>::type;

/// In place of a backend: what the calling thread does itself.
struct on_caller {
  template <class Body>
  void for_range(properties const&, std::size_t n, std::size_t, Body const& body) const {
    if (n != 0) body(std::size_t{0}, n);
  }
};

/// A map of entries that have no key in common; they are moved out.
template <class Compare, class Key, class Value, class Backend>
auto sorted_map(sorted_by_key_t<Compare> order, Backend const& backend, properties const& props,
                std::span<std::pair<Key, Value>> entries) {
  using entry = std::pair<Key, Value>;
  using map_type = result_map_t<sorted_by_key_t<Compare>, Key, Value>;
  if constexpr (shared_memory_backend<Backend>)
    sort(policy<Backend>(backend, props), entries, order.compare, &entry::first);
  else
    std::ranges::sort(entries, order.compare, &entry::first);
  map_type map = [&] {
    if constexpr (std::is_same_v<Compare, std::less<>>)
      return map_type();
    else
      return map_type(order.compare);
  }();
  for (entry& e : entries) map.emplace_hint(map.end(), std::move(e.first), std::move(e.second));
  return map;
}

/// Makes the result of a call from the cells of its tables. `values` is told of all cells first, prepare(cells), and
/// then gives the value of each: values(i, cell).
template <class Key, class Value, class Table>
class result_maker {
 public:
  using cells = cells_in_order<Table>;
  using cell = typename Table::cell;

  explicit result_maker(std::vector<Table*> tables) : tables_(std::move(tables)) {
    for (Table* t : tables_) keys_ += t->size();
  }

  template <class Backend, class Values>
  std::unordered_map<Key, Value> make(unsorted_t, Backend const& backend, properties const& props, Values&& values) {
    std::unordered_map<Key, Value> map;
    map.reserve(keys_);
    cells const all(tables_, map.bucket_count(), backend, props);
    values.prepare(all);
    if (workers_of(backend, props) == 1 || keys_ < worth_sharing)
      all.for_each([&](std::size_t i, cell& c) { map.emplace(c.key.template take<Key>(), values(i, c)); });
    else
      fill(map, all, backend, props, values);
    return map;
  }

  template <class Compare, class Backend, class Values>
  auto make(sorted_by_key_t<Compare> order, Backend const& backend, properties const& props, Values&& values) {
    using entry = std::pair<Key, Value>;
    cells const all(tables_, 1, backend, props);
    values.prepare(all);
    slots<entry> entries(all.size());
    backend.for_range(props, all.size(), grain, [&](std::size_t begin, std::size_t end) {
      all.for_each(begin, end, [&](std::size_t i, cell& c) {
        entries.make(i, [&] { return entry(c.key.template take<Key>(), values(i, c)); });
      });
    });
    return sorted_map(std::move(order), backend, props, std::span<entry>(entries.data(), entries.size()));
  }

 private:
  static constexpr std::size_t grain = 256, worth_sharing = std::size_t{1} << 18, batch = std::size_t{1} << 16;

  template <class Backend>
  static std::size_t workers_of(Backend const& backend, properties const& props) {
    if constexpr (shared_memory_backend<Backend>)
      return backend.width(props);
    else
      return 1;
  }

  /// Only one thread can change a map, but any of them can make its nodes, which is more than half of the work.
  template <class Backend, class Values>
  void fill(std::unordered_map<Key, Value>& map, cells const& all, Backend const& backend, properties const& props,
            Values& values) {
    using node = typename std::unordered_map<Key, Value>::node_type;
    std::vector<node> nodes((std::min)(batch, all.size()));
    for (std::size_t first = 0; first < all.size(); first += batch) {
      std::size_t const n = (std::min)(batch, all.size() - first);
      backend.for_range(props, n, grain, [&](std::size_t begin, std::size_t end) {
        std::unordered_map<Key, Value> one;
        all.for_each(first + begin, first + end, [&](std::size_t i, cell& c) {
          nodes[i - first] = one.extract(one.emplace(c.key.template take<Key>(), values(i, c)).first);
        });
      });
      for (std::size_t i = 0; i != n; ++i) map.insert(std::move(nodes[i]));
    }
  }

  std::vector<Table*> tables_;
  std::size_t keys_ = 0;
};

/// Values that lie in their cells.
struct values_in_cells {
  template <class Cells>
  void prepare(Cells const&) const noexcept {}
  template <class Cell>
  auto&& operator()(std::size_t, Cell& c) const {
    return std::move(c.value());
  }
};

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
