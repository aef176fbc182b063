#pragma once
// Which pool a call runs on: the default one, one of the user's, or one that is lent for the call.

#include <atomic>   // atomic, memory_order_*
#include <cstdint>  // uint32_t
#include <memory>   // unique_ptr
#include <mutex>    // lock_guard, mutex
#include <vector>   // vector

#include "tartan/core/errors.hpp"         // pool_gone, raise
#include "tartan/core/pool.hpp"           // pool, worker
#include "tartan/core/process_state.hpp"  // process_object, slot_id
#include "tartan/core/topology.hpp"       // available_workers

namespace tartan::inline TARTAN_ABI::detail {

/// Made at the first call that needs it, never destroyed: a pattern may still run in a static destructor.
inline pool& default_pool() {
  return process_object<pool>(slot_id::default_pool, [] { return new pool(available_workers()); });
}

/// The user's pools by number; entries are reused with a new generation and never freed, so that a policy that outlives
/// its pool finds out instead of following a dead pointer.
class pool_table {
 public:
  struct handle {
    std::uint32_t slot, generation;
  };

  static pool_table& instance() {
    return process_object<pool_table>(slot_id::pool_table, [] { return new pool_table; });
  }

  handle add(pool& p) {
    std::lock_guard const hold(mutex_);
    std::uint32_t slot = 0;
    while (slot != entries_.size() && entries_[slot].tenant != nullptr) ++slot;
    if (slot == entries_.size()) entries_.push_back({});
    entry& e = entries_[slot];
    e.tenant = &p;
    return {slot, ++e.generation};
  }

  void remove(handle h) noexcept {
    std::lock_guard const hold(mutex_);
    entries_[h.slot].tenant = nullptr;
  }

  /// Throws pool_gone if the pool of this handle has been destroyed.
  pool& find(handle h) {
    std::lock_guard const hold(mutex_);
    if (h.slot >= entries_.size() || entries_[h.slot].generation != h.generation || entries_[h.slot].tenant == nullptr)
      raise<pool_gone>();
    return *entries_[h.slot].tenant;
  }

 private:
  struct entry {
    pool* tenant = nullptr;
    std::uint32_t generation = 0;
  };
  std::mutex mutex_;
  std::vector<entry> entries_;
};

/// Pools for calls that ask for a number of workers that the default pool does not have. Each serves one call at a
/// time; they are kept, because a thread that sleeps costs nothing and one that starts costs 20 us.
class lent_pools {
 public:
  static lent_pools& instance() {
    return process_object<lent_pools>(slot_id::lent_pools, [] { return new lent_pools; });
  }

  std::unique_ptr<pool> take(unsigned size) {
    {
      std::lock_guard const hold(mutex_);
      for (auto& p : idle_)
        if (p != nullptr && p->size() == size) return std::move(p);
    }
    return std::make_unique<pool>(size);
  }

  void give_back(std::unique_ptr<pool> p) {
    std::lock_guard const hold(mutex_);
    for (auto& free : idle_)
      if (free == nullptr) {
        free = std::move(p);
        return;
      }
    idle_.push_back(std::move(p));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<pool>> idle_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
