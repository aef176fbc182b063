#pragma once
// Set operations of sorted ranges, with the policies seq and par.

#include "tartan/algorithms/set_operations.hpp"  // the operations
#include "tartan/backends/sequential.hpp"        // seq
#include "tartan/backends/threads.hpp"           // par
