#pragma once
// scatter_gather, with the policies seq and par.

#include "tartan/backends/sequential.hpp"      // seq
#include "tartan/backends/threads.hpp"         // par
#include "tartan/patterns/scatter_gather.hpp"  // the pattern
