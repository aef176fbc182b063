#pragma once
// Who runs the calling code.

#include <pthread.h>      // pthread_getname_np, pthread_self
#include <sys/syscall.h>  // SYS_gettid
#include <unistd.h>       // getpid, syscall

#include <string>  // string, to_string

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/pool.hpp"    // pool
#include "tartan/core/worker.hpp"  // current_worker

namespace tartan::inline TARTAN_ABI {

struct worker_info {
  unsigned index = 0;  ///< In its pool; 0 outside of tasks.
  std::string name{};  ///< Pool and index; outside of tasks the name of the thread. Threads of a pool are called
                       ///< so, up to 15 characters, in ps -L, top -H and gdb.
  long pid = 0;        ///< The process.
  long thread_id = 0;  ///< The system's number of the thread.
};

/// The worker that runs the calling task.
///
///     std::printf("%s\n", tartan::this_worker().name.c_str());
///
/// The index is unique among the workers of one pool that run at the same time, and below the pool's size unless
/// outside threads or blocking tasks make it lend further slots. Thread safety: any thread, at any time.
[[nodiscard]] inline worker_info this_worker() {
  worker_info info;
  info.pid = ::getpid();
  info.thread_id = ::syscall(SYS_gettid);
  if (detail::worker const* const w = detail::current_worker(); w != nullptr) {
    info.index = w->index;
    info.name = std::string(w->home.name()) + '/' + std::to_string(w->index);
  } else {
    char name[16] = "";
    if (::pthread_getname_np(::pthread_self(), name, sizeof name) == 0) info.name = name;
  }
  return info;
}

}  // namespace tartan::inline TARTAN_ABI
