#pragma once
// Values of a key come together in the order of the range: combine is not exact.

#include <algorithm>      // max, min, sort
#include <cstddef>        // size_t
#include <cstdint>        // uint32_t
#include <functional>     // invoke
#include <memory>         // make_unique, unique_ptr
#include <unordered_map>  // unordered_map
#include <utility>        // forward, move
#include <vector>         // vector

#include "tartan/algorithms/by_key/alone_first.hpp"  // for_range_alone_first
#include "tartan/algorithms/by_key/emissions.hpp"    // emissions
#include "tartan/algorithms/by_key/emitter.hpp"      // emitted_value
#include "tartan/algorithms/by_key/folded.hpp"       // fold, folded
#include "tartan/algorithms/by_key/front.hpp"        // front
#include "tartan/algorithms/by_key/notes.hpp"        // notes
#include "tartan/algorithms/by_key/table.hpp"        // key_table
#include "tartan/core/config.hpp"                    // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/exec/combine.hpp"                   // in_lanes
#include "tartan/exec/leaf.hpp"                      // advanced, at
#include "tartan/exec/plan.hpp"                      // block_plan
#include "tartan/exec/properties.hpp"                // properties
#include "tartan/exec/scratch.hpp"                   // scratch

namespace tartan::inline TARTAN_ABI::detail {

/// Blocks within which the values of a key come together first, from left to right. Long ones have fewer keys in all,
/// so there are few of them, but enough for every worker where a combine may be dear or there are many elements.
template <class Combine, class Value>
[[nodiscard]] constexpr block_plan by_key_blocks(std::size_t n) noexcept {
  constexpr std::size_t most = 256, length = std::size_t{1} << 18;
  bool const cheap = in_lanes<Combine, Value>;
  std::size_t const least = cheap && n < length ? 32 : n < most * most ? most : 64;
  std::size_t const count = (std::min)(most, (std::max)(least, n / length));
  return {n, n / count + (n % count != 0 ? 1 : 0)};
}

/// One call, on a backend that shares memory, for ranges that are not long. Whoever continues where all before has been
/// emitted puts values into the table of the result; others note down what they emit, and that follows partition by
/// partition (of the hash), all partitions at once. A long range comes in batches, so that there are not too many notes
/// at a time. The result does not depend on who did what.
template <class Key, class Value, class P, class Combine>
class call_in_order {
 public:
  using table = key_table<Key, folded<Value>>;

  /// `elements` will emit; `into_map`: the result may be a std::unordered_map.
  call_in_order(P const& policy, Combine& combine, std::size_t elements, bool into_map)
      : policy_(policy),
        combine_{combine},
        width_(policy.backend().width(policy.props())),
        elements_(elements),
        in_front_(false, into_map ? new_keys::in_a_map : new_keys::in_tables, elements) {}

  template <class It, class F>
  void add(It first, std::size_t n, F& f) {
    block_plan const plan = by_key_blocks<Combine, Value>(n);
    std::size_t const length = plan[0].size();
    for (std::size_t begin = 0; begin < n;) {
      std::size_t const end = width_ == 1 ? n : (std::min)(n, begin + blocks_at_a_time_ * width_ * length);
      add_batch(first, plan, begin, end, f);
      begin = end;
    }
    blocks_ += static_cast<std::uint32_t>(plan.count());
  }

  /// After the last add(): whether the result is take_map(), or else in results().
  [[nodiscard]] bool come_together() const noexcept { return in_front_.in_a_map(); }
  [[nodiscard]] std::unordered_map<Key, Value> take_map() { return in_front_.take_map(combine_); }

  /// Tables that have no key in common.
  [[nodiscard]] std::vector<table*> results() {
    if (merged_.empty()) {
      in_front_.settle(combine_);
      return in_front_.tables();
    }
    std::vector<table*> all;
    for (table& t : merged_) all.push_back(&t);
    return all;
  }

  /// The values of cells, as result_maker asks for them.
  struct values {
    Combine& combine;
    template <class Cells>
    void prepare(Cells const&) const noexcept {}
    template <class Cell>
    Value operator()(std::size_t, Cell& c) const {
      return c.value().settle(combine);
    }
  };
  [[nodiscard]] values settled() const noexcept { return {combine_.combine}; }

 private:
  using emitted = emissions<Key, folded<Value>>;
  /// Of a stretch of elements, by one worker.
  struct noted {
    std::size_t begin, end;
    notes<Key, Value> what;
  };
  using noted_by_one = std::vector<std::unique_ptr<noted>>;

  /// f calls emit(key, value).
  template <class To>
  class emitter_of_block {
   public:
    emitter_of_block(To& to, fold<Combine> const& combine, std::uint32_t block) noexcept
        : to_(to), combine_(combine), block_(block) {}
    template <class K, class V>
    TARTAN_ALWAYS_INLINE void operator()(K&& key, V&& value) {
      to_.add(std::forward<K>(key), folded<Value>(emitted_value<Value>(std::forward<V>(value)), block_), combine_);
    }

   private:
    To& to_;
    fold<Combine> const& combine_;
    std::uint32_t block_;
  };

  template <class To, class It, class F>
  void feed(To& to, It first, block_plan const& plan, std::size_t begin, std::size_t end, F& f) const {
    for (std::size_t b = begin / plan[0].size(); begin != end; ++b) {
      emitter_of_block<To> emit(to, combine_, blocks_ + static_cast<std::uint32_t>(b));
      for (std::size_t const stop = (std::min)(end, plan[b].end); begin != stop; ++begin) {
        if constexpr (requires { to.begin_element(); }) to.begin_element();
        std::invoke(f, at(first, begin), emit);
      }
    }
  }

  template <class It, class F>
  void add_batch(It first, block_plan const& plan, std::size_t from, std::size_t to, F& f) {
    scratch<noted_by_one> by_worker(width_);
    front leading;
    for_range_alone_first(policy_.backend(), policy_.props(), to - from, [&](std::size_t begin, std::size_t end) {
      auto const mine = by_worker.take();
      // Who goes on with notes leaves the front alone: it would take its cache line from the one who is there.
      bool const goes_on = !mine->empty() && mine->back()->end == from + begin;
      if (!goes_on && merged_.empty() && leading.take(begin)) {
        feed(in_front_, first, plan, from + begin, from + end, f);
        leading.leave(end);
      } else {
        noted& n = goes_on ? *mine->back() : begin_notes(*mine, plan, from + begin);
        n.end = from + end;
        feed(n.what, first, plan, from + begin, from + end, f);
      }
    });
    merge(by_worker);
  }

  noted& begin_notes(noted_by_one& mine, block_plan const& plan, std::size_t begin) const {
    std::size_t const b = begin / plan[0].size();
    std::uint32_t const begun =
        plan[b].begin == begin ? notes<Key, Value>::none : blocks_ + static_cast<std::uint32_t>(b);
    bool const for_map = merged_.empty() && in_front_.may_be_a_map() && elements_ < emitted::many;
    mine.push_back(std::make_unique<noted>(noted{begin, begin, notes<Key, Value>(begun, for_map)}));
    return *mine.back();
  }

  void merge(scratch<noted_by_one>& by_worker) {
    std::vector<noted*> all;
    by_worker.for_each([&](noted_by_one& some) {
      for (auto& n : some) all.push_back(n.get());
    });
    if (all.empty()) return;
    std::sort(all.begin(), all.end(), [](noted const* a, noted const* b) { return a->begin < b->begin; });
    std::size_t cells = 0;
    for (noted const* n : all) {
      cells += n->what.size();
      if (n->what.in_one_list() && !in_front_.in_a_map()) in_front_.become_a_map(combine_);
    }
    bool const first = merged_.empty();
    if (in_front_.in_a_map() || (first && cells < few_cells && in_front_.few_keys())) {
      for (noted* n : all) n->what.move_all([&](auto& c) { in_front_.add_cell(c, combine_); });
      return;
    }
    if (first) {
      merged_.reserve(emitted::partitions);
      for (std::size_t p = 0; p != emitted::partitions; ++p) merged_.emplace_back(emitted::partition_bits);
    }
    properties quiet = policy_.props().uncounted();
    quiet.grain = 0;
    policy_.backend().for_range(quiet, emitted::partitions, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t p = begin; p != end; ++p) {
        if (first) in_front_.move_partition(p, merged_[p], combine_);
        for (noted* n : all) n->what.move_partition(p, merged_[p], combine_);
      }
    });
    if (cells < few_notes) blocks_at_a_time_ *= 2;
  }

  static constexpr std::size_t few_cells = std::size_t{1} << 13;  // sooner added by one than shared
  static constexpr std::size_t few_notes = std::size_t{1} << 20;

  P const& policy_;
  fold<Combine> combine_;
  std::size_t width_, elements_;
  std::size_t blocks_at_a_time_ = 8;  // for each worker
  std::uint32_t blocks_ = 0;          // of the parts of the range that are over
  emitted in_front_;
  std::vector<table> merged_;  // the partitions, once there were notes
};

}  // namespace tartan::inline TARTAN_ABI::detail
