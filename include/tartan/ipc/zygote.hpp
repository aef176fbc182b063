#pragma once
// The process that forks the workers. It is forked itself while the host has one thread, and stays so: what it forks
// is always whole. It hides from the host (no SIGCHLD, invisible to wait()), and nobody outlives the host.

#include <poll.h>          // poll
#include <signal.h>        // kill, sigprocmask
#include <sys/prctl.h>     // prctl
#include <sys/signalfd.h>  // signalfd
#include <sys/socket.h>    // recv
#include <sys/wait.h>      // waitid
#include <unistd.h>        // close, fork, getpid, setsid

#include <atomic>   // atomic
#include <cerrno>   // errno
#include <cstdint>  // int32_t, uint32_t
#include <utility>  // pair
#include <vector>   // vector

#include "tartan/core/config.hpp"   // TARTAN_ABI
#include "tartan/ipc/child.hpp"     // become_child
#include "tartan/ipc/doorbell.hpp"  // doorbell

namespace tartan::inline TARTAN_ABI::detail {

enum class child_phase : std::uint32_t { requested, alive, dead };

/// One child, in shared memory. The host fills it in and asks for the fork; the zygote writes the fields below the
/// line, `phase` last (release, with the host's acquire); after `dead` it never touches the record again. The child
/// writes its number too, because its first frame may be read before the zygote runs on.
struct child_record {
  void (*main)(child_record&) =
      nullptr;                 ///< runs in the child; valid there because the zygote was forked from the host
  doorbell<>* bell = nullptr;  ///< rung after each change of phase
  char name[16] = {};
  // ----
  std::atomic<std::uint32_t> pid{0};
  std::atomic<std::int32_t> code{0};    ///< si_code of the end, or a negative errno if the fork failed
  std::atomic<std::int32_t> status{0};  ///< signal or exit code
  std::atomic<child_phase> phase{child_phase::requested};
};

enum class zygote_order : std::uint32_t { fork_child, kill_child };

/// What the host sends, one packet each.
struct zygote_request {
  child_record* child;
  zygote_order order;
  std::int32_t signal;
};

/// The life of the zygote.
class zygote_loop {
 public:
  zygote_loop(int socket, int host, sigset_t const& original) noexcept
      : socket_{socket}, host_{host}, mask_{original} {}

  [[noreturn]] void run() {
    ::prctl(PR_SET_NAME, "tartan-zygote");
    ::setsid();  // a terminal's Ctrl-C is for the host, which decides
    for (int const number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2, SIGALRM})
      ::signal(number, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
    sigset_t deaths;
    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    ::sigprocmask(SIG_SETMASK, &deaths, nullptr);
    int const ends = ::signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    ends_ = ends;
    pollfd watched[] = {{socket_, POLLIN, 0}, {host_, POLLIN, 0}, {ends, POLLIN, 0}};
    for (;;) {
      if (::poll(watched, 3, -1) < 0) continue;
      if (watched[1].revents != 0 || (watched[0].revents & (POLLHUP | POLLERR)) != 0) end();
      if (watched[2].revents != 0) reap();
      if ((watched[0].revents & POLLIN) != 0) serve();
    }
  }

 private:
  void reap() {
    signalfd_siginfo ignored[8];
    while (::read(ends_, ignored, sizeof ignored) > 0) {
    }
    for (;;) {
      siginfo_t end{};
      if (::waitid(P_ALL, 0, &end, WEXITED | WNOHANG) != 0 || end.si_pid == 0) return;
      for (std::size_t i = 0; i != children_.size(); ++i) {
        if (children_[i].first != end.si_pid) continue;
        report_death(*children_[i].second, end.si_code, end.si_status);
        children_[i] = children_.back();
        children_.pop_back();
        break;
      }
    }
  }

  static void report_death(child_record& child, int code, int status) noexcept {
    doorbell<>* const bell = child.bell;
    child.code.store(code, std::memory_order_relaxed);                // relaxed: published by the phase
    child.status.store(status, std::memory_order_relaxed);            // likewise
    child.phase.store(child_phase::dead, std::memory_order_release);  // with the transport's look at the phase
    bell->ring();
  }

  void serve() {
    zygote_request request;
    if (::recv(socket_, &request, sizeof request, 0) != static_cast<ssize_t>(sizeof request)) return;
    if (request.order == zygote_order::kill_child) {
      // Only the parent can send a signal by number and be sure whom it hits: the number is taken until it reaps.
      for (auto const& [pid, child] : children_)
        if (child == request.child) ::kill(pid, request.signal);
      return;
    }
    fork_child(*request.child);
  }

  void fork_child(child_record& child) {
    pid_t const self = ::getpid();
    pid_t const pid = ::fork();  // the library's: it registers the child's robust locks with the kernel
    if (pid == 0) {
      ::close(socket_);
      ::close(host_);
      ::close(ends_);
      // relaxed: published by the first frame that this child sends, which may be read before the zygote's next line
      // runs
      child.pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
      become_child(self, child.name, mask_);
      child.main(child);
      end_child(0);
    }
    if (pid < 0) return report_death(child, -errno, 0);
    children_.emplace_back(pid, &child);
    child.pid.store(static_cast<std::uint32_t>(pid), std::memory_order_relaxed);  // relaxed: published by the phase
    child.phase.store(child_phase::alive, std::memory_order_release);             // as in report_death()
    child.bell->ring();
  }

  [[noreturn]] void end() {
    for (auto const& child : children_) ::kill(child.first, SIGKILL);
    for (auto const& child : children_) ::waitid(P_PID, static_cast<id_t>(child.first), nullptr, WEXITED);
    ::_exit(0);
  }

  int socket_;
  int host_;
  int ends_ = -1;
  sigset_t mask_;
  std::vector<std::pair<pid_t, child_record*>> children_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
