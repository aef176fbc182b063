#pragma once
// Several ranges side by side, as one range of tuples of references.

#include <compare>      // strong_ordering
#include <concepts>     // ranges::swap, same_as
#include <cstddef>      // ptrdiff_t, size_t
#include <iterator>     // iter_reference_t, iter_value_t, random_access_iterator_tag, unreachable_sentinel_t
#include <memory>       // to_address
#include <ranges>       // all_t, enable_borrowed_range, random_access_range, sized_range, view_interface
#include <tuple>        // apply, get, tuple, tuple_element, tuple_size
#include <type_traits>  // common_reference_t, is_assignable_v, is_constructible_v, is_swappable_v
#include <utility>      // forward, index_sequence_for, integral_constant, move

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class To, class From>
inline constexpr bool all_constructible = false;
template <class... T, class... U>
  requires(sizeof...(T) == sizeof...(U))
inline constexpr bool all_constructible<std::tuple<T...>, std::tuple<U...>> = (std::is_constructible_v<T, U> && ...);

template <class To, class From>
inline constexpr bool all_assignable = false;
template <class... T, class... U>
  requires(sizeof...(T) == sizeof...(U))
inline constexpr bool all_assignable<std::tuple<T...>, std::tuple<U...>> = (std::is_assignable_v<T const&, U> && ...);

}  // namespace detail

/// One element of a zip or an enumerate: a tuple whose members refer to the elements of the ranges.
///
///     auto [x, y] = element;   // x and y are references into the ranges
///
/// Assigning to it assigns to what it refers to, also through a constant or temporary one, as algorithms that write
/// through iterators need. Its value type is std::tuple of the values.
template <class... T>
class zipped : public std::tuple<T...> {
  using base = std::tuple<T...>;
  using indices = std::index_sequence_for<T...>;

  template <class... U>
  static constexpr bool made_from = detail::all_constructible<std::tuple<T...>, std::tuple<U...>>;
  template <class... U>
  static constexpr bool assigned_from = detail::all_assignable<std::tuple<T...>, std::tuple<U...>>;

 public:
  constexpr explicit zipped(T... members) noexcept(noexcept(base(static_cast<T&&>(members)...)))
      : base(static_cast<T&&>(members)...) {}
  zipped(zipped const&) = default;
  zipped(zipped&&) = default;

  template <class... U>
    requires(made_from<U&...>)
  constexpr zipped(std::tuple<U...>& from) : zipped(from, indices{}) {}
  template <class... U>
    requires(made_from<U const&...>)
  constexpr zipped(std::tuple<U...> const& from) : zipped(from, indices{}) {}
  template <class... U>
    requires(made_from<U...>)
  constexpr zipped(std::tuple<U...>&& from) : zipped(std::move(from), indices{}) {}

  // Each twice: for a constant object as the concepts want it, and for others, where the defaulted one would interfere.
  constexpr zipped& operator=(zipped const& from)
    requires(assigned_from<T const&...>)
  {
    return assign(from, indices{}), *this;
  }
  constexpr zipped const& operator=(zipped const& from) const
    requires(assigned_from<T const&...>)
  {
    return assign(from, indices{}), *this;
  }
  template <class... U>
    requires(assigned_from<U const&...>)
  constexpr zipped& operator=(std::tuple<U...> const& from) {
    return assign(from, indices{}), *this;
  }
  template <class... U>
    requires(assigned_from<U const&...>)
  constexpr zipped const& operator=(std::tuple<U...> const& from) const {
    return assign(from, indices{}), *this;
  }
  template <class... U>
    requires(assigned_from<U...>)
  constexpr zipped& operator=(std::tuple<U...>&& from) {
    return assign(std::move(from), indices{}), *this;
  }
  template <class... U>
    requires(assigned_from<U...>)
  constexpr zipped const& operator=(std::tuple<U...>&& from) const {
    return assign(std::move(from), indices{}), *this;
  }

  /// Swaps what they refer to.
  friend constexpr void swap(zipped const& a, zipped const& b)
    requires((std::is_lvalue_reference_v<T> && std::is_swappable_v<std::remove_reference_t<T>>) && ...)
  {
    swap_members(a, b, indices{});
  }

 private:
  template <std::size_t... I>
  static constexpr void swap_members(zipped const& a, zipped const& b, std::index_sequence<I...>) {
    (std::ranges::swap(std::get<I>(a), std::get<I>(b)), ...);
  }

  template <class From, std::size_t... I>
  constexpr zipped(From&& from, std::index_sequence<I...>)
      : base(static_cast<T>(std::get<I>(std::forward<From>(from)))...) {}

  template <class From, std::size_t... I>
  constexpr void assign(From&& from, std::index_sequence<I...>) const {
    (static_cast<void>(std::get<I>(*this) = std::get<I>(std::forward<From>(from))), ...);
  }
};

namespace detail {

/// Ranges that a zip can hold: cut anywhere, with a known number of elements or with no end at all.
template <class R>
concept endless_range = std::same_as<std::ranges::sentinel_t<R>, std::unreachable_sentinel_t>;
template <class R>
concept side_by_side = std::ranges::random_access_range<R> && (std::ranges::sized_range<R> || endless_range<R>);
template <class R>
concept zippable = side_by_side<R> && std::ranges::viewable_range<R>;

/// Where a zip is: one iterator into each range, all advancing together. Positions are compared by the first of them.
template <class... It>
class zip_iterator {
 public:
  using iterator_concept = std::random_access_iterator_tag;
  using iterator_category = std::input_iterator_tag;  // what *it gives is no true reference
  using value_type = std::tuple<std::iter_value_t<It>...>;
  using reference = zipped<std::iter_reference_t<It>...>;
  using difference_type = std::ptrdiff_t;

  zip_iterator() = default;
  constexpr explicit zip_iterator(It... at) : at_(std::move(at)...) {}

  /// The iterators into the ranges, for leaves that read them one by one.
  [[nodiscard]] constexpr std::tuple<It...> const& iterators() const noexcept { return at_; }

  /// Whether every range is an array: then pointers() gives where each goes on.
  static constexpr bool contiguous = (std::contiguous_iterator<It> && ...);
  [[nodiscard]] constexpr auto pointers() const noexcept
    requires contiguous
  {
    return std::apply([](auto const&... at) { return std::tuple(std::to_address(at)...); }, at_);
  }

  [[nodiscard]] TARTAN_ALWAYS_INLINE constexpr reference operator*() const {
    return std::apply([](auto const&... at) { return reference(*at...); }, at_);
  }
  [[nodiscard]] TARTAN_ALWAYS_INLINE constexpr reference operator[](difference_type n) const {
    return std::apply([n](auto const&... at) { return reference(at[step<decltype(at)>(n)]...); }, at_);
  }

  constexpr zip_iterator& operator+=(difference_type n) {
    std::apply([n](auto&... at) { (static_cast<void>(at += step<decltype(at)>(n)), ...); }, at_);
    return *this;
  }
  constexpr zip_iterator& operator-=(difference_type n) { return *this += -n; }
  constexpr zip_iterator& operator++() {
    std::apply([](auto&... at) { (static_cast<void>(++at), ...); }, at_);
    return *this;
  }
  constexpr zip_iterator& operator--() {
    std::apply([](auto&... at) { (static_cast<void>(--at), ...); }, at_);
    return *this;
  }
  constexpr zip_iterator operator++(int) {
    zip_iterator before = *this;
    ++*this;
    return before;
  }
  constexpr zip_iterator operator--(int) {
    zip_iterator before = *this;
    --*this;
    return before;
  }

  [[nodiscard]] friend constexpr zip_iterator operator+(zip_iterator it, difference_type n) { return it += n; }
  [[nodiscard]] friend constexpr zip_iterator operator+(difference_type n, zip_iterator it) { return it += n; }
  [[nodiscard]] friend constexpr zip_iterator operator-(zip_iterator it, difference_type n) { return it -= n; }
  [[nodiscard]] friend constexpr difference_type operator-(zip_iterator const& a, zip_iterator const& b) {
    return static_cast<difference_type>(std::get<0>(a.at_) - std::get<0>(b.at_));
  }
  [[nodiscard]] friend constexpr bool operator==(zip_iterator const& a, zip_iterator const& b) {
    return std::get<0>(a.at_) == std::get<0>(b.at_);
  }
  [[nodiscard]] friend constexpr std::strong_ordering operator<=>(zip_iterator const& a, zip_iterator const& b) {
    return a - b <=> difference_type{0};
  }

  [[nodiscard]] friend constexpr auto iter_move(zip_iterator const& it) {
    return std::apply(
        [](auto const&... at) { return zipped<std::iter_rvalue_reference_t<It>...>(std::ranges::iter_move(at)...); },
        it.at_);
  }
  friend constexpr void iter_swap(zip_iterator const& a, zip_iterator const& b)
    requires(std::indirectly_swappable<It> && ...)
  {
    swap_each(a, b, std::index_sequence_for<It...>{});
  }

 private:
  template <class I>
  static constexpr auto step(difference_type n) {
    return static_cast<std::iter_difference_t<std::remove_cvref_t<I>>>(n);
  }
  template <std::size_t... I>
  static constexpr void swap_each(zip_iterator const& a, zip_iterator const& b, std::index_sequence<I...>) {
    (std::ranges::iter_swap(std::get<I>(a.at_), std::get<I>(b.at_)), ...);
  }

  std::tuple<It...> at_;
};

}  // namespace detail

/// What zip() returns: a view as long as the shortest of its ranges.
template <std::ranges::view... V>
  requires(detail::side_by_side<V> && ...)
class zip_view : public std::ranges::view_interface<zip_view<V...>> {
 public:
  zip_view()
    requires(std::default_initializable<V> && ...)
  = default;
  constexpr explicit zip_view(V... views) : views_(std::move(views)...) {}

  [[nodiscard]] constexpr auto begin() { return begin_of(views_); }
  [[nodiscard]] constexpr auto begin() const
    requires(detail::side_by_side<V const> && ...)
  {
    return begin_of(views_);
  }
  [[nodiscard]] constexpr auto end() { return begin() + static_cast<std::ptrdiff_t>(size()); }
  [[nodiscard]] constexpr auto end() const
    requires(detail::side_by_side<V const> && ...)
  {
    return begin() + static_cast<std::ptrdiff_t>(size());
  }
  [[nodiscard]] constexpr std::size_t size() { return size_of(views_); }
  [[nodiscard]] constexpr std::size_t size() const
    requires(detail::side_by_side<V const> && ...)
  {
    return size_of(views_);
  }

 private:
  template <class Views>
  static constexpr auto begin_of(Views& views) {
    return std::apply([](auto&... v) { return detail::zip_iterator(std::ranges::begin(v)...); }, views);
  }
  template <class Views>
  static constexpr std::size_t size_of(Views& views) {
    std::size_t shortest = ~std::size_t{0};
    auto const take = [&](auto& v) {
      if constexpr (std::ranges::sized_range<decltype(v)>)
        if (auto const n = static_cast<std::size_t>(std::ranges::size(v)); n < shortest) shortest = n;
    };
    std::apply([&](auto&... v) { (take(v), ...); }, views);
    return shortest;
  }

  std::tuple<V...> views_;
};

/// The ranges side by side: element i is a tuple of references to their elements i.
///
///     auto dots = tartan::map(tartan::par, tartan::zip(xs, ys), [](auto const& xy) { auto [x, y] = xy; return x * y;
///     });
///
/// @param r  Ranges whose elements can be reached at once, as arrays, vectors, spans and std::views::iota; at least one
///           has an end. Named ranges are referred to, temporary ones are kept inside.
/// @returns  A random-access view of zipped<...>, as long as the shortest range; accepted by every pattern. It may
///           outlive itself as an rvalue (borrowed) if the ranges may.
template <class... R>
[[nodiscard]] constexpr auto zip(R&&... r) {
  static_assert(sizeof...(R) != 0, "tartan: zip needs at least one range");
  static_assert(
      (detail::zippable<R> && ...),
      "tartan: zip needs ranges whose elements can be reached at once and whose number is known (a vector, an "
      "array, a span, std::views::iota): copy the others into a vector first");
  static_assert((std::ranges::sized_range<R> || ...) || !(detail::zippable<R> && ...),
                "tartan: zip needs a range that ends: at least one of its ranges must have a size");
  if constexpr (sizeof...(R) != 0 && (detail::zippable<R> && ...))
    return zip_view<std::views::all_t<R>...>(std::views::all(std::forward<R>(r))...);
}

}  // namespace tartan::inline TARTAN_ABI

template <class... V>
inline constexpr bool std::ranges::enable_borrowed_range<tartan::zip_view<V...>> =
    (std::ranges::enable_borrowed_range<V> && ...);

template <class... T>
struct std::tuple_size<tartan::zipped<T...>> : std::integral_constant<std::size_t, sizeof...(T)> {};
template <std::size_t I, class... T>
struct std::tuple_element<I, tartan::zipped<T...>> : std::tuple_element<I, std::tuple<T...>> {};

// References and values of one zip have references in common, as the iterator concepts ask.
template <class... T, class... U, template <class> class TQual, template <class> class UQual>
  requires(sizeof...(T) == sizeof...(U)) &&
          requires { typename tartan::zipped<std::common_reference_t<TQual<T>, UQual<U>>...>; }
struct std::basic_common_reference<tartan::zipped<T...>, std::tuple<U...>, TQual, UQual> {
  using type = tartan::zipped<std::common_reference_t<TQual<T>, UQual<U>>...>;
};
template <class... T, class... U, template <class> class TQual, template <class> class UQual>
  requires(sizeof...(T) == sizeof...(U)) &&
          requires { typename tartan::zipped<std::common_reference_t<TQual<T>, UQual<U>>...>; }
struct std::basic_common_reference<std::tuple<T...>, tartan::zipped<U...>, TQual, UQual> {
  using type = tartan::zipped<std::common_reference_t<TQual<T>, UQual<U>>...>;
};
template <class... T, class... U, template <class> class TQual, template <class> class UQual>
  requires(sizeof...(T) == sizeof...(U)) &&
          requires { typename tartan::zipped<std::common_reference_t<TQual<T>, UQual<U>>...>; }
struct std::basic_common_reference<tartan::zipped<T...>, tartan::zipped<U...>, TQual, UQual> {
  using type = tartan::zipped<std::common_reference_t<TQual<T>, UQual<U>>...>;
};
