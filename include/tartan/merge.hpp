#pragma once
// merge and merge_into, with the policies seq and par.

#include "tartan/algorithms/merge.hpp"     // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
