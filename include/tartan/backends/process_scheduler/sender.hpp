#pragma once
// Which units go to which worker process, and how many at once.

#include <algorithm>  // min
#include <cstddef>    // byte, size_t
#include <cstdint>    // uint32_t, uint64_t
#include <exception>  // current_exception

#include "tartan/backends/process_job.hpp"             // process_job, unit_range
#include "tartan/backends/process_message.hpp"         // measure_units, message_size, write_message
#include "tartan/backends/process_peer.hpp"            // process_peer, roughly_now
#include "tartan/backends/process_scheduler/crew.hpp"  // process_crew
#include "tartan/core/codec.hpp"                       // frame_writer
#include "tartan/core/config.hpp"                      // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/ipc/wire.hpp"                         // elsewhere, inline_limit, request_kind

namespace tartan::inline TARTAN_ABI::detail {

/// Sends waiting units to peers that have room, each job in its turn.
template <class Transport>
class process_sender {
 public:
  explicit process_sender(process_crew<Transport>& crew) noexcept : crew_(crew) {}

  bool send_all() {
    bool any = false;
    // One message each before anybody gets a second: two dear units run at the same time.
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i != crew_.peers.size(); ++i)
        if (wants_more(i) && send_some(i)) more = any = true;
    }
    return any;
  }

 private:
  [[nodiscard]] bool wants_more(std::size_t i) {
    process_peer& w = crew_.peers[i];
    if (!w.ready()) return false;
    if (crew_.settings.max_tasks_per_worker != 0 && w.next_number >= crew_.settings.max_tasks_per_worker) {
      if (w.sent.empty()) crew_.retire(i);
      return false;
    }
    return w.has_room();
  }

  /// Sends one message to the peer, of the first job that has work for it; jobs take turns.
  bool send_some(std::size_t i) {
    for (std::size_t k = crew_.jobs.in_turn(); k != 0; --k) {
      process_job& job = crew_.jobs.dequeue();
      if (!job.has_work()) {
        if (job.owned && job.finished()) crew_.finish_owned(job);  // it was stopped before it began
        continue;
      }
      bool const serves = may_serve(job, i);
      bool const sent = serves && send_batch(i, job);
      if (job.has_work())
        crew_.jobs.enqueue(job);
      else if (job.owned && job.finished())
        crew_.finish_owned(job);  // its last unit could not be sent
      if (serves) return sent;
    }
    return false;
  }

  static bool may_serve(process_job const& job, std::size_t i) {
    if (job.on_peer.empty() || job.on_peer[i] != 0) return true;
    std::size_t serving = 0;
    for (auto const n : job.on_peer) serving += n != 0 ? 1U : 0U;
    return serving < job.most_workers;
  }

  bool send_batch(std::size_t i, process_job& job) {
    process_peer& w = crew_.peers[i];
    std::uint64_t most = w.portion(job.waiting(), crew_.peers.size());
    if (crew_.settings.max_tasks_per_worker != 0)
      most = (std::min)(most, crew_.settings.max_tasks_per_worker - w.next_number);
    unit_range r = job.take(most);
    std::size_t bytes = 0;
    auto const measured = measure_units(job, r, bytes);
    if (measured < r.count) {
      crew_.give_back(job, {r.first + measured, r.count - measured});
      r.count = measured;
    }
    if (r.count == 0) return true;  // its first unit failed; go on with the next
    return post(i, job, r, bytes);
  }

  bool post(std::size_t i, process_job& job, unit_range r, std::size_t unit_bytes) {
    std::size_t const size = message_size(job, unit_bytes);
    std::byte* block = nullptr;
#if TARTAN_EXCEPTIONS
    try {
#endif
      if (size <= inline_limit) {
        auto* const at = crew_.transport.reserve(i, size, request_kind::run);
        if (at == nullptr) return crew_.give_back(job, r), false;
        write_message(at, size, crew_.peers[i].next_number, job, r);
      } else {
        auto* const note = crew_.transport.reserve(i, sizeof(elsewhere), request_kind::run_elsewhere);
        if (note == nullptr) return crew_.give_back(job, r), false;
        block = static_cast<std::byte*>(crew_.transport.arena().allocate(size, 64));
        write_message(block, size, crew_.peers[i].next_number, job, r);
        frame_writer(note, sizeof(elsewhere)).raw(elsewhere{block, size});
      }
#if TARTAN_EXCEPTIONS
    } catch (...) {
      crew_.transport.arena().deallocate(block);
      crew_.give_back(job, {r.first + 1, r.count - 1});
      if (r.count > 1) {
        crew_.give_back(job, {r.first, 1});  // alone it may fit
        crew_.peers[i].window = 1;
      } else {
        job.fail(r.first, std::current_exception());
      }
      return true;
    }
#endif
    account(i, job, r, block);
    crew_.transport.send(i);
    return true;
  }

  void account(std::size_t i, process_job& job, unit_range r, std::byte* block) {
    process_peer& w = crew_.peers[i];
    w.sent.push_back({&job, r, 0, block, roughly_now()});
    w.next_number += r.count;
    job.outstanding += r.count;
    if (!job.on_peer.empty()) job.on_peer[i] += static_cast<std::uint32_t>(r.count);
    ++crew_.stats.messages;
  }

  process_crew<Transport>& crew_;
};

}  // namespace tartan::inline TARTAN_ABI::detail
