#pragma once
// What a call of a pattern tells its job: the callable, and the properties that matter to the scheduler.

#include <chrono>  // nanoseconds

#include "tartan/backends/process_job.hpp"  // process_job
#include "tartan/core/code_address.hpp"     // code_address_of
#include "tartan/core/codec.hpp"            // encode, require_shippable
#include "tartan/core/config.hpp"           // TARTAN_ABI
#include "tartan/exec/properties.hpp"       // properties
#include "tartan/ipc/worker_main.hpp"       // run_each

namespace tartan::inline TARTAN_ABI::detail {

/// The callable that tasks run, and where its trampoline is.
template <class Work, class Argument>
void name_work(process_job& job, Work const& work) {
  require_shippable<Work>();
  require_shippable<Argument>();
  job.code = code_address_of(reinterpret_cast<void const*>(&run_each<Work, Argument>));
  job.work = encode(work);
}

inline void take_properties(process_job& job, properties const& props) {
  job.timeout = std::chrono::nanoseconds(props.timeout_ns);
  job.retries = props.retries;
  if (props.pool.named()) job.most_workers = props.workers;  // a pool without a name has that size
  job.watched = props.stop.asks != nullptr;
}

}  // namespace tartan::inline TARTAN_ABI::detail
