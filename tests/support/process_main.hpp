#pragma once
// The main of a test program of processes, and what such tests ask of the system. Included by one file a program.

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/comes_true.hpp"
#include "support/stress.hpp"
#include "tartan/ipc/start.hpp"

// Tasks of these tests die by signals on purpose; AddressSanitizer would turn them into exits.
extern "C" char const* __asan_default_options();
extern "C" [[gnu::used]] char const* __asan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:allocator_may_return_null=1:"
         "detect_leaks=0";
}
extern "C" char const* __tsan_default_options();
extern "C" [[gnu::used]] char const* __tsan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:report_signal_unsafe=0";
}

int main(int argc, char** argv) {
  tartan::start_processes();
  return tartan::test::run_catch(argc, argv);
}

namespace tartan::test {

/// Descriptors that this process has open.
inline std::size_t open_descriptors() {
  std::size_t n = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++n;
  ::closedir(folder);
  return n;
}

/// A short file of /proc/PID; empty where the process is gone.
inline std::string about_process(int pid, char const* what) {
  // Not with a stream buffer: reading the file of a process that has just died fails, and libstdc++'s throws at that.
  int const file = ::open(("/proc/" + std::to_string(pid) + "/" + what).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char line[512];
  auto const n = ::read(file, line, sizeof line);
  ::close(file);
  return {line, n > 0 ? static_cast<std::size_t>(n) : 0};
}

/// Fields 1 to 3 of /proc/PID/stat behind the name: state, parent.
inline std::pair<char, int> state_and_parent(int pid) {
  auto const text = about_process(pid, "stat");
  auto const at = text.rfind(')');
  if (at == std::string::npos || at + 4 >= text.size()) return {'X', 0};
  return {text[at + 2], std::atoi(text.c_str() + at + 4)};
}

/// Children of a process, living and zombies.
inline std::vector<int> children_of(int parent, bool zombies) {
  std::vector<int> found;
  DIR* const folder = ::opendir("/proc");
  while (auto const* const entry = ::readdir(folder)) {
    int const pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    auto const [state, its_parent] = state_and_parent(pid);
    if (its_parent == parent && (state == 'Z') == zombies) found.push_back(pid);
  }
  ::closedir(folder);
  return found;
}

inline bool lives(int pid) {
  char const state = state_and_parent(pid).first;
  return state != 'X' && state != 'Z';
}

/// Bytes of memory that a process has in RAM, its own and what it shares.
inline std::size_t resident_bytes(int pid) {
  std::size_t whole = 0, resident = 0;
  static_cast<void>(std::sscanf(about_process(pid, "statm").c_str(), "%zu %zu", &whole, &resident));
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace tartan::test
