#pragma once
// The unit of false sharing.

#include <cstddef>  // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Two cache lines: the adjacent-line prefetcher of x86 pulls lines in pairs. A constant, not
/// std::hardware_destructive_interference_size, because layouts must not change with compiler flags.
inline constexpr std::size_t line_pair = 128;

/// What moves from core to core at a time.
inline constexpr std::size_t cache_line = 64;

}  // namespace tartan::inline TARTAN_ABI::detail
