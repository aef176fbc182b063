#pragma once
// equal, mismatch, lexicographical_compare and search, with the policies seq and par.

#include "tartan/algorithms/compare.hpp"   // the operations
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
