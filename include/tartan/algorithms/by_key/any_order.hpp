#pragma once
// Values of a key come together in any order: combine is exact, or the caller does not mind.

#include <atomic>         // atomic, memory_order_relaxed
#include <cstddef>        // size_t
#include <functional>     // invoke
#include <unordered_map>  // unordered_map
#include <vector>         // vector

#include "tartan/algorithms/by_key/alone_first.hpp"        // for_range_alone_first
#include "tartan/algorithms/by_key/emissions.hpp"          // emissions, new_keys
#include "tartan/algorithms/by_key/emitter.hpp"            // emitter
#include "tartan/algorithms/by_key/merged_partitions.hpp"  // merged_partitions
#include "tartan/algorithms/by_key/table.hpp"              // key_table
#include "tartan/core/config.hpp"                          // TARTAN_ABI
#include "tartan/exec/leaf.hpp"                            // at
#include "tartan/exec/scratch.hpp"                         // scratch

namespace tartan::inline TARTAN_ABI::detail {

/// One call, on a backend that shares memory. Each worker has a table of what it emits; those come together partition
/// by partition (of the hash), all partitions at once. Few keys come together one by one: that is sooner done than
/// shared. If nearly all keys of a short range are new, the map that is returned is the table of one worker, and the
/// others make lists for it: what comes after it costs as much as a map that is filled by one thread, or more.
template <class Key, class Value, class P, class Combine>
class call_in_any_order {
 public:
  using table = key_table<Key, Value>;
  using emitted = emissions<Key, Value>;

  /// `elements` will emit; `into_map`: the result may be a std::unordered_map.
  call_in_any_order(P const& policy, Combine& combine, std::size_t elements, bool into_map)
      : policy_(policy),
        combine_(combine),
        elements_(elements),
        has_map_(!into_map),
        into_map_(into_map),
        by_worker_(policy.backend().width(policy.props())) {}

  template <bool EmitsOnce, class It, class F>
  void add(It first, std::size_t n, F& f) {
    for_range_alone_first(policy_.backend(), policy_.props(), n, [&](std::size_t begin, std::size_t end) {
      auto const mine = by_worker_.take(*this);
      emitter<emitted, Combine> emit(*mine, combine_);
      for (std::size_t i = begin; i != end; ++i) {
        if constexpr (!EmitsOnce) mine->begin_element();
        std::invoke(f, at(first, i), emit);
      }
    });
  }

  /// After the last add(): whether the result is take_map(), or else in results().
  [[nodiscard]] bool come_together() {
    std::vector<emitted*> from;
    emitted* leader = nullptr;
    bool lists = false, few = true;
    by_worker_.for_each([&](emitted& e) {
      if (e.may_be_a_map())
        leader = &e;
      else
        from.push_back(&e);
      lists |= e.as_a_list();
      few &= e.few_keys();
    });
    if (leader != nullptr) {
      if (lists && !leader->in_a_map()) leader->become_a_map(combine_);
      if (leader->in_a_map() || few) {
        for (emitted* const e : from) leader->take_in(*e, combine_);
        from.clear();
      }
      if (leader->in_a_map()) {
        map_ = leader->take_map(combine_);
        return true;
      }
      from.push_back(leader);
    }
    if (from.size() == 1) {
      from[0]->settle(combine_);
      results_ = from[0]->tables();
    } else if (!from.empty()) {
      merge(from);
    }
    return false;
  }

  [[nodiscard]] std::unordered_map<Key, Value> take_map() noexcept { return std::move(map_); }
  /// They have no key in common.
  [[nodiscard]] std::vector<table*> results() const { return results_; }

 private:
  struct of_worker : emitted {
    explicit of_worker(call_in_any_order& call) : emitted(true, call.my_new_keys(), call.elements_) {}
  };

  /// One worker may make the map; the others know that.
  new_keys my_new_keys() noexcept {
    if (!into_map_) return new_keys::in_tables;
    // relaxed: nothing but the answer passes between threads
    return has_map_.exchange(true, std::memory_order_relaxed) ? new_keys::as_a_list : new_keys::in_a_map;
  }

  void merge(std::vector<emitted*> const& from) {
    merged_.add(policy_, from.size(), [&](std::size_t i) -> emitted& { return *from[i]; }, combine_);
    results_ = merged_.tables();
  }

  P const& policy_;
  Combine& combine_;
  std::size_t elements_;
  std::atomic<bool> has_map_;
  bool into_map_;
  scratch<of_worker> by_worker_;
  std::unordered_map<Key, Value> map_;
  merged_partitions<Key, Value> merged_;
  std::vector<table*> results_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
