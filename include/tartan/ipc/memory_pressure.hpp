#pragma once
// Whether the system has killed processes for want of memory: what tells such a death from another SIGKILL.

#include <unistd.h>  // access

#include <cstdint>  // uint64_t
#include <cstdio>   // fgets, fopen, sscanf
#include <string>   // string

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// The number behind `key` in a file of lines "key number"; 0 if there is none.
inline std::uint64_t number_in_file(char const* path, char const* key) noexcept {
  std::FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  std::uint64_t found = 0;
  char line[256];
  char name[128];
  unsigned long long value = 0;
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::sscanf(line, "%127s %llu", name, &value) == 2 && std::string(name) == key) found = value;
  std::fclose(file);
  return found;
}

/// The control group (v2) of this process, as a folder; empty if there is none.
inline std::string control_group() {
  std::FILE* const file = std::fopen("/proc/self/cgroup", "re");
  if (file == nullptr) return {};
  std::string found;
  char line[512];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    std::string text(line);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    if (text.starts_with("0::")) found = "/sys/fs/cgroup" + text.substr(3);
  }
  std::fclose(file);
  return found;
}

/// Kills for want of memory so far: in the own control group, whatever the reason, where it says so, else on the
/// machine.
inline std::uint64_t out_of_memory_kills() {
  static std::string const events = control_group() + "/memory.events";
  static bool const known = ::access(events.c_str(), R_OK) == 0;
  return known ? number_in_file(events.c_str(), "oom_kill") : number_in_file("/proc/vmstat", "oom_kill");
}

}  // namespace tartan::inline TARTAN_ABI::detail
