#pragma once
// Events of the runtime for those who want to see them (statistics, traces); free when nobody listens.

#include <atomic>  // atomic, memory_order_*

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/core/process_state.hpp"  // process_state

namespace tartan::inline TARTAN_ABI::detail {

enum class hook_event : int { thread_start, thread_stop, steal, park, unpark, task_begin, task_end };

/// Called on the worker that the event is about; must not block and must not call tartan.
struct hook_listener {
  void (*on_event)(void* self, hook_event event, unsigned worker_index) noexcept;
  void* self;
};

/// One listener a process; null to stop. The old one must live on until every call that may use it has ended.
inline hook_listener const* listen(hook_listener const* listener) noexcept {
  auto& slot = process_state().slot[static_cast<int>(slot_id::hooks)];
  return static_cast<hook_listener const*>(
      slot.exchange(const_cast<hook_listener*>(listener), std::memory_order_acq_rel));  // with emit()
}

/// Only on paths that are slow anyway: a load and a branch when nobody listens.
TARTAN_ALWAYS_INLINE void emit(hook_event event, unsigned worker_index) noexcept {
  void* const listener =
      process_state().slot[static_cast<int>(slot_id::hooks)].load(std::memory_order_acquire);  // with listen()
  if (listener == nullptr) [[likely]]
    return;
  auto const* const l = static_cast<hook_listener const*>(listener);
  l->on_event(l->self, event, worker_index);
}

}  // namespace tartan::inline TARTAN_ABI::detail
