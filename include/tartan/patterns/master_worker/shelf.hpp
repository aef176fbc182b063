#pragma once
// Tasks that no worker has yet, and which of them comes first.

#include <algorithm>   // pop_heap, push_heap
#include <cstddef>     // size_t
#include <functional>  // invoke
#include <utility>     // move
#include <vector>      // vector

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// A task that no worker has yet.
template <class Task>
struct pending_task {
  std::size_t id;      // in the family
  std::size_t number;  // in the order in which tasks were found
  Task task;
};

/// No ordering by the user: in the order of a recursion, as far as workers come in it; initial tasks are fetched as
/// they are needed.
struct depth_first {};

template <class Task, class Order>
class task_shelf {
 public:
  static constexpr bool takes_all_at_once = true;
  explicit task_shelf(Order order) : later_{std::move(order)} {}

  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
  [[nodiscard]] pending_task<Task> take() {
    std::pop_heap(tasks_.begin(), tasks_.end(), later_);
    pending_task<Task> first = std::move(tasks_.back());
    tasks_.pop_back();
    return first;
  }
  void put(pending_task<Task>&& t) {
    tasks_.push_back(std::move(t));
    std::push_heap(tasks_.begin(), tasks_.end(), later_);
  }
  void put_back(pending_task<Task>&& t) { put(std::move(t)); }

 private:
  struct later {
    [[no_unique_address]] Order before;
    bool operator()(pending_task<Task> const& a, pending_task<Task> const& b) const {
      if (std::invoke(before, b.task, a.task)) return true;
      return b.number < a.number && !std::invoke(before, a.task, b.task);
    }
  };
  later later_;
  std::vector<pending_task<Task>> tasks_;
};

template <class Task>
class task_shelf<Task, depth_first> {
 public:
  static constexpr bool takes_all_at_once = false;
  explicit task_shelf(depth_first) noexcept {}

  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
  [[nodiscard]] pending_task<Task> take() {
    pending_task<Task> last = std::move(tasks_.back());
    tasks_.pop_back();
    return last;
  }
  void put_back(pending_task<Task>&& t) { tasks_.push_back(std::move(t)); }

 private:
  std::vector<pending_task<Task>> tasks_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
