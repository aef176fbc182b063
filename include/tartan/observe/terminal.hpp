#pragma once
// Whether somebody looks at a stream, and how much fits on a line.

#include <sys/ioctl.h>  // ioctl, TIOCGWINSZ, winsize
#include <unistd.h>     // isatty

#include <cstddef>      // size_t
#include <cstdio>       // FILE, fileno
#include <cstdlib>      // getenv
#include <string_view>  // string_view

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

[[nodiscard]] inline bool is_terminal(std::FILE* stream) noexcept { return ::isatty(::fileno(stream)) == 1; }

/// 80 where it cannot be found out.
[[nodiscard]] inline std::size_t columns_of(std::FILE* stream) noexcept {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// 24 where it cannot be found out.
[[nodiscard]] inline std::size_t rows_of(std::FILE* stream) noexcept {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 24;
  return size.ws_row;
}

/// Whether the terminal of the process is one whose cursor can be moved.
[[nodiscard]] inline bool terminal_moves() noexcept {
  char const* const kind = std::getenv("TERM");
  return kind == nullptr || std::string_view(kind) != "dumb";
}

/// What https://no-color.org asks for.
[[nodiscard]] inline bool colour_wanted() noexcept {
  char const* const refusal = std::getenv("NO_COLOR");
  return refusal == nullptr || *refusal == '\0';
}

}  // namespace tartan::inline TARTAN_ABI::detail
