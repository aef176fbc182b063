#pragma once
// How to find out whether a pool that work has gone to is still there.

#include "tartan/core/pool_table.hpp"  // is_default_pool, pool, pool_table
#include "tartan/exec/properties.hpp"  // pool_ref, properties

namespace tartan::inline TARTAN_ABI::detail {

/// The name of the pool `home` to which work of these properties goes, if it is one that may be gone one day: the one
/// that on() names, or that of the task which calls. Not named() otherwise.
inline pool_ref users_pool(pool const* home, properties const& props) {
  if (home == nullptr || props.pool.named() || is_default_pool(*home)) return props.pool;
  return pool_table::instance().name_of(*home);
}

}  // namespace tartan::inline TARTAN_ABI::detail
