#pragma once
// Stand-in: the model's atomics under the names of the machine's.

#include "../../../atomics.hpp"    // model::atomics
#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

using real_atomics = model::atomics;
inline void cpu_pause() { model::detail::pause(); }

}  // namespace tartan::inline TARTAN_ABI::detail
