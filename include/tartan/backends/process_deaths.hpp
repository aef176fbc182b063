#pragma once
// What the end of a worker process is called: the errors of its task, and of a pool that nobody starts for.

#include <atomic>     // atomic, memory_order_relaxed
#include <csignal>    // CLD_*, SIGKILL
#include <cstddef>    // size_t
#include <cstdint>    // uint64_t
#include <cstring>    // strerror
#include <exception>  // exception_ptr, make_exception_ptr
#include <string>     // string, to_string

#include "tartan/core/config.hpp"          // TARTAN_ABI
#include "tartan/ipc/memory_pressure.hpp"  // out_of_memory_kills
#include "tartan/ipc/process_errors.hpp"   // process_start_error, task_timeout, worker_died, worker_end
#include "tartan/ipc/transport.hpp"        // peer_end

namespace tartan::inline TARTAN_ABI::detail {

/// Kills for want of memory that are known already, in the process: reading the system's counters takes a while.
inline std::atomic<std::uint64_t>& memory_kills_seen() {
  static std::atomic<std::uint64_t> seen{out_of_memory_kills()};
  return seen;
}

/// The error of a task after `attempts` of whose attempts its worker had ended, the last time like this.
inline std::exception_ptr error_of_death(peer_end const& end, std::size_t task, unsigned attempts, bool timed_out) {
  worker_end e;
  e.task = task;
  e.pid = end.pid;
  bool const by_signal = end.code == CLD_KILLED || end.code == CLD_DUMPED;
  e.signal = by_signal ? end.status : 0;
  e.exit_code = by_signal ? 0 : end.status;
  e.attempts = static_cast<int>(attempts);
  if (e.signal == SIGKILL && !timed_out) {
    auto const kills = out_of_memory_kills();
    e.out_of_memory = kills > memory_kills_seen().exchange(kills, std::memory_order_relaxed);  // relaxed: only a number
  }
  return timed_out ? std::make_exception_ptr(task_timeout(e)) : std::make_exception_ptr(worker_died(e));
}

/// The error of all calls when no worker can be started: how the last one ended before its first task.
inline process_start_error error_of_starts(peer_end const& end) {
  std::string why = "tartan: no worker process can be started: ";
  if (end.code < 0)
    why += std::string("fork failed (") + std::strerror(-end.code) +
           "); raise the limit (ulimit -u, memory) or ask for fewer workers";
  else if (end.code == CLD_EXITED)
    why += "each ends with exit code " + std::to_string(end.status) +
           " before its first task; see its initializer and limits";
  else
    why +=
        "each dies of signal " + std::to_string(end.status) + " before its first task; see its initializer and limits";
  return process_start_error(why);
}

}  // namespace tartan::inline TARTAN_ABI::detail
