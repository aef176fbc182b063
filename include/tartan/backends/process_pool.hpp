#pragma once
// Pools of worker processes: the user's own, and those that exist because a policy asked.

#include <chrono>    // nanoseconds
#include <cstddef>   // size_t
#include <cstdint>   // uint32_t, uint64_t
#include <map>       // map
#include <memory>    // make_unique, unique_ptr
#include <mutex>     // mutex, scoped_lock
#include <optional>  // optional
#include <string>    // string
#include <utility>   // move
#include <vector>    // vector

#include "tartan/backends/process_scheduler.hpp"  // process_scheduler, process_stats
#include "tartan/core/config.hpp"                 // TARTAN_ABI
#include "tartan/core/errors.hpp"                 // bad_argument, pool_gone, raise
#include "tartan/core/topology.hpp"               // available_workers, hardware_cores
#include "tartan/exec/properties.hpp"             // pool_ref
#include "tartan/ipc/start.hpp"                   // process_host, start_process_host
#include "tartan/ipc/transport.hpp"               // shared_memory_transport

namespace tartan::inline TARTAN_ABI {

/// What a process_pool shall be. All members may be left out.
struct process_pool_options {
  unsigned workers = 0;                    ///< processes; 0: available_workers()
  std::chrono::nanoseconds timeout{0};     ///< for tasks whose call sets none; 0: none
  unsigned retries = 0;                    ///< for tasks whose call sets none
  std::uint64_t max_tasks_per_worker = 0;  ///< a worker is replaced after so many tasks; 0: never
  std::uint64_t memory_limit = 0;          ///< bytes of private memory of a worker; then std::bad_alloc; 0: none
  void (*initializer)() = nullptr;         ///< runs first in every worker, replacements included
  std::string name = "tartan";             ///< of the workers, as ps and top show it, with their number
};

namespace detail {

using local_scheduler = process_scheduler<shared_memory_transport>;

inline std::unique_ptr<local_scheduler> make_scheduler(process_host& host, process_pool_options const& o) {
  unsigned const workers = o.workers != 0 ? o.workers : available_workers();
  if (workers > most_workers)
    raise<bad_argument>("tartan: a pool of " + std::to_string(workers) + " processes; the most is 4096");
  unsigned const cores = hardware_cores();
  worker_setup setup;
  setup.memory_limit = o.memory_limit;
  setup.threads = cores > workers ? cores / workers : 1;
  setup.spin_us = workers < cores ? 50 : 0;  // spinning helps only while every process has a core, the host too
  setup.initializer = o.initializer;
  local_scheduler::settings const s{o.timeout, o.retries, o.max_tasks_per_worker};
  return std::make_unique<local_scheduler>(s, setup.spin_us, host, workers, setup, o.name);
}

/// All pools of the process: those that users made, by number, and one for each size that a policy asked for.
class process_pools {
 public:
  static process_pools& of(process_host& host) {
    void* known = host.pools().load(std::memory_order_acquire);  // with the exchange below: it is complete
    if (known != nullptr) return *static_cast<process_pools*>(known);
    auto made = std::make_unique<process_pools>();
    // acq_rel: with the load above; acquire, where another thread was first: with that one's release.
    if (host.pools().compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *made.release();
    return *static_cast<process_pools*>(known);
  }

  pool_ref add(local_scheduler& s) {
    std::scoped_lock const hold(mutex_);
    std::uint32_t slot = 0;
    while (slot != named_.size() && named_[slot].tenant != nullptr) ++slot;
    if (slot == named_.size()) named_.push_back({});
    named_[slot].tenant = &s;
    return {slot, ++named_[slot].generation};
  }

  void remove(pool_ref ref) noexcept {
    std::scoped_lock const hold(mutex_);
    named_[ref.slot].tenant = nullptr;
  }

  local_scheduler& find(pool_ref ref) {
    std::scoped_lock const hold(mutex_);
    if (ref.slot >= named_.size() || named_[ref.slot].generation != ref.generation ||
        named_[ref.slot].tenant == nullptr)
      raise<pool_gone>();
    return *named_[ref.slot].tenant;
  }

  /// The pool for policies that ask for `workers` (0: the default number). Never destroyed; its workers end with the
  /// host.
  local_scheduler& of_size(process_host& host, unsigned workers) {
    std::scoped_lock const hold(mutex_);
    auto& pool = unnamed_[workers];
    if (pool == nullptr) pool = make_scheduler(host, {.workers = workers});
    return *pool;
  }

 private:
  struct entry {
    local_scheduler* tenant = nullptr;
    std::uint32_t generation = 0;
  };
  std::mutex mutex_;
  std::vector<entry> named_;
  std::map<unsigned, std::unique_ptr<local_scheduler>> unnamed_;
};

}  // namespace detail

/// A pool of worker processes of its own.
///
///     tartan::process_pool pool{{.workers = 8, .timeout = 2s, .max_tasks_per_worker = 100}};
///     auto small = tartan::try_map(tartan::processes.on(pool), files, resize);
///
/// Workers are started with the pool and replaced when they die. Throws process_start_error, out_of_shared_memory.
/// Blocking: the destructor waits for the workers, which end after their task.
/// Thread safety: any thread may use the pool; none may when it is destroyed.
class process_pool {
 public:
  explicit process_pool(process_pool_options options = {})
      : host_(detail::start_process_host()),
        scheduler_(detail::make_scheduler(host_, options)),
        ref_(detail::process_pools::of(host_).add(*scheduler_)) {
    scheduler_->start();
  }
  process_pool(process_pool const&) = delete;
  process_pool& operator=(process_pool const&) = delete;
  ~process_pool() { detail::process_pools::of(host_).remove(ref_); }

  [[nodiscard]] std::size_t size() const noexcept { return scheduler_->size(); }

  /// What policies hold: see policy::on.
  [[nodiscard]] pool_ref ref() const noexcept { return ref_; }

  /// Takes no more work: later calls throw pool_closed; what runs goes on.
  void close() noexcept { scheduler_->close(); }

  /// After close(): waits until the workers have ended.
  void join() { scheduler_->join(); }

  /// Kills the workers now; calls that run fail with pool_closed.
  void terminate() { scheduler_->terminate(); }

  /// Process numbers of the workers.
  [[nodiscard]] std::vector<int> pids() { return scheduler_->pids(); }

  [[nodiscard]] process_stats stats() const { return scheduler_->stats(); }

 private:
  detail::process_host& host_;
  std::unique_ptr<detail::local_scheduler> scheduler_;
  pool_ref ref_;
};

}  // namespace tartan::inline TARTAN_ABI
