#pragma once
// histogram, with the policies seq and par.

#include "tartan/algorithms/histogram.hpp"  // the operations
#include "tartan/backends/sequential.hpp"   // seq
#include "tartan/backends/threads.hpp"      // par
