#pragma once
// map_reduce_by_key, count_by and group_by, with the policies seq and par.

#include "tartan/algorithms/by_key.hpp"    // count_by, map_reduce_by_key, sorted_by_key
#include "tartan/algorithms/group_by.hpp"  // group_by
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
