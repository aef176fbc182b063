#pragma once
// What can become of a task in another process, beside its own exceptions.

#include <cstddef>  // size_t
#include <cstring>  // strsignal
#include <string>   // string, to_string
#include <utility>  // move

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // error

namespace tartan::inline TARTAN_ABI {

/// Worker processes cannot be started, or no more of them.
struct process_start_error : error {
  using error::error;
};

/// The end of a worker process, as its parent saw it.
struct worker_end {
  std::size_t task = 0;        ///< index of the task in its call
  int pid = 0;                 ///< of the worker
  int signal = 0;              ///< that killed it, or 0
  int exit_code = 0;           ///< with which it ended itself, if signal is 0
  int attempts = 1;            ///< how often the task was begun
  bool out_of_memory = false;  ///< the system killed it because memory had run out
};

/// The worker process died while it ran this task. All other tasks are unharmed, and the worker has been replaced.
struct worker_died : error, worker_end {
  explicit worker_died(worker_end const& end) : worker_died(end, "the task ended its worker process") {}

 protected:
  worker_died(worker_end const& end, std::string const& what) : error(text(end, what)), worker_end(end) {}

 private:
  static std::string text(worker_end const& end, std::string const& what) {
    std::string t = "tartan: task " + std::to_string(end.task) + ": " + what + " (process " + std::to_string(end.pid);
    if (end.signal != 0)
      t += ", signal " + std::to_string(end.signal) + ", " + ::strsignal(end.signal);
    else
      t += ", exit code " + std::to_string(end.exit_code);
    if (end.out_of_memory) t += ", killed because memory ran out";
    return t + (end.attempts > 1 ? ", " + std::to_string(end.attempts) + " attempts)" : ")");
  }
};

/// The task ran longer than timeout(d) allows; its worker was killed.
struct task_timeout : worker_died {
  explicit task_timeout(worker_end const& end) : worker_died(end, "it ran longer than its timeout and was killed") {}
};

/// The process that serves a manager's objects died (a function given to update() may have killed it), and what it
/// held with it.
struct manager_gone : error {
  manager_gone()
      : error(
            "tartan: the process that serves this manager has died, and its objects with it: make a new manager, and "
            "look at what was given to update()") {}
};

/// A task threw an exception of a type that cannot be made again here: its type's name and its what() are kept.
struct remote_error : error {
  remote_error(std::string type_name, std::string const& message)
      : error("tartan: a task in another process threw " + type_name + ": " + message), type(std::move(type_name)) {}
  std::string type;
};

}  // namespace tartan::inline TARTAN_ABI
