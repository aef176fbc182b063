#pragma once
// min_element, max_element and minmax_element, with the policies seq and par.

#include "tartan/algorithms/minmax.hpp"    // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
