#pragma once
// Stand-in: sizes that keep executions short.

#include <cstddef>  // size_t
#include <cstdint>  // uint64_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

inline constexpr std::size_t first_ring = 2;
inline constexpr std::uint64_t steal_patience_us = 0;
inline constexpr std::uint64_t ask_patience_us = 1 << 20;  // never: request_test has it
inline constexpr std::uint64_t worth_giving_handovers = 0, longest_handover_us = 0;
inline constexpr std::uint64_t worth_waking_us = 0, unshared_limit_us = 0, search_patience_us = 60;
inline constexpr int offer_tries = 1;
inline constexpr std::size_t enough_to_wait = 1 << 20;
inline std::uint64_t errand_step = std::uint64_t{1} << 16;  // 0 breaks what rests on errands

}  // namespace tartan::inline TARTAN_ABI::detail
