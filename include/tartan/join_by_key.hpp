#pragma once
// join_by_key, with the policies seq and par.

#include "tartan/algorithms/join_by_key.hpp"  // the operations
#include "tartan/backends/sequential.hpp"     // seq
#include "tartan/backends/threads.hpp"        // par
