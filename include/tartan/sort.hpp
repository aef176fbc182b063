#pragma once
// sort and stable_sort, with the policies seq and par.

#include "tartan/algorithms/sort.hpp"      // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
