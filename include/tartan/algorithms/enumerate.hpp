#pragma once
// The elements of a range with their numbers.

#include <compare>   // strong_ordering
#include <cstddef>   // ptrdiff_t, size_t
#include <iterator>  // random_access_iterator_tag, unreachable_sentinel
#include <ranges>    // enable_borrowed_range, view_interface
#include <utility>   // forward

#include "tartan/algorithms/zip.hpp"  // zip, zippable
#include "tartan/core/config.hpp"     // TARTAN_ABI

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// 0, 1, 2, ... without end. (The differences of std::views::iota(std::size_t{}) are of a 128-bit type.)
class index_view : public std::ranges::view_interface<index_view> {
 public:
  class iterator {
   public:
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // what *it gives is no true reference
    using value_type = std::size_t;
    using reference = std::size_t;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    [[nodiscard]] constexpr std::size_t operator*() const noexcept { return i_; }
    [[nodiscard]] constexpr std::size_t operator[](difference_type n) const noexcept {
      return i_ + static_cast<std::size_t>(n);
    }
    constexpr iterator& operator+=(difference_type n) noexcept { return i_ += static_cast<std::size_t>(n), *this; }
    constexpr iterator& operator-=(difference_type n) noexcept { return i_ -= static_cast<std::size_t>(n), *this; }
    constexpr iterator& operator++() noexcept { return ++i_, *this; }
    constexpr iterator& operator--() noexcept { return --i_, *this; }
    constexpr iterator operator++(int) noexcept {
      iterator const before = *this;
      return ++i_, before;
    }
    constexpr iterator operator--(int) noexcept {
      iterator const before = *this;
      return --i_, before;
    }
    [[nodiscard]] friend constexpr iterator operator+(iterator it, difference_type n) noexcept { return it += n; }
    [[nodiscard]] friend constexpr iterator operator+(difference_type n, iterator it) noexcept { return it += n; }
    [[nodiscard]] friend constexpr iterator operator-(iterator it, difference_type n) noexcept { return it -= n; }
    [[nodiscard]] friend constexpr difference_type operator-(iterator a, iterator b) noexcept {
      return static_cast<difference_type>(a.i_ - b.i_);
    }
    [[nodiscard]] friend constexpr bool operator==(iterator, iterator) = default;
    [[nodiscard]] friend constexpr std::strong_ordering operator<=>(iterator, iterator) = default;

   private:
    std::size_t i_ = 0;
  };

  [[nodiscard]] static constexpr iterator begin() noexcept { return {}; }
  [[nodiscard]] static constexpr std::unreachable_sentinel_t end() noexcept { return {}; }
};

}  // namespace detail

/// The elements of a range with their numbers: element i is a tuple of i and a reference to the range's element i.
///
///     tartan::for_each(tartan::par, tartan::enumerate(v), [](auto const& ix) { auto [i, x] = ix; x = f(i); });
///
/// @param r  A range whose elements can be reached at once and that has a size; see zip.
/// @returns  A random-access view of zipped<std::size_t, reference>; accepted by every pattern.
template <class R>
[[nodiscard]] constexpr auto enumerate(R&& r) {
  static_assert(detail::zippable<R>,
                "tartan: enumerate needs a range whose elements can be reached at once and whose number is known (a "
                "vector, an array, a span): copy the others into a vector first");
  if constexpr (detail::zippable<R>) return zip(detail::index_view{}, std::forward<R>(r));
}

}  // namespace tartan::inline TARTAN_ABI

template <>
inline constexpr bool std::ranges::enable_borrowed_range<tartan::detail::index_view> = true;
