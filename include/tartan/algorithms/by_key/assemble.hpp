#pragma once
// From the cells of tables to an ordinary map.

#include <algorithm>  // max, min
#include <cstddef>    // size_t
#include <cstdint>    // uint16_t
#include <utility>    // exchange, move
#include <vector>     // vector

#include "tartan/core/config.hpp"      // TARTAN_ABI
#include "tartan/exec/properties.hpp"  // properties

namespace tartan::inline TARTAN_ABI::detail {

/// The cells of tables that have no key in common, roughly in the order in which a std::unordered_map of `buckets`
/// buckets keeps their keys: a map that is filled in this order finds its memory in the cache, in any other each key
/// costs several misses (2 million numbers: 0.13 s, and 0.6 in the order of another hash).
template <class Table>
class cells_in_order {
 public:
  using cell = typename Table::cell;

  template <class Backend>
  cells_in_order(std::vector<Table*> const& tables, std::size_t buckets, Backend const& backend,
                 properties const& props)
      : buckets_(buckets),
        width_(buckets <= few ? buckets + 1 : (std::max)(narrowest, buckets / most_stretches + 1)),
        stretches_(buckets / width_ + 1) {
    std::vector<listed> lists(tables.size());
    std::size_t keys = 0;
    for (Table const* const t : tables) keys += t->size();
    backend.for_range(props, tables.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t t = begin; t != end; ++t) list(*tables[t], lists[t]);
    });
    if (lists.size() == 1 && stretches_ == 1) {
      cells_ = std::move(lists[0].cells);
      return;
    }
    std::size_t sum = 0;
    for (std::size_t s = 0; s != stretches_; ++s)
      for (listed& l : lists) sum += std::exchange(l.ends[s], sum);
    cells_.resize(keys);
    backend.for_range(props, lists.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t t = begin; t != end; ++t) place(lists[t]);
    });
  }

  [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }

  /// f(i, cell) for the cells at the places of [begin, end).
  template <class F>
  void for_each(std::size_t begin, std::size_t end, F&& f) const {
    for (std::size_t i = begin; i != end; ++i) {
      prefetch(*cells_[(std::min)(i + ahead, cells_.size() - 1)]);
      f(i, *cells_[i]);
    }
  }
  template <class F>
  void for_each(F&& f) const {
    for_each(0, size(), f);
  }

 private:
  static constexpr std::size_t few = std::size_t{1} << 17;  // buckets that are in the cache anyhow
  static constexpr std::size_t narrowest = std::size_t{1} << 11, most_stretches = std::size_t{1} << 12, ahead = 8;
  static_assert(most_stretches < 0xffff);

  /// Of one table.
  struct listed {
    std::vector<cell*> cells;
    std::vector<std::uint16_t> stretch;  // of each cell, if there are several
    std::vector<std::size_t> ends;       // of each stretch: how many cells there are, then where the next one goes
  };

  void list(Table const& t, listed& l) const {
    l.cells.resize(t.size() + 1);
    t.list(l.cells.data());
    l.cells.pop_back();
    l.ends.resize(stretches_);
    if (stretches_ == 1) {
      l.ends[0] = l.cells.size();
      return;
    }
    l.stretch.resize(l.cells.size());
    for (std::size_t i = 0; i != l.cells.size(); ++i) {
      l.stretch[i] = static_cast<std::uint16_t>(l.cells[i]->key.standard_hash() % buckets_ / width_);
      ++l.ends[l.stretch[i]];
    }
  }

  void place(listed& l) {
    for (std::size_t i = 0; i != l.cells.size(); ++i)
      cells_[l.ends[l.stretch.empty() ? 0 : l.stretch[i]]++] = l.cells[i];
  }

  static void prefetch([[maybe_unused]] cell const& c) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(&c);
#endif
  }

  std::size_t buckets_, width_, stretches_;
  std::vector<cell*> cells_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
