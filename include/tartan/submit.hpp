#pragma once
// submit, detach, future, shared_future, promise and blocking, with the policies seq and par.

#include "tartan/async/submit.hpp"         // submit, detach, future
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
