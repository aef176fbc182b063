#pragma once
// sum and dot, with the policies seq and par.

#include "tartan/algorithms/sum.hpp"       // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
