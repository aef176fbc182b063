#pragma once
// imap and imap_unordered, with the policies seq and par.

#include "tartan/async/imap.hpp"           // the calls
#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
