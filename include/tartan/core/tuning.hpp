#pragma once
// Sizes that were chosen by measurement and that the model checker chooses smaller.

#include <cstddef>  // size_t
#include <cstdint>  // uint64_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// What a thief's fence costs itself and each running thread of the process where fences are asymmetric: it interrupts
/// them all. 1 us on bare metal, 12 us on a virtual machine. Who might steal waits as long first, as skiers rent who do
/// not know how long the winter is: work that ends earlier is cheaper where it is.
inline constexpr std::uint64_t steal_patience_us = 16;

/// Entries that a deque holds before it grows for the first time: 2 KB a worker.
inline constexpr std::size_t first_ring = 256;

}  // namespace tartan::inline TARTAN_ABI::detail
