#pragma once
// aggregate, with the policies seq and par.

#include "tartan/algorithms/aggregate.hpp"  // the pattern
#include "tartan/backends/sequential.hpp"   // seq
#include "tartan/backends/threads.hpp"      // par
