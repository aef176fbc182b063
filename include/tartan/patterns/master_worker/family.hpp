#pragma once
// The order of tasks that add tasks.

#include <cstddef>  // size_t
#include <deque>    // deque
#include <utility>  // exchange

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Where each task stands: its parent, and the how-manieth child it is. The order of a recursion: a task, then what it
/// added, each with all that came of it, before the next one. Kept as long as something below a task may still fail.
class family {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  std::size_t add(std::size_t parent, std::size_t ordinal) {
    std::size_t id = free_;
    if (id == none) {
      id = members_.size();
      members_.emplace_back();
    } else {
      free_ = members_[id].parent;
    }
    if (parent != none) ++members_[parent].holders;
    members_[id] = {parent, ordinal, parent == none ? 0 : members_[parent].depth + 1, 1};
    return id;
  }

  void release(std::size_t id) noexcept {
    while (id != none && --members_[id].holders == 0) {
      std::size_t const parent = std::exchange(members_[id].parent, free_);
      free_ = std::exchange(id, parent);
    }
  }

  /// Whether a comes before b.
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept {
    bool const ancestor_first = members_[a].depth < members_[b].depth;  // when one is above the other
    while (members_[a].depth > members_[b].depth) a = members_[a].parent;
    while (members_[b].depth > members_[a].depth) b = members_[b].parent;
    if (a == b) return ancestor_first;
    while (members_[a].parent != members_[b].parent) a = members_[a].parent, b = members_[b].parent;
    return members_[a].ordinal < members_[b].ordinal;
  }

 private:
  struct member {
    std::size_t parent = none, ordinal = 0, depth = 0, holders = 0;
  };
  std::deque<member> members_;
  std::size_t free_ = none;
};

}  // namespace tartan::inline TARTAN_ABI::detail
