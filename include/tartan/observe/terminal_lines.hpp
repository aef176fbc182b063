#pragma once
// Several lines at the bottom of a terminal that change while others scroll by above them.

#include <algorithm>  // find_if, min
#include <cstddef>    // ptrdiff_t, size_t
#include <cstdio>     // FILE, fflush, fwrite
#include <mutex>      // lock_guard, mutex
#include <string>     // string, to_string
#include <utility>    // move
#include <vector>     // vector

#include "tartan/core/config.hpp"       // TARTAN_ABI
#include "tartan/observe/terminal.hpp"  // rows_of

namespace tartan::inline TARTAN_ABI::detail {

/// The lines of all owners that are alive, in the order in which they came; between calls the cursor is in the last one
/// that is shown. A line that has ended moves up among what scrolls by. When the terminal has fewer rows than there
/// are lines, the first ones are shown.
///
/// One for the loaded object, never destroyed: a bar may end in a static destructor. Thread safety: any thread.
class terminal_lines {
 public:
  static terminal_lines& instance() {
    static auto* const one = new terminal_lines;
    return *one;
  }

  /// Shows `text`, which fits into a row, as the owner's line.
  void show(void const* owner, std::FILE* stream, std::string text) noexcept {
    std::lock_guard const hold(mutex_);
    std::string out;
    std::size_t const rows = rows_for_lines(stream), before = shown(stream, rows);
    auto at = find(owner);
    if (at == lines_.end()) at = lines_.insert(lines_.end(), line{owner, stream, {}});
    at->text = std::move(text);
    std::size_t const place = place_of(owner, stream);
    if (place >= rows) return;
    if (place == before) {  // a new one
      out += before == 0 ? "\r" : "\r\n";
      out += at->text + "\033[K";
    } else {
      std::string const distance = std::to_string(before - 1 - place);
      bool const elsewhere = place + 1 != before;
      out += elsewhere ? "\r\033[" + distance + "A" : "\r";
      out += at->text + "\033[K";
      if (elsewhere) out += "\033[" + distance + "B";
    }
    write(stream, out);
  }

  /// Shows `text` for good, above the lines of the others.
  void end(void const* owner, std::FILE* stream, std::string const& text) noexcept {
    std::lock_guard const hold(mutex_);
    std::size_t const rows = rows_for_lines(stream), before = shown(stream, rows);
    if (auto const at = find(owner); at != lines_.end()) lines_.erase(at);
    std::string out = before > 1 ? "\r\033[" + std::to_string(before - 1) + "A" : "\r";
    out += text + "\033[K\n";
    std::size_t place = 0;
    for (line const& l : lines_) {
      if (l.stream != stream) continue;
      if (place == rows) break;
      out += (place++ == 0 ? "\r" : "\n\r") + l.text + "\033[K";
    }
    write(stream, out);
  }

 private:
  struct line {
    void const* owner;
    std::FILE* stream;
    std::string text;
  };

  terminal_lines() = default;

  /// The cursor needs no row of its own, but what scrolls by does.
  static std::size_t rows_for_lines(std::FILE* stream) noexcept {
    std::size_t const rows = rows_of(stream);
    return rows > 1 ? rows - 1 : 1;
  }

  [[nodiscard]] std::vector<line>::iterator find(void const* owner) noexcept {
    return std::find_if(lines_.begin(), lines_.end(), [owner](line const& l) { return l.owner == owner; });
  }
  [[nodiscard]] std::size_t shown(std::FILE* stream, std::size_t rows) const noexcept {
    std::size_t n = 0;
    for (line const& l : lines_) n += l.stream == stream;
    return (std::min)(n, rows);
  }
  [[nodiscard]] std::size_t place_of(void const* owner, std::FILE* stream) const noexcept {
    std::size_t place = 0;
    for (line const& l : lines_) {
      if (l.owner == owner) break;
      place += l.stream == stream;
    }
    return place;
  }

  static void write(std::FILE* stream, std::string const& out) noexcept {
    std::fwrite(out.data(), 1, out.size(), stream);
    std::fflush(stream);
  }

  std::mutex mutex_;
  std::vector<line> lines_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
