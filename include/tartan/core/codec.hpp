#pragma once
// The built-in encoding of what `shippable` accepts, straight into a buffer of the size that it announces.
//
// Every encoding takes at least one byte, so that a number of elements can be checked against what is left. Two
// processes of one program talk to each other, so layout and byte order are the machine's own.

#include <algorithm>    // min
#include <cstddef>      // byte, size_t
#include <cstdint>      // uint64_t, uintptr_t
#include <cstring>      // memcpy
#include <memory>       // addressof
#include <optional>     // optional
#include <ranges>       // contiguous_range
#include <span>         // span
#include <string>       // char_traits, by way of sequence types
#include <tuple>        // apply, get, tuple
#include <type_traits>  // is_default_constructible_v, remove_cvref_t
#include <utility>      // declval, forward, in_place_index, move, pair
#include <variant>      // get, variant, variant_alternative_t
#include <vector>       // vector

#include "tartan/core/config.hpp"    // TARTAN_ABI
#include "tartan/core/fields.hpp"    // field_count, with_fields
#include "tartan/core/frame.hpp"     // frame_reader, frame_writer
#include "tartan/core/shipping.hpp"  // codec, form_of, require_shippable

namespace tartan::inline TARTAN_ABI {

namespace detail {

template <class T>
std::size_t encoded_size(T const& value) {
  return codec<T>::size(value);
}

template <class T>
void encode_to(frame_writer& out, T const& value) {
  codec<T>::write(out, value);
}

template <class T>
T decode_from(frame_reader& in) {
  return codec<T>::read(in);
}

/// Reads into an object that exists; the only way for built-in arrays.
template <class T>
void decode_into(frame_reader& in, T& value) {
  if constexpr (std::is_array_v<T>) {
    for (auto& element : value) decode_into(in, element);
  } else {
    value = decode_from<std::remove_cv_t<T>>(in);
  }
}

struct size_archive {
  std::size_t total = 1;
  template <class... Ts>
  size_archive& operator()(Ts const&... values) {
    ((total += encoded_size(values)), ...);
    return *this;
  }
  template <class T>
  size_archive& operator&(T const& value) {
    return (*this)(value);
  }
};

struct write_archive {
  frame_writer& out;
  template <class... Ts>
  write_archive& operator()(Ts const&... values) {
    (encode_to(out, values), ...);
    return *this;
  }
  template <class T>
  write_archive& operator&(T const& value) {
    return (*this)(value);
  }
};

struct read_archive {
  frame_reader& in;
  template <class... Ts>
  read_archive& operator()(Ts&&... values) {
    (decode_into(in, values), ...);
    return *this;
  }
  template <class T>
  read_archive& operator&(T&& value) {
    return (*this)(value);
  }
};

template <class T, class Archive>
void run_archive(T& value, Archive& archive) {
  if constexpr (member_archive<T>)
    value.serialize(archive);
  else
    serialize(archive, value);
}

// One encoding for each form; `codec<T>` forwards to the one that serves it.
template <class T, form How, bool Bytes>
struct encoding;

template <class T, form How>
struct encoding<T, How, true> {
  static constexpr std::size_t size(T const&) noexcept { return sizeof(T); }
  static void write(frame_writer& out, T const& value) { out.bytes(std::addressof(value), sizeof(T)); }
  static T read(frame_reader& in) {
    if constexpr (std::is_same_v<T, bool>) {
      auto const bits = in.raw<unsigned char>();
      if (bits > 1) frame_reader::wrong_value();
      return bits != 0;
    } else {
      return in.raw<T>();
    }
  }
};

template <class T>
struct encoding<T, form::empty, false> {
  static constexpr std::size_t size(T const&) noexcept { return 1; }
  static void write(frame_writer& out, T const&) { out.raw(std::byte{}); }
  static T read(frame_reader& in) {
    in.take(1);
    return T{};
  }
};

template <class T>
struct encoding<T, form::archive, false> {
  static std::size_t size(T const& value) {
    size_archive archive;
    run_archive(const_cast<T&>(value), archive);  // serialize() is not const, since it also reads
    return archive.total;
  }
  static void write(frame_writer& out, T const& value) {
    out.raw(std::byte{});
    write_archive archive{out};
    run_archive(const_cast<T&>(value), archive);
  }
  static T read(frame_reader& in) {
    in.take(1);
    T value{};
    read_archive archive{in};
    run_archive(value, archive);
    return value;
  }
};

template <class T>
concept block_sequence =
    std::ranges::contiguous_range<T> && by_bytes<typename T::value_type> &&
    !std::is_same_v<typename T::value_type, bool> && requires(T& t, typename T::value_type const* p) {
      t.assign(p, p);
      t.resize(std::size_t{});
    };

template <class T>
struct encoding<T, form::sequence, false> {
  using element = typename T::value_type;

  static std::size_t size(T const& value) {
    std::size_t total = sizeof(std::uint64_t);
    if constexpr (block_sequence<T>)
      total += value.size() * sizeof(element);
    else
      for (auto const& x : value) total += encoded_size<element>(x);
    return total;
  }

  static void write(frame_writer& out, T const& value) {
    out.raw(static_cast<std::uint64_t>(value.size()));
    if constexpr (block_sequence<T>)
      out.bytes(value.data(), value.size() * sizeof(element));
    else
      for (auto const& x : value) encode_to<element>(out, x);
  }

  static T read(frame_reader& in) {
    T value;
    if constexpr (block_sequence<T>) {
      read_block(in, value);
    } else {
      auto const n = in.count();
      // What is left bounds n but not the memory that n elements take, so a large n is not believed before it is read.
      if constexpr (requires { value.reserve(n); }) value.reserve((std::min)(n, most_reserved));
      for (std::size_t i = 0; i != n; ++i) value.push_back(decode_from<element>(in));
    }
    return value;
  }

 private:
  static constexpr std::size_t most_reserved = std::size_t{1} << 16;

  // assign() from aligned bytes fills the container once; resize() would write zeros first.
  static void read_block(frame_reader& in, T& value) {
    auto const n = in.count(sizeof(element));
    auto const* const from = in.take(n * sizeof(element));
    if (reinterpret_cast<std::uintptr_t>(from) % alignof(element) == 0) {
      auto const* const first = reinterpret_cast<element const*>(from);
      value.assign(first, first + n);
    } else if constexpr (std::is_default_constructible_v<element>) {
      value.resize(n);
      if (n != 0) std::memcpy(value.data(), from, n * sizeof(element));
    } else {
      frame_reader again(from, n * sizeof(element));
      for (std::size_t i = 0; i != n; ++i) value.push_back(again.raw<element>());
    }
  }
};

template <class T>
struct encoding<T, form::associative, false> {
  static constexpr bool maps = requires { typename T::mapped_type; };

  static std::size_t size(T const& value) {
    std::size_t total = sizeof(std::uint64_t);
    for (auto const& x : value) {
      if constexpr (maps)
        total += encoded_size(x.first) + encoded_size(x.second);
      else
        total += encoded_size(x);
    }
    return total;
  }

  static void write(frame_writer& out, T const& value) {
    out.raw(static_cast<std::uint64_t>(value.size()));
    for (auto const& x : value) {
      if constexpr (maps) {
        encode_to(out, x.first);
        encode_to(out, x.second);
      } else {
        encode_to(out, x);
      }
    }
  }

  static T read(frame_reader& in) {
    T value;
    auto const n = in.count();
    for (std::size_t i = 0; i != n; ++i) {
      auto key = decode_from<typename T::key_type>(in);
      if constexpr (maps)
        value.emplace_hint(value.end(), std::move(key), decode_from<typename T::mapped_type>(in));
      else
        value.emplace_hint(value.end(), std::move(key));
    }
    return value;
  }
};

template <class T>
struct encoding<T, form::path, false> {
  using text = typename T::string_type;
  static std::size_t size(T const& value) { return encoded_size(value.native()); }
  static void write(frame_writer& out, T const& value) { encode_to(out, value.native()); }
  static T read(frame_reader& in) { return T(decode_from<text>(in)); }
};

template <class T>
struct encoding<std::optional<T>, form::choice, false> {
  static std::size_t size(std::optional<T> const& value) { return 1 + (value ? encoded_size(*value) : 0); }
  static void write(frame_writer& out, std::optional<T> const& value) {
    encode_to(out, value.has_value());
    if (value) encode_to(out, *value);
  }
  static std::optional<T> read(frame_reader& in) {
    if (!decode_from<bool>(in)) return std::nullopt;
    return std::optional<T>(decode_from<T>(in));
  }
};

template <class... Ts>
struct encoding<std::variant<Ts...>, form::choice, false> {
  using value_type = std::variant<Ts...>;

  static std::size_t size(value_type const& value) {
    return sizeof(std::uint32_t) + std::visit([](auto const& x) { return encoded_size(x); }, value);
  }
  static void write(frame_writer& out, value_type const& value) {
    out.raw(static_cast<std::uint32_t>(value.index()));
    std::visit([&](auto const& x) { encode_to(out, x); }, value);
  }
  static value_type read(frame_reader& in) { return read_alternative<0>(in, in.raw<std::uint32_t>()); }

 private:
  template <std::size_t I>
  static value_type read_alternative(frame_reader& in, std::size_t index) {
    if constexpr (I == sizeof...(Ts)) {
      frame_reader::wrong_value();
    } else {
      if (index != I) return read_alternative<I + 1>(in, index);
      return value_type(std::in_place_index<I>, decode_from<std::variant_alternative_t<I, value_type>>(in));
    }
  }
};

template <class A, class B>
struct encoding<std::pair<A, B>, form::fields, false> {
  static std::size_t size(std::pair<A, B> const& value) {
    return encoded_size(value.first) + encoded_size(value.second);
  }
  static void write(frame_writer& out, std::pair<A, B> const& value) {
    encode_to(out, value.first);
    encode_to(out, value.second);
  }
  static std::pair<A, B> read(frame_reader& in) {
    auto first = decode_from<std::remove_const_t<A>>(in);  // one after the other: arguments come in any order
    return std::pair<A, B>(std::move(first), decode_from<std::remove_const_t<B>>(in));
  }
};

template <class... Ts>
struct encoding<std::tuple<Ts...>, form::fields, false> {
  static std::size_t size(std::tuple<Ts...> const& value) {
    return std::apply([](auto const&... x) { return (std::size_t{sizeof...(Ts) == 0} + ... + encoded_size(x)); },
                      value);
  }
  static void write(frame_writer& out, std::tuple<Ts...> const& value) {
    if constexpr (sizeof...(Ts) == 0) out.raw(std::byte{});
    std::apply([&](auto const&... x) { (encode_to(out, x), ...); }, value);
  }
  static std::tuple<Ts...> read(frame_reader& in) {
    if constexpr (sizeof...(Ts) == 0) in.take(1);
    return std::tuple<Ts...>{decode_from<Ts>(in)...};  // braces: left to right
  }
};

template <class T, std::size_t N>
struct encoding<std::array<T, N>, form::fields, false> {
  static std::size_t size(std::array<T, N> const& value) {
    std::size_t total = N == 0 ? 1 : 0;
    for (auto const& x : value) total += encoded_size(x);
    return total;
  }
  static void write(frame_writer& out, std::array<T, N> const& value) {
    if constexpr (N == 0) out.raw(std::byte{});
    for (auto const& x : value) encode_to(out, x);
  }
  static std::array<T, N> read(frame_reader& in) { return read_all(in, std::make_index_sequence<N>{}); }

 private:
  template <std::size_t... I>
  static std::array<T, N> read_all([[maybe_unused]] frame_reader& in, std::index_sequence<I...>) {
    if constexpr (N == 0) in.take(1);
    return {{(static_cast<void>(I), decode_from<T>(in))...}};
  }
};

template <class T>
struct encoding<T, form::array, false> {
  static std::size_t size(T const& value) {
    std::size_t total = 0;
    for (auto const& x : value) total += encoded_size(x);
    return total;
  }
  static void write(frame_writer& out, T const& value) {
    for (auto const& x : value) encode_to(out, x);
  }
};

template <class T>
struct encoding<T, form::array, true> : encoding<T, form::array, false> {};

template <class T>
struct encoding<T, form::fields, false> {
  static constexpr std::size_t n = field_count<T>;

  static std::size_t size(T const& value) {
    return with_fields<n>(value, [](auto const&... x) { return (std::size_t{0} + ... + encoded_size(x)); });
  }
  static void write(frame_writer& out, T const& value) {
    with_fields<n>(value, [&](auto const&... x) { (encode_to(out, x), ...); });
  }
  static T read(frame_reader& in) { return read_all(in, parts_of_t<T>{}); }

 private:
  // In place of assignment to members: a default constructor may cost something, or not exist.
  template <class... Fields>
  static T read_all(frame_reader& in, parts_list<Fields...>) {
    if constexpr ((std::is_array_v<Fields> || ...)) {
      static_assert(std::is_default_constructible_v<T>,
                    "tartan: an aggregate with a built-in array travels only if it is default constructible: use "
                    "std::array");
      T value{};
      with_fields<n>(value, [&](auto&... x) { (decode_into(in, x), ...); });
      return value;
    } else {
      return T{decode_from<Fields>(in)...};  // braces: left to right
    }
  }
};

}  // namespace detail

// The encoding is named inside of the functions only: whether codec<T> is specialised is asked before form_of<T> is
// known.
template <class T>
struct codec {
  using built_in = void;

  static std::size_t size(T const& value) { return chosen<T>::size(value); }
  static void write(frame_writer& out, T const& value) { chosen<T>::write(out, value); }
  static auto read(frame_reader& in) { return chosen<T>::read(in); }

 private:
  template <class U>
  using chosen = detail::encoding<U, detail::form_of<U>(), detail::by_bytes<U>>;
};

namespace detail {

/// The bytes of a value, in a buffer of their exact size.
template <class T>
std::vector<std::byte> encode(T const& value) {
  require_shippable<T>();
  std::vector<std::byte> bytes(encoded_size(value));
  frame_writer out(bytes.data(), bytes.size());
  encode_to(out, value);
  return bytes;
}

/// The value of these bytes; all of them must be used.
template <class T>
T decode(std::span<std::byte const> bytes) {
  require_shippable<T>();
  frame_reader in(bytes.data(), bytes.size());
  T value = decode_from<T>(in);
  if (in.left() != 0) frame_reader::wrong_value();
  return value;
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
