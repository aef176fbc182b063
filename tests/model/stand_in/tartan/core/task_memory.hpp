#pragma once
// Stand-in: tasks come from the test.

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

struct in_task_memory {};

}  // namespace tartan::inline TARTAN_ABI::detail
