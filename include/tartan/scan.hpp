#pragma once
// inclusive_scan and exclusive_scan, with the policies seq and par.

#include "tartan/algorithms/scan.hpp"      // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
