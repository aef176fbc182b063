#pragma once
// try_map and try_starmap, with the policies seq and par.

#include "tartan/algorithms/try_map.hpp"   // the pattern
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
