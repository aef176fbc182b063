#pragma once
// pipeline with its stages serial, serial_any, parallel and reduce_into, with the policies seq and par.

#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
#include "tartan/patterns/pipeline.hpp"    // the pattern
