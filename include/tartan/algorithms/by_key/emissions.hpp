#pragma once
// What one piece of a by-key call has emitted.

#include <array>    // array
#include <cstddef>  // size_t
#include <memory>   // make_unique, unique_ptr
#include <utility>  // forward, move
#include <vector>   // vector

#include "tartan/algorithms/by_key/cell_list.hpp"  // cell_list
#include "tartan/algorithms/by_key/keys.hpp"       // as_looked_up
#include "tartan/algorithms/by_key/table.hpp"      // key_table, passed_on
#include "tartan/core/config.hpp"                  // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_NOINLINE

namespace tartan::inline TARTAN_ABI::detail {

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
  static constexpr unsigned partition_bits = 6;
  static constexpr std::size_t partitions = std::size_t{1} << partition_bits;

  explicit emissions(bool any_order) : any_order_(any_order) {}

  /// So many keys are expected.
  void make_room(std::size_t keys) { all_.make_room(keys); }

  template <class E, class V, class Combine>
  TARTAN_ALWAYS_INLINE void add(E&& key, V&& v, Combine& combine) {
    decltype(auto) looked_up = as_looked_up<Key>(std::forward<E>(key));
    typename table::probe const p(looked_up);
    ++emitted_;
    if (parts_ != nullptr)
      note_down(p, std::forward<decltype(looked_up)>(looked_up), static_cast<Value>(std::forward<V>(v)), combine);
    else if (!all_.update(p, std::forward<V>(v), combine))
      add_new(p, std::forward<decltype(looked_up)>(looked_up), static_cast<Value>(std::forward<V>(v)), combine);
  }

  /// Adds the keys of partition p to `to`.
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

  /// Whether all keys are in one table.
  [[nodiscard]] bool in_one_table() const noexcept { return parts_ == nullptr; }

 private:
  static constexpr std::size_t cached = 1 << 15;  // cells that a look-up finds soon
  static constexpr std::size_t shortest = 2048;   // list that is worth a walk through its table

  struct partition {
    table keys{partition_bits};
    cell_list<Key, Value> list;
  };

  /// Out of the way, and by value: nothing that a look-up uses needs an address then.
  template <class K, class Combine>
  TARTAN_NOINLINE void add_new(typename table::probe p, K&& key, passed_on<Value> v, Combine& combine) {
    if (!all_.full(cached) || emitted_ >= all_.size() + all_.size() / 2)
      return all_.insert(p, std::forward<K>(key), std::move(v));
    part(combine);
    note_down(p, std::forward<K>(key), std::move(v), combine);
  }

  template <class Combine>
  void part(Combine& combine) {
    auto parts = std::make_unique<std::array<partition, partitions>>();
    for (std::size_t p = 0; p != partitions; ++p) move_partition(p, (*parts)[p].keys, combine);
    table empty;
    all_.swap(empty);
    parts_ = std::move(parts);
  }

  template <class K, class Combine>
  TARTAN_ALWAYS_INLINE void note_down(typename table::probe const& p, K&& key, Value&& v, Combine& combine) {
    partition& to = (*parts_)[p.hash >> (64 - partition_bits)];
    if (any_order_ && to.list.last_is(p)) return to.list.add_to_last(std::move(v), combine);
    if (to.list.size() >= shortest && to.list.size() >= to.keys.size() / 2) to.list.drain(to.keys, combine);
    to.list.push(p, std::forward<K>(key), std::move(v));
  }

  table all_;
  std::unique_ptr<std::array<partition, partitions>> parts_;
  std::size_t emitted_ = 0;
  bool any_order_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
