#pragma once
// The limits that control groups set to this process: processor time and memory, versions 1 and 2, with every parent
// group up to the root that is mounted here.

#include <algorithm>  // max, min
#include <cstdint>    // uint64_t
#include <cstdio>     // fclose, fopen, fread
#include <cstdlib>    // strtod, strtoull
#include <limits>     // numeric_limits
#include <optional>   // optional
#include <string>     // string, to_string
#include <utility>    // move
#include <vector>     // vector

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// The system's files below a root of one's own, so that tests can show this code any layout.
struct system_files {
  std::string root{};

  /// The whole text; nothing when it cannot be read.
  [[nodiscard]] std::optional<std::string> read(std::string const& path) const {
    std::FILE* const file = std::fopen((root + path).c_str(), "re");
    if (file == nullptr) return std::nullopt;
    std::string text;
    char part[4096];
    for (std::size_t n = 0; (n = std::fread(part, 1, sizeof part, file)) != 0;) text.append(part, n);
    std::fclose(file);
    return text;
  }
};

/// Cuts a text at each occurrence of `separator`.
inline std::vector<std::string> cut_text(std::string const& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find(separator, begin)) != std::string::npos; begin = end + 1)
    parts.push_back(text.substr(begin, end - begin));
  if (begin != text.size()) parts.push_back(text.substr(begin));
  return parts;
}

/// A number at the beginning of a text; nothing for "max", "-1" and what is no number.
inline std::optional<std::uint64_t> leading_number(std::optional<std::string> const& text) {
  if (!text || text->empty() || (*text)[0] < '0' || (*text)[0] > '9') return std::nullopt;
  return std::strtoull(text->c_str(), nullptr, 10);
}

/// The number behind `key` in lines of the form "key number".
inline std::uint64_t number_of(std::optional<std::string> const& text, std::string const& key) {
  if (text)
    for (std::string const& line : cut_text(*text, '\n'))
      if (line.rfind(key, 0) == 0 && line.size() > key.size() && (line[key.size()] == ' ' || line[key.size()] == ':')) {
        std::size_t const digits = line.find_first_of("0123456789", key.size());
        return digits == std::string::npos ? 0 : std::strtoull(line.c_str() + digits, nullptr, 10);
      }
  return 0;
}

class control_groups {
 public:
  explicit control_groups(system_files files) : files_(std::move(files)) {
    std::vector<std::string> const memberships = lines_of("/proc/self/cgroup");
    for (std::string const& line : lines_of("/proc/self/mountinfo")) add_mount(line, memberships);
  }

  /// Processors' worth of time that this process may use in a second; nothing without a limit.
  [[nodiscard]] std::optional<double> processors() const {
    std::optional<double> least;
    for_each_group(cpu_, [&](std::string const& dir, bool v2) {
      auto const q = v2 ? quota_v2(dir) : quota_v1(dir);
      if (q) least = least ? (std::min)(*least, *q) : q;
    });
    return least;
  }

  /// Bytes that this process may still use before a limit is reached; nothing without a limit. Pages that only cache
  /// files and were not used lately count as free: the kernel takes them back first.
  [[nodiscard]] std::optional<std::uint64_t> memory() const {
    std::optional<std::uint64_t> least;
    for_each_group(memory_, [&](std::string const& dir, bool v2) {
      auto const free = v2 ? memory_v2(dir) : memory_v1(dir);
      if (free) least = least ? (std::min)(*least, *free) : free;
    });
    return least;
  }

 private:
  /// A chain of groups: from `mount` + `below` up to `mount`.
  struct place {
    std::string mount, below;
    bool v2;
  };

  [[nodiscard]] std::vector<std::string> lines_of(char const* path) const {
    auto const text = files_.read(path);
    return text ? cut_text(*text, '\n') : std::vector<std::string>{};
  }

  static bool lists(std::string const& comma_separated, std::string const& name) {
    return (',' + comma_separated + ',').find(',' + name + ',') != std::string::npos;
  }

  /// Blanks and the like stand in mountinfo as a backslash and three octal digits.
  static std::string unescaped(std::string const& text) {
    std::string plain;
    for (std::size_t i = 0; i != text.size(); ++i)
      if (text[i] == '\\' && i + 3 < text.size()) {
        plain += static_cast<char>(std::strtoul(text.substr(i + 1, 3).c_str(), nullptr, 8));
        i += 3;
      } else {
        plain += text[i];
      }
    return plain;
  }

  /// "36 35 0:30 ROOT MOUNT OPTIONS [TAGS...] - TYPE SOURCE SUPER-OPTIONS"
  void add_mount(std::string const& line, std::vector<std::string> const& memberships) {
    std::size_t const dash = line.find(" - ");
    if (dash == std::string::npos) return;
    std::vector<std::string> const head = cut_text(line.substr(0, dash), ' ');
    std::vector<std::string> const tail = cut_text(line.substr(dash + 3), ' ');
    if (head.size() < 5 || tail.size() < 3) return;
    bool const v2 = tail[0] == "cgroup2";
    if (!v2 && tail[0] != "cgroup") return;
    bool const cpu = v2 || lists(tail[2], "cpu"), memory = v2 || lists(tail[2], "memory");
    if (!cpu && !memory) return;
    for (std::string const& membership : memberships) {  // "NUMBER:CONTROLLERS:PATH", version 2 without controllers
      std::size_t const first = membership.find(':'), second = membership.find(':', first + 1);
      if (second == std::string::npos) continue;
      std::string const controllers = membership.substr(first + 1, second - first - 1);
      if (v2 ? !controllers.empty() : !lists(controllers, cpu ? "cpu" : "memory")) continue;
      place const p{unescaped(head[4]), below(unescaped(head[3]), membership.substr(second + 1)), v2};
      if (cpu) cpu_.push_back(p);
      if (memory) memory_.push_back(p);
    }
  }

  /// The part of `path` below the mounted root; empty when the path lies elsewhere (a container without a name space of
  /// its own sees paths of the host: then the mounted root is its group).
  static std::string below(std::string const& root, std::string const& path) {
    if (root == "/") return path == "/" ? "" : path;
    if (path.rfind(root, 0) == 0 && (path.size() == root.size() || path[root.size()] == '/'))
      return path.substr(root.size());
    return "";
  }

  template <class Visit>
  static void for_each_group(std::vector<place> const& places, Visit visit) {
    for (place const& p : places)
      for (std::string rest = p.below;; rest.resize(rest.rfind('/'))) {
        visit(p.mount + rest, p.v2);
        if (rest.empty() || rest.rfind('/') == std::string::npos) break;
      }
  }

  [[nodiscard]] std::optional<double> quota_v2(std::string const& dir) const {
    auto const text = files_.read(dir + "/cpu.max");  // "max 100000" or "QUOTA PERIOD"
    auto const quota = leading_number(text);
    if (!quota) return std::nullopt;
    std::size_t const blank = text->find(' ');
    auto const period = blank == std::string::npos ? std::nullopt : leading_number(text->substr(blank + 1));
    return static_cast<double>(*quota) / static_cast<double>((std::max<std::uint64_t>)(period.value_or(100'000), 1));
  }

  [[nodiscard]] std::optional<double> quota_v1(std::string const& dir) const {
    auto const quota = leading_number(files_.read(dir + "/cpu.cfs_quota_us"));  // -1: no limit
    auto const period = leading_number(files_.read(dir + "/cpu.cfs_period_us"));
    if (!quota || !period || *period == 0) return std::nullopt;
    return static_cast<double>(*quota) / static_cast<double>(*period);
  }

  [[nodiscard]] std::optional<std::uint64_t> memory_v2(std::string const& dir) const {
    auto const hard = leading_number(files_.read(dir + "/memory.max"));
    auto const soft = leading_number(files_.read(dir + "/memory.high"));
    if (!hard && !soft) return std::nullopt;
    constexpr std::uint64_t unlimited = (std::numeric_limits<std::uint64_t>::max)();
    return left_of((std::min)(hard.value_or(unlimited), soft.value_or(unlimited)),
                   leading_number(files_.read(dir + "/memory.current")).value_or(0),
                   number_of(files_.read(dir + "/memory.stat"), "inactive_file"));
  }

  [[nodiscard]] std::optional<std::uint64_t> memory_v1(std::string const& dir) const {
    auto const limit = leading_number(files_.read(dir + "/memory.limit_in_bytes"));
    if (!limit || *limit >= (std::uint64_t{1} << 62)) return std::nullopt;  // how version 1 says "no limit"
    return left_of(*limit, leading_number(files_.read(dir + "/memory.usage_in_bytes")).value_or(0),
                   number_of(files_.read(dir + "/memory.stat"), "total_inactive_file"));
  }

  static std::uint64_t left_of(std::uint64_t limit, std::uint64_t used, std::uint64_t reclaimable) noexcept {
    std::uint64_t const firm = used - (std::min)(used, reclaimable);
    return limit - (std::min)(limit, firm);
  }

  system_files files_;
  std::vector<place> cpu_, memory_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
