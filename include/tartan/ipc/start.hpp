#pragma once
// start_processes(): the arena and the zygote, made while the process has one thread.

#include <dirent.h>       // opendir, readdir
#include <poll.h>         // poll
#include <sys/socket.h>   // send, socketpair
#include <sys/syscall.h>  // SYS_clone, SYS_pidfd_open
#include <sys/wait.h>     // waitpid
#include <unistd.h>       // getpid, syscall

#include <atomic>   // atomic
#include <cerrno>   // errno
#include <chrono>   // milliseconds, steady_clock
#include <cstddef>  // size_t
#include <cstdlib>  // atexit
#include <cstring>  // strerror
#include <mutex>    // mutex, scoped_lock
#include <string>   // string
#include <thread>   // sleep_for

#include "tartan/core/config.hpp"         // TARTAN_ABI, TARTAN_TSAN
#include "tartan/core/errors.hpp"         // error, raise
#include "tartan/core/process_state.hpp"  // process_object, slot_id
#include "tartan/ipc/child.hpp"           // flush_output
#include "tartan/ipc/process_errors.hpp"  // process_start_error
#include "tartan/ipc/segment.hpp"         // segment, segment_resource
#include "tartan/ipc/zygote.hpp"          // zygote_loop, zygote_request

namespace tartan::inline TARTAN_ABI {

/// What start_processes() may be told.
struct process_options {
  /// Bytes of address space for shared memory; memory is taken as it is used. 0: 64 GiB, or TARTAN_SHARED_MEMORY.
  std::size_t shared_memory = 0;
};

namespace detail {

/// The host's end of the zygote. One for ever in a process; a forked copy of the host has it too but may not use it.
class process_host {
 public:
  static constexpr char const* start_first =
      "call tartan::start_processes() first in main(), before anything starts a thread";

  explicit process_host(process_options const& options, char const* remedy = start_first)
      : arena_{&the_arena(options)}, owner_{::getpid()} {
    resource_ = ::new (arena_->allocate(sizeof(segment_resource), 64)) segment_resource(*arena_);
    start_zygote(remedy);
  }
  process_host(process_host const&) = delete;
  process_host& operator=(process_host const&) = delete;
  ~process_host() {
    stop();
    if (socket_ >= 0) ::close(socket_);
    if (zygote_fd_ >= 0) ::close(zygote_fd_);
    arena_->deallocate(resource_);
  }

  [[nodiscard]] segment& arena() noexcept { return *arena_; }
  [[nodiscard]] std::pmr::memory_resource& resource() noexcept { return *resource_; }
  [[nodiscard]] pid_t zygote() const noexcept { return zygote_; }

  /// False once the zygote was killed; then all workers are dead or dying.
  [[nodiscard]] bool alive() const noexcept {
    pollfd watched{zygote_fd_, POLLIN, 0};
    return zygote_fd_ < 0 ? ::kill(zygote_, 0) == 0 : ::poll(&watched, 1, 0) == 0;
  }

  /// Asks for a child. The record stays until its phase is dead.
  void fork_child(child_record& child) { order({&child, zygote_order::fork_child, 0}); }

  /// Sends a signal to the child if it still lives.
  void kill_child(child_record& child, int signal) { order({&child, zygote_order::kill_child, signal}); }

  /// What the layer of pools keeps once a process.
  [[nodiscard]] std::atomic<void*>& pools() noexcept { return pools_; }

  /// Whether this is the process that started the zygote, not a worker or another copy of it.
  [[nodiscard]] bool is_host() const noexcept { return forks_ == forks(); }

  /// At the end of the host: the zygote ends its children and itself.
  void stop() noexcept {
    if (!is_host() || socket_ < 0) return;
    ::shutdown(socket_, SHUT_RDWR);
    for (int i = 0; i != 2000; ++i) {
      if (::waitpid(zygote_, nullptr, __WALL | WNOHANG) != 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
  // The library's fork() counts; the zygote, made by a bare system call, never asks.
  static unsigned forks() noexcept { return process_state().forks.load(std::memory_order_relaxed); }

  static segment& the_arena(process_options const& options) {
    return process_object<segment>(slot_id::arena, [&] { return new segment(options.shared_memory); });
  }

  /// Throws process_start_error if a fork of this process could be broken; `remedy` says what to do.
  static void require_one_thread(char const* remedy) {
    unsigned threads = 0;
    if (DIR* const tasks = ::opendir("/proc/self/task")) {
      while (auto const* const entry = ::readdir(tasks)) threads += entry->d_name[0] != '.' ? 1U : 0U;
      ::closedir(tasks);
    }
    constexpr unsigned allowed = TARTAN_TSAN ? 2 : 1;  // ThreadSanitizer keeps one of its own
    if (threads > allowed)
      raise<process_start_error>("tartan: this process has " + std::to_string(threads) +
                                 " threads already, so a fork of it may be broken: " + remedy);
  }

  void start_zygote(char const* remedy) {
    require_one_thread(remedy);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("no socket to the zygote");
    auto const host = static_cast<int>(::syscall(SYS_pidfd_open, owner_, 0));
    if (host < 0) {
      int const why = errno;
      ::close(ends[0]);
      ::close(ends[1]);
      errno = why;
      fail("no descriptor of the own process");
    }
    flush_output();  // else a child would print it again
    sigset_t all;
    sigset_t original;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &original);
    auto const child = static_cast<pid_t>(::syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL));  // exit signal 0: no SIGCHLD
    if (child == 0) {
      ::close(ends[0]);
      process_state().slot[static_cast<unsigned>(slot_id::zygote)].store(this,
                                                                         std::memory_order_relaxed);  // one thread
      zygote_loop(ends[1], host, original).run();
    }
    int const why = errno;
    ::sigprocmask(SIG_SETMASK, &original, nullptr);
    ::close(ends[1]);
    ::close(host);
    if (child < 0) {
      ::close(ends[0]);
      errno = why;
      fail("no process for the zygote");
    }
    socket_ = ends[0];
    zygote_ = child;
    zygote_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, zygote_, 0));
  }

  void order(zygote_request const& request) {
    ssize_t sent;
    do sent = ::send(socket_, &request, sizeof request, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent != static_cast<ssize_t>(sizeof request)) gone();
  }

  [[noreturn]] static void gone() {
    raise<process_start_error>(
        "tartan: the process that starts workers was killed, and a program with threads cannot make "
        "another: restart the program");
  }

  [[noreturn]] static void fail(std::string const& what) {
    raise<process_start_error>("tartan: worker processes cannot be started: " + what + " (" + std::strerror(errno) +
                               "); raise the limit (ulimit -n, ulimit -u) or free some");
  }

  std::atomic<void*> pools_{nullptr};
  segment* arena_;
  segment_resource* resource_ = nullptr;
  pid_t owner_;
  unsigned forks_ = forks();
  int socket_ = -1;
  pid_t zygote_ = -1;
  int zygote_fd_ = -1;
};

inline process_host* known_process_host() noexcept {
  auto& slot = process_state().slot[static_cast<unsigned>(slot_id::zygote)];
  return static_cast<process_host*>(slot.load(std::memory_order_acquire));  // with the start below
}

/// The one process_host; the first call starts it.
inline process_host& start_process_host(process_options const& options = {}) {
  if (auto* const known = known_process_host()) {
    if (!known->is_host())
      raise<process_start_error>(
          "tartan: a forked copy of a program has no workers of its own: use seq or par here, or start the program "
          "anew");
    return *known;
  }
  auto& host = process_object<process_host>(slot_id::zygote, [&] { return new process_host(options); });
  std::atexit([] {
    if (auto* const h = known_process_host()) h->stop();
  });
  return host;
}

}  // namespace detail

/// Makes worker processes possible: call it first in main(), before anything starts a thread.
///
///     int main() {
///       tartan::start_processes();
///       auto sizes = tartan::try_map(tartan::processes, files, parse);
///     }
///
/// Workers are copies of the program at this call: a global holds in a worker what it held here, and later changes on
/// either side are not seen by the other. Without the call the first use does it, if the process still has one thread.
/// A second call does nothing. Throws process_start_error (the process has threads already; a limit of the system),
/// out_of_shared_memory.
inline void start_processes(process_options const& options = {}) { detail::start_process_host(options); }

/// Allocates for containers of std::pmr that all processes of the program may use (one at a time: they lock nothing).
/// They must be built in shared memory themselves, as by shared_value. Throws what start_processes() throws.
[[nodiscard]] inline std::pmr::memory_resource* shared_memory() { return &detail::start_process_host().resource(); }

}  // namespace tartan::inline TARTAN_ABI
