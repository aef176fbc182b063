#pragma once
// master_worker and try_master_worker, with the policies seq and par.

#include "tartan/backends/sequential.hpp"     // seq
#include "tartan/backends/threads.hpp"        // par
#include "tartan/patterns/master_worker.hpp"  // the pattern
