#pragma once
// nth_element, with the policies seq and par.

#include "tartan/algorithms/nth_element.hpp"  // the operations
#include "tartan/backends/sequential.hpp"     // seq
#include "tartan/backends/threads.hpp"        // par
