#pragma once
// Grids in the memory that worker processes share.

#include <cstddef>  // byte, size_t
#include <cstring>  // memset
#include <utility>  // exchange, swap

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/exec/grid.hpp"    // grid
#include "tartan/ipc/segment.hpp"  // known_segment
#include "tartan/ipc/start.hpp"    // known_process_host, start_process_host

namespace tartan::inline TARTAN_ABI {

namespace detail {

/// Zeroed memory in the arena.
class shared_grid_memory {
 public:
  static constexpr bool crosses_processes = true;

  shared_grid_memory() = default;
  explicit shared_grid_memory(std::size_t bytes)
      : first_(static_cast<std::byte*>(start_process_host().arena().allocate(bytes, grid_alignment))), bytes_(bytes) {
    std::memset(first_, 0, bytes);
  }
  shared_grid_memory(shared_grid_memory&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  shared_grid_memory& operator=(shared_grid_memory&& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~shared_grid_memory() {
    if (first_ != nullptr && known_process_host()->is_host()) known_segment()->deallocate(first_);
  }

  [[nodiscard]] void* data() const noexcept { return first_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::byte* first_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace detail

/// A grid that worker processes see: stencils of `processes` and `forked` need it, all others take it too.
///
///     tartan::shared_grid<float, 2> g(rows, columns);
///     tartan::stencil(tartan::processes, g, tartan::steps(100), tartan::radius(1), tartan::boundary::clamp, blur);
///
/// Throws out_of_shared_memory, process_start_error.
template <class T, std::size_t D>
using shared_grid = grid<T, D, detail::shared_grid_memory>;

}  // namespace tartan::inline TARTAN_ABI
