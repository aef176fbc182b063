#pragma once
// The peers of a scheduler of processes: how they begin and end, and what their end does to jobs.

#include <algorithm>  // copy, fill
#include <chrono>     // nanoseconds
#include <cstddef>    // byte, size_t
#include <cstdint>    // int64_t, uint32_t, uint64_t
#include <exception>  // exception_ptr, make_exception_ptr
#include <utility>    // forward
#include <vector>     // vector

#include "tartan/backends/process_deaths.hpp"    // error_of_death, error_of_starts
#include "tartan/backends/process_job.hpp"       // process_job, unit_range
#include "tartan/backends/process_jobs.hpp"      // process_jobs
#include "tartan/backends/process_launched.hpp"  // launched_jobs
#include "tartan/backends/process_peer.hpp"      // peer_phase, process_peer, sent_batch
#include "tartan/core/codec.hpp"                 // frame_reader, frame_writer
#include "tartan/core/config.hpp"                // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/ipc/process_errors.hpp"         // process_start_error
#include "tartan/ipc/transport.hpp"              // peer_end
#include "tartan/ipc/wire.hpp"                   // request_kind

namespace tartan::inline TARTAN_ABI {

/// What a pool of processes has done so far.
struct process_stats {
  std::uint64_t tasks = 0;     ///< answered units of work
  std::uint64_t messages = 0;  ///< in which they were sent
  std::uint64_t deaths = 0;    ///< workers that ended without being told to
  std::uint64_t timeouts = 0;  ///< of these, killed because a task ran too long
  std::uint64_t started = 0;   ///< workers that were started, replacements included
  std::uint64_t recalls = 0;   ///< times that waiting units were taken back from a busy worker
};

namespace detail {

/// What a pool of processes is told once.
struct process_settings {
  std::chrono::nanoseconds timeout{0};
  unsigned retries = 0;
  std::uint64_t max_tasks_per_worker = 0;
};

/// The workers of a scheduler and the jobs that it knows, under its lock: how peers begin and end, and what becomes of
/// the units of one that died.
template <class Transport>
struct process_crew {
  /// Stands in for a job that has left.
  struct departed_job final : process_job {
    std::size_t measure(std::uint64_t) override { return 0; }
    void encode(std::uint64_t, frame_writer&) override {}
    void succeed(std::uint64_t, frame_reader&) override {}
    void fail(std::uint64_t, std::exception_ptr) override {}
  };

  template <class... Args>
  explicit process_crew(process_settings const& s, Args&&... transport_args)
      : settings(s), transport(std::forward<Args>(transport_args)...), peers(transport.size()) {
    departed.skip_rest();
  }
  process_crew(process_crew const&) = delete;
  process_crew& operator=(process_crew const&) = delete;

  // ---- jobs ---------------------------------------------------------------------------------------------------

  void admit(process_job& job) {
    start_missing();
    job.number = ++jobs_seen;
    if (job.most_workers != 0) job.on_peer.assign(peers.size(), 0);
    if (job.timeout.count() == 0) job.timeout = settings.timeout;
    if (job.retries == 0) job.retries = settings.retries;
    jobs.make_room();
    if (job.work.size() > shared_work_above) {
      job.shared_work = static_cast<std::byte*>(transport.arena().allocate(job.work.size(), 64));
      std::copy(job.work.begin(), job.work.end(), job.shared_work);
    }
    jobs.add(job);
  }

  void give_back(process_job& job, unit_range r) {
    job.give_back(r);
    if (&job != &departed) jobs.enqueue(job);
  }

  void dismiss(process_job& job) noexcept {
    jobs.remove(job);
    if (job.outstanding != 0) {  // an exception ended the call before its units: their answers go nowhere
      for (process_peer& w : peers)
        for (sent_batch& b : w.sent)
          if (b.job == &job) b.job = &departed;
      departed.outstanding += job.outstanding;
    } else if (job.shared_work != nullptr) {
      transport.arena().deallocate(job.shared_work);
    }
  }

  /// A launched job has ended: its makers are told when the lock is free.
  void finish_owned(process_job& job) {
    dismiss(job);
    launched.end(job);
  }

  template <class E>
  void fail_all(E const& error) {
    auto const p = std::make_exception_ptr(error);
    for (process_peer& w : peers) {
      for (sent_batch& b : w.sent) {
        for (auto u = b.units.first + b.answered; u != b.units.first + b.units.count; ++u) b.job->fail(u, p);
        b.job->outstanding -= b.units.count - b.answered;
        transport.arena().deallocate(b.block);
      }
      w.sent.clear();
      w.answered = w.next_number;
    }
    auto const all = jobs.all();
    for (process_job* job : all) {
      std::fill(job->on_peer.begin(), job->on_peer.end(), 0U);
      while (job->has_work()) {
        auto const r = job->take(~std::uint64_t{0});
        for (std::uint64_t u = 0; u != r.count && r.first + u <= job->limit; ++u) job->fail(r.first + u, p);
      }
      if (job->owned) finish_owned(*job);
    }
  }

  // ---- beginnings and ends --------------------------------------------------------------------------------------

  void start_missing() {
    for (std::size_t i = 0; i != peers.size(); ++i)
      if (peers[i].phase == peer_phase::absent) start_peer(i);
  }

  void start_peer(std::size_t i) {
    auto const keep = peers[i].failed_starts;
    peers[i] = process_peer{};
    peers[i].failed_starts = keep;
    transport.begin(i);
    peers[i].phase = peer_phase::starting;
    ++stats.started;
  }

  /// The peer has done as many tasks as it should: it ends in peace, and another begins.
  void retire(std::size_t i) {
    if (transport.reserve(i, 0, request_kind::quit) == nullptr) return;
    peers[i].phase = peer_phase::retiring;
    transport.send(i);
  }

  void kill(std::size_t i) {
    if (peers[i].killed) return;
    peers[i].killed = true;
    transport.kill(i);
  }

  void bury(std::size_t i) {
    process_peer& w = peers[i];
    std::int64_t since = 0;
    auto const running = transport.running(i, since);
    peer_end const end = transport.bury(i);
    if (w.phase == peer_phase::retiring) {
      // as it was told
    } else if (w.phase == peer_phase::starting) {
      ++w.failed_starts;
    } else {
      ++stats.deaths;
    }
    return_units(i, running, end);
    w.phase = peer_phase::absent;
    w.killed = false;
    w.last_end = end;
    w.next_start = monotonic_ns() + (w.failed_starts != 0 ? retry_start_after : 0);
    if (w.hopeless()) return give_up_if_nobody_is_left();
    if (!closed || !jobs.empty()) {
      if (w.failed_starts == 0) start_again(i);
    }
  }

  // Units that the dead peer had not answered: the one that ran is charged with the death, the others go back. (A unit
  // that is a process of its own never goes back: a kill that came before it began would start it anew.)
  void return_units(std::size_t i, std::uint64_t running, peer_end const& end) {
    process_peer& w = peers[i];
    bool const somebody_ran = !w.sent.empty() && running == w.answered + 1;
    bool const timed_out = somebody_ran && w.killed_for == running;
    bool const told = w.killed && w.killed_for != 0 && !timed_out;  // the kill was meant for a unit that was just done
    for (auto b = w.sent.rbegin(); b != w.sent.rend(); ++b) {
      unit_range rest{b->units.first + b->answered, b->units.count - b->answered};
      b->job->outstanding -= rest.count;
      if (!b->job->on_peer.empty()) b->job->on_peer[i] -= static_cast<std::uint32_t>(rest.count);
      if (b->job->outstanding == 0) finished_jobs = true;
      transport.arena().deallocate(b->block);
      bool const culprit = b->job->one_life || (somebody_ran && !told && &*b == &w.sent.front());
      if (culprit) {
        give_back(*b->job, {rest.first + 1, rest.count - 1});
        charge(*b->job, rest.first, end, timed_out);
        if (b->job->owned && b->job->finished()) finish_owned(*b->job);
      } else {
        give_back(*b->job, rest);
      }
    }
    w.sent.clear();
    w.answered = w.next_number;
  }

  void charge(process_job& job, std::uint64_t unit, peer_end const& end, bool timed_out) {
    auto const failed = job.count_death(unit);
    if (timed_out) ++stats.timeouts;
    if (failed <= job.retries) return give_back(job, {unit, 1});
    job.fail(unit, error_of_death(end, job.task_of(unit), failed, timed_out));
  }

  void start_again(std::size_t i) {
#if TARTAN_EXCEPTIONS
    try {
      start_peer(i);
    } catch (process_start_error const& e) {  // the zygote is gone
      fail_all(e);
    }
#else
    start_peer(i);
#endif
  }

  void give_up_if_nobody_is_left() {
    for (process_peer const& w : peers)
      if (w.phase != peer_phase::absent || !w.hopeless()) return;
    fail_all(error_of_starts(peers.front().last_end));
    for (process_peer& w : peers) w.failed_starts = 0;  // the next call tries again
  }

  process_settings const settings;
  Transport transport;
  std::vector<process_peer> peers;
  process_jobs jobs;
  launched_jobs launched;
  process_stats stats;
  departed_job departed;
  std::uint64_t jobs_seen = 0;
  bool closed = false;
  bool finished_jobs = false;  // since somebody looked last

 private:
  static constexpr clock_ns retry_start_after = 100'000'000;
  static constexpr std::size_t shared_work_above = 2 << 10;
};

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
