#pragma once
// Pages of megabytes for memory of many megabytes.

#include <sys/mman.h>  // madvise

#include <cstddef>  // size_t
#include <cstdint>  // uintptr_t

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

inline constexpr std::size_t large_page = std::size_t{2} << 20;
inline constexpr std::size_t worth_large_pages = 2 * large_page;  // bytes

/// Asks for large pages in memory that was not touched yet: one page fault in 2 MiB instead of 512, which is most of
/// what filling fresh memory costs, and as many times fewer misses of the address cache. The system may refuse; nothing
/// depends on it.
inline void prefer_large_pages([[maybe_unused]] void const* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(MADV_HUGEPAGE)
  if (bytes < worth_large_pages) return;
  auto const address = reinterpret_cast<std::uintptr_t>(memory);
  std::uintptr_t const begin = (address + large_page - 1) / large_page * large_page;
  std::uintptr_t const end = (address + bytes) / large_page * large_page;
  static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
#endif
}

/// Brings in the pages that lie within [begin, end), as addresses, which were not touched yet: in one call, and many
/// threads can do so at once. Not a byte is changed, and where the system does not know how, nothing happens.
inline void populate_pages([[maybe_unused]] std::uintptr_t begin, [[maybe_unused]] std::uintptr_t end) noexcept {
#if defined(MADV_POPULATE_WRITE)
  constexpr std::uintptr_t page = 4096;  // where pages are larger, the call fails
  begin = (begin + page - 1) / page * page;
  end = end / page * page;
  if (begin < end) static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE));
#endif
}

}  // namespace tartan::inline TARTAN_ABI::detail
