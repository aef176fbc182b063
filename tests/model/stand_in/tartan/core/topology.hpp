#pragma once
// Stand-in: a machine with two processors.

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

inline unsigned hardware_cores() { return 2; }

}  // namespace tartan::inline TARTAN_ABI::detail
