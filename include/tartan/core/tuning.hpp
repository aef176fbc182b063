#pragma once
// Sizes that were chosen by measurement and that the model checker chooses smaller.

#include <cstddef>  // size_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Entries that a deque holds before it grows for the first time: 2 KB a worker.
inline constexpr std::size_t first_ring = 256;

}  // namespace tartan::inline TARTAN_ABI::detail
