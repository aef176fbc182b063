#pragma once
// stats: what the workers have done so far; count_forks.

#include "tartan/observe/stats.hpp"  // count_forks, stats
