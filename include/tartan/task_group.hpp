#pragma once
// task_group, with the policies seq and par.

#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
#include "tartan/patterns/task_group.hpp"  // the pattern
