#pragma once
// What one piece of a by-key call has emitted.

#include <array>    // array
#include <cstddef>  // size_t
#include <memory>   // make_unique, unique_ptr
#include <utility>  // forward, move
#include <vector>   // vector

#include "tartan/algorithms/by_key/cell_list.hpp"    // cell_list
#include "tartan/algorithms/by_key/keys.hpp"         // as_looked_up
#include "tartan/algorithms/by_key/result_maps.hpp"  // result_map_of
#include "tartan/algorithms/by_key/table.hpp"        // key_table, passed_on
#include "tartan/core/config.hpp"                    // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_NOINLINE

namespace tartan::inline TARTAN_ABI::detail {

/// What emissions may do with keys that are nearly all new, as long as there will not be many of them.
enum class new_keys {
  in_tables,  // what it does with many
  in_a_map,   // they go into the map that is the result: no table beats that where each key comes once
  as_a_list   // they wait for the one who has the map
};

/// A table of keys, which combines values where they are emitted. If most keys are still new when it outgrows the
/// cache, nearly every look-up would miss: then keys are noted down in lists, by the first bits of their hash. A list
/// joins the table of its partition in one walk, which finds that table in the cache: at the end, or earlier where the
/// list has become as long as the table.
///
/// Values of a key come together from left to right, whichever way they go; where any order will do, a list also
/// combines neighbours of one key, so that no partition gets much more than its share, however frequent a key is.
template <class Key, class Value>
class emissions {
 public:
  using table = key_table<Key, Value>;
  using cell = typename table::cell;
  using map = result_map_of<Key, Value>;
  using value_type = Value;
  static constexpr unsigned partition_bits = 6;
  static constexpr std::size_t partitions = std::size_t{1} << partition_bits;

  static constexpr std::size_t many = 1 << 19;  // emissions for which tables are better than a map

  explicit emissions(bool any_order) : any_order_(any_order) {}

  /// `elements` emit, of which begin_element() tells if each may emit more than once.
  emissions(bool any_order, new_keys what, std::size_t elements)
      : what_(what), elements_(elements), any_order_(any_order) {}

  TARTAN_ALWAYS_INLINE void begin_element() noexcept { ++begun_; }

  /// So many keys are expected.
  void make_room(std::size_t keys) { all_.make_room(keys); }
  /// Whether all keys are in one table.
  [[nodiscard]] bool in_one_table() const noexcept { return parts_ == nullptr; }

  template <class E, class V, class Combine>
  TARTAN_ALWAYS_INLINE void add(E&& key, V&& v, Combine& combine) {
    decltype(auto) looked_up = as_looked_up<Key>(std::forward<E>(key));
    typename table::probe const p(looked_up);
    ++emitted_;
    if (way_ != way::table)
      add_another_way(p, std::forward<decltype(looked_up)>(looked_up), static_cast<Value>(std::forward<V>(v)), combine);
    else if (!all_.update(p, std::forward<V>(v), combine))
      add_new(p, std::forward<decltype(looked_up)>(looked_up), static_cast<Value>(std::forward<V>(v)), combine);
  }

  /// Adds the keys of partition p to `to`; there is neither a map nor a list of all.
  template <class Combine>
  void move_partition(std::size_t p, table& to, Combine& combine) {
    if (parts_ == nullptr) {
      to.make_room(all_.size() / partitions);
      all_.for_partition(p, partition_bits, [&](cell& c) { to.add_cell(c, combine); });
      return;
    }
    partition& mine = (*parts_)[p];
    mine.list.drain(mine.keys, combine);
    mine.list.release();
    if (to.size() == 0 || (any_order_ && to.size() < mine.keys.size())) to.swap(mine.keys);
    to.make_room(mine.keys.size());
    mine.keys.for_each([&](cell& c) { to.add_cell(c, combine); });
  }

  /// What is in lists joins the tables; then tables() hold all keys.
  template <class Combine>
  void settle(Combine& combine) {
    if (parts_ == nullptr) return;
    for (partition& p : *parts_) p.list.drain(p.keys, combine);
  }
  /// They have no key in common.
  [[nodiscard]] std::vector<table*> tables() {
    if (parts_ == nullptr) return {&all_};
    std::vector<table*> them;
    for (partition& p : *parts_) them.push_back(&p.keys);
    return them;
  }

  [[nodiscard]] bool in_a_map() const noexcept { return way_ == way::map; }
  [[nodiscard]] bool as_a_list() const noexcept { return way_ == way::list; }
  [[nodiscard]] bool may_be_a_map() const noexcept { return what_ == new_keys::in_a_map; }
  /// Keys that it holds, as far as they are together.
  [[nodiscard]] bool few_keys() const noexcept { return way_ == way::table && all_.size() <= 8 * few; }

  /// From now on all keys go into the map.
  template <class Combine>
  void become_a_map(Combine& combine) {
    way_ = way::map;
    settle(combine);
    for (table* const t : tables()) t->for_each([&](cell& c) { add_cell_to_map(c, combine); });
    table empty;
    all_.swap(empty);
    parts_.reset();
  }
  template <class Combine>
  [[nodiscard]] auto take_map(Combine& combine) {
    map_.settle(combine);
    return map_.take();
  }

  /// Adds all that `other` has; this is a map, or both are tables of few keys.
  template <class Combine>
  void take_in(emissions& other, Combine& combine) {
    if (in_a_map()) {
      other.settle(combine);
      for (table* const t : other.tables()) t->for_each([&](cell& c) { add_cell_to_map(c, combine); });
      other.list_.for_each([&](cell& c) { add_cell_to_map(c, combine); });
    } else {
      other.all_.for_each([&](cell& c) { add_cell(c, combine); });
    }
  }
  /// This is a map, or a table of few keys.
  template <class Combine>
  void add_cell(cell& c, Combine& combine) {
    in_a_map() ? add_cell_to_map(c, combine) : all_.add_cell(c, combine);
  }

 private:
  static constexpr std::size_t few = 512;         // keys that tell what the others will be like
  static constexpr std::size_t cached = 1 << 15;  // cells that a look-up finds soon
  static constexpr std::size_t shortest = 2048;   // list that is worth a walk through its table

  enum class way : unsigned char { table, partitions, map, list };
  struct partition {
    table keys{partition_bits};
    cell_list<Key, Value> list;
  };

  /// Out of the way, and by value: nothing that a look-up uses needs an address then.
  template <class K, class Combine>
  TARTAN_NOINLINE void add_new(typename table::probe p, K&& key, passed_on<Value> v, Combine& combine) {
    if (what_ != new_keys::in_tables && nearly_all_new()) {
      if (what_ == new_keys::in_a_map)
        become_a_map(combine);
      else
        way_ = way::list;
      return add_another_way(p, std::forward<K>(key), std::move(v), combine);
    }
    if (!all_.full(cached) || emitted_ >= all_.size() + all_.size() / 2)
      return all_.insert(p, std::forward<K>(key), std::move(v));
    part(combine);
    note_down(p, std::forward<K>(key), std::move(v), combine);
  }

  /// (Of the words of a text a quarter have come again by then.)
  [[nodiscard]] bool nearly_all_new() const noexcept {
    return all_.size() >= few && emitted_ < all_.size() + all_.size() / 16 && elements_ < many &&
           (begun_ == 0 || elements_ * emitted_ / begun_ < many);
  }

  template <class K, class Combine>
  TARTAN_NOINLINE void add_another_way(typename table::probe p, K&& key, passed_on<Value> v, Combine& combine) {
    if (way_ == way::partitions) {
      note_down(p, std::forward<K>(key), std::move(v), combine);
    } else if (way_ == way::list) {
      list_.push(p, std::forward<K>(key), std::move(v));
    } else {
      map_.add(std::forward<K>(key), std::move(v), combine);
    }
  }

  template <class Combine>
  void add_cell_to_map(cell& c, Combine& combine) {
    map_.add(c.key.template take<Key>(), std::move(c.value()), combine);
  }

  template <class Combine>
  void part(Combine& combine) {
    auto parts = std::make_unique<std::array<partition, partitions>>();
    for (std::size_t p = 0; p != partitions; ++p) move_partition(p, (*parts)[p].keys, combine);
    table empty;
    all_.swap(empty);
    parts_ = std::move(parts);
    way_ = way::partitions;
  }

  template <class K, class Combine>
  TARTAN_ALWAYS_INLINE void note_down(typename table::probe const& p, K&& key, Value&& v, Combine& combine) {
    partition& to = (*parts_)[p.hash >> (64 - partition_bits)];
    if (any_order_ && to.list.last_is(p)) return to.list.add_to_last(std::move(v), combine);
    if (to.list.size() >= shortest && to.list.size() >= to.keys.size() / 2) to.list.drain(to.keys, combine);
    to.list.push(p, std::forward<K>(key), std::move(v));
  }

  table all_;
  std::size_t emitted_ = 0;
  way way_ = way::table;
  new_keys what_ = new_keys::in_tables;
  std::unique_ptr<std::array<partition, partitions>> parts_;
  map map_;
  cell_list<Key, Value> list_;
  std::size_t elements_ = 0, begun_ = 0;
  bool any_order_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
