#pragma once
// worker_local: one object for each worker.

#include "tartan/core/worker_local.hpp"  // worker_local
