#pragma once
// A hash table that only grows, made for counting: one probe sequence, cells in one array, no erasure.

#include <algorithm>    // max
#include <bit>          // bit_ceil, countr_zero
#include <cstddef>      // byte, size_t
#include <cstdint>      // uint64_t
#include <cstring>      // memset
#include <functional>   // invoke
#include <new>          // align_val_t, launder
#include <type_traits>  // conditional_t, is_trivially_copyable_v
#include <utility>      // exchange, forward, move, swap

#include "tartan/algorithms/by_key/held.hpp"  // held
#include "tartan/algorithms/by_key/keys.hpp"  // key_layout
#include "tartan/core/config.hpp"             // TARTAN_ABI, TARTAN_ALWAYS_INLINE
#include "tartan/core/large_pages.hpp"        // prefer_large_pages

namespace tartan::inline TARTAN_ABI::detail {

/// How a new value reaches what is out of line: a small one by value, so that nothing on the way to a known key needs
/// an address.
template <class Value>
using passed_on = std::conditional_t<std::is_trivially_copyable_v<Value> && sizeof(Value) <= 16, Value, Value&&>;

/// Whether combine.take_in(old value, v) changes the old value where it lies.
template <class Combine>
inline constexpr bool combines_in_place = false;

template <class Value, class Combine>
TARTAN_ALWAYS_INLINE void combine_into(Value& old, Value&& v, Combine& combine) {
  if constexpr (combines_in_place<Combine>)
    combine.take_in(old, std::move(v));
  else
    old = static_cast<Value>(std::invoke(combine, std::move(old), std::move(v)));
}

/// Open addressing with linear probing. The home of a key is given by the highest bits of its hash (after the first
/// `skip` bits), so that the keys whose hashes begin alike lie side by side: a partition of the table by hash is a
/// stretch of cells.
/// Exceptions: a throw leaves the table as it was before the call, except a value that a combine had in its hands.
template <class Key, class Value>
class key_table {
 public:
  using layout = key_layout<Key>;
  using probe = typename layout::probe;
  using value_type = Value;

  struct cell {
    layout key;
    alignas(held<Value>) std::byte raw[sizeof(held<Value>)];
    [[nodiscard]] held<Value>& object() noexcept { return *std::launder(reinterpret_cast<held<Value>*>(raw)); }
    [[nodiscard]] Value& value() noexcept { return object().get(); }
  };

  explicit key_table(unsigned skip = 0) noexcept : skip_(skip) {}
  key_table(key_table&& other) noexcept
      : cells_(std::exchange(other.cells_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)),
        shift_(other.shift_),
        skip_(other.skip_),
        store_(std::move(other.store_)) {}
  key_table& operator=(key_table&&) = delete;
  ~key_table() { release(); }

  void swap(key_table& other) noexcept {
    std::swap(cells_, other.cells_);
    std::swap(capacity_, other.capacity_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
    std::swap(shift_, other.shift_);
    std::swap(skip_, other.skip_);
    std::swap(store_, other.store_);
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Room for n more keys. Cells that come in the order of their hash, as those of another table do, need it: they
  /// would crowd in the front of a table that has yet to grow.
  void make_room(std::size_t n) {
    if (n > room_) grow_to(std::bit_ceil((std::max)(first_capacity, (size_ + n) / 5 * 8 + 8)));
  }

  /// combine(old value, v) if there is `key`, else v becomes its value.
  template <class E, class V, class Combine>
  TARTAN_ALWAYS_INLINE void add(E&& key, V&& v, Combine& combine) {
    decltype(auto) looked_up = as_looked_up<Key>(std::forward<E>(key));
    probe const p(looked_up);
    if (capacity_ != 0) [[likely]] {
      cell& c = find(p);
      if (!c.key.empty()) [[likely]] {
        take_in(c, std::forward<V>(v), combine);
        return;
      }
    }
    insert_copies(p, std::forward<decltype(looked_up)>(looked_up), static_cast<Value>(std::forward<V>(v)));
  }

  /// combine(old value, v) if there is a key with that probe; else nothing happens, and false is returned.
  template <class V, class Combine>
  TARTAN_ALWAYS_INLINE bool update(probe const& p, V&& v, Combine& combine) {
    if (capacity_ == 0) return false;
    cell& c = find(p);
    if (c.key.empty()) return false;
    take_in(c, std::forward<V>(v), combine);
    return true;
  }

  /// A key that is not there.
  template <class K>
  void insert(probe const& p, K&& key, Value&& v) {
    insert_with(p, std::move(v), [&](layout& k) { k.set(std::forward<K>(key), p, store_); });
  }

  /// Whether another key would make the table grow beyond so many cells.
  [[nodiscard]] bool full(std::size_t most_cells) const noexcept { return room_ == 0 && capacity_ >= most_cells; }

  /// Brings the memory near where a key with that hash is or would be.
  TARTAN_ALWAYS_INLINE void prefetch([[maybe_unused]] std::uint64_t hash) const noexcept {
#if defined(__GNUC__)
    if (capacity_ != 0) __builtin_prefetch(cells_ + home(hash), 1);
#endif
  }

  /// The same with key and value of a cell of another table; values move, long texts are copied.
  template <class Combine>
  void add_cell(cell& from, Combine& combine) {
    probe const p(from.key);
    if (capacity_ != 0) {
      cell& c = find(p);
      if (!c.key.empty()) return take_in(c, std::move(from.value()), combine);
    }
    insert_with(p, std::move(from.value()), [&](layout& k) { k.set_from(from.key, p, store_); });
  }

  /// The cell of a key with that probe; null if there is none.
  [[nodiscard]] cell* lookup(probe const& p) const {
    if (capacity_ == 0) return nullptr;
    cell& c = find(p);
    return c.key.empty() ? nullptr : &c;
  }

  /// Makes an empty cell one that is used.
  template <class SetKey>
  static void fill(cell& c, Value&& v, SetKey set_key) {
    struct undo {
      held<Value>* value;
      ~undo() {
        if (value != nullptr) value->~held();
      }
    } guard{::new (static_cast<void*>(c.raw)) held<Value>(std::in_place, std::move(v))};
    set_key(c.key);
    guard.value = nullptr;
  }
  static void destroy(cell& c) noexcept {
    c.object().~held();
    c.key.destroy();
  }

  /// combine(old value, v) becomes the value.
  template <class V, class Combine>
  TARTAN_ALWAYS_INLINE static void take_in(cell& c, V&& v, Combine& combine) {
    combine_into(c.value(), static_cast<Value>(std::forward<V>(v)), combine);
  }

  /// f(cell) for each key.
  template <class F>
  void for_each(F&& f) {
    for (std::size_t i = 0; i != capacity_; ++i)
      if (!cells_[i].key.empty()) f(cells_[i]);
  }

  /// Writes the addresses of the cells of all keys to `to`, which has room for one more than there are keys: no branch,
  /// as it would be a coin toss.
  void list(cell** to) const noexcept {
    for (std::size_t i = 0, n = 0; n != size_; ++i) {
      to[n] = cells_ + i;
      n += !cells_[i].key.empty();
    }
  }

  /// f(cell) for each key whose hash begins with the `bits` bits of `part`.
  template <class F>
  void for_partition(std::uint64_t part, unsigned bits, F&& f) {
    if (size_ == 0) return;
    if (bits == 0) return for_each(f);
    std::size_t const mask = capacity_ - 1;
    std::uint64_t const first = part << (64 - bits);
    std::size_t i = home(first);
    std::size_t const last = home(first | ~std::uint64_t{0} >> bits);
    // What belongs here lies between its home and the next empty cell, perhaps across the end of the array.
    for (std::size_t seen = 0; seen != capacity_; ++seen, i = (i + 1) & mask) {
      cell& c = cells_[i];
      bool const beyond = seen > last - home(first);
      if (c.key.empty()) {
        if (beyond) return;
      } else if (c.key.hash() >> (64 - bits) == part) {
        f(c);
      }
    }
  }

 private:
  static constexpr std::size_t first_capacity = 16, small = 4096;

  TARTAN_ALWAYS_INLINE std::size_t home(std::uint64_t hash) const noexcept {
    return static_cast<std::size_t>((hash << skip_) >> shift_);
  }

  /// The cell of p, or the empty one where it would be. There is always an empty cell.
  TARTAN_ALWAYS_INLINE cell& find(probe const& p) const {
    std::size_t i = home(p.hash);
    while (!cells_[i].key.is(p) && !cells_[i].key.empty()) i = (i + 1) & (capacity_ - 1);
    return cells_[i];
  }

  /// Out of the way, and by value: nothing that a look-up uses needs an address then.
  template <class K>
  TARTAN_NOINLINE void insert_copies(probe p, K&& key, passed_on<Value> v) {
    insert(p, std::forward<K>(key), std::move(v));
  }

  template <class SetKey>
  void insert_with(probe const& p, Value&& v, SetKey set_key) {
    if (room_ == 0) grow();
    fill(find(p), std::move(v), set_key);
    ++size_;
    --room_;
  }

  /// In larger steps as long as that wastes little: every key moves at each of them.
  void grow() { grow_to(capacity_ == 0 ? first_capacity : capacity_ < small ? 4 * capacity_ : 2 * capacity_); }

  void grow_to(std::size_t wanted) {
    key_table bigger(skip_);
    bigger.cells_ = static_cast<cell*>(::operator new(wanted * sizeof(cell), std::align_val_t{alignof(cell)}));
    prefer_large_pages(bigger.cells_, wanted * sizeof(cell));
    std::memset(static_cast<void*>(bigger.cells_), 0, wanted * sizeof(cell));
    bigger.capacity_ = wanted;
    bigger.room_ = wanted / 8 * 5;
    bigger.shift_ = 64 - static_cast<unsigned>(std::countr_zero(wanted));
    for_each([&](cell& c) { bigger.adopt(c); });
    std::swap(cells_, bigger.cells_);
    std::swap(capacity_, bigger.capacity_);
    room_ = bigger.room_ - size_;
    shift_ = bigger.shift_;
    bigger.emptied();
  }

  void adopt(cell& from) noexcept {
    std::size_t i = home(from.key.hash());
    while (!cells_[i].key.empty()) i = (i + 1) & (capacity_ - 1);
    ::new (static_cast<void*>(cells_[i].raw)) held<Value>(std::move(from.object()));
    cells_[i].key.move_from(from.key);
    from.object().~held();
    from.key.destroy();
  }

  /// The cells have moved out.
  void emptied() noexcept {
    ::operator delete(cells_, std::align_val_t{alignof(cell)});
    cells_ = nullptr;
    capacity_ = size_ = room_ = 0;
  }

  void release() noexcept {
    for_each(destroy);
    emptied();
  }

  cell* cells_ = nullptr;
  std::size_t capacity_ = 0, size_ = 0, room_ = 0;
  unsigned shift_ = 63;
  unsigned skip_;
  [[no_unique_address]] typename layout::store store_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
