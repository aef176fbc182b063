#pragma once
// progress: bars and callbacks for policies and loops.

#include "tartan/observe/progress.hpp"  // progress
