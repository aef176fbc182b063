#pragma once
// stats: what the workers have done so far.

#include "tartan/observe/stats.hpp"  // stats
