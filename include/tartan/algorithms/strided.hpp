#pragma once
// Every step-th element of a range.

#include <compare>   // strong_ordering
#include <concepts>  // same_as
#include <cstddef>   // ptrdiff_t, size_t
#include <iterator>  // iter_difference_t, iter_reference_t, iter_value_t, random_access_iterator_tag
#include <ranges>    // begin, borrowed_range, enable_borrowed_range, random_access_range, size, view_interface

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // bad_argument, raise

namespace tartan::inline TARTAN_ABI {

/// The elements 0, step, 2 step, ... of a range: a column of a matrix, one channel of an image.
template <class It>
class strided_view : public std::ranges::view_interface<strided_view<It>> {
 public:
  class iterator {
   public:
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::random_access_iterator_tag;
    using value_type = std::iter_value_t<It>;
    using reference = std::iter_reference_t<It>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(It first, std::ptrdiff_t step, std::ptrdiff_t place) : first_(first), step_(step), place_(place) {}

    [[nodiscard]] reference operator*() const { return first_[distance(place_)]; }
    [[nodiscard]] reference operator[](difference_type n) const { return first_[distance(place_ + n)]; }
    iterator& operator+=(difference_type n) noexcept { return place_ += n, *this; }
    iterator& operator-=(difference_type n) noexcept { return place_ -= n, *this; }
    iterator& operator++() noexcept { return ++place_, *this; }
    iterator& operator--() noexcept { return --place_, *this; }
    iterator operator++(int) noexcept {
      iterator const before = *this;
      return ++place_, before;
    }
    iterator operator--(int) noexcept {
      iterator const before = *this;
      return --place_, before;
    }
    [[nodiscard]] friend iterator operator+(iterator it, difference_type n) noexcept { return it += n; }
    [[nodiscard]] friend iterator operator+(difference_type n, iterator it) noexcept { return it += n; }
    [[nodiscard]] friend iterator operator-(iterator it, difference_type n) noexcept { return it -= n; }
    [[nodiscard]] friend difference_type operator-(iterator a, iterator b) noexcept { return a.place_ - b.place_; }
    [[nodiscard]] friend bool operator==(iterator a, iterator b) noexcept { return a.place_ == b.place_; }
    [[nodiscard]] friend std::strong_ordering operator<=>(iterator a, iterator b) noexcept {
      return a.place_ <=> b.place_;
    }

    /// @{ For leaves, which read many elements at once.
    [[nodiscard]] It strided_base() const { return first_ + distance(place_); }
    [[nodiscard]] std::ptrdiff_t stride() const noexcept { return step_; }
    /// @}

   private:
    [[nodiscard]] std::iter_difference_t<It> distance(std::ptrdiff_t place) const noexcept {
      return static_cast<std::iter_difference_t<It>>(place * step_);
    }

    It first_{};  // of the whole range: a place behind the last element is never pointed at
    std::ptrdiff_t step_ = 1;
    std::ptrdiff_t place_ = 0;
  };

  strided_view() = default;
  strided_view(It first, std::ptrdiff_t step, std::size_t size) : first_(first), step_(step), size_(size) {}

  [[nodiscard]] iterator begin() const { return {first_, step_, 0}; }
  [[nodiscard]] iterator end() const { return {first_, step_, static_cast<std::ptrdiff_t>(size_)}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  It first_{};
  std::ptrdiff_t step_ = 1;
  std::size_t size_ = 0;
};

/// Every step-th element of r, from the first one on.
///
///     double trace = tartan::reduce(tartan::par, tartan::strided(matrix, columns + 1));
///     tartan::map_into(tartan::simd, tartan::strided(rgb, 3), red, f);       // packs, put together from what is apart
///
/// @param r     A random-access range with a size, which must outlive the result.
/// @param step  At least 1.
/// Exceptions: bad_argument if step is 0, or larger than a range can be: a negative number is.
template <std::ranges::random_access_range R>
  requires(std::ranges::sized_range<R> && std::ranges::borrowed_range<R>)
[[nodiscard]] auto strided(R&& r, std::size_t step) {
  if (step == 0) detail::raise<bad_argument>("tartan: strided: the step is 0; give 1 for every element");
  if (step > ~std::size_t{0} / 2)
    detail::raise<bad_argument>("tartan: strided: the step is negative, or larger than any range; reverse the range");
  auto const n = static_cast<std::size_t>(std::ranges::size(r));
  return strided_view<std::ranges::iterator_t<R>>(std::ranges::begin(r), static_cast<std::ptrdiff_t>(step),
                                                  n / step + (n % step != 0 ? 1 : 0));
}

}  // namespace tartan::inline TARTAN_ABI

template <class It>
inline constexpr bool std::ranges::enable_borrowed_range<tartan::strided_view<It>> = true;
