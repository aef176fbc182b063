#pragma once
// Of which groups a thread runs tasks.

#include "tartan/core/process_state.hpp"  // this_thread_cell, thread_cell

namespace tartan::inline TARTAN_ABI::detail {

class pool;

/// A time in which a thread runs tasks of a group. It lies in the frame that runs them, and is linked to the times in
/// which that frame lies: who waits for a group may run its tasks without being a worker of the group's pool, or of
/// any. All objects of the process read it, so its layout depends on no flag.
class group_frame {
 public:
  group_frame(void const* group, pool const* home) noexcept
      : cell_(this_thread_cell()), group_(group), home_(home), outer_(cell_.groups) {
    cell_.groups = this;
  }
  group_frame(group_frame const&) = delete;
  group_frame& operator=(group_frame const&) = delete;
  ~group_frame() { cell_.groups = outer_; }

  /// Whether the calling thread is in a task of this group, however deep.
  [[nodiscard]] static bool is_in(void const* group) noexcept {
    return is_in_one([group](group_frame const& f) { return f.group_ == group; });
  }
  /// The same for some group of this pool.
  [[nodiscard]] static bool is_in_one_of(pool const* home) noexcept {
    return is_in_one([home](group_frame const& f) { return f.home_ == home; });
  }

 private:
  template <class Is>
  [[nodiscard]] static bool is_in_one(Is is) noexcept {
    for (void const* f = this_thread_cell().groups; f != nullptr; f = static_cast<group_frame const*>(f)->outer_)
      if (is(*static_cast<group_frame const*>(f))) return true;
    return false;
  }

  thread_cell& cell_;
  void const* const group_;
  pool const* const home_;
  void const* const outer_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
