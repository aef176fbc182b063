#pragma once
// The time in which a thread works for a pool.

#include <utility>  // exchange

#include "tartan/core/pool.hpp"           // pool, worker
#include "tartan/core/pool_table.hpp"     // is_default_pool, lent_pools
#include "tartan/core/process_state.hpp"  // pin_this_module, this_thread_cell, thread_cell

namespace tartan::inline TARTAN_ABI::detail {

/// Makes the calling thread a worker of `p` until the end of the scope. A thread keeps its slot of the default pool
/// until it ends, so that coming again costs little: see residence.hpp.
class call_scope {
 public:
  TARTAN_ALWAYS_INLINE explicit call_scope(pool& p) : cell_(this_thread_cell()), outer_(cell_.current) {
    auto* const home = static_cast<worker*>(cell_.home);
    if (home != nullptr && outer_ == nullptr && &home->home == &p && !p.left_behind()) [[likely]] {
      kept_ = true;
      w_ = &p.enter(home);
    } else {
      w_ = &find_slot(p);
    }
    w_->outer = static_cast<worker*>(outer_);
    cell_.current = w_;
  }
  call_scope(call_scope const&) = delete;
  call_scope& operator=(call_scope const&) = delete;
  ~call_scope() {
    cell_.current = outer_;
    w_->home.leave(*w_, kept_);
  }

  [[nodiscard]] worker& self() const noexcept { return *w_; }

 private:
  TARTAN_COLD worker& find_slot(pool& p) {
    auto* const home = static_cast<worker*>(cell_.home);
    if (home != nullptr && home->home.left_behind()) {  // this is a forked child
      cell_.at_exit = nullptr;
      cell_.home = nullptr;
    }
    worker& w = p.enter(nullptr);
    if (outer_ == nullptr && cell_.home == nullptr && is_default_pool(p)) keep(w);
    return w;
  }

  void keep(worker& slot) noexcept {
    kept_ = true;
    cell_.home = &slot;
    pin_this_module();  // the thread may outlive a dlclose
    cell_.at_exit = [](thread_cell& cell) noexcept {
      auto* const w = static_cast<worker*>(std::exchange(cell.home, nullptr));  // other destructors may call after this
      w->home.give_back(*w);
    };
    slot.home.keep(slot);
  }

  thread_cell& cell_;
  void* outer_;
  bool kept_ = false;
  worker* w_;
};

/// A pool of exactly that size, for one call.
class lease {
 public:
  explicit lease(unsigned size) : pool_(lent_pools::instance().take(size)) {}
  lease(lease const&) = delete;
  lease& operator=(lease const&) = delete;
  ~lease() { lent_pools::instance().give_back(pool_); }
  [[nodiscard]] pool& get() const noexcept { return *pool_; }

 private:
  pool* const pool_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
