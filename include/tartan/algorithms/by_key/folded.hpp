#pragma once
// Values that come together block by block, although one table takes them all.

#include <cstdint>      // uint32_t
#include <functional>   // invoke
#include <optional>     // optional
#include <type_traits>  // conditional_t, is_arithmetic_v
#include <utility>      // move

#include "tartan/algorithms/by_key/table.hpp"  // combines_in_place
#include "tartan/core/config.hpp"              // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

/// What one key has got so far: the blocks that are over, combined from left to right, and its part of the last block,
/// combined from left to right, too.
template <class Value>
class folded {
  static constexpr bool plain = std::is_arithmetic_v<Value>;  // packs tighter than an optional

 public:
  folded(Value&& v, std::uint32_t block) : last_(std::move(v)), block_(block) {}

  [[nodiscard]] std::uint32_t block() const noexcept { return block_; }
  [[nodiscard]] bool in_one_block() const noexcept { return !has_before_; }
  /// Its part of the last block.
  [[nodiscard]] Value& last() noexcept { return last_; }

  /// Takes in what comes next: one value, or all that a later block has.
  template <class Combine>
  TARTAN_ALWAYS_INLINE void take_in(folded&& next, Combine& combine) {
    if (block_ == next.block_)
      last_ = static_cast<Value>(std::invoke(combine, std::move(last_), std::move(next.last_)));
    else
      begin_block(std::move(next), combine);
  }

  /// All of it.
  template <class Combine>
  [[nodiscard]] Value settle(Combine& combine) {
    if (!has_before_) return std::move(last_);
    return static_cast<Value>(std::invoke(combine, std::move(before()), std::move(last_)));
  }

 private:
  template <class Combine>
  TARTAN_ALWAYS_INLINE void begin_block(folded&& next, Combine& combine) {
    if (has_before_)
      before() = static_cast<Value>(std::invoke(combine, std::move(before()), std::move(last_)));
    else
      before_ = std::move(last_);
    has_before_ = true;
    last_ = std::move(next.last_);
    block_ = next.block_;
  }
  [[nodiscard]] Value& before() noexcept {
    if constexpr (plain)
      return before_;
    else
      return *before_;
  }

  Value last_;
  std::conditional_t<plain, Value, std::optional<Value>> before_{};
  std::uint32_t block_;
  bool has_before_ = false;
};

/// In place of combine, for tables of folded values.
template <class Combine>
struct fold {
  Combine& combine;
  template <class Value>
  TARTAN_ALWAYS_INLINE void take_in(folded<Value>& old, folded<Value>&& next) const {
    old.take_in(std::move(next), combine);
  }
};
template <class Combine>
inline constexpr bool combines_in_place<fold<Combine>> = true;
template <class Combine>
inline constexpr bool combines_in_place<fold<Combine> const> = true;

}  // namespace tartan::inline TARTAN_ABI::detail
