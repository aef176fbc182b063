#pragma once
// divide_and_conquer, with the policies seq and par.

#include "tartan/backends/sequential.hpp"          // seq
#include "tartan/backends/threads.hpp"             // par
#include "tartan/patterns/divide_and_conquer.hpp"  // the pattern
