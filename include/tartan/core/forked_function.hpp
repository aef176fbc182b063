#pragma once
// How the functions of a fork are handed on.

#include <type_traits>  // conditional_t, is_{const,convertible,object,trivially_*,volatile}_v, remove_reference_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Whether a copy may stand in for this function: for the caller's rvalue of at most two words of plain data, as most
/// lambdas are. A copy lies beside the job, and the function itself need not lie in memory at all.
template <class G>
inline constexpr bool copied_unseen = false;
template <class G>
  requires(std::is_object_v<G> && !std::is_const_v<G> && !std::is_volatile_v<G>)
inline constexpr bool copied_unseen<G> =
    std::is_trivially_copy_constructible_v<G> && std::is_trivially_move_constructible_v<G> &&
    std::is_trivially_constructible_v<G, G&> && std::is_convertible_v<G&, G> && std::is_trivially_destructible_v<G> &&
    sizeof(G) <= 2 * sizeof(void*);

/// What stands for a G&& beside a job, and on its way to what is seldom called: a copy, or a reference.
template <class G>
using handed_on = std::conditional_t<copied_unseen<G>, G, std::remove_reference_t<G>&>;

}  // namespace tartan::inline TARTAN_ABI::detail
