#pragma once
// zip, enumerate and strided: ranges made of ranges.

#include "tartan/algorithms/enumerate.hpp"  // enumerate
#include "tartan/algorithms/strided.hpp"    // strided
#include "tartan/algorithms/zip.hpp"        // zip
