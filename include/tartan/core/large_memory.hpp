#pragma once
// Memory of many megabytes, in large pages where the system grants them.

#include <cstddef>  // size_t
#include <new>      // align_val_t
#include <utility>  // swap

#include "tartan/core/config.hpp"       // TARTAN_ABI
#include "tartan/core/large_pages.hpp"  // large_page, prefer_large_pages, worth_large_pages
#include "tartan/core/padded.hpp"       // cache_line

namespace tartan::inline TARTAN_ABI::detail {

/// Uninitialised memory that begins at a cache line, or at a large page where it is long enough to gain from one: a
/// walk over it then misses the address cache once in 2 MiB instead of once in 4 KiB.
class large_memory {
 public:
  large_memory() = default;
  explicit large_memory(std::size_t bytes) : alignment_(bytes < worth_large_pages ? cache_line : large_page) {
    memory_ = ::operator new(bytes, std::align_val_t{alignment_});
    prefer_large_pages(memory_, bytes);
  }
  large_memory(large_memory&& other) noexcept : memory_(other.memory_), alignment_(other.alignment_) {
    other.memory_ = nullptr;
  }
  large_memory& operator=(large_memory&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(alignment_, other.alignment_);
    return *this;
  }
  ~large_memory() {
    if (memory_ != nullptr) ::operator delete(memory_, std::align_val_t{alignment_});
  }

  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(memory_); }

 private:
  void* memory_ = nullptr;
  std::size_t alignment_ = cache_line;
};

}  // namespace tartan::inline TARTAN_ABI::detail
