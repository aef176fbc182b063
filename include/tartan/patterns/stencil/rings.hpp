#pragma once
// The rows that a tile holds in the cache: for each field and each step in progress, the last few planes.

#include <algorithm>  // copy_n
#include <cstddef>    // size_t, ptrdiff_t
#include <cstdint>    // uintptr_t
#include <memory>     // unique_ptr

#include "tartan/core/config.hpp"  // TARTAN_ABI, TARTAN_ALWAYS_INLINE

namespace tartan::inline TARTAN_ABI::detail {

/// Elements of T in a cache line: tiles begin and end at multiples of it where the grid does not end.
template <class T>
inline constexpr std::ptrdiff_t line_elements = sizeof(T) >= 64 ? 1 : static_cast<std::ptrdiff_t>(64 / sizeof(T));

[[nodiscard]] constexpr std::ptrdiff_t round_down(std::ptrdiff_t i, std::ptrdiff_t unit) noexcept {
  return i - ((i % unit) + unit) % unit;
}
[[nodiscard]] constexpr std::ptrdiff_t round_up(std::ptrdiff_t i, std::ptrdiff_t unit) noexcept {
  return -round_down(-i, unit);
}

/// A grid as planes of rows of columns; missing dimensions have extent 1.
template <class T>
struct block_view {
  T* data = nullptr;
  std::ptrdiff_t plane_stride = 0, row_stride = 0;
  [[nodiscard]] T* row(std::ptrdiff_t z, std::ptrdiff_t y) const noexcept {
    return data + z * plane_stride + y * row_stride;
  }
};

struct block_extents {
  std::ptrdiff_t planes, rows, columns;
};

/// Asks for a cache line, into the second-level cache.
TARTAN_ALWAYS_INLINE void prefetch_line(void const* place) {
  __builtin_prefetch(place, 0, 2);
  asm volatile("");  // g++ takes a function that only prefetches for one without effect, and drops its calls
}

/// Copies in pieces of 1 KiB: for longer ones memcpy takes the string instruction, which is slow here.
template <class T>
void copy_short(T const* source, std::ptrdiff_t n, T* to_place) {
  constexpr std::ptrdiff_t piece = sizeof(T) >= 1024 ? 1 : static_cast<std::ptrdiff_t>(1024 / sizeof(T));
  for (; n > 0; n -= piece, source += piece, to_place += piece) std::copy_n(source, n < piece ? n : piece, to_place);
}

/// Rows of a plane that a tile takes at once, so that a level finds most of what it reads in the first-level cache.
inline constexpr std::ptrdiff_t row_group = 6;

/// A part of the grid's cross-section (rows and columns) and a stretch of its planes.
struct tile {
  std::ptrdiff_t plane_begin, plane_end, row_begin, row_end, column_begin, column_end;
};

struct columns {
  std::ptrdiff_t begin, end;
};

/// Rows and columns that the rings of a tile span, halo included.
struct ring_window {
  std::ptrdiff_t row_begin, row_end, column_begin, column_end;

  /// Elements from row to row. A processor takes a load for a repetition of a recent store when their places within
  /// 4 KiB are the same, and waits; so rows lie a little more than a multiple of 4 KiB apart where a plane is one row,
  /// and levels 2 KiB (level_gap), which keeps the row that is written away from those that are read.
  [[nodiscard]] std::ptrdiff_t row_stride(std::size_t element_size) const noexcept {
    auto const size = static_cast<std::ptrdiff_t>(element_size);
    std::ptrdiff_t bytes = (column_end - column_begin) * size;
    std::ptrdiff_t const rest = bytes % page;
    if (64 % size != 0 || bytes < 1024) return column_end - column_begin;
    if (row_end - row_begin == 1) {
      if (rest < 256 || rest > 768) bytes += (page + 320 - rest) % page;
    } else if (rest < 128 || rest > page - 128) {
      bytes += 192;
    }
    return bytes / size;
  }

  /// Elements to leave between two levels of `level_elements`.
  [[nodiscard]] static std::ptrdiff_t level_gap(std::ptrdiff_t level_elements, std::size_t element_size) noexcept {
    auto const size = static_cast<std::ptrdiff_t>(element_size);
    if (64 % size != 0) return 0;
    return (page + page / 2 - level_elements * size % page) % page / size;
  }
  /// Elements by which what lies behind so many is farther within 4 KiB.
  [[nodiscard]] static std::ptrdiff_t within_page(std::ptrdiff_t elements, std::size_t element_size) noexcept {
    auto const size = static_cast<std::ptrdiff_t>(element_size);
    return 64 % size != 0 ? 0 : elements * size % page / size;
  }

 private:
  static constexpr std::ptrdiff_t page = 4096;
};

/// Which rows of a grid of rows its levels share. They compute a group of row_group rows in turn, each r rows behind
/// the one before. What a level computes is read by the next one at once; only the last 2r rows of a group are looked
/// at again, with the group that follows. These are kept, for each level and for two groups in turn. The others pass:
/// all levels write them to the same two places, which stay in the caches near by, and nothing of them is ever written
/// back.
struct passing_rows {
  std::ptrdiff_t radius = 0;  ///< r; 0 where each level has a ring of its own
  std::ptrdiff_t begin = 0;   ///< the first row of level 0

  [[nodiscard]] constexpr std::ptrdiff_t kept() const noexcept { return 2 * radius; }
  [[nodiscard]] constexpr std::ptrdiff_t passing() const noexcept { return row_group - kept(); }
};

/// The planes of one field: one that holds a constant, `depth` of the state that a tile begins with, and those of the
/// `levels` - 1 states after it.
template <class T>
class field_rings {
 public:
  field_rings() = default;
  field_rings(T* memory, ring_window const& w, std::ptrdiff_t levels, std::ptrdiff_t depth, bool alternate = false,
              passing_rows const& shared = {}) noexcept
      : memory_(memory),
        level_mask_(alternate ? 1 : -1),
        levels_(levels),
        depth_(depth),
        stride_(w.row_stride(sizeof(T))),
        plane_((w.row_end - w.row_begin) * stride_),
        level_(with_gap(depth * plane_)),
        origin_(w.row_begin * stride_ + w.column_begin),
        shared_(shared) {
    if (!shares()) return;
    passing_ = plane_ + level_;
    turn_ = with_gap(shared.passing() * plane_);
    kept_ = with_gap(2 * shared.kept() * plane_);
    // Kept rows lie within 4 KiB where those of a ring would, behind the passing ones.
    kept_begin_ = passing_ + 2 * turn_ + ring_window::within_page(shared.passing() * plane_, sizeof(T));
  }

  [[nodiscard]] std::size_t elements() const noexcept {
    return static_cast<std::size_t>(shares() ? kept_begin_ + (levels_ - 1) * kept_ : plane_ + levels_ * level_);
  }

  /// Where row 0, column 0 of a plane would lie.
  [[nodiscard]] T* plane(std::ptrdiff_t level, std::ptrdiff_t z) const noexcept {
    std::ptrdiff_t const place = shares() && level != 0
                                     ? shared_place(level, z)
                                     : plane_ + (level & level_mask_) * level_ + (z & (depth_ - 1)) * plane_;
    return memory_ + place - origin_;
  }
  [[nodiscard]] T* constant_plane() const noexcept { return memory_ - origin_; }
  [[nodiscard]] std::ptrdiff_t row_stride() const noexcept { return stride_; }
  [[nodiscard]] T* memory() const noexcept { return memory_; }
  [[nodiscard]] std::ptrdiff_t plane_elements() const noexcept { return plane_; }

 private:
  [[nodiscard]] bool shares() const noexcept { return shared_.radius != 0; }
  [[nodiscard]] static std::ptrdiff_t with_gap(std::ptrdiff_t elements) noexcept {
    return elements + ring_window::level_gap(elements, sizeof(T));
  }

  [[nodiscard]] std::ptrdiff_t shared_place(std::ptrdiff_t level, std::ptrdiff_t z) const noexcept {
    // Counted from one group before the first, whose last rows are looked at: never negative.
    auto const row = static_cast<std::uint32_t>(z + level * shared_.radius - shared_.begin + row_group);
    std::ptrdiff_t const group = row / row_group, i = row % row_group, of = level - 1;
    if (i < shared_.passing()) return passing_ + (of & 1) * turn_ + i * plane_;
    return kept_begin_ + of * kept_ + ((group & 1) * shared_.kept() + i - shared_.passing()) * plane_;
  }

  T* memory_ = nullptr;
  std::ptrdiff_t level_mask_ = -1, levels_ = 0;
  std::ptrdiff_t depth_ = 1, stride_ = 0, plane_ = 0, level_ = 0, origin_ = 0;
  passing_rows shared_{};
  std::ptrdiff_t passing_ = 0, turn_ = 0, kept_begin_ = 0, kept_ = 0;
};

/// Memory for the rings of one worker, kept from tile to tile.
class ring_memory {
 public:
  /// At least `bytes`, aligned to a cache line. Fresh memory is zero; old memory holds what it held.
  [[nodiscard]] std::byte* reserve(std::size_t bytes) {
    if (size_ < bytes) {
      memory_ = std::make_unique<std::byte[]>(bytes + 64);
      size_ = bytes;
    }
    auto const address = reinterpret_cast<std::uintptr_t>(memory_.get());
    return memory_.get() + (64 - address % 64) % 64;
  }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace tartan::inline TARTAN_ABI::detail
