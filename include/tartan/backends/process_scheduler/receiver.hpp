#pragma once
// What becomes of the answers of a worker process.

#include <cstddef>    // size_t
#include <cstdint>    // uint32_t, uint64_t
#include <exception>  // current_exception

#include "tartan/backends/process_job.hpp"             // process_job
#include "tartan/backends/process_peer.hpp"            // peer_phase, process_peer, sent_batch
#include "tartan/backends/process_scheduler/crew.hpp"  // process_crew
#include "tartan/core/codec.hpp"                       // bad_frame, decode_from, frame_reader
#include "tartan/core/config.hpp"                      // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/ipc/exceptions.hpp"                   // remake_exception, shipped_exception
#include "tartan/ipc/ring.hpp"                         // frame_view
#include "tartan/ipc/segment.hpp"                      // segment
#include "tartan/ipc/wire.hpp"                         // elsewhere, reply_kind

namespace tartan::inline TARTAN_ABI::detail {

/// Takes what a peer says, and gives each answer to its job.
template <class Transport>
class process_receiver {
 public:
  explicit process_receiver(process_crew<Transport>& crew) noexcept : crew_(crew) {}

  bool receive_all(std::size_t i) {
    bool any = false;
#if TARTAN_EXCEPTIONS
    try {
#endif
      while (auto const frame = crew_.transport.receive(i)) {
        take(i, frame);
        crew_.transport.received(i);
        any = true;
      }
#if TARTAN_EXCEPTIONS
    } catch (bad_frame const&) {
      crew_.kill(i);  // it has overwritten what it should not: its end tells its task
    }
#endif
    if (any) crew_.transport.received_all(i);
    return any;
  }

 private:
  void take(std::size_t i, frame_view const& frame) {
    process_peer& w = crew_.peers[i];
    frame_reader in(frame.data, frame.size);
    auto const kind = static_cast<reply_kind>(frame.kind);
    if (kind == reply_kind::ready) {
      if (w.phase == peer_phase::starting) w.phase = peer_phase::ready;
      w.failed_starts = 0;
      return;
    }
    if (w.sent.empty()) frame_reader::wrong_value();
    sent_batch& b = w.sent.front();
    if (kind == reply_kind::handed_back) {
      auto const count = in.raw<std::uint32_t>();
      if (count != b.units.count - b.answered) frame_reader::wrong_value();
      crew_.give_back(*b.job, {b.units.first + b.answered, count});
      b.units.count -= count;
      count_answered(w, i, b, count);
    } else {
      deliver(i, *b.job, b.units.first + b.answered, kind, in);
      ++crew_.stats.tasks;
      ++b.answered;
      count_answered(w, i, b, 1);
    }
    process_job& job = *b.job;
    if (b.answered == b.units.count) retire_batch(w);
    if (job.owned && job.finished()) crew_.finish_owned(job);
  }

  void count_answered(process_peer& w, std::size_t i, sent_batch& b, std::uint64_t count) {
    w.answered += count;
    b.job->outstanding -= count;
    if (!b.job->on_peer.empty()) b.job->on_peer[i] -= static_cast<std::uint32_t>(count);
    if (b.job->outstanding == 0) crew_.finished_jobs = true;
  }

  void deliver(std::size_t i, process_job& job, std::uint64_t unit, reply_kind kind, frame_reader& in) {
#if TARTAN_EXCEPTIONS
    try {
#endif
      if (kind == reply_kind::value) {
        job.succeed(unit, in);
      } else if (kind == reply_kind::value_elsewhere) {
        deliver_elsewhere(i, job, unit, in.raw<elsewhere>());
      } else if (kind == reply_kind::error) {
        job.fail(unit, remake_exception(decode_from<shipped_exception>(in)));
      } else {
        frame_reader::wrong_value();
      }
#if TARTAN_EXCEPTIONS
    } catch (...) {
      job.fail(unit, std::current_exception());
    }
#endif
  }

  void deliver_elsewhere(std::size_t i, process_job& job, std::uint64_t unit, elsewhere where) {
    if (!crew_.transport.arena().owns(where.at, where.size, crew_.transport.mark(i))) frame_reader::wrong_value();
    struct cleanup {
      segment& arena;
      void* block;
      ~cleanup() { arena.deallocate(block); }
    } const at_end{crew_.transport.arena(), where.at};
    frame_reader in(where.at, where.size);
    job.succeed(unit, in);
  }

  void retire_batch(process_peer& w) {
    w.learn_pace();
    crew_.transport.arena().deallocate(w.sent.front().block);
    w.sent.pop_front();
  }

  process_crew<Transport>& crew_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
