#pragma once
// From the cells of tables to an ordinary map.

#include <algorithm>  // max, min
#include <cstddef>    // size_t
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
        stretches_(buckets / width_ + 1),
        ends_(stretches_ * tables.size()) {
    auto const each_table = [&](auto const& f) {
      backend.for_range(props, tables.size(), std::size_t{1}, [&](std::size_t begin, std::size_t end) {
        for (std::size_t t = begin; t != end; ++t) tables[t]->for_each([&](cell& c) { f(end_of(t, c), c); });
      });
    };
    each_table([](std::size_t& count, cell&) { ++count; });
    std::size_t sum = 0;
    for (std::size_t s = 0; s != stretches_; ++s)
      for (std::size_t t = 0; t != tables.size(); ++t) sum += std::exchange(ends_[t * stretches_ + s], sum);
    cells_.resize(sum);
    each_table([&](std::size_t& end, cell& c) { cells_[end++] = &c; });
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
  static constexpr std::size_t few = std::size_t{1} << 15;  // buckets that are in the cache anyhow
  static constexpr std::size_t narrowest = std::size_t{1} << 11, most_stretches = std::size_t{1} << 12, ahead = 8;

  std::size_t& end_of(std::size_t table, cell const& c) {
    if (stretches_ == 1) return ends_[table];
    return ends_[table * stretches_ + c.key.standard_hash() % buckets_ / width_];
  }
  static void prefetch([[maybe_unused]] cell const& c) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(&c);
#endif
  }

  std::size_t buckets_, width_, stretches_;
  std::vector<std::size_t> ends_;  // of a stretch of a table: where its next cell goes
  std::vector<cell*> cells_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
