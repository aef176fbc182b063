#pragma once
// Threads that are not the pool's: they work for it as long as their call takes.

#include "tartan/core/admission.hpp"     // admission
#include "tartan/core/config.hpp"        // TARTAN_ABI, TARTAN_ALWAYS_INLINE, TARTAN_COLD, TARTAN_NOINLINE
#include "tartan/core/plain_mutex.hpp"   // mutex_hold
#include "tartan/core/pool_threads.hpp"  // pool_threads
#include "tartan/core/residence.hpp"     // residence
#include "tartan/core/worker.hpp"        // worker

namespace tartan::inline TARTAN_ABI::detail {

/// Each takes a slot, and is counted while it calls; the first that keeps its slot stays counted, see residence.hpp.
class outside_callers {
 public:
  outside_callers(unsigned size, bool may_reside, pool_threads& threads, admission& who) noexcept
      : size_(size), may_reside_(may_reside), threads_(threads), admission_(who) {}
  outside_callers(outside_callers const&) = delete;
  outside_callers& operator=(outside_callers const&) = delete;

  /// A slot, the caller's until leave(). `kept` is one that it has already.
  TARTAN_ALWAYS_INLINE worker& enter(worker* kept) {
    worker& w = kept != nullptr ? *kept : *threads_.take_spare();
    if (residence_.comes(w.stay)) [[likely]]
      return w;
    count_in(w);
    if (!threads_.started()) [[unlikely]]
      threads_.start_first(size_ - 1);
    return w;
  }

  void leave(worker& w, bool keep) noexcept {
    if (!residence_.goes(w.stay)) [[unlikely]]
      leave_counted(w, keep);
  }

  /// The thread of this slot, which is in a call, keeps it until give_back().
  void keep(worker& w) noexcept {
    mutex_hold const hold(threads_.mutex());
    if (!may_reside_ || admission_.expects_tasks()) return;  // it changes under the mutex
    residence_.begin(w.stay, [this] { return admission_.is_only_caller(); });
  }

  void give_back(worker& w) noexcept {
    if (threads_.left_behind()) return;
    if (under_mutex([&] { return residence_.leave_for_good(w.stay); })) admission_.caller_goes();
    threads_.put_spare(w);
  }

  /// Nobody is resident from now on. Not under the mutex.
  void end_residence() noexcept {
    if (under_mutex([this] { return residence_.end(); })) admission_.caller_goes();
  }

 private:
  TARTAN_NOINLINE void count_in(worker& w) noexcept {
    if (w.stay.held && asks_residence(w)) return;
    admission_.caller_comes();
    if (residence_.is_held()) end_residence();
  }

  TARTAN_NOINLINE void leave_counted(worker& w, bool keep) noexcept {
    if (!w.stay.held || asks_residence(w)) admission_.caller_goes();
    if (!keep) threads_.put_spare(w);
  }

  /// Whether a caller that was resident, and no longer is, is counted.
  TARTAN_COLD bool asks_residence(worker& w) noexcept {
    if (threads_.left_behind()) return false;
    return under_mutex([&] { return residence<>::ask(w.stay); });
  }

  template <class F>
  bool under_mutex(F f) noexcept {
    mutex_hold const hold(threads_.mutex());
    return f();
  }

  residence<> residence_;
  unsigned const size_;
  bool const may_reside_;
  pool_threads& threads_;
  admission& admission_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
