#pragma once
// A heap inside of a fixed region of memory, whose blocks can be found again although a process died in the middle of
// an allocation. Locking and growth belong to the caller.

#include <algorithm>  // max
#include <array>      // array
#include <atomic>     // atomic_ref
#include <bit>        // bit_width, countr_zero
#include <cstddef>    // byte, size_t
#include <cstdint>    // uint32_t, uint64_t

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // error, raise

namespace tartan::inline TARTAN_ABI::detail {

/// Good-fit allocation with two-level bins: constant time, and neighbours that are free are always merged.
///
/// The region is a chain of blocks, each begun by a header; the last is a sentinel of size 0 that counts as used.
///     chain:  from begin, next(b) = b + b.size, ends at the sentinel
/// Every operation changes the chain by one 64-bit store (split: the remainder's header is written before the block
/// shrinks; merge: one store of the sum; growth: the new sentinel before the old one becomes a block), so the chain is
/// whole at every instruction. Everything else (bins, `previous`) follows from it: rebuild() makes it anew.
class heap {
 public:
  static constexpr std::size_t unit = 32;  ///< sizes and addresses of blocks are multiples of it

  heap() = default;
  heap(heap const&) = delete;
  heap& operator=(heap const&) = delete;

  /// Begins in [begin, end), which is aligned to 64 bytes.
  void format(std::byte* begin, std::byte* end) {
    begin_ = begin + header_offset;  // payloads, 16 bytes behind the headers, fall on multiples of 32
    auto* const only = reinterpret_cast<block*>(begin_);
    auto const size = (static_cast<std::size_t>(end - begin_) - sizeof(block)) & ~(unit - 1);
    auto* const last = at(only, size);
    *last = {used_bit, units(size), 0};
    *only = {size, 0, 0};
    sentinel_ = last;
    insert(only);
  }

  /// `size` bytes aligned to `alignment` (a power of two), or null if no free block is large enough.
  void* allocate(std::size_t size, std::size_t alignment, std::uint32_t owner = 0) {
    if (size > largest_request || alignment > largest_request) return nullptr;
    auto const need = block_size(size);
    auto const slack = alignment > unit ? alignment + unit : 0;
    block* b = find(need + slack);
    if (b == nullptr) return nullptr;
    remove(b);
    if (slack != 0) b = cut_front(b, alignment);
    cut_back(b, need);
    b->owner = owner;
    set_size(b, size_of(b) | used_bit);
    in_use_ += size_of(b);
    return payload(b);
  }

  void deallocate(void* p) noexcept {
    block* b = block_of(p);
    in_use_ -= size_of(b);
    b->owner = 0;
    set_size(b, size_of(b));
    insert(merge(b));
  }

  /// The region goes on to `end`. At least min_growth(size) bytes serve a request of `size`.
  void grow(std::byte* end) {
    block* b = sentinel_;
    auto const room = static_cast<std::size_t>(end - reinterpret_cast<std::byte*>(b));
    if (room < 2 * unit) return;
    auto const size = (room - sizeof(block)) & ~(unit - 1);
    block* const last = at(b, size);
    *last = {used_bit, units(size), 0};
    sentinel_ = last;
    set_size(b, size);
    insert(merge(b));
  }

  static constexpr std::size_t min_growth(std::size_t size, std::size_t alignment) noexcept {
    return block_size(size) + alignment + 8 * unit;
  }

  /// After the death of a process that may have been inside: makes bins and back links from the chain.
  void rebuild() {
    heads_ = {};
    bitmap_ = {};
    in_use_ = 0;
    auto* b = reinterpret_cast<block*>(begin_);
    b->previous = 0;
    while (size_of(b) != 0) {
      check(b);
      if (is_used(b)) {
        in_use_ += size_of(b);
      } else {
        while (!is_used(next(b))) set_size(b, size_of(b) + size_of(next(b)));
        insert(b);
      }
      next(b)->previous = units(size_of(b));
      b = next(b);
    }
    sentinel_ = b;
  }

  /// Frees what `owner` left behind; returns how many blocks.
  std::size_t deallocate_owned(std::uint32_t owner) {
    std::size_t freed = 0;
    auto* b = reinterpret_cast<block*>(begin_);
    while (size_of(b) != 0) {
      block* const after = next(b);
      if (is_used(b) && b->owner == owner) {
        deallocate(payload(b));
        ++freed;
        b = reinterpret_cast<block*>(begin_);  // merging moved the borders: from the beginning again
      } else {
        b = after;
      }
    }
    return freed;
  }

  /// Whether p is the payload of a block in use of this owner, of at least `size` bytes.
  [[nodiscard]] bool owns(void const* p, std::size_t size, std::uint32_t owner) const noexcept {
    auto const* const header = static_cast<std::byte const*>(p) - sizeof(block);
    auto const* const end = reinterpret_cast<std::byte const*>(sentinel_);
    if (header < begin_ || header >= end || static_cast<std::size_t>(header - begin_) % unit != 0) return false;
    auto const* const b = reinterpret_cast<block const*>(header);
    return is_used(b) && b->owner == owner && size_of(b) <= static_cast<std::size_t>(end - header) &&
           size <= size_of(b) - sizeof(block);
  }

  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

  /// Every invariant, for tests: the chain is whole, neighbours are merged, bins hold the free blocks and no others.
  [[nodiscard]] bool consistent() const {
    std::size_t free_blocks = 0;
    std::size_t used = 0;
    auto const* b = reinterpret_cast<block const*>(begin_);
    std::uint32_t before = 0;
    bool free_before = false;
    for (; size_of(b) != 0; b = next(b)) {
      if (b->previous != before || size_of(b) % unit != 0) return false;
      if (!is_used(b) && free_before) return false;
      free_before = !is_used(b);
      free_blocks += free_before ? 1 : 0;
      used += free_before ? 0 : size_of(b);
      before = units(size_of(b));
    }
    std::size_t in_bins = 0;
    for (std::size_t i = 0; i != bins; ++i)
      for (auto const* f = heads_[i]; f != nullptr; f = links(f)->next) {
        if (is_used(f) || bin_of(size_of(f)) != i) return false;
        ++in_bins;
      }
    return b == sentinel_ && in_bins == free_blocks && used == in_use_;
  }

 private:
  struct block {
    std::uint64_t size_and_use;
    std::uint32_t previous;  ///< size of the block before it, in units; 0 for the first
    std::uint32_t owner;
  };
  static_assert(sizeof(block) == 16);

  struct free_links {
    block* next;
    block* previous;
  };

  static constexpr std::uint64_t used_bit = 1;
  static constexpr std::size_t header_offset = 16;
  static constexpr std::size_t bins = 192;  // four to each power of two of units
  static constexpr std::size_t largest_request = std::size_t{1} << 36;

  static constexpr std::size_t block_size(std::size_t payload_size) noexcept {
    return (std::max)(unit, (payload_size + sizeof(block) + unit - 1) & ~(unit - 1));
  }
  static std::uint32_t units(std::size_t size) noexcept { return static_cast<std::uint32_t>(size / unit); }

  // A block of `size` goes into bin_of(size). Powers of two are cut into four.
  static std::size_t bin_of(std::size_t size) noexcept {
    auto const n = size / unit;
    if (n < 4) return n;
    auto const log = static_cast<std::size_t>(std::bit_width(n)) - 1;
    return (log - 1) * 4 + ((n >> (log - 2)) & 3);
  }

  // The first bin all of whose blocks have at least `size` bytes.
  static std::size_t bin_for(std::size_t size) noexcept {
    auto const n = size / unit;
    if (n < 4) return n;
    auto const log = static_cast<std::size_t>(std::bit_width(n)) - 1;
    auto const rounded = n + (std::size_t{1} << (log - 2)) - 1;
    return bin_of(rounded * unit);
  }

  static std::uint64_t word(block const* b) noexcept {
    return std::atomic_ref(const_cast<block*>(b)->size_and_use)
        .load(std::memory_order_relaxed);  // under the caller's lock
  }
  static std::size_t size_of(block const* b) noexcept { return static_cast<std::size_t>(word(b) & ~used_bit); }
  static bool is_used(block const* b) noexcept { return (word(b) & used_bit) != 0; }

  // Release: whoever walks the chain after our death sees the headers that it leads to.
  static void set_size(block* b, std::uint64_t size_and_use) noexcept {
    std::atomic_ref(b->size_and_use).store(size_and_use, std::memory_order_release);
  }

  static block* at(block* b, std::size_t offset) noexcept {
    return reinterpret_cast<block*>(reinterpret_cast<std::byte*>(b) + offset);
  }
  static block* next(block* b) noexcept { return at(b, size_of(b)); }
  static block const* next(block const* b) noexcept { return next(const_cast<block*>(b)); }
  static block* previous(block* b) noexcept {
    return reinterpret_cast<block*>(reinterpret_cast<std::byte*>(b) - std::size_t{b->previous} * unit);
  }
  static void* payload(block* b) noexcept { return b + 1; }
  static block* block_of(void* p) noexcept { return static_cast<block*>(p) - 1; }
  static free_links* links(block* b) noexcept { return reinterpret_cast<free_links*>(b + 1); }
  static free_links const* links(block const* b) noexcept { return reinterpret_cast<free_links const*>(b + 1); }

  void check(block const* b) const {
    auto const* const end = begin_ + largest_request;
    if (size_of(b) % unit != 0 || reinterpret_cast<std::byte const*>(b) + size_of(b) > end)
      raise<error>("tartan: the heap in shared memory is damaged: a process wrote over a block's end");
  }

  block* find(std::size_t need) noexcept {
    // The bin that holds `need` itself may have a block that is just large enough: look at a few.
    int tries = 8;
    for (block* b = heads_[bin_of(need)]; b != nullptr && tries != 0; b = links(b)->next, --tries)
      if (size_of(b) >= need) return b;
    auto const first = bin_for(need);
    for (std::size_t w = first / 64; w < bitmap_.size(); ++w) {
      auto const bits = w == first / 64 ? bitmap_[w] & (~std::uint64_t{0} << (first % 64)) : bitmap_[w];
      if (bits != 0) return heads_[w * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
    }
    return nullptr;
  }

  void insert(block* b) noexcept {
    auto const bin = bin_of(size_of(b));
    *links(b) = {heads_[bin], nullptr};
    if (heads_[bin] != nullptr) links(heads_[bin])->previous = b;
    heads_[bin] = b;
    bitmap_[bin / 64] |= std::uint64_t{1} << (bin % 64);
  }

  void remove(block* b) noexcept {
    auto const bin = bin_of(size_of(b));
    auto const l = *links(b);
    if (l.next != nullptr) links(l.next)->previous = l.previous;
    if (l.previous != nullptr) {
      links(l.previous)->next = l.next;
    } else {
      heads_[bin] = l.next;
      if (l.next == nullptr) bitmap_[bin / 64] &= ~(std::uint64_t{1} << (bin % 64));
    }
  }

  // b is free and in no bin; what it merges with is taken out of its bin. The caller inserts the result.
  block* merge(block* b) noexcept {
    block* const after = next(b);
    if (!is_used(after)) {
      remove(after);
      set_size(b, size_of(b) + size_of(after));
    }
    if (b->previous != 0) {
      block* const before = previous(b);
      if (!is_used(before)) {
        remove(before);
        set_size(before, size_of(before) + size_of(b));
        b = before;
      }
    }
    next(b)->previous = units(size_of(b));
    return b;
  }

  // Splits the free block b at `size`; the second part is free and in no bin.
  block* split(block* b, std::size_t size) noexcept {
    block* const rest = at(b, size);
    auto const rest_size = size_of(b) - size;
    *rest = {rest_size, units(size), 0};
    next(rest)->previous = units(rest_size);
    set_size(b, size);
    return rest;
  }

  block* cut_front(block* b, std::size_t alignment) noexcept {
    auto const payload_at = reinterpret_cast<std::uintptr_t>(payload(b));
    auto const aligned = (payload_at + alignment - 1) & ~(alignment - 1);
    if (aligned == payload_at) return b;
    block* const rest = split(b, aligned - payload_at);  // a multiple of unit: payloads stand at multiples of it
    insert(b);
    return rest;
  }

  void cut_back(block* b, std::size_t need) noexcept {
    if (size_of(b) - need >= unit) insert(split(b, need));
  }

  std::byte* begin_ = nullptr;
  block* sentinel_ = nullptr;
  std::size_t in_use_ = 0;
  std::array<block*, bins> heads_{};
  std::array<std::uint64_t, bins / 64> bitmap_{};
};

}  // namespace tartan::inline TARTAN_ABI::detail
