#pragma once
// Where packs come from and go to: what the simd leaf can read from and write through an iterator.

#include <algorithm>    // max
#include <concepts>     // integral, same_as
#include <cstddef>      // ptrdiff_t, size_t
#include <cstdint>      // uintptr_t
#include <iterator>     // contiguous_iterator, iter_reference_t, iter_value_t
#include <memory>       // to_address
#include <ranges>       // iota_view, iterator_t
#include <tuple>        // apply, get, tuple, tuple_element_t
#include <type_traits>  // conditional_t, is_const_v, remove_cvref_t, remove_reference_t
#include <utility>      // declval, index_sequence, make_index_sequence

#include "tartan/core/config.hpp"    // TARTAN_ABI, TARTAN_INLINE_KERNEL
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

  TARTAN_INLINE_KERNEL explicit source(It first) : first_(std::to_address(first)) {}

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<value_type, W> load(std::size_t i) const {
    return pack<value_type, W>::load(first_ + i);
  }

  /// How many elements come before the first that begins a register's worth of memory: loads from there on do not touch
  /// two lines of the cache each.
  [[nodiscard]] std::size_t unaligned() const {
    std::size_t const behind = reinterpret_cast<std::uintptr_t>(first_) % register_bytes;
    return behind == 0 || behind % sizeof(value_type) != 0 ? 0 : (register_bytes - behind) / sizeof(value_type);
  }

  /// `count` elements, 1 <= count < W; the lanes behind them repeat the first, a value that the function may see.
  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<value_type, W> load_first(std::size_t i, std::size_t count) const {
    auto const loaded = pack<value_type, W>::load_first(first_ + i, count);
    return select(mask<sizeof(value_type), W>::first(count), loaded, first_[i]);
  }

  template <std::size_t W>
  TARTAN_INLINE_KERNEL void store(std::size_t i, pack<value_type, W> const& value) const
    requires writable
  {
    value.store(first_ + i);
  }

  template <std::size_t W>
  TARTAN_INLINE_KERNEL void store_first(std::size_t i, pack<value_type, W> const& value, std::size_t count) const
    requires writable
  {
    value.store_first(first_ + i, count);
  }

 private:
  std::remove_reference_t<std::iter_reference_t<It>>* first_;
};

/// An iterator over elements that lie a fixed number of places apart, as those of tartan::strided.
template <class It>
concept strided_iterator = lane_type<std::iter_value_t<It>> && requires(It const& it) {
  { it.strided_base() } -> std::contiguous_iterator;
  { it.stride() } -> std::same_as<std::ptrdiff_t>;
};

/// Elements a fixed number of places apart. Packs are put together from single elements, which on x86 no gather
/// instruction does faster, and from two loads where every other one is wanted.
template <strided_iterator It>
struct source<It> {
  static constexpr bool exists = true;
  using value_type = std::iter_value_t<It>;
  static constexpr std::size_t lane_bytes = sizeof(value_type);
  static constexpr bool writable = !std::is_const_v<std::remove_reference_t<std::iter_reference_t<It>>>;

  TARTAN_INLINE_KERNEL explicit source(It const& first)
      : first_(std::to_address(first.strided_base())), step_(static_cast<std::size_t>(first.stride())) {}

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<value_type, W> load(std::size_t i) const {
    using P = pack<value_type, W>;
    auto const* const from = first_ + i * step_;
    if constexpr (P::registers == 1 && W > 1)
      if (step_ == 2) return every_other<W>(from);
    P out;
    impl::unroll<P::registers>([&](auto r) TARTAN_INLINE_LAMBDA {
      [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
        out.part[r] = typename P::vec{from[(r * P::register_lanes + I) * step_]...};
      }(std::make_index_sequence<P::register_lanes>{});
    });
    return out;
  }

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<value_type, W> load_first(std::size_t i, std::size_t count) const {
    auto const* const from = first_ + i * step_;
    return pack<value_type, W>::generate([&](std::size_t j) { return from[j < count ? j * step_ : 0]; });
  }

  template <std::size_t W>
  TARTAN_INLINE_KERNEL void store(std::size_t i, pack<value_type, W> const& value) const
    requires writable
  {
    store_first<W>(i, value, W);
  }

  template <std::size_t W>
  TARTAN_INLINE_KERNEL void store_first(std::size_t i, pack<value_type, W> const& value, std::size_t count) const
    requires writable
  {
    value_type lane[W];
    value.store(lane);
    auto* const to = first_ + i * step_;
    for (std::size_t j = 0; j != count; ++j) to[j * step_] = lane[j];
  }

 private:
  /// The second load begins early, so that nothing behind the last element is read.
  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL static pack<value_type, W> every_other(value_type const* from) {
    using P = pack<value_type, W>;
    P const low = P::load(from), high = P::load(from + W - 1);
    P out;
    [&]<std::size_t... I>(std::index_sequence<I...>) TARTAN_INLINE_LAMBDA {
      out.part[0] =
          __builtin_shufflevector(low.part[0], high.part[0], static_cast<int>(2 * I < W ? 2 * I : 2 * I + 1)...);
    }(std::make_index_sequence<W>{});
    return out;
  }

  std::remove_reference_t<std::iter_reference_t<It>>* first_;
  std::size_t step_;
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

  TARTAN_INLINE_KERNEL explicit source(It first) : first_(*first) {}

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<value_type, W> load(std::size_t i) const {
    return pack<value_type, W>::iota(static_cast<value_type>(first_ + static_cast<value_type>(i)));
  }

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL pack<value_type, W> load_first(std::size_t i, std::size_t count) const {
    return select(mask<sizeof(value_type), W>::first(count), load<W>(i),
                  static_cast<value_type>(first_ + static_cast<value_type>(i)));
  }

 private:
  value_type first_;
};

namespace impl {

template <class Iterators>
inline constexpr bool all_have_packs = false;
template <class... It>
inline constexpr bool all_have_packs<std::tuple<It...>> = (source<It>::exists && ...);

template <class It>
using iterators_of = std::remove_cvref_t<decltype(std::declval<It const&>().iterators())>;

/// A pack that a function may change where the elements behind it can be written.
template <class It, class P>
using pack_reference = std::conditional_t<source<It>::writable, P&, P const&>;

template <class Iterators>
class sources;

/// Several sources that advance together: a tuple of packs for each place.
template <class... It>
class sources<std::tuple<It...>> {
 public:
  static constexpr bool exists = true;
  static constexpr bool writable = false;  ///< no pack is written to it; see refer() and put_back()
  static constexpr std::size_t lane_bytes = (std::max)({source<It>::lane_bytes...});

  TARTAN_INLINE_KERNEL explicit sources(std::tuple<It...> const& first)
      : each_(std::apply([](auto const&... it) { return std::tuple{source<It>{it}...}; }, first)) {}

  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL auto load(std::size_t i) const {
    return std::apply([i](auto const&... s) TARTAN_INLINE_LAMBDA { return std::tuple{s.template load<W>(i)...}; },
                      each_);
  }
  template <std::size_t W>
  [[nodiscard]] TARTAN_INLINE_KERNEL auto load_first(std::size_t i, std::size_t count) const {
    return std::apply([&](auto const&... s)
                          TARTAN_INLINE_LAMBDA { return std::tuple{s.template load_first<W>(i, count)...}; },
                      each_);
  }

  /// What a function that changes elements gets: references, as the elements of a zip are.
  template <class... P>
  [[nodiscard]] TARTAN_INLINE_KERNEL static auto refer(std::tuple<P...>& packs) {
    return std::apply([](auto&... p) TARTAN_INLINE_LAMBDA { return std::tuple<pack_reference<It, P>...>{p...}; },
                      packs);
  }

  /// Writes what may have changed: the first `count` lanes.
  template <std::size_t W, class... P>
  TARTAN_INLINE_KERNEL void put_back(std::size_t i, std::tuple<P...> const& packs, std::size_t count = W) const {
    unroll<sizeof...(It)>([&](auto k) TARTAN_INLINE_LAMBDA {
      if constexpr (std::tuple_element_t<k, std::tuple<source<It>...>>::writable) {
        if (count == W)
          std::get<k>(each_).template store<W>(i, std::get<k>(packs));
        else
          std::get<k>(each_).template store_first<W>(i, std::get<k>(packs), count);
      }
    });
  }

 private:
  std::tuple<source<It>...> each_;
};

}  // namespace impl

/// Iterators side by side, as those of a zip, each of which has packs.
template <class It>
  requires impl::all_have_packs<impl::iterators_of<It>>
struct source<It> : impl::sources<impl::iterators_of<It>> {
  TARTAN_INLINE_KERNEL explicit source(It const& first) : impl::sources<impl::iterators_of<It>>(first.iterators()) {}
};

/// An iterator from which packs can be read.
template <class It>
concept pack_readable = source<It>::exists;

/// An iterator through which packs can be written.
template <class It>
concept pack_writable = source<It>::exists && source<It>::writable;

namespace impl {

/// source::unaligned() of sources that know it; 0 where alignment means nothing.
template <class S>
TARTAN_INLINE_KERNEL std::size_t unaligned_elements(S const& from) {
  if constexpr (requires { from.unaligned(); })
    return from.unaligned();
  else
    return 0;
}

/// What `f` gets for `W` elements.
template <class It, std::size_t W>
using loaded = decltype(std::declval<source<It> const&>().template load<W>(0));

/// The result of a function as a pack of To: a mask counts as 0 and 1, a number stands in every lane.
template <class To, std::size_t W, class R>
TARTAN_INLINE_KERNEL pack<To, W> as_pack(R const& result) {
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
