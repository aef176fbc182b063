#pragma once
// shuffle and sample, with the policies seq and par.

#include "tartan/algorithms/shuffle.hpp"   // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
