#pragma once
// for_each, with the policies seq and par.

#include "tartan/algorithms/for_each.hpp"  // the pattern
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
