#pragma once
// A vector whose elements are made in any order, by many workers.

#include <concepts>     // default_initializable
#include <cstddef>      // size_t
#include <type_traits>  // is_same_v, is_trivially_copyable_v
#include <utility>      // forward
#include <vector>       // vector

#include "tartan/core/large_pages.hpp"  // prefer_large_pages
#include "tartan/core/slots.hpp"        // slots

namespace tartan::inline TARTAN_ABI::detail {

/// v.resize(n); a large vector that was empty lies in large pages then.
template <class T>
void resize_fresh(std::vector<T>& v, std::size_t n) {
  if constexpr (!std::is_same_v<T, bool>)
    if (v.capacity() == 0) {
      v.reserve(n);
      prefer_large_pages(v.data(), n * sizeof(T));
    }
  v.resize(n);
}

/// A vector of n elements, of which fill(put) makes each once by put(i, what it is made from).
template <class T, class Fill>
std::vector<T> vector_of(std::size_t n, Fill&& fill) {
  if constexpr (std::default_initializable<T> && std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>) {
    std::vector<T> out;
    resize_fresh(out, n);
    fill([to = out.data()](std::size_t i, auto&& x) { to[i] = T(std::forward<decltype(x)>(x)); });
    return out;
  } else {
    slots<T> out(n);
    fill([&out](std::size_t i, auto&& x) { out.make(i, [&]() -> T { return T(std::forward<decltype(x)>(x)); }); });
    return out.to_vector();
  }
}

}  // namespace tartan::inline TARTAN_ABI::detail
