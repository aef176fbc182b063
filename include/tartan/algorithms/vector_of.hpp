#pragma once
// A vector whose elements are made in any order, by many workers.

#include <algorithm>    // lower_bound, upper_bound
#include <concepts>     // default_initializable
#include <cstddef>      // size_t
#include <type_traits>  // is_move_assignable_v, is_same_v, is_trivially_copyable_v
#include <utility>      // forward
#include <vector>       // vector

#include "tartan/algorithms/growing.hpp"  // fill_fresh
#include "tartan/core/large_pages.hpp"    // prefer_large_pages
#include "tartan/core/slots.hpp"          // slots

namespace tartan::inline TARTAN_ABI::detail {

/// These are made twice, by default and by assignment, since that costs less than to move them into the vector.
template <class T>
inline constexpr bool made_twice = std::default_initializable<T> && std::is_trivially_copyable_v<T> &&
                                   std::is_move_assignable_v<T> && !std::is_same_v<T, bool>;

template <class T>
auto assign_to(std::vector<T>& out) {
  return [to = out.data()](std::size_t i, auto&& x) { to[i] = T(std::forward<decltype(x)>(x)); };
}
template <class T>
auto make_in(slots<T>& out) {
  return [&out](std::size_t i, auto&& x) { out.make(i, [&]() -> T { return T(std::forward<decltype(x)>(x)); }); };
}

/// A vector of n elements, of which fill(put) makes each once by put(i, what it is made from).
template <class T, class Fill>
std::vector<T> vector_of(std::size_t n, Fill&& fill) {
  if constexpr (made_twice<T>) {
    std::vector<T> out;
    out.reserve(n);
    prefer_large_pages(out.data(), n * sizeof(T));
    out.resize(n);
    fill(assign_to(out));
    return out;
  } else {
    slots<T> out(n);
    fill(make_in(out));
    return out.to_vector();
  }
}

/// The same in parts: fill(begin, end, put) makes [begin, end); parts end where `cut` says (see growth::run).
template <class T, class P, class Cut, class Fill>
std::vector<T> vector_in_parts(P const& policy, std::size_t n, Cut const& cut, Fill const& fill) {
  if constexpr (made_twice<T>) {
    std::vector<T> out;
    fill_fresh(policy, out, n, cut, [&](std::size_t begin, std::size_t end) { fill(begin, end, assign_to(out)); });
    return out;
  } else {
    slots<T> out(n);
    fill(std::size_t{0}, n, make_in(out));
    return out.to_vector();
  }
}

/// The same from blocks, of which block b makes [before[b], before[b + 1]): fill(b, last, put) for blocks [b, last).
template <class T, class P, class Fill>
std::vector<T> vector_of_blocks(P const& policy, std::vector<std::size_t> const& before, Fill const& fill) {
  auto const block_at = [&](std::size_t place) {  // the last one that begins there or before
    return static_cast<std::size_t>(std::upper_bound(before.begin(), before.end(), place) - before.begin()) - 1;
  };
  return vector_in_parts<T>(
      policy, before.back(), [&](std::size_t, std::size_t end) { return before[block_at(end)]; },
      [&](std::size_t begin, std::size_t end, auto const& put) {
        auto const first = std::lower_bound(before.begin(), before.end(), begin) - before.begin();
        fill(static_cast<std::size_t>(first), block_at(end), put);
      });
}

}  // namespace tartan::inline TARTAN_ABI::detail
