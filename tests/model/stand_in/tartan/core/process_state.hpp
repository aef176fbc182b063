#pragma once
// Stand-in: a process in which nobody listens and nobody forks.

#include <atomic>  // memory_order

#include "../../../atomics.hpp"    // model::detail::thread_local_memory
#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

enum class slot_id : unsigned {
  default_pool,
  hooks,
  zygote,
  lent_pools,
  pool_table,
  arena,
  settings,
  unhandled,
  count = 16
};

/// Always null, and no event of the model.
struct null_slot {
  [[nodiscard]] void* load(std::memory_order) const { return nullptr; }
  void* exchange(void*, std::memory_order) { return nullptr; }
};
struct process_slots {
  null_slot slot[static_cast<unsigned>(slot_id::count)];
};
inline process_slots& process_state() {
  static process_slots state;
  return state;
}
inline unsigned forks_now() { return 0; }

struct thread_cell {
  void* current;
  void* home;
  void (*at_exit)(thread_cell&) noexcept;
  void const* groups;
};
/// What a thread of the model finds at the place of its short way to the cell.
struct cell_finder {
  thread_cell* operator->() const { return static_cast<thread_cell*>(model::detail::thread_local_memory()); }
};
inline constexpr cell_finder cached_cell{};
inline thread_cell& this_thread_cell() { return *static_cast<thread_cell*>(model::detail::thread_local_memory()); }
inline void pin_this_module() {}

}  // namespace tartan::inline TARTAN_ABI::detail
