#pragma once
// Searches and counts, with the policies seq and par.

#include "tartan/algorithms/find.hpp"      // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
