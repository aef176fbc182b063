#pragma once
// Stand-in: a clock by which all patience ends at the second look.

#include <cstdint>  // uint64_t

#include "../../../atomics.hpp"    // model::detail::thread_local_memory
#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// How often a pool thread looks at the clock at most: four times for each round of searching and lying down. 0: no
/// bound.
inline int most_looks = 0;
inline constexpr char const* looks_bound = "a bounded number of rounds of each pool thread";

inline std::uint64_t ticks() {
  auto* const words = static_cast<std::uint64_t*>(model::detail::thread_local_memory());
  if (most_looks != 0 && model::this_thread() != 0 && words[7] >= static_cast<std::uint64_t>(most_looks) * 1'000'000)
    model::beyond(looks_bound);
  return words[7] += 1'000'000;  // thread_cell has the first words
}
inline std::uint64_t ticks_per_us() { return 1; }

}  // namespace tartan::inline TARTAN_ABI::detail
