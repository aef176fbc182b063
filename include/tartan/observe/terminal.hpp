#pragma once
// Whether somebody looks at a stream, and how much fits on a line.

#include <sys/ioctl.h>  // ioctl, TIOCGWINSZ, winsize
#include <unistd.h>     // isatty

#include <cstddef>  // size_t
#include <cstdio>   // FILE, fileno

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

[[nodiscard]] inline bool is_terminal(std::FILE* stream) noexcept { return ::isatty(::fileno(stream)) == 1; }

/// 80 where it cannot be found out.
[[nodiscard]] inline std::size_t columns_of(std::FILE* stream) noexcept {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace tartan::inline TARTAN_ABI::detail
