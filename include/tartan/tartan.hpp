#pragma once
// Everything but processes, and what needs further libraries.

#include "tartan/aggregate.hpp"           // aggregate
#include "tartan/as_completed.hpp"        // as_completed, wait, when_all, when_any, map_async and starmap_async
#include "tartan/by_key.hpp"              // map_reduce_by_key, count_by and group_by
#include "tartan/compare.hpp"             // equal, mismatch, lexicographical_compare and search
#include "tartan/divide_and_conquer.hpp"  // divide_and_conquer
#include "tartan/fill.hpp"                // fill, generate and iota
#include "tartan/filter.hpp"              // copy_if, remove_if, partition and unique
#include "tartan/find.hpp"                // find, find_if, any_of, all_of, none_of, count, count_if
#include "tartan/for_each.hpp"            // for_each
#include "tartan/fork_join.hpp"           // fork_join
#include "tartan/histogram.hpp"           // histogram
#include "tartan/imap.hpp"                // imap and imap_unordered
#include "tartan/join_by_key.hpp"         // join_by_key
#include "tartan/map.hpp"                 // map, map_into and starmap
#include "tartan/map_reduce.hpp"          // map_reduce and reduce
#include "tartan/master_worker.hpp"       // master_worker and try_master_worker
#include "tartan/merge.hpp"               // merge and merge_into
#include "tartan/minmax.hpp"              // min_element, max_element and minmax_element
#include "tartan/nth_element.hpp"         // nth_element
#include "tartan/pipeline.hpp"            // pipeline, serial, serial_any, parallel and reduce_into
#include "tartan/policies.hpp"            // seq, par
#include "tartan/progress.hpp"            // progress
#include "tartan/reverse.hpp"             // reverse and rotate
#include "tartan/scan.hpp"                // inclusive_scan and exclusive_scan
#include "tartan/scatter_gather.hpp"      // scatter_gather
#include "tartan/set_operations.hpp"      // set_union, set_intersection, set_difference, set_symmetric_difference
#include "tartan/shuffle.hpp"             // shuffle and sample
#include "tartan/simd.hpp"                // simd, par_simd, lanes::pack
#include "tartan/sort.hpp"                // sort and stable_sort
#include "tartan/stats.hpp"               // stats
#include "tartan/stencil.hpp"             // grid, stencil
#include "tartan/submit.hpp"              // submit, detach, future
#include "tartan/sum.hpp"                 // sum and dot
#include "tartan/task.hpp"                // task, schedule, when_all, spawn, sync_wait
#include "tartan/task_group.hpp"          // task_group
#include "tartan/this_worker.hpp"         // this_worker
#include "tartan/thread_pool.hpp"         // thread_pool
#include "tartan/top_k.hpp"               // top_k
#include "tartan/try_map.hpp"             // try_map and try_starmap
#include "tartan/version.hpp"             // TARTAN_VERSION_*
#include "tartan/with_policy.hpp"         // with_policy
#include "tartan/worker_local.hpp"        // worker_local
#include "tartan/zip.hpp"                 // zip, enumerate, strided
