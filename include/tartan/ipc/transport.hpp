#pragma once
// Workers as a scheduler sees them: peers to which messages go, from which messages or a death come, and which can be
// killed and replaced. This one is made of forked processes and shared memory.

#include <chrono>   // nanoseconds
#include <cstddef>  // byte, size_t
#include <cstdint>  // int64_t, uint32_t, uint64_t
#include <cstdio>   // snprintf
#include <memory>   // construct_at, destroy_at
#include <string>   // string
#include <vector>   // vector

#include "tartan/core/config.hpp"      // TARTAN_ABI
#include "tartan/ipc/ring.hpp"         // frame_view, ring_consumer, ring_producer
#include "tartan/ipc/start.hpp"        // process_host
#include "tartan/ipc/wire.hpp"         // worker_slot
#include "tartan/ipc/worker_main.hpp"  // worker_main

namespace tartan::inline TARTAN_ABI::detail {

/// How a peer ended.
struct peer_end {
  int pid;
  int code;    ///< si_code, or a negative errno if it never began
  int status;  ///< signal or exit code
};

/// Peers 0 to size() - 1, each a worker process or the want of one. All calls under the scheduler's lock, but for
/// waiting: any thread may arm(), look at anything() and sleep(), and wake() those that sleep.
class shared_memory_transport {
 public:
  shared_memory_transport(process_host& host, std::size_t peers, worker_setup const& setup, std::string name)
      : host_(host), name_(std::move(name)), peers_(peers) {
    bell_ = ::new (host.arena().allocate(sizeof(doorbell<>), alignof(doorbell<>))) doorbell<>;
    std::uint32_t index = 0;
    for (peer& p : peers_) {
      p.slot = ::new (host.arena().allocate(sizeof(worker_slot), alignof(worker_slot))) worker_slot;
      p.setup = setup;
      p.setup.index = index++;
      format(p);
    }
  }
  shared_memory_transport(shared_memory_transport const&) = delete;
  shared_memory_transport& operator=(shared_memory_transport const&) = delete;

  /// Every peer has ended, or the zygote has, and with it all of them.
  ~shared_memory_transport() {
    bool const gone = !host_.alive();
    for (peer& p : peers_)
      if (!p.begun || gone) host_.arena().deallocate(p.slot);
    host_.arena().deallocate(bell_);
  }

  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }
  [[nodiscard]] segment& arena() noexcept { return host_.arena(); }

  /// Asks for a process. Its first message is `ready`, unless it ends before.
  void begin(std::size_t i) {
    format(peers_[i]);
    host_.fork_child(*peers_[i].slot);
    peers_[i].begun = true;
  }

  /// Room for a message, or null while the way to the peer is full.
  std::byte* reserve(std::size_t i, std::size_t size, request_kind kind) noexcept {
    return peers_[i].out.reserve(size, static_cast<std::uint16_t>(kind));
  }
  void send(std::size_t i) noexcept {
    peers_[i].out.publish();
    peers_[i].out.ring();
  }

  /// The oldest message of the peer, or an empty view; malformed ones throw bad_frame.
  frame_view receive(std::size_t i) { return peers_[i].in.next(); }
  void received(std::size_t i) noexcept { peers_[i].in.consume(); }
  void received_all(std::size_t i) noexcept { peers_[i].in.ring(); }

  /// Whether the peer has ended. Ask before receive(): what it sent before its end is then there to be received.
  [[nodiscard]] bool ended(std::size_t i) const noexcept {
    return peers_[i].begun &&
           peers_[i].slot->phase.load(std::memory_order_acquire) == child_phase::dead;  // with the zygote
  }

  /// Takes note of the end, after the last receive(); what the peer had allocated for messages is freed.
  peer_end bury(std::size_t i) {
    worker_slot& slot = *peers_[i].slot;
    peers_[i].begun = false;
    slot.phase.store(child_phase::requested,
                     std::memory_order_relaxed);  // relaxed: for anything(); nobody else is left
    if (slot.spilled.load(std::memory_order_relaxed) != 0) arena().deallocate_owned(mark(i));  // relaxed: it is dead
    return {static_cast<int>(slot.pid.load(std::memory_order_relaxed)), slot.code.load(std::memory_order_relaxed),
            slot.status.load(std::memory_order_relaxed)};  // relaxed: ended() acquired them
  }

  /// Sends SIGKILL; the end comes as any other.
  void kill(std::size_t i) { signal(i, SIGKILL); }
  void signal(std::size_t i, int number) { host_.kill_child(*peers_[i].slot, number); }

  /// Units of lower numbers that have not begun shall come back.
  void recall(std::size_t i, std::uint64_t below) noexcept {
    peers_[i].slot->recall.store(below, std::memory_order_relaxed);  // relaxed: a wish, now or a little later
  }

  /// The number of the unit that runs (or ran last), and when it began; 0 before the first.
  [[nodiscard]] std::uint64_t running(std::size_t i, std::int64_t& since) const noexcept {
    auto const number = peers_[i].slot->running.load(std::memory_order_acquire);  // with begin() of the worker
    since = peers_[i].slot->since.load(std::memory_order_relaxed);                // relaxed: published by running
    return number;
  }

  [[nodiscard]] std::uint32_t mark(std::size_t i) noexcept { return peers_[i].slot->mark(arena().base()); }
  [[nodiscard]] int pid(std::size_t i) const noexcept {
    return static_cast<int>(peers_[i].slot->pid.load(std::memory_order_relaxed));  // relaxed: for show
  }
  [[nodiscard]] std::string name(std::size_t i) const { return peers_[i].slot->name; }

  /// Whether a peer may have something to say.
  [[nodiscard]] bool anything() const noexcept {
    for (peer const& p : peers_) {
      auto const& state = p.slot->replies.state;
      if (state.head.load(std::memory_order_relaxed) != state.tail.load(std::memory_order_relaxed))
        return true;                                                                        // a look
      if (p.slot->phase.load(std::memory_order_relaxed) == child_phase::dead) return true;  // likewise
    }
    return false;
  }
  [[nodiscard]] auto arm() noexcept { return bell_->arm(); }
  void sleep(doorbell<>::token seen, std::chrono::nanoseconds limit) noexcept { bell_->sleep(seen, limit); }
  void wake() noexcept { bell_->ring(); }

  /// False once the process that replaces peers is gone.
  [[nodiscard]] bool can_replace() const noexcept { return host_.alive(); }

 private:
  struct peer {
    worker_slot* slot = nullptr;
    ring_producer<> out;
    ring_consumer<> in;
    worker_setup setup;
    bool begun = false;
  };

  // By stores, since threads may look on in anything(): relaxed, the fork publishes them.
  void format(peer& p) {
    worker_slot& slot = *p.slot;  // all of it relaxed
    for (ring_state<>* const state : {&slot.requests.state, &slot.replies.state}) {
      state->tail.store(0, std::memory_order_relaxed);
      state->head.store(0, std::memory_order_relaxed);
    }
    slot.recall.store(0, std::memory_order_relaxed);
    slot.running.store(0, std::memory_order_relaxed);
    slot.spilled.store(0, std::memory_order_relaxed);
    slot.pid.store(0, std::memory_order_relaxed);
    slot.phase.store(child_phase::requested, std::memory_order_relaxed);
    slot.main = &worker_main;
    slot.bell = bell_;
    slot.setup = p.setup;
    auto const number = std::to_string(p.setup.index);
    std::snprintf(slot.name, sizeof slot.name, "%.*s-%s", static_cast<int>(sizeof slot.name - number.size() - 2),
                  name_.c_str(), number.c_str());
    p.out = slot.requests.producer();
    p.in = slot.replies.consumer();
  }

  process_host& host_;
  std::string name_;
  std::vector<peer> peers_;
  doorbell<>* bell_ = nullptr;
};

}  // namespace tartan::inline TARTAN_ABI::detail
