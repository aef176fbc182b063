#pragma once
// zip and enumerate: several ranges as one.

#include "tartan/algorithms/enumerate.hpp"  // enumerate
#include "tartan/algorithms/zip.hpp"        // zip
