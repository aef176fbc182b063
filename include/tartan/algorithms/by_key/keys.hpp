#pragma once
// How a key lies in the cell of a table. Memory of zeros is an empty cell.

#include <algorithm>    // max, min
#include <cstddef>      // byte, size_t
#include <cstdint>      // uint64_t, uintptr_t
#include <cstring>      // memcmp, memcpy
#include <functional>   // hash
#include <memory>       // make_unique_for_overwrite, unique_ptr
#include <new>          // launder
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // conditional_t, is_enum_v, is_integral_v, is_pointer_v, remove_cvref_t
#include <utility>      // forward, move
#include <vector>       // vector

#include "tartan/algorithms/by_key/hash.hpp"  // hash_long_text, hash_number, hash_words, load_little
#include "tartan/algorithms/by_key/held.hpp"  // held
#include "tartan/core/config.hpp"             // TARTAN_ABI, TARTAN_ALWAYS_INLINE

// A layout of keys has
//   probe(k)                    what is compared, with its hash: made once a look-up, from the key as it was emitted
//   empty(), is(probe), hash()  of a cell
//   set(k, probe, store)        fills an empty cell; throws before it changes anything
//   set_from(cell, probe, store), move_from(cell)   take over the key of a cell of another table, or of one that shares
//                                                   this one's store
//   renew(k)             has the key again that set_from() of another cell took over: k equals it
//   standard_hash()             what std::hash says of the key
//   destroy(), take<Key>()      after which the cell must not be used

namespace tartan::inline TARTAN_ABI::detail {

/// Where texts lie that are too long for their cell. Nothing is ever given back before the end.
class text_store {
 public:
  /// Room for n bytes, aligned for a std::size_t.
  [[nodiscard]] char* allocate(std::size_t n) {
    n = (n + alignof(std::size_t) - 1) / alignof(std::size_t) * alignof(std::size_t);
    if (n > left_) grow(n);
    left_ -= n;
    return std::exchange(next_, next_ + n);
  }

 private:
  void grow(std::size_t n) {
    std::size_t const size =
        (std::max)(n, (std::min<std::size_t>)(std::size_t{1} << 16, std::size_t{1024} << chunks_.size()));
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    next_ = chunks_.back().get();
    left_ = size;
  }
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

struct no_store {};

/// Text. Up to 15 characters lie in the cell, padded with zeros, and are compared as two words:
///   short   low: characters 0 to 7    high: characters 8 to 14, and in the top byte the length plus one
///   long    low: the address of its record in the store     high: the low 56 bits of its hash, and 255 in the top byte
class text_key {
 public:
  using store = text_store;
  static constexpr std::size_t most_inline = 15;

  struct probe {
    std::uint64_t low, high, hash;
    std::string_view text;
    TARTAN_ALWAYS_INLINE explicit probe(std::string_view t) noexcept : text(t) {
      std::size_t const n = t.size();
      char const* const p = t.data();
      if (n >= 8) {
        low = load_little<std::uint64_t>(p);
        if (n > most_inline) [[unlikely]] {
          low = 0;
          hash = hash_long_text(p, n);
          high = hash | long_mark;
          return;
        }
        high = load_little<std::uint64_t>(p + n - 8) >> (8 * (most_inline - n)) >> 8;
      } else if (n >= 4) {
        high = 0;
        low = load_little<std::uint32_t>(p) | static_cast<std::uint64_t>(load_little<std::uint32_t>(p + n - 4))
                                                  << (8 * (n - 4));
      } else if (n != 0) {
        high = 0;
        low = byte_at(p, 0) | byte_at(p, n / 2) | byte_at(p, n - 1);
      } else {
        low = high = 0;
      }
      high |= static_cast<std::uint64_t>(n + 1) << 56;
      hash = hash_words(low, high);
    }
    /// Of a key that lies in a cell.
    explicit probe(text_key const& k) noexcept
        : low(k.is_long() ? 0 : k.low_), high(k.high_), hash(k.hash()), text(k.is_long() ? k.long_text() : "") {}

   private:
    static std::uint64_t byte_at(char const* p, std::size_t i) noexcept {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(p[i])) << (8 * i);
    }
  };

  [[nodiscard]] bool empty() const noexcept { return high_ == 0; }
  TARTAN_ALWAYS_INLINE bool is(probe const& p) const noexcept {
    return high_ == p.high && (low_ == p.low || (is_long() && same_long_text(p.text)));
  }
  [[nodiscard]] std::uint64_t hash() const noexcept { return is_long() ? record()->hash : hash_words(low_, high_); }

  void set(std::string_view, probe const& p, store& s) {
    low_ = p.high >= long_mark ? keep(p, s) : p.low;
    high_ = p.high;
  }
  void set_from(text_key&, probe const& p, store& s) { set({}, p, s); }
  void renew(std::string_view) noexcept {}
  void move_from(text_key& other) noexcept { *this = other; }
  void destroy() noexcept {}

  [[nodiscard]] std::size_t standard_hash() const noexcept {
    char room[most_inline];
    return std::hash<std::string_view>{}(characters(room));
  }
  template <class Key>
  [[nodiscard]] Key take() const {
    char room[most_inline];
    return Key(characters(room));
  }

 private:
  static constexpr std::uint64_t long_mark = std::uint64_t{255} << 56;
  struct long_record {
    std::uint64_t hash;
    std::size_t size;  // the characters follow
  };

  /// The text; a short one is spelled out in `room`.
  std::string_view characters(char (&room)[most_inline]) const noexcept {
    if (is_long()) return long_text();
    std::size_t const n = static_cast<std::size_t>(high_ >> 56) - 1;
    for (std::size_t i = 0; i != n; ++i) room[i] = static_cast<char>((i < 8 ? low_ : high_) >> (8 * (i % 8)));
    return {room, n};
  }

  [[nodiscard]] bool is_long() const noexcept { return high_ >= long_mark; }
  [[nodiscard]] long_record const* record() const noexcept {
    return std::launder(reinterpret_cast<long_record const*>(static_cast<std::uintptr_t>(low_)));
  }
  [[nodiscard]] std::string_view long_text() const noexcept {
    return {reinterpret_cast<char const*>(record()) + sizeof(long_record), record()->size};
  }
  [[nodiscard]] TARTAN_NOINLINE bool same_long_text(std::string_view t) const noexcept { return long_text() == t; }

  static std::uint64_t keep(probe const& p, store& s) {
    char* const at = s.allocate(sizeof(long_record) + p.text.size());
    ::new (static_cast<void*>(at)) long_record{p.hash, p.text.size()};
    std::memcpy(at + sizeof(long_record), p.text.data(), p.text.size());
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(at));
  }

  std::uint64_t low_, high_;
};

/// Whole numbers, enumerations and pointers: compared as they are.
template <class Key>
class word_key {
 public:
  using store = no_store;

  struct probe {
    Key key;
    std::uint64_t hash;
    TARTAN_ALWAYS_INLINE explicit probe(Key k) noexcept : key(k), hash(hash_number(bits(k))) {}
    explicit probe(word_key const& k) noexcept : probe(k.key_) {}
  };

  [[nodiscard]] bool empty() const noexcept { return !used_; }
  TARTAN_ALWAYS_INLINE bool is(probe const& p) const noexcept { return key_ == p.key; }
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_number(bits(key_)); }

  void set(Key, probe const& p, store&) noexcept { key_ = p.key, used_ = true; }
  void set_from(word_key&, probe const& p, store& s) noexcept { set(p.key, p, s); }
  void renew(Key) noexcept {}
  void move_from(word_key& other) noexcept { *this = other; }
  void destroy() noexcept {}
  [[nodiscard]] std::size_t standard_hash() const noexcept { return std::hash<Key>{}(key_); }
  template <class K>
  [[nodiscard]] K take() const noexcept {
    return key_;
  }

 private:
  TARTAN_ALWAYS_INLINE static std::uint64_t bits(Key k) noexcept {
    if constexpr (std::is_pointer_v<Key>)
      return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(k));
    else
      return static_cast<std::uint64_t>(k);
  }
  Key key_;
  bool used_;
};

/// Everything else that std::hash and == know. The hash is kept: the user's hash runs once an emission, and a growing
/// table cannot throw on its account.
template <class Key>
class object_key {
 public:
  using store = no_store;

  struct probe {
    std::uint64_t hash;
    void const* key;
    bool (*equals)(void const*, Key const&);
    template <class E>
    explicit probe(E const& k)
        : hash(mixed(std::hash<Key>{}(k))),
          key(std::addressof(k)),
          equals([](void const* a, Key const& b) -> bool { return b == *static_cast<E const*>(a); }) {}
    explicit probe(object_key const& k)
        : hash(k.hash_),
          key(std::addressof(k.key())),
          equals([](void const* a, Key const& b) -> bool { return b == *static_cast<Key const*>(a); }) {}
  };

  [[nodiscard]] bool empty() const noexcept { return hash_ == 0; }
  [[nodiscard]] bool is(probe const& p) const { return hash_ == p.hash && p.equals(p.key, key()); }
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

  template <class E>
  void set(E&& k, probe const& p, store&) {
    ::new (static_cast<void*>(raw_)) held<Key>(std::in_place, std::forward<E>(k));
    hash_ = p.hash;
  }
  void set_from(object_key& other, probe const& p, store& s) { set(std::move(other.key()), p, s); }
  template <class E>
  void renew(E&& k) {
    held<Key> again(std::in_place, std::forward<E>(k));
    object().~held();
    ::new (static_cast<void*>(raw_)) held<Key>(std::move(again));
  }
  void move_from(object_key& other) noexcept {
    ::new (static_cast<void*>(raw_)) held<Key>(std::move(other.object()));
    hash_ = other.hash_;
  }
  void destroy() noexcept { object().~held(); }
  [[nodiscard]] std::size_t standard_hash() const { return std::hash<Key>{}(key()); }
  template <class K>
  [[nodiscard]] K take() {
    return std::move(key());
  }

 private:
  static std::uint64_t mixed(std::size_t h) noexcept {
    std::uint64_t const m = hash_words(h, 1);
    return m == 0 ? 1 : m;
  }
  [[nodiscard]] held<Key>& object() noexcept { return *std::launder(reinterpret_cast<held<Key>*>(raw_)); }
  [[nodiscard]] Key& key() noexcept { return object().get(); }
  [[nodiscard]] Key const& key() const noexcept { return const_cast<object_key&>(*this).key(); }

  std::uint64_t hash_;
  alignas(held<Key>) std::byte raw_[sizeof(held<Key>)];
};

template <class Key>
inline constexpr bool is_word = std::is_integral_v<Key> || std::is_enum_v<Key> || std::is_pointer_v<Key>;

template <class Key>
using key_layout = std::conditional_t<std::is_same_v<Key, std::string>, text_key,
                                      std::conditional_t<is_word<Key>, word_key<Key>, object_key<Key>>>;

/// Keys are looked up as they were emitted where that needs no Key: texts by their characters, and what a transparent
/// std::hash<Key> takes. Everything else becomes a Key first.
template <class Key, class E>
TARTAN_ALWAYS_INLINE decltype(auto) as_looked_up(E&& emitted) {
  using plain = std::remove_cvref_t<E>;
  if constexpr (std::is_same_v<Key, std::string> && std::is_convertible_v<E const&, std::string_view>)
    return std::string_view(emitted);
  else if constexpr (std::is_same_v<plain, Key> || requires { typename std::hash<Key>::is_transparent; })
    return std::forward<E>(emitted);
  else
    return Key(std::forward<E>(emitted));
}

}  // namespace tartan::inline TARTAN_ABI::detail
