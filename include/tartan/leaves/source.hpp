#pragma once
// Where packs come from and go to: what the simd leaf can read from and write through an iterator.

#include <concepts>     // integral
#include <cstddef>      // size_t
#include <iterator>     // contiguous_iterator, iter_reference_t, iter_value_t
#include <memory>       // to_address
#include <ranges>       // iota_view, iterator_t
#include <type_traits>  // is_const_v, remove_reference_t

#include "tartan/core/config.hpp"    // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/leaves/mask.hpp"    // mask
#include "tartan/leaves/pack.hpp"    // pack
#include "tartan/leaves/select.hpp"  // select
#include "tartan/leaves/vector.hpp"  // lane_type

namespace tartan::inline TARTAN_ABI::lanes {

/// How packs are read through an iterator. Specialised for what has lanes; `lane_bytes` is the widest of them.
template <class It>
struct source {
  static constexpr bool exists = false;
};

/// Adjacent elements.
template <std::contiguous_iterator It>
  requires lane_type<std::iter_value_t<It>>
struct source<It> {
  static constexpr bool exists = true;
  using value_type = std::iter_value_t<It>;
  static constexpr std::size_t lane_bytes = sizeof(value_type);
  static constexpr bool writable = !std::is_const_v<std::remove_reference_t<std::iter_reference_t<It>>>;

  TARTAN_ALWAYS_INLINE explicit source(It first) : first_(std::to_address(first)) {}

  template <std::size_t W>
  [[nodiscard]] TARTAN_ALWAYS_INLINE pack<value_type, W> load(std::size_t i) const {
    return pack<value_type, W>::load(first_ + i);
  }

  /// `count` elements, 1 <= count < W; the lanes behind them repeat the first, a value that the function may see.
  template <std::size_t W>
  [[nodiscard]] TARTAN_ALWAYS_INLINE pack<value_type, W> load_first(std::size_t i, std::size_t count) const {
    auto const loaded = pack<value_type, W>::load_first(first_ + i, count);
    return select(mask<sizeof(value_type), W>::first(count), loaded, first_[i]);
  }

  template <std::size_t W>
  TARTAN_ALWAYS_INLINE void store(std::size_t i, pack<value_type, W> const& value) const
    requires writable
  {
    value.store(first_ + i);
  }

  template <std::size_t W>
  TARTAN_ALWAYS_INLINE void store_first(std::size_t i, pack<value_type, W> const& value, std::size_t count) const
    requires writable
  {
    value.store_first(first_ + i, count);
  }

 private:
  std::remove_reference_t<std::iter_reference_t<It>>* first_;
};

/// Whole numbers one after another, as std::views::iota gives them.
template <class It>
  requires(
      std::integral<std::iter_value_t<It>> && lane_type<std::iter_value_t<It>> &&
      std::same_as<It, std::ranges::iterator_t<std::ranges::iota_view<std::iter_value_t<It>, std::iter_value_t<It>>>>)
struct source<It> {
  static constexpr bool exists = true;
  using value_type = std::iter_value_t<It>;
  static constexpr std::size_t lane_bytes = sizeof(value_type);
  static constexpr bool writable = false;

  TARTAN_ALWAYS_INLINE explicit source(It first) : first_(*first) {}

  template <std::size_t W>
  [[nodiscard]] TARTAN_ALWAYS_INLINE pack<value_type, W> load(std::size_t i) const {
    return pack<value_type, W>::iota(static_cast<value_type>(first_ + static_cast<value_type>(i)));
  }

  template <std::size_t W>
  [[nodiscard]] TARTAN_ALWAYS_INLINE pack<value_type, W> load_first(std::size_t i, std::size_t count) const {
    return select(mask<sizeof(value_type), W>::first(count), load<W>(i),
                  static_cast<value_type>(first_ + static_cast<value_type>(i)));
  }

 private:
  value_type first_;
};

/// An iterator from which packs can be read.
template <class It>
concept pack_readable = source<It>::exists;

/// An iterator through which packs can be written.
template <class It>
concept pack_writable = source<It>::exists && source<It>::writable;

namespace impl {

/// What `f` gets for `W` elements.
template <class It, std::size_t W>
using loaded = decltype(std::declval<source<It> const&>().template load<W>(0));

/// The result of a function as a pack of To: a mask counts as 0 and 1, a number stands in every lane.
template <class To, std::size_t W, class R>
TARTAN_ALWAYS_INLINE pack<To, W> as_pack(R const& result) {
  if constexpr (any_mask<R>)
    return select(mask<sizeof(To), W>(result), To{1}, To{0});
  else
    return lift<To, W>(result);
}

/// What a function may return where lanes of numbers are wanted.
template <class R, std::size_t W>
inline constexpr bool fits_lanes = std::is_arithmetic_v<R>;
template <class T, std::size_t N, std::size_t W>
inline constexpr bool fits_lanes<pack<T, N>, W> = N == W;
template <std::size_t B, std::size_t N, std::size_t W>
inline constexpr bool fits_lanes<mask<B, N>, W> = N == W;

}  // namespace impl

}  // namespace tartan::inline TARTAN_ABI::lanes
