#pragma once
// What a process does first when it has been forked to be a worker, and how it ends.

#include <fcntl.h>      // open
#include <signal.h>     // sigaction, sigprocmask
#include <stdlib.h>     // on_exit, setenv
#include <sys/prctl.h>  // prctl
#include <unistd.h>     // _exit, getppid, write

#include <cstdio>    // fflush, setvbuf
#include <cstring>   // strlen
#include <iostream>  // cout, clog
#include <string>    // string, to_string

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Pushes out what tasks have printed: a worker ends without static destructors, and may be killed while it idles.
inline void flush_output() noexcept {
#if TARTAN_EXCEPTIONS
  try {
    std::cout.flush();
    std::clog.flush();
  } catch (...) {  // a stream of the user's may be set to throw
  }
#else
  std::cout.flush();
  std::clog.flush();
#endif
  std::fflush(nullptr);
}

/// The only way out of a worker: nothing of the host's that is registered for the end runs here.
[[noreturn]] inline void end_child(int status) noexcept {
  flush_output();
  ::_exit(status);
}

/// Signals that ask a process for something are the host's affair; a worker starts with what a fresh program has.
/// Faults (SEGV, BUS, FPE, ILL, ABRT) keep their handlers, which may print where it happened.
inline void reset_signals(sigset_t const& mask) noexcept {
  for (int const number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT,
                           SIGTSTP, SIGTTIN, SIGTTOU, SIGIO, SIGVTALRM, SIGPROF, SIGWINCH})
    ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
}

/// Where memory runs out, a task is dearer to lose than the program that can report it.
inline void offer_to_oom_killer() noexcept {
  int const file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] auto const written = ::write(file, "500", 3);
  ::close(file);
}

/// Runs once in a fresh child of `parent`. Ends it if the parent is gone already.
inline void become_child(pid_t parent, char const* name, sigset_t const& mask) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it died before the line above
  reset_signals(mask);
  ::prctl(PR_SET_NAME, name);
  offer_to_oom_killer();
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);                    // whole lines, although many processes write
  ::on_exit([](int status, void*) { end_child(status); }, nullptr);  // exit() in a task: before the host's handlers
}

/// The libraries that start threads of their own share the cores too. What the user has set stays.
inline void limit_library_threads(unsigned threads) noexcept {
  auto const text = std::to_string(threads);
  for (char const* const variable :
       {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS"})
    ::setenv(variable, text.c_str(), 0);
}

}  // namespace tartan::inline TARTAN_ABI::detail
