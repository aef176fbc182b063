#pragma once
// A meeting of processes that ends in an error, not in a hang, when one of them dies.

#include <poll.h>         // poll
#include <sys/syscall.h>  // SYS_pidfd_open
#include <unistd.h>       // close, getpid, syscall

#include <atomic>   // atomic, memory_order_*
#include <chrono>   // milliseconds
#include <cstdint>  // uint32_t, uint64_t
#include <utility>  // swap

#include "tartan/core/config.hpp"  // TARTAN_ABI
#include "tartan/core/errors.hpp"  // bad_argument, error, raise
#include "tartan/ipc/handle.hpp"   // shared_handle
#include "tartan/ipc/waiting.hpp"  // waiting_word

namespace tartan::inline TARTAN_ABI {

/// A party of a barrier died, or was killed; those that wait, and come later, get this until reset().
struct barrier_broken : error {
  barrier_broken()
      : error(
            "tartan: a process that takes part in this barrier died, so the others would wait for ever: handle the "
            "failure, "
            "then reset() the barrier") {}
};

namespace detail {

/// Whether the process runs; a zombie does not.
inline bool process_runs(std::uint32_t pid) noexcept {
  auto const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return errno != ESRCH;  // without descriptors nobody can tell: alive
  pollfd watched{fd, POLLIN, 0};
  bool const ended = ::poll(&watched, 1, 0) == 1;
  ::close(fd);
  return !ended;
}

struct barrier_state {
  explicit barrier_state(std::uint32_t n) noexcept : parties(n) {}

  static constexpr std::size_t most_processes = 128;

  std::uint32_t const parties;
  std::atomic<std::uint32_t> arrived{0};
  waiting_word phase;
  std::atomic<std::uint32_t> broken{0};
  std::atomic<std::uint64_t> holders[most_processes]{};  ///< process number << 32 | handles that it has; only it writes

  /// This process has one handle more. Each process changes its own entry only, so a death leaves it as it is.
  void attach(std::uint32_t pid) noexcept {
    for (auto& h : holders)
      if (h.load(std::memory_order_relaxed) >> 32 == pid) {  // relaxed: our own
        h.fetch_add(1, std::memory_order_relaxed);           // relaxed: likewise
        return;
      }
    for (auto& h : holders) {
      std::uint64_t none = 0;  // relaxed here and below: a place names a process and publishes nothing
      if (h.compare_exchange_strong(none, std::uint64_t{pid} << 32 | 1, std::memory_order_relaxed)) return;
    }
  }

  void detach(std::uint32_t pid) noexcept {
    for (auto& h : holders) {
      auto const value = h.load(std::memory_order_relaxed);  // relaxed: our own
      if (value >> 32 != pid) continue;
      h.store((value & 0xffffffff) == 1 ? 0 : value - 1, std::memory_order_relaxed);  // likewise
      return;
    }
  }

  [[nodiscard]] bool somebody_died() const noexcept {
    for (auto const& h : holders) {  // relaxed: the system says whether the process runs
      auto const pid = static_cast<std::uint32_t>(h.load(std::memory_order_relaxed) >> 32);
      if (pid != 0 && !process_runs(pid)) return true;
    }
    return false;
  }
};

}  // namespace detail

namespace ipc {

/// `parties` processes wait for each other, again and again, as with std::barrier.
///
/// Every process that has a handle is known to it (a task that got one in its closure, and whoever has arrived); if one
/// of them dies, those that wait get barrier_broken within some milliseconds. Throws bad_argument for 0 parties.
class barrier : public detail::shared_handle<detail::barrier_state> {
 public:
  explicit barrier(std::uint32_t parties) : shared_handle(made{}, checked(parties)) {}
  explicit barrier(borrowed b) : shared_handle(b), pid_(static_cast<std::uint32_t>(::getpid())) {
    state().attach(pid_);
  }
  barrier(barrier const& other) : shared_handle(other), pid_(other.pid_) {
    if (pid_ != 0) state().attach(pid_);
  }
  barrier& operator=(barrier other) noexcept {
    std::swap(static_cast<shared_handle&>(*this), static_cast<shared_handle&>(other));
    std::swap(pid_, other.pid_);  // the other now detaches from what this was
    return *this;
  }
  ~barrier() {
    if (pid_ != 0) state().detach(pid_);
  }

  /// Waits for all parties; throws barrier_broken.
  void arrive_and_wait() {
    auto& s = state();
    if (s.broken.load(std::memory_order_acquire) != 0) detail::raise<barrier_broken>();  // as below
    if (pid_ == 0) {
      pid_ = static_cast<std::uint32_t>(::getpid());
      s.attach(pid_);
    }
    auto const phase = s.phase.value().load(std::memory_order_acquire);  // with next_phase() of the phase before
    // acq_rel: what each did before is seen by all after; the last one's release goes on by the phase.
    if (s.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == s.parties) {
      s.arrived.store(0, std::memory_order_relaxed);  // relaxed: published by the phase
      next_phase();
      return;
    }
    // Acquire, with next_phase(): what the others wrote before they arrived, and that the barrier is broken.
    while (s.phase.value().load(std::memory_order_acquire) == phase) {
      s.phase.sleep(phase, std::chrono::milliseconds(5));
      if (s.phase.value().load(std::memory_order_acquire) == phase && s.somebody_died()) {
        s.broken.store(1, std::memory_order_release);  // with broken() and the load below
        next_phase();
      }
    }
    if (s.broken.load(std::memory_order_acquire) != 0) detail::raise<barrier_broken>();  // with who found the dead one
  }

  /// Acquire, with the release of who found a dead member, and of reset().
  [[nodiscard]] bool broken() const { return state().broken.load(std::memory_order_acquire) != 0; }

  /// As new, when nobody waits.
  void reset() {
    auto& s = state();
    for (auto& h : s.holders) {  // relaxed: nobody waits, and who learns of it learns it from the caller
      auto const pid = static_cast<std::uint32_t>(h.load(std::memory_order_relaxed) >> 32);
      if (pid != 0 && !detail::process_runs(pid)) h.store(0, std::memory_order_relaxed);
    }
    s.arrived.store(0, std::memory_order_relaxed);  // relaxed: published by `broken`
    s.broken.store(0, std::memory_order_release);   // with broken(): the rest is as new
  }

 private:
  static std::uint32_t checked(std::uint32_t parties) {
    if (parties == 0) detail::raise<bad_argument>("tartan: a barrier needs at least one party");
    return parties;
  }

  void next_phase() {
    state().phase.value().fetch_add(1, std::memory_order_seq_cst);  // release, with the waiters; seq_cst for changed()
    state().phase.changed();
  }

  std::uint32_t pid_ = 0;  // of this process once it takes part; 0: the maker, which need not
};

}  // namespace ipc

}  // namespace tartan::inline TARTAN_ABI
