#pragma once
// What the runtime asks of the operating system about the calling thread.

#include <pthread.h>  // pthread_setname_np, pthread_sigmask
#include <signal.h>   // sigfillset, sigdelset

#include <cstdio>  // snprintf
#include <string>  // string

#include "tartan/core/config.hpp"  // TARTAN_ABI

namespace tartan::inline TARTAN_ABI::detail {

/// Signals that are sent to the process go to the program's own threads; those that a thread causes itself stay.
inline void block_asynchronous_signals() noexcept {
  sigset_t mask;
  sigfillset(&mask);
  for (int const own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) sigdelset(&mask, own);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

/// Visible in ps -L, top -H and gdb; the system keeps 15 characters.
inline void name_this_thread(std::string const& pool_name, unsigned index) noexcept {
  char number[12], name[16];
  int const digits = std::snprintf(number, sizeof number, "/%u", index);
  std::snprintf(name, sizeof name, "%.*s%s", 15 - digits, pool_name.c_str(), number);
  pthread_setname_np(pthread_self(), name);
}

}  // namespace tartan::inline TARTAN_ABI::detail
