#pragma once
// Coroutines: task, schedule, sleep_for, when_all, when_any, with_timeout, async_semaphore, spawn and sync_wait, and
// co_await on futures, with submit and the policies seq and par.

#include "tartan/async/await_future.hpp"   // operator co_await
#include "tartan/async/schedule.hpp"       // schedule, sleep_for, sleep_until
#include "tartan/async/semaphore.hpp"      // async_semaphore, permit
#include "tartan/async/spawn.hpp"          // spawn, sync_wait
#include "tartan/async/submit.hpp"         // submit, future
#include "tartan/async/task.hpp"           // task, this_task_stop
#include "tartan/async/task_children.hpp"  // when_all, when_any, with_timeout
#include "tartan/async/when.hpp"           // when_all, when_any of futures
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
