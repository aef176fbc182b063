#pragma once
// reverse and rotate, with the policies seq and par.

#include "tartan/algorithms/reverse.hpp"   // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
