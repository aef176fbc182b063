#pragma once
// The policy `forked`: any function in processes that are forked at the call.

#include "tartan/backends/forked.hpp"     // forked
#include "tartan/ipc/process_errors.hpp"  // remote_error, task_timeout, worker_died
