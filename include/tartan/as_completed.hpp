#pragma once
// as_completed, wait, when_all, when_any, map_async and starmap_async, with submit and the policies seq and par.

#include "tartan/async/as_completed.hpp"   // as_completed, wait
#include "tartan/async/map_async.hpp"      // map_async, starmap_async
#include "tartan/async/submit.hpp"         // submit, future
#include "tartan/async/when.hpp"           // when_all, when_any
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
