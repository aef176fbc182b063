#pragma once
// The two ends of an encoded value: where a codec writes its bytes, and where it reads them back with every
// length checked, because the bytes may come from a process that was killed, or that scribbled over its memory.

#include <cstddef>      // byte, size_t
#include <cstdint>      // uint64_t
#include <cstring>      // memcpy
#include <type_traits>  // is_trivially_copyable_v

#include "tartan/core/config.hpp"    // TARTAN_ABI
#include "tartan/core/errors.hpp"    // error, raise
#include "tartan/core/far_copy.hpp"  // far_copy

namespace tartan::inline TARTAN_ABI {

/// Encoded bytes do not fit the type that is read from them (or a codec wrote another number of bytes than it said).
struct bad_frame : error {
  using error::error;
};

/// Writes bytes into a region of known size; a codec that writes more than its size() said gets `bad_frame`.
class frame_writer {
 public:
  frame_writer(std::byte* begin, std::size_t size) noexcept : next_{begin}, end_{begin + size} {}

  void bytes(void const* from, std::size_t n) {
    if (n > room())
      detail::raise<bad_frame>(
          "tartan: a codec wrote more bytes than its size() announced; make size() and write() agree, "
          "and let nobody change the value while it is sent");
    detail::far_copy(next_, static_cast<std::byte const*>(from), n);
    next_ += n;
  }

  template <class T>
  void raw(T const& value) {
    static_assert(std::is_trivially_copyable_v<T>, "tartan: raw() copies bytes; it needs a trivially copyable type");
    bytes(&value, sizeof value);
  }

  [[nodiscard]] std::size_t room() const noexcept { return static_cast<std::size_t>(end_ - next_); }

 private:
  std::byte* next_;
  std::byte* end_;
};

/// Reads bytes back; reading past the end throws `bad_frame`, so malformed bytes never lead outside of them.
class frame_reader {
 public:
  frame_reader(std::byte const* begin, std::size_t size) noexcept : next_{begin}, end_{begin + size} {}

  /// The next `n` bytes, in place.
  std::byte const* take(std::size_t n) {
    if (n > left()) short_frame();
    auto const* const at = next_;
    next_ += n;
    return at;
  }

  template <class T>
  T raw() {
    static_assert(std::is_trivially_copyable_v<T>, "tartan: raw() copies bytes; it needs a trivially copyable type");
    alignas(T) std::byte room[sizeof(T)];  // T need not be default constructible
    std::memcpy(room, take(sizeof(T)), sizeof(T));
    return *reinterpret_cast<T*>(room);
  }

  /// A number of elements, each of which takes at least `each` bytes: more than can be left is malformed.
  std::size_t count(std::size_t each = 1) {
    auto const n = raw<std::uint64_t>();
    if (n > left() / each) short_frame();
    return static_cast<std::size_t>(n);
  }

  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - next_); }

  [[noreturn]] static void short_frame() {
    detail::raise<bad_frame>(
        "tartan: an encoded value is shorter than its type needs; it was truncated or overwritten");
  }

  [[noreturn]] static void wrong_value() {
    detail::raise<bad_frame>("tartan: an encoded value holds bits that its type cannot have; it was overwritten");
  }

 private:
  std::byte const* next_;
  std::byte const* end_;
};

}  // namespace tartan::inline TARTAN_ABI
