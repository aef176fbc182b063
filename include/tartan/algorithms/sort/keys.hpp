#pragma once
// Keys whose order is that of unsigned numbers, and the comparators that are known to mean it.

#include <bit>          // bit_cast
#include <compare>      // compare_three_way, by way of the comparators
#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <cstdint>      // uint8_t, uint16_t, uint32_t, uint64_t
#include <functional>   // greater, invoke, less, ranges::greater, ranges::less
#include <limits>       // numeric_limits
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // conditional_t, is_enum_v, is_floating_point_v, is_integral_v, is_signed_v, underlying_type_t
#include <utility>      // declval

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

template <class Compare, class Key>
inline constexpr bool means_less = std::is_same_v<Compare, std::ranges::less> || std::is_same_v<Compare, std::less<>> ||
                                   std::is_same_v<Compare, std::less<Key>>;
template <class Compare, class Key>
inline constexpr bool means_greater =
    std::is_same_v<Compare, std::ranges::greater> || std::is_same_v<Compare, std::greater<>> ||
    std::is_same_v<Compare, std::greater<Key>>;
template <class Compare, class Key>
inline constexpr bool known_order = means_less<Compare, Key> || means_greater<Compare, Key>;

/// Numbers of at most 64 bits, and enumerations.
template <class Key>
concept radix_number = (std::is_integral_v<Key> || std::is_enum_v<Key> ||
                        (std::is_floating_point_v<Key> && std::numeric_limits<Key>::is_iec559)) &&
                       (sizeof(Key) == 1 || sizeof(Key) == 2 || sizeof(Key) == 4 || sizeof(Key) == 8);

template <std::size_t Bytes>
using unsigned_of = std::conditional_t<
    Bytes == 1, std::uint8_t,
    std::conditional_t<Bytes == 2, std::uint16_t, std::conditional_t<Bytes == 4, std::uint32_t, std::uint64_t>>>;

/// An unsigned number in the order of x. Both zeros of a floating type are one; not-a-numbers stand at the ends.
template <radix_number Key>
TARTAN_ALWAYS_INLINE auto radix_key(Key x) noexcept {
  using bits = unsigned_of<sizeof(Key)>;
  constexpr bits sign = static_cast<bits>(bits{1} << (8 * sizeof(Key) - 1));
  if constexpr (std::is_enum_v<Key>) {
    return radix_key(static_cast<std::underlying_type_t<Key>>(x));
  } else if constexpr (std::is_floating_point_v<Key>) {
    bits const raw = std::bit_cast<bits>(x);
    bits const same_zero = raw == sign ? bits{0} : raw;
    return static_cast<bits>((raw & sign) != 0 && raw != sign ? ~raw : same_zero | sign);
  } else if constexpr (std::is_signed_v<Key>) {
    return static_cast<bits>(static_cast<bits>(x) ^ sign);
  } else {
    return static_cast<bits>(x);
  }
}

/// The number by which an element is sorted: `flip` has all bits set where the order descends. The type does not tell,
/// so that both orders share their kernels.
template <class T, class Proj>
class number_of_element {
 public:
  number_of_element(Proj& proj, bool descending) noexcept
      : proj_(&proj), flip_(descending ? static_cast<number>(~number{0}) : number{0}) {}

  TARTAN_ALWAYS_INLINE auto operator()(T const& x) const noexcept {
    return static_cast<number>(radix_key(std::invoke(*proj_, const_cast<T&>(x))) ^ flip_);
  }

 private:
  using number = decltype(radix_key(std::invoke(std::declval<Proj&>(), std::declval<T&>())));
  Proj* proj_;
  number flip_;
};
template <class T, class Proj>
struct less_by_number {
  number_of_element<T, Proj> number;
  TARTAN_ALWAYS_INLINE bool operator()(T& a, T& b) const noexcept { return number(a) < number(b); }
};

/// Texts in windows of seven characters: the low byte says how many there were, 8 if there are more. Texts whose keys
/// are equal are equal so far, and altogether unless the low byte is 8.
inline constexpr std::size_t text_window = 7;
TARTAN_ALWAYS_INLINE std::uint64_t text_key_at(std::string_view t, std::size_t offset) noexcept {
  std::size_t const left = t.size() - offset;
  std::size_t const n = left < text_window ? left : text_window;
  std::uint64_t key = 0;
  for (std::size_t i = 0; i != n; ++i) key = key << 8 | static_cast<unsigned char>(t[offset + i]);
  return key << (8 * (text_window - n)) << 8 | (left > text_window ? 8 : n);
}

template <class Key>
inline constexpr bool is_text = std::is_same_v<Key, std::string> || std::is_same_v<Key, std::string_view>;

}  // namespace tartan::inline TARTAN_ABI::detail
