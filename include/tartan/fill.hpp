#pragma once
// fill, generate and iota, with the policies seq and par.

#include "tartan/algorithms/fill.hpp"      // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
