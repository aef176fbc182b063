#pragma once
// Values of a key come together in the order of a long range: each block has a table of its own.

#include <algorithm>      // max, min
#include <cstddef>        // size_t
#include <functional>     // invoke
#include <unordered_map>  // unordered_map
#include <vector>         // vector

#include "tartan/algorithms/by_key/emissions.hpp"          // emissions
#include "tartan/algorithms/by_key/emitter.hpp"            // emitter
#include "tartan/algorithms/by_key/in_order.hpp"           // by_key_blocks
#include "tartan/algorithms/by_key/merged_partitions.hpp"  // merged_partitions
#include "tartan/algorithms/by_key/table.hpp"              // key_table
#include "tartan/core/config.hpp"                          // TARTAN_ABI
#include "tartan/core/slots.hpp"                           // slots
#include "tartan/exec/leaf.hpp"                            // advanced, at
#include "tartan/exec/plan.hpp"                            // block_plan

namespace tartan::inline TARTAN_ABI::detail {

/// From so many elements on a block has enough of them for a table: it stays in the cache, that of a worker would not.
inline constexpr std::size_t enough_for_blocks = std::size_t{1} << 19;

/// One call, on a backend that shares memory, with the same result as call_in_order. Blocks come in batches, and those
/// of a batch are added to the result in their order, partition by partition (of the hash), all partitions at once.
template <class Key, class Value, class P, class Combine>
class call_by_block {
 public:
  using table = key_table<Key, Value>;

  call_by_block(P const& policy, Combine& combine) : policy_(policy), combine_(combine) {}

  template <class It, class F>
  void add(It first, std::size_t n, F& f) {
    std::size_t const length = by_key_blocks<Combine, Value>(n)[0].size();
    std::size_t const width = policy_.backend().width(policy_.props());
    std::size_t const batch = (std::min<std::size_t>)(256, 4 * width) * (std::max<std::size_t>)(length, 1);
    for (std::size_t begin = 0; begin != n; begin = (std::min)(n, begin + batch))
      add_batch(advanced(first, begin), (std::min)(batch, n - begin), length, f);
  }

  /// The result is not a map.
  [[nodiscard]] static constexpr bool come_together() noexcept { return false; }
  [[nodiscard]] static std::unordered_map<Key, Value> take_map() { return {}; }
  /// Tables that have no key in common.
  [[nodiscard]] std::vector<table*> results() { return merged_.tables(); }

 private:
  using emitted = emissions<Key, Value>;

  template <class It, class F>
  void add_batch(It first, std::size_t n, std::size_t length, F& f) {
    block_plan const plan(n, length);
    slots<emitted> blocks(plan.count());
    policy_.backend().for_range(policy_.props(), n, length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t b = begin / length; b * length < end; ++b)
        blocks.make(b, [&] {
          emitted e(false);
          e.make_room(keys_of_a_block_);
          emitter<emitted, Combine> emit(e, combine_);
          for (std::size_t i = plan[b].begin; i != plan[b].end; ++i) std::invoke(f, at(first, i), emit);
          return e;
        });
    });
    keys_of_a_block_ = blocks[0].in_one_table() ? blocks[0].tables()[0]->size() : 0;
    merged_.add(policy_, blocks.size(), [&](std::size_t b) -> emitted& { return blocks[b]; }, combine_);
  }

  P const& policy_;
  Combine& combine_;
  merged_partitions<Key, Value> merged_;
  std::size_t keys_of_a_block_ = 0;  // as far as is known
};

}  // namespace tartan::inline TARTAN_ABI::detail
