#pragma once
// The name of a pool of the user's.

#include <cstdint>  // uint32_t, uint64_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI {

/// Names a pool without keeping it alive: a slot of a table that is never freed, and which of its tenants is meant.
/// Zero is no pool in particular.
struct pool_ref {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  [[nodiscard]] constexpr bool named() const noexcept { return generation != 0; }
  [[nodiscard]] constexpr bool operator==(pool_ref const&) const noexcept = default;

  /// The same as one number, and back.
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return std::uint64_t{generation} << 32 | slot; }
  [[nodiscard]] static constexpr pool_ref of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
  }
};

}  // namespace tartan::inline TARTAN_ABI
