#pragma once
// Which unit goes to which worker process, and what happens when one dies: written once, over any transport.

#include <algorithm>           // clamp, copy, fill, max, min, none_of
#include <chrono>              // milliseconds, nanoseconds, seconds
#include <condition_variable>  // condition_variable
#include <cstddef>             // byte, size_t
#include <cstdint>             // int64_t, uint32_t, uint64_t
#include <exception>           // current_exception, exception_ptr, make_exception_ptr
#include <memory>              // unique_ptr
#include <mutex>               // mutex, unique_lock
#include <thread>              // thread
#include <utility>             // forward, move
#include <vector>              // vector

#include "tartan/backends/process_deaths.hpp"    // error_of_death, error_of_starts, memory_kills_seen
#include "tartan/backends/process_job.hpp"       // process_job, unit_range
#include "tartan/backends/process_jobs.hpp"      // process_jobs
#include "tartan/backends/process_launched.hpp"  // launch_key, launched_jobs
#include "tartan/backends/process_message.hpp"   // measure_units, message_size, write_message
#include "tartan/backends/process_peer.hpp"      // peer_phase, process_peer, roughly_now, sent_batch
#include "tartan/core/await.hpp"                 // blocking_scope
#include "tartan/core/codec.hpp"                 // decode_from
#include "tartan/core/config.hpp"                // TARTAN_ABI, TARTAN_EXCEPTIONS
#include "tartan/core/errors.hpp"                // pool_closed, raise
#include "tartan/core/os_thread.hpp"             // block_asynchronous_signals, name_this_thread
#include "tartan/core/ticks.hpp"                 // cpu_pause, ticks, ticks_per_us
#include "tartan/ipc/exceptions.hpp"             // remake_exception, shipped_exception
#include "tartan/ipc/process_errors.hpp"         // process_start_error
#include "tartan/ipc/transport.hpp"              // peer_end
#include "tartan/ipc/wire.hpp"                   // elsewhere, inline_limit, reply_kind, request_kind

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

/// The scheduler. It alone writes its state, under its lock; peers only answer. So a peer that is killed at any
/// instruction has either answered a unit or not, and wedges nobody.
///
/// Every thread that waits for a job drives all of them: it takes messages, buries the dead, sends units. Nobody else
/// is needed, and the thread that waits is the one that is warm when the answer comes.
///
/// How much is sent at once is said at process_peer. Units that wait behind a slow one while another peer idles are
/// recalled: the peer itself hands them back, so none can run twice.
template <class Transport>
class process_scheduler {
 public:
  struct settings {
    std::chrono::nanoseconds timeout{0};
    unsigned retries = 0;
    std::uint64_t max_tasks_per_worker = 0;
  };

  template <class... Args>
  explicit process_scheduler(settings const& s, unsigned spin_us, Args&&... transport_args)
      : settings_(s),
        spin_ticks_(spin_us * ticks_per_us()),
        transport_(std::forward<Args>(transport_args)...),
        peers_(transport_.size()) {
    static_cast<void>(memory_kills_seen());
    departed_.skip_rest();
  }
  process_scheduler(process_scheduler const&) = delete;
  process_scheduler& operator=(process_scheduler const&) = delete;

  /// Waits for what was launched, then for the workers.
  ~process_scheduler() {
    join();
    {
      std::unique_lock const lock(mutex_);
      monitor_ends_ = true;
    }
    work_for_monitor_.notify_one();
    if (monitor_.joinable()) monitor_.join();
  }

  /// Starts the peers that are not there; also done by the first job.
  void start() {
    std::unique_lock const lock(mutex_);
    start_missing();
  }

  /// Runs the job to its end; the calling thread drives. Inside a task of a thread pool that counts as blocking: the
  /// work is done elsewhere.
  void run(process_job& job) {
    blocking_scope const scope;
    std::unique_lock lock(mutex_);
    if (closed_) raise<pool_closed>();
    admission const stay(*this, job);
    while (!job.finished()) step(lock, true);
  }

  /// Takes a job of one unit over and returns; a thread of the scheduler's drives it, and tells its news.
  void launch(std::unique_ptr<process_job> job) {
    std::unique_lock const lock(mutex_);
    own(std::move(job), nullptr);
    launched_.add_unit();
    send_all();
    call_monitor();
  }

  /// The same for one unit more of a job that may be there already: `make()` gives a job without units, `append(job)`
  /// puts one into it. Units of one key go together, as many in a message as pays.
  template <class Make, class Append>
  void launch(launch_key const& key, Make make, Append append) {
    std::unique_lock const lock(mutex_);
    if (closed_) raise<pool_closed>();
    process_job* job = launched_.find(key);
    if (job == nullptr) {
      auto fresh = make();
      append(*fresh);
      fresh->end = 1;
      job = own(std::move(fresh), &key);
    } else {
      append(*job);
      ++job->end;
      jobs_.enqueue(*job);
    }
    launched_.add_unit();
    if (worth_sending(*job)) send_all();
    call_monitor();
  }

  // ---- a job whose units come one by one; one thread at a time

  void enter(process_job& job) {
    std::unique_lock const lock(mutex_);
    if (closed_) raise<pool_closed>();
    admit(job);
  }

  /// One unit more; make(unit) comes first, under the lock.
  template <class Make>
  void extend(process_job& job, Make make) {
    std::unique_lock const lock(mutex_);
    if (closed_) raise<pool_closed>();
    make(job.end);
    if (job.stopped) {
      job.next = ++job.end;
      return job.dropped({job.end - 1, 1});
    }
    ++job.end;
    jobs_.enqueue(job);
    send_all();
  }

  /// One look at everything, then f under the lock.
  template <class F>
  void look(F f) {
    std::unique_lock lock(mutex_);
    turn();
    if (launched_.has_news()) tell_news(lock, false);
    f();
  }

  /// Drives until ready(), which is asked under the lock.
  template <class Ready>
  void drive_until(Ready ready) {
    std::unique_lock lock(mutex_);
    while (!ready()) step(lock, true);
  }

  /// What has not begun of the job will not.
  void skip_rest(process_job& job) noexcept {
    std::unique_lock const lock(mutex_);
    job.skip_rest();
  }

  /// After skip_rest(): waits for what has begun.
  void leave(process_job& job) {
    std::unique_lock lock(mutex_);
    while (job.outstanding != 0) step(lock, true);
    dismiss(job);
  }

  void close() noexcept {
    std::unique_lock const lock(mutex_);
    closed_ = true;
  }

  /// After close(): waits for the calls that run, then for the workers to end.
  void join() {
    {
      std::unique_lock lock(mutex_);
      closed_ = true;
      while (!jobs_.empty() || launched_.untold() != 0) step(lock, false);
    }
    end_peers(std::chrono::seconds(2));
  }

  /// Kills every peer; what runs or waits fails with pool_closed.
  void terminate() {
    std::unique_lock const lock(mutex_);
    closed_ = true;
    for (std::size_t i = 0; i != peers_.size(); ++i)
      if (peers_[i].phase != peer_phase::absent) transport_.kill(i);
    fail_all(pool_closed());
    transport_.wake();
    work_for_monitor_.notify_one();
  }

  /// Sends a signal to every worker that lives.
  void signal(int number) {
    std::unique_lock const lock(mutex_);
    for (std::size_t i = 0; i != peers_.size(); ++i)
      if (peers_[i].phase != peer_phase::absent) transport_.signal(i, number);
  }

  [[nodiscard]] process_stats stats() const {
    std::unique_lock const lock(mutex_);
    return stats_;
  }

  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }

  /// Process numbers of the workers that live.
  [[nodiscard]] std::vector<int> pids() {
    std::unique_lock lock(mutex_);
    start_missing();
    std::vector<int> found;
    for (std::size_t i = 0; i != peers_.size(); ++i) {
      while (peers_[i].phase == peer_phase::starting) step(lock, false);
      if (peers_[i].phase == peer_phase::ready) found.push_back(transport_.pid(i));
    }
    return found;
  }

 private:
  static constexpr clock_ns recall_after = 300'000;
  static constexpr clock_ns retry_start_after = 100'000'000;
  static constexpr std::size_t shared_work_above = 2 << 10;

  // ---- jobs ---------------------------------------------------------------------------------------------------

  /// The time in which a job is known here. If it ends early, by an exception, answers that still come are dropped.
  class admission {
   public:
    admission(process_scheduler& s, process_job& job) : scheduler_(s), job_(job) { s.admit(job); }
    admission(admission const&) = delete;
    admission& operator=(admission const&) = delete;
    ~admission() { scheduler_.dismiss(job_); }

   private:
    process_scheduler& scheduler_;
    process_job& job_;
  };

  /// Stands in for a job that has left.
  struct departed_job final : process_job {
    std::size_t measure(std::uint64_t) override { return 0; }
    void encode(std::uint64_t, frame_writer&) override {}
    void succeed(std::uint64_t, frame_reader&) override {}
    void fail(std::uint64_t, std::exception_ptr) override {}
  };

  void admit(process_job& job) {
    start_missing();
    job.number = ++jobs_seen_;
    if (job.most_workers != 0) job.on_peer.assign(peers_.size(), 0);
    if (job.timeout.count() == 0) job.timeout = settings_.timeout;
    if (job.retries == 0) job.retries = settings_.retries;
    jobs_.make_room();
    if (job.work.size() > shared_work_above) {
      job.shared_work = static_cast<std::byte*>(transport_.arena().allocate(job.work.size(), 64));
      std::copy(job.work.begin(), job.work.end(), job.shared_work);
    }
    jobs_.add(job);
  }

  void give_back(process_job& job, unit_range r) {
    job.give_back(r);
    if (&job != &departed_) jobs_.enqueue(job);
  }

  void dismiss(process_job& job) noexcept {
    jobs_.remove(job);
    if (job.outstanding != 0) {  // an exception ended the call before its units: their answers go nowhere
      for (process_peer& w : peers_)
        for (sent_batch& b : w.sent)
          if (b.job == &job) b.job = &departed_;
      departed_.outstanding += job.outstanding;
    } else if (job.shared_work != nullptr) {
      transport_.arena().deallocate(job.shared_work);
    }
  }

  // ---- launched jobs

  /// Makes the job the scheduler's own. Throws before it has changed anything.
  process_job* own(std::unique_ptr<process_job> job, launch_key const* key) {
    if (closed_) raise<pool_closed>();
    if (!monitor_.joinable()) monitor_ = std::thread([this] { watch(); });
    launched_.make_room();
    admit(*job);
    job->owned = true;
    launched_.add(*job, key);
    return job.release();
  }

  void call_monitor() {
    if (monitor_idles_)
      work_for_monitor_.notify_one();
    else if (launched_.any_ended())
      transport_.wake();  // a unit that could not be encoded has ended already
  }

  /// Whether a unit more shall go at once. Where every peer has some on its way, or one that is quick has, answers will
  /// ask for the next message; where the monitor is about to look again, it sends what there is. Until then more come
  /// together: to wake a peer that sleeps costs as much as many quick units. (One that was quick and is so no more does
  /// not keep them: check_clocks() has the monitor look after a millisecond.)
  [[nodiscard]] bool worth_sending(process_job const& job) const noexcept {
    constexpr std::uint64_t enough_for_a_message = 128, enough_on_the_way = 2;
    if (job.waiting() >= enough_for_a_message) return true;
    if (monitor_tells_) return false;
    if (std::ranges::none_of(peers_,
                             [](process_peer const& w) { return w.ready() && w.outstanding() < enough_on_the_way; }))
      return false;
    auto const now = roughly_now();
    return std::ranges::none_of(peers_, [&](process_peer const& w) { return w.will_answer_soon(now); });
  }

  /// A launched job has ended: its makers are told when the lock is free.
  void finish_owned(process_job& job) {
    dismiss(job);
    launched_.end(job);
  }

  void tell_news(std::unique_lock<std::mutex>& lock, bool by_monitor) {
    monitor_tells_ |= by_monitor;
    auto news = launched_.take_news();
    lock.unlock();
    auto const told = news.tell();
    lock.lock();
    if (by_monitor) monitor_tells_ = false;
    launched_.told(told);
    if (launched_.untold() == 0) transport_.wake();  // join() may wait for it
  }

  /// One look, and a rest if nothing moved.
  void step(std::unique_lock<std::mutex>& lock, bool may_spin, bool by_monitor = false) {
    ++drivers_;
    bool const moved = turn();
    if (launched_.has_news())
      tell_news(lock, by_monitor);
    else if (!moved)
      rest(lock, may_spin);
    --drivers_;
  }

  /// The life of the scheduler's own thread: drives while there are launched jobs.
  void watch() {
    block_asynchronous_signals();
    name_this_thread("tartan-watch", 0);
    std::unique_lock lock(mutex_);
    while (!monitor_ends_) {
      if (launched_.untold() != 0) {
        step(lock, false, true);
      } else {
        monitor_idles_ = true;
        work_for_monitor_.wait(lock);
        monitor_idles_ = false;
      }
    }
  }

  template <class E>
  void fail_all(E const& error) {
    auto const p = std::make_exception_ptr(error);
    for (process_peer& w : peers_) {
      for (sent_batch& b : w.sent) {
        for (auto u = b.units.first + b.answered; u != b.units.first + b.units.count; ++u) b.job->fail(u, p);
        b.job->outstanding -= b.units.count - b.answered;
        transport_.arena().deallocate(b.block);
      }
      w.sent.clear();
      w.answered = w.next_number;
    }
    auto const all = jobs_.all();
    for (process_job* job : all) {
      std::fill(job->on_peer.begin(), job->on_peer.end(), 0U);
      while (job->has_work()) {
        auto const r = job->take(~std::uint64_t{0});
        for (std::uint64_t u = 0; u != r.count && r.first + u <= job->limit; ++u) job->fail(r.first + u, p);
      }
      if (job->owned) finish_owned(*job);
    }
  }

  // ---- one look at everything -----------------------------------------------------------------------------------

  /// Takes what has come, sends what can go. Returns whether anything moved.
  bool turn() {
    bool moved = false;
    finished_jobs_ = false;
    for (std::size_t i = 0; i != peers_.size(); ++i) {
      if (peers_[i].phase == peer_phase::absent) continue;
      bool const ended = transport_.ended(i);  // before receive(): its last words are then there
      moved |= receive_all(i);
      if (ended) {
        bury(i);
        moved = true;
      }
    }
    jobs_.obey_stops();
    moved |= send_all();
    check_clocks();
    if (finished_jobs_ && drivers_ > 1) transport_.wake();  // their threads may sleep
    return moved;
  }

  bool receive_all(std::size_t i) {
    bool any = false;
#if TARTAN_EXCEPTIONS
    try {
#endif
      while (auto const frame = transport_.receive(i)) {
        take(i, frame);
        transport_.received(i);
        any = true;
      }
#if TARTAN_EXCEPTIONS
    } catch (bad_frame const&) {
      kill(i);  // it has overwritten what it should not: its end tells its task
    }
#endif
    if (any) transport_.received_all(i);
    return any;
  }

  void take(std::size_t i, frame_view const& frame) {
    process_peer& w = peers_[i];
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
      give_back(*b.job, {b.units.first + b.answered, count});
      b.units.count -= count;
      count_answered(w, i, b, count);
    } else {
      deliver(i, *b.job, b.units.first + b.answered, kind, in);
      ++stats_.tasks;
      ++b.answered;
      count_answered(w, i, b, 1);
    }
    process_job& job = *b.job;
    if (b.answered == b.units.count) retire_batch(w);
    if (job.owned && job.finished()) finish_owned(job);
  }

  void count_answered(process_peer& w, std::size_t i, sent_batch& b, std::uint64_t count) {
    w.answered += count;
    b.job->outstanding -= count;
    if (!b.job->on_peer.empty()) b.job->on_peer[i] -= static_cast<std::uint32_t>(count);
    if (b.job->outstanding == 0) finished_jobs_ = true;
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
    if (!transport_.arena().owns(where.at, where.size, transport_.mark(i))) frame_reader::wrong_value();
    struct cleanup {
      segment& arena;
      void* block;
      ~cleanup() { arena.deallocate(block); }
    } const at_end{transport_.arena(), where.at};
    frame_reader in(where.at, where.size);
    job.succeed(unit, in);
  }

  void retire_batch(process_peer& w) {
    w.learn_pace();
    transport_.arena().deallocate(w.sent.front().block);
    w.sent.pop_front();
  }

  // ---- sending --------------------------------------------------------------------------------------------------

  bool send_all() {
    bool any = false;
    // One message each before anybody gets a second: two dear units run at the same time.
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i != peers_.size(); ++i)
        if (wants_more(i) && send_some(i)) more = any = true;
    }
    return any;
  }

  [[nodiscard]] bool wants_more(std::size_t i) {
    process_peer& w = peers_[i];
    if (!w.ready()) return false;
    if (settings_.max_tasks_per_worker != 0 && w.next_number >= settings_.max_tasks_per_worker) {
      if (w.sent.empty()) retire(i);
      return false;
    }
    return w.has_room();
  }

  /// Sends one message to the peer, of the first job that has work for it; jobs take turns.
  bool send_some(std::size_t i) {
    for (std::size_t k = jobs_.in_turn(); k != 0; --k) {
      process_job& job = jobs_.dequeue();
      if (!job.has_work()) {
        if (job.owned && job.finished()) finish_owned(job);  // it was stopped before it began
        continue;
      }
      bool const serves = may_serve(job, i);
      bool const sent = serves && send_batch(i, job);
      if (job.has_work())
        jobs_.enqueue(job);
      else if (job.owned && job.finished())
        finish_owned(job);  // its last unit could not be sent
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
    process_peer& w = peers_[i];
    std::uint64_t most = w.portion(job.waiting(), peers_.size());
    if (settings_.max_tasks_per_worker != 0) most = (std::min)(most, settings_.max_tasks_per_worker - w.next_number);
    unit_range r = job.take(most);
    std::size_t bytes = 0;
    auto const measured = measure_units(job, r, bytes);
    if (measured < r.count) {
      give_back(job, {r.first + measured, r.count - measured});
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
        auto* const at = transport_.reserve(i, size, request_kind::run);
        if (at == nullptr) return give_back(job, r), false;
        write_message(at, size, peers_[i].next_number, job, r);
      } else {
        auto* const note = transport_.reserve(i, sizeof(elsewhere), request_kind::run_elsewhere);
        if (note == nullptr) return give_back(job, r), false;
        block = static_cast<std::byte*>(transport_.arena().allocate(size, 64));
        write_message(block, size, peers_[i].next_number, job, r);
        frame_writer(note, sizeof(elsewhere)).raw(elsewhere{block, size});
      }
#if TARTAN_EXCEPTIONS
    } catch (...) {
      transport_.arena().deallocate(block);
      give_back(job, {r.first + 1, r.count - 1});
      if (r.count > 1) {
        give_back(job, {r.first, 1});  // alone it may fit
        peers_[i].window = 1;
      } else {
        job.fail(r.first, std::current_exception());
      }
      return true;
    }
#endif
    account(i, job, r, block);
    transport_.send(i);
    return true;
  }

  void account(std::size_t i, process_job& job, unit_range r, std::byte* block) {
    process_peer& w = peers_[i];
    w.sent.push_back({&job, r, 0, block, roughly_now()});
    w.next_number += r.count;
    job.outstanding += r.count;
    if (!job.on_peer.empty()) job.on_peer[i] += static_cast<std::uint32_t>(r.count);
    ++stats_.messages;
  }

  // ---- beginnings and ends --------------------------------------------------------------------------------------

  void start_missing() {
    for (std::size_t i = 0; i != peers_.size(); ++i)
      if (peers_[i].phase == peer_phase::absent) start_peer(i);
  }

  void start_peer(std::size_t i) {
    auto const keep = peers_[i].failed_starts;
    peers_[i] = process_peer{};
    peers_[i].failed_starts = keep;
    transport_.begin(i);
    peers_[i].phase = peer_phase::starting;
    ++stats_.started;
  }

  /// The peer has done as many tasks as it should: it ends in peace, and another begins.
  void retire(std::size_t i) {
    if (transport_.reserve(i, 0, request_kind::quit) == nullptr) return;
    peers_[i].phase = peer_phase::retiring;
    transport_.send(i);
  }

  void kill(std::size_t i) {
    if (peers_[i].killed) return;
    peers_[i].killed = true;
    transport_.kill(i);
  }

  void bury(std::size_t i) {
    process_peer& w = peers_[i];
    std::int64_t since = 0;
    auto const running = transport_.running(i, since);
    peer_end const end = transport_.bury(i);
    if (w.phase == peer_phase::retiring) {
      // as it was told
    } else if (w.phase == peer_phase::starting) {
      ++w.failed_starts;
    } else {
      ++stats_.deaths;
    }
    return_units(i, running, end);
    w.phase = peer_phase::absent;
    w.killed = false;
    w.last_end = end;
    w.next_start = monotonic_ns() + (w.failed_starts != 0 ? retry_start_after : 0);
    if (w.hopeless()) return give_up_if_nobody_is_left();
    if (!closed_ || !jobs_.empty()) {
      if (w.failed_starts == 0) start_again(i);
    }
  }

  // Units that the dead peer had not answered: the one that ran is charged with the death, the others go back. (A unit
  // that is a process of its own never goes back: a kill that came before it began would start it anew.)
  void return_units(std::size_t i, std::uint64_t running, peer_end const& end) {
    process_peer& w = peers_[i];
    bool const somebody_ran = !w.sent.empty() && running == w.answered + 1;
    bool const timed_out = somebody_ran && w.killed_for == running;
    bool const told = w.killed && w.killed_for != 0 && !timed_out;  // the kill was meant for a unit that was just done
    for (auto b = w.sent.rbegin(); b != w.sent.rend(); ++b) {
      unit_range rest{b->units.first + b->answered, b->units.count - b->answered};
      b->job->outstanding -= rest.count;
      if (!b->job->on_peer.empty()) b->job->on_peer[i] -= static_cast<std::uint32_t>(rest.count);
      if (b->job->outstanding == 0) finished_jobs_ = true;
      transport_.arena().deallocate(b->block);
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
    if (timed_out) ++stats_.timeouts;
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
    for (process_peer const& w : peers_)
      if (w.phase != peer_phase::absent || !w.hopeless()) return;
    fail_all(error_of_starts(peers_.front().last_end));
    for (process_peer& w : peers_) w.failed_starts = 0;  // the next call tries again
  }

  // ---- time -----------------------------------------------------------------------------------------------------

  void check_clocks() {
    next_look_ = std::chrono::nanoseconds(100'000'000);
    bool const watch_balance = idle_peer_and_no_work();
    for (std::size_t i = 0; i != peers_.size(); ++i) {
      process_peer& w = peers_[i];
      if (w.phase == peer_phase::absent) {
        restart_in_time(i);
        continue;
      }
      if (w.sent.empty()) continue;
      if (w.sent.front().job->timeout.count() != 0) check_timeout(i);
      // Not every answer wakes us, and units may wait for the answer of a peer that was quick so far.
      if (w.outstanding() > 1 || (launched_.untold() != 0 && w.last_pace < process_peer::quick))
        look_within(std::chrono::milliseconds(1));
      recall_needless(i);
      if (watch_balance) recall_if_stuck(i);
    }
    if (jobs_.any_watched()) look_within(std::chrono::milliseconds(2));
  }

  void look_within(std::chrono::nanoseconds d) noexcept {
    next_look_ = std::clamp(d, std::chrono::nanoseconds(1000), next_look_);
  }

  void restart_in_time(std::size_t i) {
    process_peer& w = peers_[i];
    if (jobs_.empty() || w.failed_starts == 0) return;
    auto const left = w.next_start - monotonic_ns();
    if (left > 0) return look_within(std::chrono::nanoseconds(left));
    start_again(i);
  }

  void check_timeout(std::size_t i) {
    process_peer& w = peers_[i];
    auto const limit = w.sent.front().job->timeout;
    std::int64_t since = 0;
    auto const running = transport_.running(i, since);
    if (w.killed) return;
    if (running != w.answered + 1) return look_within(limit);  // it will begin; look again when it could be due
    auto const left = std::chrono::nanoseconds(since) + limit - std::chrono::nanoseconds(monotonic_ns());
    if (left.count() > 0) return look_within(left);
    w.killed_for = running;
    kill(i);
  }

  // An error or a stop made waiting units needless: a peer must not run through a whole window of them.
  void recall_needless(std::size_t i) {
    process_peer& w = peers_[i];
    sent_batch const& last = w.sent.back();
    if (w.recalled == w.next_number) return;
    if (!last.job->stopped && last.units.first + last.units.count - 1 <= last.job->limit) return;
    w.recalled = w.next_number;
    transport_.recall(i, w.next_number);
  }

  [[nodiscard]] bool idle_peer_and_no_work() {
    bool idle = false;
    for (process_peer const& w : peers_) idle |= w.ready() && w.sent.empty();
    return idle && !jobs_.any_work();
  }

  void recall_if_stuck(std::size_t i) {
    process_peer& w = peers_[i];
    if (w.outstanding() < 2 || w.recalled == w.next_number) return;
    auto const age = roughly_now() - (std::max)(w.sent.front().sent, w.last_answer);
    if (age < recall_after) return look_within(std::chrono::nanoseconds(recall_after - age));
    w.recalled = w.next_number;
    w.window = (std::max<std::uint64_t>)(1, w.window / 4);
    transport_.recall(i, w.next_number);
    ++stats_.recalls;
  }

  // ---- waiting --------------------------------------------------------------------------------------------------

  /// Nothing moved: spins a little, then sleeps until something can have changed.
  void rest(std::unique_lock<std::mutex>& lock, bool may_spin) {
    auto const limit = next_look_;
    lock.unlock();
    bool something = may_spin ? spin() : transport_.anything();
    if (!something) {
      auto const token = transport_.arm();
      if (!transport_.anything()) transport_.sleep(token, limit);
      something = transport_.anything();
    }
    lock.lock();
    if (!something && !transport_.can_replace()) zygote_gone();
  }

  [[nodiscard]] bool spin() const noexcept {
    if (spin_ticks_ == 0) return transport_.anything();
    auto const until = ticks() + spin_ticks_;
    do {
      if (transport_.anything()) return true;
      cpu_pause();
    } while (ticks() < until);
    return false;
  }

  void zygote_gone() {
    for (std::size_t i = 0; i != peers_.size(); ++i) receive_all(i);
    fail_all(
        process_start_error("tartan: the process that starts workers was killed, and all workers with it; a program "
                            "with threads cannot make another: restart the program"));
    for (process_peer& w : peers_) w.phase = peer_phase::absent;
  }

  void end_peers(std::chrono::nanoseconds patience) {
    std::unique_lock lock(mutex_);
    auto const until = monotonic_ns() + patience.count();
    for (std::size_t i = 0; i != peers_.size(); ++i)
      if (peers_[i].phase == peer_phase::ready) retire(i);
    bool killed = false;
    for (;;) {
      bool any = false;
      for (std::size_t i = 0; i != peers_.size(); ++i) {
        if (peers_[i].phase == peer_phase::starting && transport_.receive(i)) {
          transport_.received(i);
          peers_[i].phase = peer_phase::ready;
          retire(i);
        }
        if (peers_[i].phase != peer_phase::absent && transport_.ended(i)) {
          transport_.bury(i);
          peers_[i].phase = peer_phase::absent;
        }
        any |= peers_[i].phase != peer_phase::absent;
      }
      if (!any || !transport_.can_replace()) return;
      if (!killed && monotonic_ns() > until) {
        for (std::size_t i = 0; i != peers_.size(); ++i)
          if (peers_[i].phase != peer_phase::absent) transport_.kill(i);
        killed = true;
      }
      lock.unlock();
      auto const token = transport_.arm();
      if (!transport_.anything()) transport_.sleep(token, std::chrono::milliseconds(20));
      lock.lock();
    }
  }

  settings const settings_;
  std::uint64_t const spin_ticks_;
  mutable std::mutex mutex_;
  Transport transport_;
  std::vector<process_peer> peers_;
  process_jobs jobs_;
  launched_jobs launched_;
  std::thread monitor_;
  std::condition_variable work_for_monitor_;
  bool monitor_idles_ = false;
  bool monitor_tells_ = false;  // without the lock; then it looks at everything again
  bool monitor_ends_ = false;
  std::uint64_t jobs_seen_ = 0;
  departed_job departed_;
  unsigned drivers_ = 0;
  bool closed_ = false;
  bool finished_jobs_ = false;
  std::chrono::nanoseconds next_look_{0};
  process_stats stats_;
};

}  // namespace detail

}  // namespace tartan::inline TARTAN_ABI
