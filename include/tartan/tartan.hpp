#pragma once
// Everything but processes, and what needs further libraries.

#include "tartan/aggregate.hpp"   // aggregate
#include "tartan/by_key.hpp"      // map_reduce_by_key, count_by, group_by
#include "tartan/for_each.hpp"    // for_each
#include "tartan/map.hpp"         // map, map_into, starmap
#include "tartan/map_reduce.hpp"  // map_reduce, reduce
#include "tartan/scan.hpp"        // inclusive_scan, exclusive_scan
#include "tartan/sort.hpp"        // sort, stable_sort
#include "tartan/try_map.hpp"     // try_map, try_starmap
#include "tartan/version.hpp"     // TARTAN_VERSION_*
