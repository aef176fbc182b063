#pragma once
// Stand-in: sizes that keep executions short.

#include <cstddef>  // size_t
#include <cstdint>  // uint64_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

inline constexpr std::size_t first_ring = 2;
inline constexpr std::uint64_t steal_patience_us = 0;

}  // namespace tartan::inline TARTAN_ABI::detail
