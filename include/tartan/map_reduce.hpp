#pragma once
// map_reduce and reduce, with the policies seq and par.

#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
#include "tartan/patterns/map_reduce.hpp"  // the pattern
