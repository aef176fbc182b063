#pragma once
// Stand-in: the time in which a thread works for a pool; no thread keeps a slot.

#include "tartan/core/pool.hpp"           // pool, worker
#include "tartan/core/process_state.hpp"  // this_thread_cell

namespace tartan::inline TARTAN_ABI::detail {

class call_scope {
 public:
  explicit call_scope(pool& p) : outer_(this_thread_cell().current), w_(&p.enter(nullptr)) {
    this_thread_cell().current = w_;
  }
  call_scope(call_scope const&) = delete;
  call_scope& operator=(call_scope const&) = delete;
  ~call_scope() {
    this_thread_cell().current = outer_;
    w_->home.leave(*w_, false);
  }
  [[nodiscard]] worker& self() const { return *w_; }

 private:
  void* outer_;
  worker* w_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
