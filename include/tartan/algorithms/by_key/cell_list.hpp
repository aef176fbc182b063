#pragma once
// Cells one behind the other, in the order in which they came.

#include <algorithm>  // max, min
#include <bit>        // bit_floor
#include <cstddef>    // size_t
#include <new>        // align_val_t
#include <utility>    // exchange, move
#include <vector>     // vector

#include "tartan/algorithms/by_key/table.hpp"  // key_table
#include "tartan/core/config.hpp"              // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Cells of keys and values as they were emitted, a key perhaps in many of them. Appending moves nothing.
template <class Key, class Value>
class cell_list {
 public:
  using table = key_table<Key, Value>;
  using cell = typename table::cell;
  using layout = typename table::layout;
  using probe = typename table::probe;

  cell_list() = default;
  cell_list(cell_list&& other) noexcept
      : chunks_(std::move(other.chunks_)),
        taken_(std::exchange(other.taken_, 0)),
        size_(std::exchange(other.size_, 0)),
        last_(std::exchange(other.last_, nullptr)),
        next_(std::exchange(other.next_, nullptr)),
        end_(std::exchange(other.end_, nullptr)),
        store_(std::move(other.store_)) {}
  cell_list& operator=(cell_list&&) = delete;
  ~cell_list() { release(); }

  [[nodiscard]] std::size_t size() const noexcept { return size_ - taken_; }

  template <class K>
  TARTAN_ALWAYS_INLINE void push(probe const& p, K&& key, Value&& value) {
    if (next_ == end_) grow();
    table::fill(*next_, std::move(value), [&](layout& k) { k.set(std::forward<K>(key), p, store_); });
    last_ = next_++;
    ++size_;
  }

  /// A cell of a table that shall not be used again before it has another key.
  void push_cell(cell& from) {
    if (next_ == end_) grow();
    probe const p(from.key);
    table::fill(*next_, std::move(from.value()), [&](layout& k) { k.set_from(from.key, p, store_); });
    last_ = next_++;
    ++size_;
  }

  /// Whether the key that came last is p.
  [[nodiscard]] TARTAN_ALWAYS_INLINE bool last_is(probe const& p) const { return size_ != taken_ && last_->key.is(p); }
  template <class Combine>
  void add_to_last(Value&& value, Combine& combine) {
    table::take_in(*last_, std::move(value), combine);
  }

  /// Adds all cells to `to` in their order; the list is empty then, and keeps room for as many.
  template <class Combine>
  void drain(table& to, Combine& combine) {
    while (taken_ != size_) {
      to.prefetch(at((std::min)(taken_ + ahead, size_ - 1)).key.hash());
      to.add_cell(at(taken_++), combine);  // one that a combine threw at is not added again
    }
    clear();
  }

  /// f(cell) for all cells in their order.
  template <class F>
  void for_each(F&& f) {
    for (std::size_t i = taken_; i != size_; ++i) f(at(i));
  }

  /// Gives back everything.
  void release() noexcept {
    clear();
    for (cell* c : chunks_) ::operator delete(c, std::align_val_t{alignof(cell)});
    chunks_ = {};
  }

 private:
  static constexpr std::size_t chunk = std::bit_floor((std::max)(std::size_t{8}, 4096 / sizeof(cell))), ahead = 8;

  [[nodiscard]] cell& at(std::size_t i) const noexcept { return chunks_[i / chunk][i % chunk]; }

  void grow() {
    if (size_ == chunks_.size() * chunk) {
      chunks_.push_back(nullptr);  // first, so that nothing is lost where there is no memory
      struct undo {
        std::vector<cell*>* chunks;
        ~undo() {
          if (chunks->back() == nullptr) chunks->pop_back();
        }
      } const guard{&chunks_};
      chunks_.back() = static_cast<cell*>(::operator new(chunk * sizeof(cell), std::align_val_t{alignof(cell)}));
    }
    next_ = chunks_[size_ / chunk];
    end_ = next_ + chunk;
  }

  void clear() noexcept {
    for (std::size_t i = 0; i != size_; ++i) table::destroy(at(i));
    taken_ = size_ = 0;
    next_ = end_ = nullptr;
    store_ = {};
  }

  std::vector<cell*> chunks_;
  std::size_t taken_ = 0, size_ = 0;
  cell *last_ = nullptr, *next_ = nullptr, *end_ = nullptr;
  [[no_unique_address]] typename layout::store store_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
