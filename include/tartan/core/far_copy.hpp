#pragma once
// Copies for somebody else to read, larger than what the caches hold.

#include <cstddef>  // byte, size_t
#include <cstdint>  // uintptr_t
#include <cstring>  // memcpy

#include "tartan/core/caches.hpp"  // caches
#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// As memcpy. A copy too large for anybody's cache goes past it: a store that fills a line then need not load it first,
/// which is a third of the traffic. (Too large is said in terms of the second level, because what systems tell of the
/// last level is wrong at times.)
inline void far_copy(std::byte* to, std::byte const* from, std::size_t n) noexcept {
#if defined(__SSE2__) && (defined(__clang__) || defined(__GNUC__))
  constexpr std::size_t line = 64;
  constexpr std::size_t never_far = std::size_t{1} << 20;  // spares small copies the question
  if (n > never_far && static_cast<double>(n) > caches().middle * 16) {
    using words [[gnu::vector_size(16), gnu::may_alias]] = long long;
    std::size_t const head = (line - reinterpret_cast<std::uintptr_t>(to) % line) % line;
    std::memcpy(to, from, head);
    to += head, from += head, n -= head;
    for (; n >= line; to += line, from += line, n -= line) {
      words w[line / sizeof(words)];
      std::memcpy(w, from, line);
      for (std::size_t k = 0; k != line / sizeof(words); ++k) {
        auto* const at = reinterpret_cast<words*>(to) + k;
#if defined(__clang__)
        __builtin_nontemporal_store(w[k], at);
#else
        __builtin_ia32_movntdq(at, w[k]);
#endif
      }
    }
    __builtin_ia32_sfence();  // such stores are ordered by nothing else, not even by a release store
  }
#endif
  if (n != 0) std::memcpy(to, from, n);
}

}  // namespace tartan::inline TARTAN_ABI::detail
