#pragma once
// Worker processes: the policy `processes`, pools, shared memory. Use it beside <tartan/tartan.hpp> or the headers of
// single patterns.

#include "tartan/backends/process_pool.hpp"  // process_pool
#include "tartan/backends/processes.hpp"     // processes
#include "tartan/core/closure.hpp"           // closure
#include "tartan/core/codec.hpp"             // codec, shippable
#include "tartan/ipc/process_errors.hpp"     // remote_error, task_timeout, worker_died
#include "tartan/ipc/shared_array.hpp"       // shared_array, shared_span, shared_value
#include "tartan/ipc/start.hpp"              // shared_memory, start_processes
