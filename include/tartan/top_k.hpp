#pragma once
// top_k, with the policies seq and par.

#include "tartan/algorithms/top_k.hpp"     // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
