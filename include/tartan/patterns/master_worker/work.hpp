#pragma once
// How the work of a master_worker is called, and what it adds tasks by.

#include <type_traits>  // conditional_t, decay_t, invoke_result_t, is_invocable_v, is_void_v, type_identity
#include <utility>      // move, pair
#include <vector>       // vector

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/result.hpp"  // invoke_regular, regular_result

namespace tartan::inline TARTAN_ABI {

namespace detail {
template <class Task>
class open_task;
}

/// The second argument of a work(task, more): more(task) adds a task, from the thread that called work.
template <class Task>
class task_adder {
 public:
  explicit task_adder(std::vector<Task>& added) noexcept : added_(&added) {}
  explicit task_adder(detail::open_task<Task>& open) noexcept : open_(&open) {}
  void operator()(Task task) {
    if (added_ != nullptr)
      added_->push_back(std::move(task));
    else
      open_->add(std::move(task));
  }

 private:
  std::vector<Task>* added_ = nullptr;
  detail::open_task<Task>* open_ = nullptr;
};

namespace detail {

/// How work takes its task: as an rvalue that it may keep, else as an lvalue; alone, or with what adds tasks.
template <class Work, class Task>
struct work_call {
  using adder = task_adder<Task>;
  static constexpr bool moved =
      std::is_invocable_v<Work const&, Task&&> || std::is_invocable_v<Work const&, Task&&, adder&>;
  using argument = std::conditional_t<moved, Task&&, Task&>;
  static constexpr bool adds = std::is_invocable_v<Work const&, argument, adder&>;
  static constexpr bool callable = adds || std::is_invocable_v<Work const&, argument>;

  static auto result_type() {
    if constexpr (adds)
      return std::type_identity<std::invoke_result_t<Work const&, argument, adder&>>{};
    else if constexpr (callable)
      return std::type_identity<std::invoke_result_t<Work const&, argument>>{};
    else
      return std::type_identity<void>{};  // check_master_worker says what is wrong
  }
  using raw = typename decltype(result_type())::type;
  using result = std::conditional_t<std::is_void_v<raw>, void, std::decay_t<raw>>;
  using kept = regular_result<result>;
};

/// What travels to a worker: a task in, its result and the tasks that it added out.
template <class Work, class Task>
struct dynamic_work {
  using call = work_call<Work, Task>;
  using reply = std::pair<typename call::kept, std::vector<Task>>;

  [[no_unique_address]] Work work;

  reply operator()(Task& task) const {
    std::vector<Task> added;
    if constexpr (call::adds) {
      task_adder<Task> more(added);
      typename call::kept result = invoke_regular(work, static_cast<typename call::argument>(task), more);
      return {std::move(result), std::move(added)};
    } else {
      return {invoke_regular(work, static_cast<typename call::argument>(task)), std::move(added)};
    }
  }
};

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
