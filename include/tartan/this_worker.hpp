#pragma once
// this_worker: index, name, process and thread of the worker that runs the calling code.

#include "tartan/core/this_worker.hpp"  // this_worker
