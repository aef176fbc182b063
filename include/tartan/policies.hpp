#pragma once
// Where work runs: the policies seq and par, and the choice by name.

#include "tartan/backends/sequential.hpp"  // seq
#include "tartan/backends/threads.hpp"     // par
#include "tartan/with_policy.hpp"          // with_policy
