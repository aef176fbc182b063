#pragma once
// Where the results of a master_worker go.

#include <algorithm>    // sort
#include <cstddef>      // size_t
#include <deque>        // deque
#include <functional>   // invoke
#include <optional>     // optional
#include <type_traits>  // decay_t, is_same_v, is_void_v
#include <utility>      // move
#include <vector>       // vector

#include "tartan/core/result.hpp"   // regular_result
#include "tartan/exec/outcome.hpp"  // outcome

namespace tartan::inline TARTAN_ABI::detail {

/// Keeps results until they can be put in order.
template <class Kept, bool Tries>
class results_in_order {
 public:
  static constexpr bool keeps_errors = Tries;

  void found_root(std::size_t number) { make(number), roots_.push_back(number); }
  /// `ordinal` is that of the first of them among all children of the parent; they may come in any order.
  void found_children(std::size_t parent, std::size_t ordinal, std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) make(first + i);
    nodes_[parent].children.push_back({ordinal, first, count});
  }
  bool done(std::size_t number, outcome<Kept>&& result) {
    return nodes_[number].result.emplace(std::move(result)), true;
  }

  /// A task, then what it added, each with all that came of it. Calls visit(outcome).
  template <class Visit>
  void in_order(Visit&& visit) {
    struct siblings {
      std::size_t next, end;
    };
    std::vector<siblings> open;
    for (std::size_t const root : roots_) {
      open.push_back({root, root + 1});
      while (!open.empty()) {
        if (open.back().next == open.back().end) {
          open.pop_back();
          continue;
        }
        node& n = nodes_[open.back().next++];
        if (!n.result->has_value()) n.children.clear();  // a task that failed has added none
        visit(std::move(*n.result));
        n.result.reset();
        std::sort(n.children.begin(), n.children.end(), [](auto a, auto b) { return a.ordinal > b.ordinal; });
        for (batch const& b : n.children) open.push_back({b.first, b.first + b.count});
      }
    }
  }

 private:
  struct batch {
    std::size_t ordinal, first, count;
  };
  struct node {
    std::optional<outcome<Kept>> result{};
    std::vector<batch> children{};
  };
  void make(std::size_t number) {
    if (nodes_.size() <= number) nodes_.resize(number + 1);
  }
  std::deque<node> nodes_;
  std::vector<std::size_t> roots_;
};

/// Hands results to the user as they come. False ends the whole.
template <class Result, class OnResult>
class results_as_they_come {
 public:
  static constexpr bool keeps_errors = false;
  explicit results_as_they_come(OnResult& on_result) noexcept : on_result_(on_result) {}

  void found_root(std::size_t) noexcept {}
  void found_children(std::size_t, std::size_t, std::size_t, std::size_t) noexcept {}
  bool done(std::size_t, outcome<regular_result<Result>>&& result) {
    if constexpr (std::is_void_v<Result>)
      return goes_on([&]() -> decltype(auto) { return std::invoke(on_result_); });
    else
      return goes_on([&]() -> decltype(auto) { return std::invoke(on_result_, std::move(result).value()); });
  }

 private:
  template <class Call>
  static bool goes_on(Call&& call) {
    if constexpr (std::is_same_v<std::decay_t<decltype(call())>, bool>)
      return call();
    else
      return call(), true;
  }
  OnResult& on_result_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
