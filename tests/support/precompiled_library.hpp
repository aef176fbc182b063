#pragma once
// The library, for builds that parse it, and generate the code of its inline functions, once for all tests.

#include "tartan/forked.hpp"
#include "tartan/processes.hpp"
#include "tartan/tartan.hpp"
