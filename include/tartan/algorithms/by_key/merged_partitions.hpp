#pragma once
// What several pieces of a by-key call have emitted, put together.

#include <cstddef>  // size_t
#include <vector>   // vector

#include "tartan/algorithms/by_key/emissions.hpp"  // emissions
#include "tartan/core/config.hpp"                  // TARTAN_ABI
#include "tartan/exec/properties.hpp"              // properties

namespace tartan::inline TARTAN_ABI::detail {

/// A table for each partition of the hash, so that no two have a key in common and all are filled at once. Values of a
/// key come together in the order of the pieces.
template <class Key, class Value>
class merged_partitions {
 public:
  using emitted = emissions<Key, Value>;
  using table = typename emitted::table;

  /// Takes what piece(0), ..., piece(count - 1) hold.
  template <class P, class Piece, class Combine>
  void add(P const& policy, std::size_t count, Piece const& piece, Combine& combine) {
    if (tables_.empty()) {
      tables_.reserve(emitted::partitions);
      for (std::size_t p = 0; p != emitted::partitions; ++p) tables_.emplace_back(emitted::partition_bits);
    }
    properties quiet = policy.props().uncounted();  // its pieces are not the user's
    quiet.grain = 0;
    policy.backend().for_range(quiet, emitted::partitions, std::size_t{1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t p = begin; p != end; ++p)
        for (std::size_t i = 0; i != count; ++i) piece(i).move_partition(p, tables_[p], combine);
    });
  }

  [[nodiscard]] std::vector<table*> tables() {
    std::vector<table*> all;
    for (table& t : tables_) all.push_back(&t);
    return all;
  }

 private:
  std::vector<table> tables_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
