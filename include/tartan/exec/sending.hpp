#pragma once
// What becomes of a slice of the input on its way to a worker that does not see the caller's memory: what can travel
// arrives as it is, any other range as a vector of its values, a pair member by member.

#include <cstddef>      // byte, size_t
#include <cstdint>      // uint64_t
#include <ranges>       // contiguous_range, data, input_range, range_value_t, size, sized_range
#include <type_traits>  // is_same_v, remove_cvref_t
#include <utility>      // pair
#include <vector>       // vector

#include "tartan/core/codec.hpp"     // by_bytes, encode_to, encoded_size, frame_writer
#include "tartan/core/shipping.hpp"  // shippable

namespace tartan::inline TARTAN_ABI::detail {

template <class T>
struct sent;

/// What a worker gets for an argument of type T.
template <class T>
using sent_t = typename sent<std::remove_cvref_t<T>>::type;

template <class T>
concept sent_as_values = !shippable<T> && std::ranges::input_range<T const> && std::ranges::sized_range<T const>;

/// As it is; what cannot travel is refused by the codec, with a sentence.
template <class T>
struct sent {
  using type = T;
  static std::size_t size(T const& value) { return encoded_size<T>(value); }
  static void write(frame_writer& out, T const& value) { encode_to<T>(out, value); }
};

/// In the encoding of std::vector<sent_t<value>>, without making one.
template <sent_as_values T>
struct sent<T> {
  using value = std::ranges::range_value_t<T const>;
  using type = std::vector<sent_t<value>>;

  static std::size_t size(T const& range) {
    std::size_t const n = length(range);
    if constexpr (block) return sizeof(std::uint64_t) + n * sizeof(value);
    std::size_t total = sizeof(std::uint64_t);
    for (value const& x : range) total += sent<value>::size(x);
    return total;
  }
  static void write(frame_writer& out, T const& range) {
    out.raw(static_cast<std::uint64_t>(length(range)));
    if constexpr (block)
      out.bytes(std::ranges::data(range), length(range) * sizeof(value));
    else
      for (value const& x : range) sent<value>::write(out, x);
  }

 private:
  static constexpr bool block =
      std::ranges::contiguous_range<T const> && by_bytes<value> && !std::is_same_v<value, bool>;
  static std::size_t length(T const& range) { return static_cast<std::size_t>(std::ranges::size(range)); }
};

template <class A, class B>
  requires(!shippable<std::pair<A, B>>)
struct sent<std::pair<A, B>> {
  using type = std::pair<sent_t<A>, sent_t<B>>;
  static std::size_t size(std::pair<A, B> const& value) {
    return sent<std::remove_cvref_t<A>>::size(value.first) + sent<std::remove_cvref_t<B>>::size(value.second);
  }
  static void write(frame_writer& out, std::pair<A, B> const& value) {
    sent<std::remove_cvref_t<A>>::write(out, value.first);
    sent<std::remove_cvref_t<B>>::write(out, value.second);
  }
};

/// The bytes of an argument; sent_t<T> is read back from them by the codec.
template <class T>
std::vector<std::byte> encode_argument(T const& argument) {
  require_shippable<sent_t<T>>();
  std::vector<std::byte> bytes(sent<T>::size(argument));
  frame_writer out(bytes.data(), bytes.size());
  sent<T>::write(out, argument);
  return bytes;
}

}  // namespace tartan::inline TARTAN_ABI::detail
