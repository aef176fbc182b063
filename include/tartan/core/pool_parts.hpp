#pragma once
// What a pool is made of.

#include <atomic>   // atomic, memory_order_*
#include <cstdint>  // uint64_t
#include <cstring>  // memcpy, strlen

#include "tartan/core/admission.hpp"     // admission, most_threads_more
#include "tartan/core/atomics.hpp"       // real_atomics
#include "tartan/core/config.hpp"        // TARTAN_ABI
#include "tartan/core/handover.hpp"      // handing_over
#include "tartan/core/idle.hpp"          // idle_count
#include "tartan/core/lookout.hpp"       // lookout
#include "tartan/core/owned_array.hpp"   // owned_array
#include "tartan/core/padded.hpp"        // line_pair
#include "tartan/core/pool_ref.hpp"      // pool_ref
#include "tartan/core/pool_setup.hpp"    // idle, pool_setup
#include "tartan/core/pool_threads.hpp"  // pool_threads
#include "tartan/core/queue.hpp"         // task_queue
#include "tartan/core/smaller.hpp"       // larger, smaller
#include "tartan/core/ticks.hpp"         // ticks_per_us
#include "tartan/core/topology.hpp"      // hardware_cores
#include "tartan/core/tuning.hpp"        // steal_patience_us
#include "tartan/core/wake_places.hpp"   // wake_places
#include "tartan/core/worker.hpp"        // worker

namespace tartan::inline TARTAN_ABI::detail {

/// The parts of a pool, and what every header of it asks about them. What a pool does with them stands in pool_news.hpp
/// (telling others of work), pool_search.hpp (finding it) and pool.hpp (calls, submissions, the end): each is a base of
/// the next, so that a fork reaches all of them from one address.
class pool_parts {
 public:
  pool_parts(pool_parts const&) = delete;
  pool_parts& operator=(pool_parts const&) = delete;

  [[nodiscard]] unsigned size() const noexcept { return size_; }
  [[nodiscard]] bool asymmetric() const noexcept { return asymmetric_; }
  [[nodiscard]] bool oversubscribed() const noexcept { return oversubscribed_; }
  [[nodiscard]] char const* name() const noexcept { return setup_.name; }
  [[nodiscard]] pool_setup const& setup() const noexcept { return setup_; }
  [[nodiscard]] bool threads_started() const noexcept { return threads_.started(); }  // a hint

  /// What policies call it, if it is one of the user's. Relaxed, both: who asks is a worker of the pool, or found it in
  /// the table, and it loses its name when policies must not find it any longer, also in tasks that still run.
  [[nodiscard]] std::uint64_t ref_word() const noexcept { return ref_.load(std::memory_order_relaxed); }
  [[nodiscard]] pool_ref ref() const noexcept { return pool_ref::of(ref_word()); }
  void be_called(pool_ref ref) noexcept { ref_.store(ref.word(), std::memory_order_relaxed); }  // as above

  /// In a forked child the threads of the parent's pools do not exist: such a pool must be left alone.
  [[nodiscard]] bool left_behind() const noexcept { return threads_.left_behind(); }

  /// Relaxed: calls from outside that race with close() are the caller's affair.
  [[nodiscard]] bool closing() const noexcept { return closing_.load(std::memory_order_relaxed); }
  /// Relaxed: what others draw from the queue before drop_queued() does may run.
  [[nodiscard]] bool dropping() const noexcept { return dropping_.load(std::memory_order_relaxed); }

  /// How long work should have been seen before it is stolen.
  [[nodiscard]] std::uint64_t steal_patience() const noexcept {
    return asymmetric_ ? steal_patience_us * ticks_per_us() : 0;
  }

  /// For workers that block, or sleep.
  [[nodiscard]] admission& admitted() noexcept { return admission_; }
  [[nodiscard]] handing_over& handovers() noexcept { return handovers_; }
  [[nodiscard]] wake_places& places() noexcept { return places_; }
  [[nodiscard]] idle_count<>& idle() noexcept { return idle_; }

  /// Whether this worker should leave further work to others.
  [[nodiscard]] bool surplus(worker const& w) const noexcept { return admission_.must_stand_back(w.rank); }

  /// Whether `w`, which may be gone already, is a slot of this pool. O(slots).
  [[nodiscard]] bool owns(worker const* w) const noexcept {
    for (worker const* const own : threads_.slots())
      if (own == w) return true;
    return false;
  }

  template <class Visit>
  void for_each_slot(Visit visit) const {
    for (worker* const w : threads_.slots()) visit(*w);
  }

 protected:
  /// `home` is the pool that these are the parts of, which is being made.
  pool_parts(pool& home, pool_setup const& setup)
      : name_(std::strlen(setup.name) + 1),
        setup_(setup),
        size_(setup_.size),
        asymmetric_(real_atomics::asymmetric_available()),
        oversubscribed_(size_ > hardware_cores()),
        one_at_a_time_(oversubscribed_ && setup_.idle != tartan::idle::latency),  // which never lies down
        search_limit_(setup_.idle == tartan::idle::latency ? size_ + most_threads_more
                                                           : larger(1U, smaller(size_, hardware_cores()) / 2)),
        places_(!oversubscribed_ && !setup_.pin),
        queue_(smaller(size_, 64U), 8),
        threads_(home, setup_, places_, asymmetric_),
        lookout_(home, setup_, threads_),
        admission_(size_, idle_, handovers_, queue_, threads_, lookout_) {
    std::memcpy(name_.get(), setup.name, std::strlen(setup.name));
    setup_.name = name_.get();
  }
  ~pool_parts() = default;

  void wake_claimed() noexcept {
    places_.about_to_wake();
    idle_.wake_claimed();
  }

  owned_array<char> const name_;
  pool_setup setup_;  // never changes
  unsigned const size_;
  bool const asymmetric_;
  bool const oversubscribed_;
  std::atomic<std::uint64_t> ref_{0};
  bool const one_at_a_time_;  // of those that sleep only one is woken for forks, until he comes
  unsigned const search_limit_;

  wake_places places_;
  idle_count<> idle_;
  alignas(line_pair) handing_over handovers_;
  alignas(line_pair) std::atomic<bool> closing_{false};
  std::atomic<bool> dropping_{false};
  task_queue queue_;
  pool_threads threads_;
  lookout lookout_;
  alignas(line_pair) admission admission_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
