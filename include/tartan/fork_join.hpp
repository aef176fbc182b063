#pragma once
// fork_join, with the policies seq and par.

#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
#include "tartan/patterns/fork_join.hpp"   // the pattern
