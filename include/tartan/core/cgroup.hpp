#pragma once
// The limits that control groups set to this process: processor time and memory, versions 1 and 2, with every parent
// group up to the root that is mounted here.
//
// Every includer of a pattern compiles this, so it is written without library containers, which cost it many times as
// much.

#include <limits.h>  // PATH_MAX

#include <cstddef>  // size_t
#include <cstdint>  // uint64_t
#include <cstdio>   // fclose, fopen, fread, snprintf
#include <cstdlib>  // free, realloc, strtoull
#include <cstring>  // memchr, memcmp, strlen

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// What a limit is that nobody has set.
inline constexpr std::uint64_t no_limit = ~std::uint64_t{0};

/// A piece of a text that lies elsewhere.
struct text_piece {
  char const* begin = "";
  char const* end = begin;

  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end - begin); }
  [[nodiscard]] bool empty() const noexcept { return begin == end; }
  [[nodiscard]] bool begins_with(text_piece other) const noexcept {
    return size() >= other.size() && std::memcmp(begin, other.begin, other.size()) == 0;
  }
  [[nodiscard]] bool is(char const* word) const noexcept {
    return size() == std::strlen(word) && std::memcmp(begin, word, size()) == 0;
  }

  /// Cuts off and returns what stands before the first separator, which is dropped; everything if there is none.
  text_piece cut(char separator) noexcept {
    auto const* const found = empty() ? nullptr : static_cast<char const*>(std::memchr(begin, separator, size()));
    text_piece const front{begin, found != nullptr ? found : end};
    begin = found != nullptr ? found + 1 : end;
    return front;
  }

  /// Cuts off the last separator and what follows it; everything if there is none.
  void drop_last(char separator) noexcept {
    while (!empty() && *--end != separator) {
    }
  }
};

/// The whole text of a file; empty when it cannot be read.
class file_text {
 public:
  explicit file_text(char const* path) noexcept {
    std::FILE* const file = std::fopen(path, "re");
    if (file == nullptr) return;
    while (make_room())
      if (std::size_t const n = std::fread(text_ + size_, 1, room_ - size_ - 1, file); n != 0)
        size_ += n;
      else
        break;
    std::fclose(file);
    if (text_ != nullptr) text_[size_] = '\0';
  }
  file_text(file_text const&) = delete;
  file_text& operator=(file_text const&) = delete;
  ~file_text() { std::free(text_); }

  [[nodiscard]] text_piece all() const noexcept {
    return text_ == nullptr ? text_piece{} : text_piece{text_, text_ + size_};
  }

  /// The number that it begins with; no_limit for "max", "-1" and what is no number.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_at(all().begin); }

  /// The number of the second word, likewise.
  [[nodiscard]] std::uint64_t second_number() const noexcept {
    text_piece rest = all();
    rest.cut(' ');
    return rest.empty() ? no_limit : number_at(rest.begin);
  }

  /// The number behind `key` in lines of the form "key number" or "key: number"; 0 if there is none.
  [[nodiscard]] std::uint64_t number_of(char const* key) const noexcept {
    std::size_t const length = std::strlen(key);
    for (text_piece lines = all(); !lines.empty();) {
      text_piece const line = lines.cut('\n');
      if (!line.begins_with({key, key + length}) || (line.begin[length] != ' ' && line.begin[length] != ':')) continue;
      char const* digits = line.begin + length;
      while (digits != line.end && (*digits < '0' || *digits > '9')) ++digits;
      return digits == line.end ? 0 : std::strtoull(digits, nullptr, 10);
    }
    return 0;
  }

 private:
  /// At `digits` the text goes on and ends in a zero.
  static std::uint64_t number_at(char const* digits) noexcept {
    return *digits < '0' || *digits > '9' ? no_limit : std::strtoull(digits, nullptr, 10);
  }

  /// For one more character and the zero; false when there is no memory: then the text counts as unreadable.
  bool make_room() noexcept {
    if (room_ - size_ > 1) return true;
    std::size_t const more = room_ == 0 ? 4096 : 2 * room_;
    auto* const bigger = static_cast<char*>(std::realloc(text_, more));
    if (bigger == nullptr) return size_ = 0, false;
    text_ = bigger;
    room_ = more;
    return true;
  }

  char* text_ = nullptr;
  std::size_t size_ = 0, room_ = 0;
};

/// The system's files below a root of one's own, so that tests can show this code any layout. Refers to the root.
struct system_files {
  char const* root = "";

  /// The text of root + directory + name.
  [[nodiscard]] file_text read(char const* directory, char const* name) const noexcept {
    char path[PATH_MAX];
    int const length = std::snprintf(path, sizeof path, "%s%s%s", root, directory, name);
    return file_text(length < 0 || length >= PATH_MAX ? "" : path);
  }
};

class control_groups {
 public:
  explicit control_groups(system_files files) noexcept
      : files_(files),
        memberships_(files.read("/proc/self/", "cgroup")),
        mounts_(files.read("/proc/self/", "mountinfo")) {}

  /// Processors' worth of time that this process may use in a second, rounded up.
  [[nodiscard]] std::uint64_t processors() const noexcept { return least("cpu", &quota); }

  /// Bytes that this process may still use before a limit is reached. Pages that only cache files and were not used
  /// lately count as free: the kernel takes them back first.
  [[nodiscard]] std::uint64_t memory() const noexcept { return least("memory", &free_memory); }

 private:
  /// What the group in a directory has; no_limit if it has none.
  using group_limit = std::uint64_t (*)(system_files files, char const* directory, bool v2);

  /// A hierarchy of groups that is mounted here.
  struct mount {
    char place[PATH_MAX];  // where it is mounted
    char root[PATH_MAX];   // which of its directories is mounted there
    bool v2;
  };

  /// The least limit of all groups that this process is in: "NUMBER:CONTROLLERS:PATH", version 2 without controllers.
  [[nodiscard]] std::uint64_t least(char const* controller, group_limit limit) const noexcept {
    std::uint64_t found = no_limit;
    mount m;
    for (text_piece mounts = mounts_.all(); !mounts.empty();) {
      if (!governs(mounts.cut('\n'), controller, m)) continue;
      for (text_piece memberships = memberships_.all(); !memberships.empty();) {
        text_piece path = memberships.cut('\n');
        path.cut(':');
        text_piece const controllers = path.cut(':');
        if (path.empty() || (m.v2 ? !controllers.empty() : !lists(controllers, controller))) continue;
        std::uint64_t const here = least_upwards(m, below(m.root, path), limit);
        if (here < found) found = here;
      }
    }
    return found;
  }

  /// Of the group `rest` and of its parents up to the mounted root.
  [[nodiscard]] std::uint64_t least_upwards(mount const& m, text_piece rest, group_limit limit) const noexcept {
    std::uint64_t found = no_limit;
    for (;; rest.drop_last('/')) {
      char directory[PATH_MAX];
      int const length =
          std::snprintf(directory, sizeof directory, "%s%.*s/", m.place, static_cast<int>(rest.size()), rest.begin);
      std::uint64_t const here = length < 0 || length >= PATH_MAX ? no_limit : limit(files_, directory, m.v2);
      if (here < found) found = here;
      if (rest.empty()) return found;
    }
  }

  /// "36 35 0:30 ROOT MOUNT OPTIONS [TAGS...] - TYPE SOURCE SUPER-OPTIONS"
  static bool governs(text_piece line, char const* controller, mount& out) noexcept {
    for (int i = 0; i != 3; ++i) line.cut(' ');
    text_piece const root = line.cut(' '), place = line.cut(' ');
    while (!line.empty() && !line.cut(' ').is("-")) {
    }
    text_piece const type = line.cut(' ');
    line.cut(' ');
    out.v2 = type.is("cgroup2");
    if (line.empty() || (!out.v2 && !(type.is("cgroup") && lists(line, controller)))) return false;
    return unescape(root, out.root) && unescape(place, out.place);
  }

  static bool lists(text_piece comma_separated, char const* name) noexcept {
    while (!comma_separated.empty())
      if (comma_separated.cut(',').is(name)) return true;
    return false;
  }

  /// Blanks and the like stand in mountinfo as a backslash and three octal digits. False if it does not fit.
  static bool unescape(text_piece from, char (&to)[PATH_MAX]) noexcept {
    if (from.size() >= PATH_MAX) return false;
    char* out = to;
    for (char const* c = from.begin; c != from.end; ++c) {
      bool const escaped = *c == '\\' && from.end - c > 3;
      *out++ = escaped ? static_cast<char>((c[1] - '0') * 64 + (c[2] - '0') * 8 + (c[3] - '0')) : *c;
      if (escaped) c += 3;
    }
    *out = '\0';
    return true;
  }

  /// The part of `path` below the mounted root; empty when the path lies elsewhere (a container without a name space of
  /// its own sees paths of the host: then the mounted root is its group).
  static text_piece below(char const* root, text_piece path) noexcept {
    std::size_t const length = std::strlen(root);
    if (length == 1) return path.is("/") ? text_piece{} : path;  // "/"
    if (!path.begins_with({root, root + length})) return {};
    if (path.size() != length && path.begin[length] != '/') return {};
    return {path.begin + length, path.end};
  }

  static std::uint64_t quota(system_files files, char const* directory, bool v2) noexcept {
    std::uint64_t time = no_limit, period = no_limit;
    if (v2) {
      file_text const both = files.read(directory, "cpu.max");  // "max 100000" or "QUOTA PERIOD"
      time = both.number();
      period = both.second_number();
      if (period == no_limit) period = 100'000;
    } else {
      time = files.read(directory, "cpu.cfs_quota_us").number();  // -1: no limit
      period = files.read(directory, "cpu.cfs_period_us").number();
    }
    if (time == no_limit || period == no_limit || (period == 0 && !v2)) return no_limit;
    if (period == 0) period = 1;
    return time / period + (time % period != 0 ? 1 : 0);
  }

  static std::uint64_t free_memory(system_files files, char const* directory, bool v2) noexcept {
    std::uint64_t limit = files.read(directory, v2 ? "memory.max" : "memory.limit_in_bytes").number();
    if (!v2 && limit >= (std::uint64_t{1} << 62)) return no_limit;  // how version 1 says so
    std::uint64_t const soft = v2 ? files.read(directory, "memory.high").number() : no_limit;
    if (soft < limit) limit = soft;
    if (limit == no_limit) return no_limit;
    std::uint64_t const known = files.read(directory, v2 ? "memory.current" : "memory.usage_in_bytes").number();
    std::uint64_t const used = known == no_limit ? 0 : known;
    std::uint64_t const reclaimable =
        files.read(directory, "memory.stat").number_of(v2 ? "inactive_file" : "total_inactive_file");
    std::uint64_t const firm = used - (used < reclaimable ? used : reclaimable);
    return limit - (limit < firm ? limit : firm);
  }

  system_files files_;
  file_text memberships_, mounts_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
