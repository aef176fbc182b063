#pragma once
// Everything but processes, and what needs further libraries.

#include "tartan/aggregate.hpp"           // aggregate
#include "tartan/by_key.hpp"              // map_reduce_by_key, count_by, group_by
#include "tartan/divide_and_conquer.hpp"  // divide_and_conquer
#include "tartan/filter.hpp"              // copy_if, remove_if, partition, unique
#include "tartan/find.hpp"                // find, find_if, any_of, all_of, none_of, count, count_if
#include "tartan/for_each.hpp"            // for_each
#include "tartan/fork_join.hpp"           // fork_join
#include "tartan/histogram.hpp"           // histogram
#include "tartan/map.hpp"                 // map, map_into, starmap
#include "tartan/map_reduce.hpp"          // map_reduce, reduce
#include "tartan/minmax.hpp"              // min_element, max_element, minmax_element
#include "tartan/policies.hpp"            // seq, par, with_policy
#include "tartan/scan.hpp"                // inclusive_scan, exclusive_scan
#include "tartan/scatter_gather.hpp"      // scatter_gather
#include "tartan/sort.hpp"                // sort, stable_sort
#include "tartan/top_k.hpp"               // top_k
#include "tartan/try_map.hpp"             // try_map, try_starmap
#include "tartan/version.hpp"             // TARTAN_VERSION_*
#include "tartan/zip.hpp"                 // zip, enumerate
