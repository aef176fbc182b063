#pragma once
// Worker processes: the policy `processes`, pools, shared memory. Use it beside <tartan/tartan.hpp> or the headers of
// single patterns.

#include "tartan/backends/manager.hpp"       // manager
#include "tartan/backends/process.hpp"       // process
#include "tartan/backends/process_pool.hpp"  // process_pool
#include "tartan/backends/processes.hpp"     // processes
#include "tartan/backends/shared_grid.hpp"   // shared_grid
#include "tartan/core/closure.hpp"           // closure
#include "tartan/core/codec.hpp"             // codec, shippable
#include "tartan/ipc/barrier.hpp"            // ipc::barrier
#include "tartan/ipc/condition.hpp"          // ipc::condition
#include "tartan/ipc/mutex.hpp"              // ipc::mutex, ipc::recursive_mutex
#include "tartan/ipc/process_errors.hpp"     // manager_gone, remote_error, task_timeout, worker_died
#include "tartan/ipc/queue.hpp"              // ipc::pipe, ipc::queue
#include "tartan/ipc/semaphore.hpp"          // ipc::event, ipc::semaphore
#include "tartan/ipc/shared_array.hpp"       // shared_array, shared_span, shared_value
#include "tartan/ipc/start.hpp"              // shared_memory, start_processes
