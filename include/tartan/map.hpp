#pragma once
// map, map_into and starmap, with the policies seq and par.

#include "tartan/algorithms/map.hpp"       // the pattern
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
