#pragma once
// Stand-in: the mutex of the model, which world.hpp puts behind the standard name.

#include <mutex>  // mutex, lock_guard

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

using plain_mutex = std::mutex;
using mutex_hold = std::lock_guard<plain_mutex>;

}  // namespace tartan::inline TARTAN_ABI::detail
