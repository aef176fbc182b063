#pragma once
// What one worker emits while others have yet to emit what stands before it.

#include <array>    // array
#include <cstddef>  // size_t
#include <cstdint>  // uint32_t
#include <utility>  // forward, move

#include "tartan/algorithms/by_key/cell_list.hpp"  // cell_list
#include "tartan/algorithms/by_key/emissions.hpp"  // emissions
#include "tartan/algorithms/by_key/folded.hpp"     // folded
#include "tartan/algorithms/by_key/keys.hpp"       // as_looked_up
#include "tartan/algorithms/by_key/table.hpp"      // key_table
#include "tartan/core/config.hpp"                  // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_NOINLINE

namespace tartan::inline TARTAN_ABI::detail {

/// Of neighbouring elements. Each key has its part of the last block in a table, and in a list, by partition of the
/// hash, what it has of the blocks before: whoever reads the list and then the table finds the blocks of a key in their
/// order. A block that began elsewhere is listed value by value, since only what begins a block can be combined in
/// advance; so is everything where most keys are new and a table would miss the cache for each of them.
template <class Key, class Value>
class notes {
 public:
  using table = key_table<Key, folded<Value>>;
  using cell = typename table::cell;
  static constexpr unsigned partition_bits = emissions<Key, Value>::partition_bits;

  /// `begun`: a block of which elements stand before the first of these.
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  /// `for_map`: if nearly all keys are new, one list takes all for the one who has the map of the result.
  notes(std::uint32_t begun, bool for_map) noexcept : begun_(begun), for_map_(for_map) {}

  template <class E, class Combine>
  TARTAN_ALWAYS_INLINE void add(E&& key, folded<Value>&& v, Combine& combine) {
    decltype(auto) looked_up = as_looked_up<Key>(std::forward<E>(key));
    typename table::probe const p(looked_up);
    ++emitted_;
    if (v.block() == begun_ || listed_)
      return list(p).push(p, std::forward<decltype(looked_up)>(looked_up), std::move(v));
    cell* const c = last_.lookup(p);
    if (c != nullptr && c->value().block() == v.block()) return table::take_in(*c, std::move(v), combine);
    c != nullptr ? replace(*c, p, std::forward<decltype(looked_up)>(looked_up), std::move(v))
                 : add_new(p, std::forward<decltype(looked_up)>(looked_up), std::move(v));
  }

  [[nodiscard]] bool in_one_list() const noexcept { return in_one_list_; }

  /// Adds the keys of partition p to `to`; they are not in one list.
  template <class Combine>
  void move_partition(std::size_t p, table& to, Combine& combine) {
    lists_[p].drain(to, combine);
    lists_[p].release();
    last_.for_partition(p, partition_bits, [&](cell& c) { to.add_cell(c, combine); });
  }

  /// f(cell) for all cells, those of a key in their order.
  template <class F>
  void move_all(F&& f) {
    for (std::size_t p = 1; p != lists_.size(); ++p) lists_[p].for_each(f);
    lists_[0].for_each(f);  // what is in one list is behind what was in all of them
    last_.for_each(f);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t sum = last_.size();
    for (auto const& l : lists_) sum += l.size();
    return sum;
  }

 private:
  static constexpr std::size_t cached = 1 << 15;  // cells that a look-up finds soon
  using cells = cell_list<Key, folded<Value>>;

  [[nodiscard]] TARTAN_ALWAYS_INLINE cells& list(typename table::probe const& p) noexcept {
    return lists_[in_one_list_ ? 0 : p.hash >> (64 - partition_bits)];
  }

  template <class K>
  TARTAN_NOINLINE void replace(cell& c, typename table::probe p, K&& key, folded<Value>&& v) {
    list(p).push_cell(c);
    c.key.renew(std::forward<K>(key));
    c.value() = std::move(v);
  }

  template <class K>
  TARTAN_NOINLINE void add_new(typename table::probe p, K&& key, folded<Value>&& v) {
    if (for_map_ && last_.size() >= 512 && emitted_ < last_.size() + last_.size() / 16) {
      in_one_list_ = listed_ = true;
    } else if (!last_.full(cached) || emitted_ >= last_.size() + last_.size() / 2) {
      return last_.insert(p, std::forward<K>(key), std::move(v));
    }
    last_.for_each([&](cell& c) { list(typename table::probe(c.key)).push_cell(c); });
    table empty;
    last_.swap(empty);
    listed_ = true;
    list(p).push(p, std::forward<K>(key), std::move(v));
  }

  table last_;
  std::array<cells, std::size_t{1} << partition_bits> lists_;
  std::size_t emitted_ = 0;
  std::uint32_t begun_;
  bool for_map_, listed_ = false, in_one_list_ = false;
};

}  // namespace tartan::inline TARTAN_ABI::detail
