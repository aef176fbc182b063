#pragma once
// Which types may travel to another process, how each is encoded, and the sentence that refuses the others.

#include <array>        // array
#include <chrono>       // duration, time_point
#include <concepts>     // same_as
#include <cstddef>      // size_t
#include <cstdint>      // uint8_t
#include <optional>     // optional
#include <ranges>       // enable_borrowed_range, enable_view
#include <tuple>        // tuple
#include <type_traits>  // is_aggregate_v, is_trivially_copyable_v
#include <utility>      // declval, pair
#include <variant>      // variant
#include <vector>       // vector

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // error
#include "tartan/core/fields.hpp"  // field_count, has_base, with_fields

namespace tartan::inline TARTAN_ABI {

/// Something was handed to another process that cannot go there; found at run time because the type does not show it.
struct not_shippable : error {
  using error::error;
};

/// How a type travels between processes. The built-in codec serves what `shippable` accepts; specialise it to bring
/// another encoding:
///     template <> struct tartan::codec<mine> {
///       static std::size_t size(mine const&);              // the bytes that write() will write, at least 1
///       static void write(frame_writer&, mine const&);
///       static mine read(frame_reader&);
///     };
template <class T>
struct codec;

/// Whether a range of this type still refers to the same elements when it has travelled: shared memory.
template <class Range>
inline constexpr bool travels_in_place = false;

/// Specialise as true for a trivially copyable class with private members none of which is a pointer or a handle of
/// the process: it then travels by its bytes.
template <class T>
inline constexpr bool enable_shipping = false;

namespace detail {

/// How a type is encoded, or why it does not travel.
enum class form : std::uint8_t {
  bytes,        // arithmetic, enumerations, enable_shipping, and what is made of such things only
  empty,        // an empty class: nothing to say
  custom,       // codec<T> is specialised
  archive,      // serialize(archive), a member or found by ADL
  sequence,     // a container that owns its elements
  associative,  // the same, sets and maps
  path,         // std::filesystem::path
  choice,       // optional, variant
  fields,       // pair, tuple, array, aggregates: member by member
  array,        // a built-in array inside such an aggregate
  // refused
  pointer,
  reference,
  view,
  owner,
  capture,
  opaque,
  based,
  wide,
  constant,
  union_type,
  unknown,
};

constexpr bool travels(form f) noexcept { return f < form::pointer; }

struct archive_probe {
  template <class... Ts>
  archive_probe& operator()(Ts&&...);
  template <class T>
  archive_probe& operator&(T&&);
};

template <class T>
concept member_archive = requires(T& t, archive_probe& a) { t.serialize(a); };
template <class T>
concept free_archive = requires(T& t, archive_probe& a) { serialize(a, t); };

// A class that inherits from a container would lose its own members; its swap, inherited too, names the base.
template <class T>
concept own_swap = requires {
  requires std::same_as<decltype(&T::swap), void (T::*)(T&)> ||
               std::same_as<decltype(&T::swap), void (T::*)(T&) noexcept>;
};

template <class T>
inline constexpr bool is_bool_vector = false;
template <class A>
inline constexpr bool is_bool_vector<std::vector<bool, A>> = true;

template <class T>
concept owning_container = (own_swap<T> || is_bool_vector<T>) && std::is_default_constructible_v<T> && requires(T& t) {
  typename T::value_type;
  typename T::allocator_type;
  t.begin();
  t.size();
  t.clear();
};

template <class T>
concept sequence_container =
    owning_container<T> && requires(T& t, typename T::value_type&& v) { t.push_back(std::move(v)); };

template <class T>
inline constexpr bool stateless_lookup = false;
template <class T>
  requires requires { typename T::key_compare; }
inline constexpr bool stateless_lookup<T> = std::is_empty_v<typename T::key_compare>;
template <class T>
  requires requires { typename T::hasher; }
inline constexpr bool stateless_lookup<T> =
    std::is_empty_v<typename T::hasher> && std::is_empty_v<typename T::key_equal>;

template <class T>
concept associative_container = owning_container<T> && requires { typename T::key_type; } && stateless_lookup<T>;

template <class T>
concept file_path = requires(T const& t) {
  typename T::string_type;
  { t.native() } -> std::same_as<typename T::string_type const&>;
  T::preferred_separator;
};

template <class T>
concept smart_pointer = requires(T const& t) {
  typename T::element_type;
  t.get();
};

/// The types that a composite is made of.
template <class... Ts>
struct parts_list {};

template <class T>
struct known_parts {};
template <class A, class B>
struct known_parts<std::pair<A, B>> {
  using type = parts_list<std::remove_const_t<A>, std::remove_const_t<B>>;  // constant keys, as elements of maps
  static constexpr form how = form::fields;
};
template <class... Ts>
struct known_parts<std::tuple<Ts...>> {
  using type = parts_list<Ts...>;
  static constexpr form how = form::fields;
};
template <class T, std::size_t N>
struct known_parts<std::array<T, N>> {
  using type = parts_list<T>;
  static constexpr form how = form::fields;
};
template <class T>
struct known_parts<std::optional<T>> {
  using type = parts_list<T>;
  static constexpr form how = form::choice;
};
template <class... Ts>
struct known_parts<std::variant<Ts...>> {
  using type = parts_list<Ts...>;
  static constexpr form how = form::choice;
};

// A pointer to a data member is an offset in its class.
template <class T>
inline constexpr bool plain_value = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_member_object_pointer_v<T>;
template <class Rep, class Period>
inline constexpr bool plain_value<std::chrono::duration<Rep, Period>> = plain_value<Rep>;
template <class Clock, class Duration>
inline constexpr bool plain_value<std::chrono::time_point<Clock, Duration>> = plain_value<Duration>;

// std::complex without its header: two real numbers side by side.
template <class T>
concept complex_number = std::is_trivially_copyable_v<T> && requires(T const& t) {
  typename T::value_type;
  { t.real() } -> std::same_as<typename T::value_type>;
  { t.imag() } -> std::same_as<typename T::value_type>;
  requires std::is_arithmetic_v<typename T::value_type> && sizeof(T) == 2 * sizeof(typename T::value_type);
};

template <class T>
concept specialised_codec = requires { sizeof(codec<T>); } && !requires { typename codec<T>::built_in; };

template <class T>
consteval form form_of_class() {
  if constexpr (requires { known_parts<T>::how; })
    return known_parts<T>::how;
  else if constexpr (plain_value<T> || complex_number<T>)
    return form::bytes;
  else if constexpr (sequence_container<T>)
    return form::sequence;
  else if constexpr (associative_container<T>)
    return form::associative;
  else if constexpr (file_path<T>)
    return form::path;
  else if constexpr (smart_pointer<T>)
    return form::owner;
  else if constexpr (std::ranges::enable_view<T> || std::ranges::enable_borrowed_range<T>)
    return form::view;
  else if constexpr (std::is_union_v<T>)
    return form::union_type;
  else if constexpr (std::is_empty_v<T> && std::is_default_constructible_v<T>)
    return form::empty;
  else if constexpr (!std::is_aggregate_v<T>)
    return std::is_trivially_copyable_v<T> ? (requires { &T::operator(); } ? form::capture : form::opaque)
                                           : form::unknown;
  else if constexpr (has_base<T>)
    return form::based;
  else if constexpr (!std::is_move_assignable_v<T>)
    return form::constant;
  else
    return field_count<T> < too_many_fields ? form::fields : form::wide;
}

/// How T itself is encoded; its parts are looked at by `refusal_of`.
template <class T>
consteval form form_of() {
  if constexpr (std::is_reference_v<T>)
    return form::reference;
  else if constexpr (std::is_const_v<T> || std::is_volatile_v<T>)
    return form::constant;
  else if constexpr (std::is_void_v<T> || std::is_function_v<T>)
    return form::unknown;
  else if constexpr (specialised_codec<T>)
    return form::custom;
  else if constexpr (std::is_pointer_v<T> || std::is_member_function_pointer_v<T> || std::is_null_pointer_v<T>)
    return form::pointer;
  else if constexpr (std::is_bounded_array_v<T>)
    return form::array;
  else if constexpr (plain_value<T>)
    return form::bytes;
  else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>)
    return form::unknown;
  else if constexpr (enable_shipping<T>)
    return std::is_trivially_copyable_v<T> ? form::bytes : form::unknown;
  else if constexpr (member_archive<T> || free_archive<T>)
    return std::is_default_constructible_v<T> ? form::archive : form::unknown;
  else
    return form_of_class<T>();
}

struct to_parts_list {
  template <class... Fields>
  parts_list<std::remove_cv_t<Fields>...> operator()(Fields&...) const {
    return {};
  }
};

template <class T>
auto parts_of() {
  constexpr form how = form_of<T>();
  if constexpr (requires { typename known_parts<T>::type; }) {
    return typename known_parts<T>::type{};
  } else if constexpr (how == form::array) {
    return parts_list<std::remove_extent_t<T>>{};
  } else if constexpr (how == form::sequence) {
    return parts_list<typename T::value_type>{};
  } else if constexpr (how == form::associative) {
    if constexpr (requires { typename T::mapped_type; })
      return parts_list<typename T::key_type, typename T::mapped_type>{};
    else
      return parts_list<typename T::key_type>{};
  } else if constexpr (how == form::fields) {
    return decltype(with_fields<field_count<T>>(std::declval<T&>(), to_parts_list{})){};
  } else {
    return parts_list<>{};
  }
}

template <class T>
using parts_of_t = decltype(parts_of<T>());

// Whether the bytes of a T say all of it: no encoding of its own anywhere inside.
template <class T>
consteval bool is_bytes();

template <class... Ts>
consteval bool all_bytes(parts_list<Ts...>) {
  return (is_bytes<Ts>() && ...);
}

template <class T>
consteval bool is_bytes() {
  constexpr form how = form_of<T>();
  if constexpr (how == form::bytes)
    return !std::is_same_v<T, bool>;  // a bool is checked as it is read
  else if constexpr (how == form::fields || how == form::array)
    return std::is_trivially_copyable_v<T> && all_bytes(parts_of_t<T>{});
  else
    return false;
}

template <class T>
inline constexpr bool by_bytes = is_bytes<T>() || std::is_same_v<T, bool>;

// Why T does not travel: its own form or that of the first part that does not; form::bytes when all of it does.
// `Seen` ends the recursion of types that contain themselves (a tree's vector of nodes).
template <class T, class... Seen>
consteval form refusal_of();

template <class... Seen, class... Ts>
consteval form refusal_among(parts_list<Ts...>) {
  form found = form::bytes;
  ((found = travels(found) ? refusal_of<Ts, Seen...>() : found), ...);
  return found;
}

template <class T, class... Seen>
consteval form refusal_of() {
  constexpr form how = form_of<T>();
  if constexpr ((std::is_same_v<T, Seen> || ...))
    return form::bytes;
  else if constexpr (!travels(how))
    return how;
  else
    return refusal_among<T, Seen...>(parts_of_t<T>{});
}

}  // namespace detail

/// A value of this type may be an argument or a result of a task in another process.
template <class T>
concept shippable = !std::is_array_v<T> && detail::travels(detail::refusal_of<T>());

namespace detail {

/// One sentence for each reason; instantiated where a type that cannot travel was handed to a process.
template <class T>
consteval void require_shippable() {
  constexpr form why = refusal_of<T>();
  static_assert(
      why != form::pointer,
      "tartan: a pointer means nothing in another process: hand over the object, or a shared_span of an array in "
      "shared memory (a class that contains a pointer counts as one); for a callable see tartan::closure");
  static_assert(
      why != form::reference,
      "tartan: a reference means nothing in another process: pass by value, or a shared_span (for a callable that "
      "captures by reference see tartan::closure)");
  static_assert(why != form::view,
                "tartan: a view (string_view, span, ...) points into this process: pass the std::string or std::vector "
                "itself, or a shared_span of an array in shared memory");
  static_assert(
      why != form::owner,
      "tartan: a smart pointer points into this process: pass the object itself (std::optional for one that may "
      "be absent)");
  static_assert(why != form::capture,
                "tartan: what a lambda captures cannot be seen, it may be an address: hand the state over explicitly, "
                "tartan::closure(state..., [](auto& state..., auto argument) { ... })");
  static_assert(why != form::opaque,
                "tartan: this trivially copyable class has private members that cannot be seen: if none is a pointer, "
                "specialise tartan::enable_shipping<T> as true");
  static_assert(why != form::based,
                "tartan: an aggregate with base classes cannot be taken apart: give it a member serialize(archive), or "
                "specialise tartan::codec<T>");
  static_assert(why != form::wide,
                "tartan: an aggregate with more than 24 members: give it a member serialize(archive), or specialise "
                "tartan::enable_shipping<T> or tartan::codec<T>");
  static_assert(
      why != form::constant,
      "tartan: constant and volatile objects, and aggregates with a reference or a constant member, do not travel: "
      "drop the qualifier or give the type a codec");
  static_assert(why != form::union_type,
                "tartan: nobody can tell which member of a union is alive: use std::variant, or specialise "
                "tartan::enable_shipping<T>");
  static_assert(why != form::unknown,
                "tartan: this type has no encoding: give it a default constructor and a member serialize(archive) { "
                "archive(a, b); }, or specialise tartan::codec<T>");
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
