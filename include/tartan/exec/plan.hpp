#pragma once
// How an index range is cut into blocks, by its length alone.

#include <cstddef>  // size_t

#include "tartan/core/config.hpp"   // TARTAN_ABI
#include "tartan/core/smaller.hpp"  // smaller

namespace tartan::inline TARTAN_ABI {

/// A half-open range of indices, and the number of the block that it is.
struct block {
  std::size_t index, begin, end;
  [[nodiscard]] constexpr std::size_t size() const noexcept { return end - begin; }
};

/// A cut of [0, n) into blocks of equal length (the last may be shorter). A value; nothing is allocated.
class block_plan {
 public:
  constexpr block_plan(std::size_t n, std::size_t length) noexcept : n_(n), length_(length == 0 ? 1 : length) {}

  [[nodiscard]] constexpr std::size_t count() const noexcept { return n_ / length_ + (n_ % length_ != 0 ? 1 : 0); }
  [[nodiscard]] constexpr std::size_t elements() const noexcept { return n_; }
  [[nodiscard]] constexpr block operator[](std::size_t i) const noexcept {
    return {i, i * length_, detail::smaller(n_, (i + 1) * length_)};
  }

 private:
  std::size_t n_, length_;
};

namespace detail {

/// Blocks of a reduction. Their combine tree decides the bits of the result, so nothing but n may change it.
[[nodiscard]] constexpr block_plan reduction_blocks(std::size_t n) noexcept {
  constexpr std::size_t length = 4096, most = std::size_t{1} << 16;
  return {n, n <= length * most ? length : (n / most / length + 1) * length};
}

/// Blocks of user-visible pieces of state (aggregate): few, because each costs a call of make and merge.
[[nodiscard]] constexpr block_plan aggregate_blocks(std::size_t n) noexcept {
  constexpr std::size_t most = 256;
  return {n, n / most + (n % most != 0 ? 1 : 0)};
}

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
