#pragma once
// Which elements of a range have equal keys.

#include <algorithm>  // max, min
#include <cstddef>    // size_t
#include <cstdint>    // uint32_t
#include <limits>     // numeric_limits
#include <memory>     // make_unique_for_overwrite, unique_ptr
#include <utility>    // exchange
#include <vector>     // vector

#include "tartan/algorithms/by_key/table.hpp"  // key_table
#include "tartan/core/config.hpp"              // TARTAN_ABI
#include "tartan/core/slots.hpp"               // slots
#include "tartan/exec/plan.hpp"                // block_plan
#include "tartan/exec/properties.hpp"          // properties

namespace tartan::inline TARTAN_ABI::detail {

/// Numbers below a limit, in four bytes each where they fit.
class index_array {
 public:
  index_array(std::size_t size, std::size_t limit)
      : wide_(limit > (std::numeric_limits<std::uint32_t>::max)()),
        narrow_room_(std::make_unique_for_overwrite<std::uint32_t[]>(wide_ ? 0 : size)),
        wide_room_(std::make_unique_for_overwrite<std::size_t[]>(wide_ ? size : 0)) {}

  void set(std::size_t i, std::size_t x) noexcept {
    if (wide_)
      wide_room_[i] = x;
    else
      narrow_room_[i] = static_cast<std::uint32_t>(x);
  }
  [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept { return wide_ ? wide_room_[i] : narrow_room_[i]; }

 private:
  bool wide_;
  std::unique_ptr<std::uint32_t[]> narrow_room_;
  std::unique_ptr<std::size_t[]> wide_room_;
};

/// The indices of [0, n) by the keys of elements, each group in ascending order, on a backend that shares memory.
///
/// A counting sort whose digits are found on the way: each block numbers its keys and counts them; blocks come together
/// partition by partition (of the hash), which says how many elements of each key stand before those of the block; then
/// each block puts its elements, or their indices, where they belong. Every key is called once. Blocks come in batches,
/// so that few of their tables are there at a time.
template <class Key, class Backend>
class grouping {
 public:
  /// first: where it begins once the indices were put in order; before that what names the group.
  struct group {
    std::size_t first, count;
  };
  using table = key_table<Key, group>;
  using cell = typename table::cell;

  /// key(i) is the key of element i. `props` are those of the user's calls, `quiet` those of what happens between.
  template <class KeyAt>
  grouping(Backend const& backend, properties const& props, properties const& quiet, std::size_t n, std::size_t width,
           KeyAt const& key)
      : backend_(backend),
        quiet_(quiet),
        plan_(n, length_of_blocks(n, width)),
        batch_(8 * width),
        bits_(n < 4 * few ? 0 : 6),
        number_(n, plan_.count() == 0 ? 0 : plan_[0].size()),
        order_(0, 0),
        places_(plan_.count()) {
    merged_.reserve(std::size_t{1} << bits_);
    for (std::size_t p = 0; p >> bits_ == 0; ++p) merged_.emplace_back(bits_);
    for (std::size_t b = 0; b < plan_.count(); b += batch_)
      number_keys(props, b, (std::min)(plan_.count(), b + batch_), key);
  }

  /// Puts the indices in the order of their groups.
  void put_in_order() {
    order_ = index_array(plan_.elements(), plan_.elements());
    std::vector<std::size_t> before(merged_.size());
    each(merged_.size(), [&](std::size_t p) { merged_[p].for_each([&](cell& c) { before[p] += c.value().count; }); });
    std::size_t sum = 0;
    for (std::size_t& b : before) sum += std::exchange(b, sum);
    std::vector<std::vector<std::size_t>> firsts(merged_.size());
    each(merged_.size(), [&](std::size_t p) {
      firsts[p].resize(merged_[p].size());
      merged_[p].for_each([&](cell& c) {
        group& g = c.value();
        firsts[p][g.first >> bits_] = before[p];
        g.first = before[p];
        before[p] += g.count;
      });
    });
    for_places(firsts, [&](std::size_t i, std::size_t& at) { order_.set(at++, i); });
  }

  /// The index at that place of the order.
  [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept { return order_[i]; }

  /// They have no key in common; the values are groups.
  [[nodiscard]] std::vector<table*> tables() {
    std::vector<table*> all;
    for (table& t : merged_) all.push_back(&t);
    return all;
  }

  /// Puts what take(i) gives for each element i of a group behind what it gave for those in front of it: from[j] is
  /// where the group of the j-th of `cells` begins.
  template <class Cells, class T, class Take>
  void deal_out(Cells const& cells, std::vector<T*> const& from, Take const& take) {
    std::vector<std::vector<T*>> origins(merged_.size());
    for (std::size_t p = 0; p != merged_.size(); ++p) origins[p].resize(merged_[p].size());
    cells.for_each([&](std::size_t j, cell& c) {
      std::size_t const name = c.value().first;
      origins[name & (merged_.size() - 1)][name >> bits_] = from[j];
    });
    for_places(origins, [&](std::size_t i, T*& at) { *at++ = take(i); });
  }

  [[nodiscard]] group const* find(typename table::probe const& p) const {
    cell* const c = merged_[bits_ == 0 ? 0 : p.hash >> (64 - bits_)].lookup(p);
    return c == nullptr ? nullptr : &c->value();
  }

 private:
  static constexpr std::size_t few = 1024;  // elements that are not worth another worker

  /// Where the elements of one key of one block belong.
  struct place {
    std::size_t group;   // its number in its partition, and that of the partition in the lowest bits
    std::size_t before;  // elements of the group in earlier blocks
  };

  /// Any cut gives the same groups: blocks that fit a cache, and some for each worker, as keys may be costly.
  static std::size_t length_of_blocks(std::size_t n, std::size_t width) noexcept {
    std::size_t const blocks = (std::max)(8 * width, (std::min<std::size_t>)(256, n / (2 * few)));
    return n / blocks + 1;
  }

  /// f(i) for i of [0, count): pieces that hold all n elements together.
  template <class F>
  void each(std::size_t count, F const& f) const {
    if (plan_.elements() < 4 * few) {
      for (std::size_t i = 0; i != count; ++i) f(i);
      return;
    }
    backend_.for_range(quiet_, count, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i != end; ++i) f(i);
    });
  }

  template <class KeyAt>
  void number_keys(properties const& props, std::size_t first, std::size_t last, KeyAt const& key) {
    slots<table> tables(last - first);
    std::size_t const from = plan_[first].begin, n = plan_[last - 1].end - from, length = plan_[0].size();
    backend_.for_range(props, n, length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin / length; b * length < end; ++b)
        tables.make(b, [&] { return number_block(plan_[first + b], key); });
    });
    each(merged_.size(), [&](std::size_t p) {
      for (std::size_t b = first; b != last; ++b) merge(tables[b - first], p, places_[b].data());
    });
  }

  template <class KeyAt>
  table number_block(block const& b, KeyAt const& key) {
    table t;
    std::size_t last = 0, next = 0;  // number of the key that came last; of the next new one
    auto count = [&last](group old, group) {
      last = old.first;
      return group{old.first, old.count + 1};
    };
    for (std::size_t i = b.begin; i != b.end; ++i) {
      last = next;
      t.add(key(i), group{next, 1}, count);
      number_.set(i, last);
      if (last == next) ++next;
    }
    places_[b.index].resize(next);
    return t;
  }

  void merge(table& from, std::size_t partition, place* places) {
    table& to = merged_[partition];
    to.make_room(from.size() >> bits_);
    from.for_partition(partition, bits_, [&](cell& c) {
      group& g = c.value();
      place& here = places[g.first];
      here = {to.size() << bits_ | partition, 0};
      g.first = here.group;
      auto join = [&here](group old, group more) {
        here = {old.first, old.count};
        return group{old.first, old.count + more.count};
      };
      to.add_cell(c, join);
    });
  }

  /// f(i, position) for every element, where position has moved on from origins[group] by one for each element of the
  /// group that stands in front of it.
  template <class Position, class F>
  void for_places(std::vector<std::vector<Position>> const& origins, F const& f) {
    each(plan_.count(), [&](std::size_t b) {
      std::vector<Position> next(places_[b].size());
      for (std::size_t k = 0; k != next.size(); ++k) {
        place const& p = places_[b][k];
        next[k] = origins[p.group & (merged_.size() - 1)][p.group >> bits_] + p.before;
      }
      for (std::size_t i = plan_[b].begin; i != plan_[b].end; ++i) f(i, next[number_[i]]);
    });
  }

  Backend const& backend_;
  properties quiet_;
  block_plan plan_;
  std::size_t batch_;
  unsigned bits_;       // of a hash that say its partition
  index_array number_;  // of the key of each element, in its block
  index_array order_;
  std::vector<std::vector<place>> places_;  // by block and number
  std::vector<table> merged_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
