#pragma once
// copy_if, remove_if, partition and unique, with the policies seq and par.

#include "tartan/algorithms/filter.hpp"    // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
