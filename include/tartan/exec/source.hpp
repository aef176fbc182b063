#pragma once
// What a pattern takes as input: ranges that can be cut anywhere, and all others in bounded windows.

#include <cstddef>      // size_t
#include <iterator>     // iter_difference_t, iter_reference_t
#include <ranges>       // begin, input_range, random_access_range, ref_view, size, sized_range, subrange
#include <type_traits>  // is_lvalue_reference_v, remove_reference_t
#include <vector>       // vector

#include "tartan/exec/leaf.hpp"  // advanced
#include "tartan/exec/plan.hpp"  // block

namespace tartan::inline TARTAN_ABI {

/// A range that is used in place: every element can be reached at once, and their number is known.
template <class R>
concept divisible_range = std::ranges::random_access_range<R> && std::ranges::sized_range<R>;

namespace detail {

template <divisible_range R>
TARTAN_INLINE_KERNEL constexpr std::size_t length(R&& r) {
  return static_cast<std::size_t>(std::ranges::size(r));
}

/// The elements of one block, as a range.
template <class It>
struct subrange_of {
  It first;
  [[nodiscard]] constexpr auto operator()(block b) const {
    return std::ranges::subrange(advanced(first, b.begin), advanced(first, b.end));
  }
};
template <class It>
subrange_of(It) -> subrange_of<It>;

/// Elements at a time of a range that cannot be cut: enough to share, little enough to hold.
inline constexpr std::size_t window_length = 4096;

/// Calls f(part, offset) for consecutive parts of any input range, in order; each part is a divisible range. A
/// divisible range is one part. Of others, elements that lie somewhere are referred to, values are kept meanwhile.
template <std::ranges::input_range R, class F>
void for_parts(R&& r, F&& f) {
  if constexpr (divisible_range<R>) {
    f(r, std::size_t{0});
  } else {
    using reference = std::ranges::range_reference_t<R>;
    constexpr bool stays = std::ranges::forward_range<R> && std::is_lvalue_reference_v<reference>;
    using held = std::conditional_t<stays, std::remove_reference_t<reference>*, std::ranges::range_value_t<R>>;
    std::vector<held> window;
    std::size_t offset = 0;
    auto const flush = [&] {
      if constexpr (stays)
        f(window | std::views::transform([](held p) -> reference { return *p; }), offset);
      else
        f(window, offset);
      offset += window.size();
      window.clear();
    };
    for (auto&& element : r) {
      if constexpr (stays)
        window.push_back(__builtin_addressof(element));
      else
        window.push_back(std::forward<decltype(element)>(element));
      if (window.size() == window_length) flush();
    }
    if (!window.empty()) flush();
  }
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
